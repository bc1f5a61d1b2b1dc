/**
 * The stream on which a modern upstream tells of changes: `subscriptions/listen` with every list it has and every
 * resource that some client subscribes to. Opened anew when that set changes or the stream ends. Process-free.
 *
 * Source: MCP specification 2026-07-28, "Patterns › Subscriptions".
 */
import { type JsonObject } from '../protocol/jsonrpc.js';
import { filterToWire, honouredFilter, isEmptyFilter } from '../protocol/modern/subscriptions.js';

export interface ListeningDeps {
  /** URIs that clients subscribe to now. */
  readonly wanted: () => readonly string[];
  readonly open: (params: JsonObject) => { readonly id: number; readonly ended: Promise<unknown> };
  readonly close: (id: number) => void;
  /** Calls `again` after so many milliseconds. */
  readonly later: (ms: number) => void;
}

/** Changes of what is wanted within this time are asked for once. */
const GATHER_MS = 20;
/** A stream that ended by itself is opened again after this. */
const REOPEN_MS = 1_000;

export class UpstreamListening {
  readonly #deps: ListeningDeps;
  #capabilities: JsonObject | null = null;
  #stream: number | null = null;
  #planned = false;

  constructor(deps: ListeningDeps) {
    this.#deps = deps;
  }

  get running(): boolean {
    return this.#capabilities !== null;
  }

  start(capabilities: JsonObject): void {
    this.#capabilities = capabilities;
    this.again();
  }

  /** What clients subscribe to has changed. */
  restart(): void {
    this.#plan(GATHER_MS);
  }

  /** Opens the stream for what is wanted now, in place of the one there is. */
  again(): void {
    this.#planned = false;
    if (this.#capabilities === null) return;
    const before = this.#stream;
    this.#stream = null;
    const filter = honouredFilter(
      {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: new Set(this.#deps.wanted()),
      },
      this.#capabilities,
    );
    if (!isEmptyFilter(filter)) {
      const { id, ended } = this.#deps.open({ notifications: filterToWire(filter) });
      this.#stream = id;
      void ended.then(() => {
        if (this.#stream === id) this.#plan(REOPEN_MS);
      });
    }
    // The new one stands before the old one goes, so that no change falls between.
    if (before !== null) this.#deps.close(before);
  }

  #plan(ms: number): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#deps.later(ms);
  }
}
