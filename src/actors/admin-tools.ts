/** What the admin endpoint answers about tools and their pins; accepting and locking is the catalogue's. */
import { type AdminError, type AdminReply } from '../admin/protocol.js';
import { type PinningSnapshot, type ToolPin } from '../admin/snapshot/tools.js';
import { nearMisses } from '../admin/suggest.js';
import { type ActorSystem, ask, toError } from '../kernel/index.js';
import { differences } from '../pinning/definitions.js';
import { type PinBook, type PinnedTool } from '../pinning/pin-book.js';
import { aggregateName } from '../protocol/naming.js';
import { type CatalogueMessage } from './catalogue.js';
import { type DataPlane } from './data-plane.js';
import { CATALOGUE } from './names.js';

const ASK_TIMEOUT_MS = 5_000;

export function pinningSnapshot(book: PinBook): PinningSnapshot {
  let pinned = 0;
  let quarantined = 0;
  for (const { state } of book.tools()) {
    if (state === 'pinned') pinned += 1;
    if (state === 'quarantined') quarantined += 1;
  }
  return { mode: book.mode, pinned, quarantined, fault: book.fault };
}

export class ToolAnswers {
  readonly #system: ActorSystem;
  readonly #plane: DataPlane;
  readonly #book: PinBook;

  constructor(system: ActorSystem, plane: DataPlane, book: PinBook) {
    this.#system = system;
    this.#plane = plane;
    this.#book = book;
  }

  /** Of one server, or of all. */
  list(server?: string): AdminReply {
    const wanted = [...this.#book.tools()].filter((tool) => server === undefined || tool.server === server);
    return { ok: true, result: wanted.map((tool) => this.#shown(tool)) };
  }

  diff(name: string): AdminReply {
    const found = this.#find(name);
    if ('code' in found) return { ok: false, error: found };
    const changes = differences(found.pin?.definition, found.definition);
    return { ok: true, result: { name: this.#name(found), state: found.state, differences: changes } };
  }

  async accept(name: string): Promise<AdminReply> {
    const found = this.#find(name);
    if ('code' in found) return { ok: false, error: found };
    const { server, tool } = found;
    return this.#ask((replyTo) => ({ type: 'catalogue/accept', server, tool, replyTo }));
  }

  lock(): Promise<AdminReply> {
    return this.#ask((replyTo) => ({ type: 'catalogue/lock', replyTo }));
  }

  async #ask(message: (replyTo: { reply(value: unknown): void }) => CatalogueMessage): Promise<AdminReply> {
    try {
      const target = this.#system.whereis(CATALOGUE);
      const result = await ask<CatalogueMessage, unknown>(this.#system.wheel, target, message, ASK_TIMEOUT_MS);
      return { ok: true, result };
    } catch (cause) {
      return { ok: false, error: { code: 'actor_unavailable', message: `${toError(cause).message}.` } };
    }
  }

  /** By the name at `/mcp`. */
  #find(name: string): PinnedTool | AdminError {
    const names: string[] = [];
    for (const tool of this.#book.tools()) {
      const shown = this.#name(tool);
      if (shown === name) return tool;
      names.push(shown);
    }
    const message = `No server offers a tool ${JSON.stringify(name)}; \`viable tools list\` has the names.`;
    return { code: 'unknown_tool', message, suggestions: nearMisses(name, names) };
  }

  #name({ server, tool }: PinnedTool): string {
    return aggregateName(this.#plane.routing.offer(server)?.prefix ?? server, tool);
  }

  #shown(tool: PinnedTool): ToolPin {
    const { server, state, hash, pin } = tool;
    return {
      name: this.#name(tool),
      server,
      tool: tool.tool,
      state,
      hash,
      pinnedHash: pin?.hash ?? null,
      pinnedAt: pin?.pinnedAt ?? null,
    };
  }
}
