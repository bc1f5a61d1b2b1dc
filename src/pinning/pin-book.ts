/**
 * The pins: which definition of each tool somebody has seen, and which tools are in quarantine because theirs is another.
 * Plain memory; its writer is the catalogue, its file the pin keeper's.
 *
 * Invariants: a tool whose definition is not the pinned one is in quarantine until it is that again or is accepted; where
 * the pins could not be read, everything is, for nothing is known to be what it was.
 */
import { type JsonObject } from '../protocol/jsonrpc.js';
import { hashOf } from './definitions.js';

/** off: nothing is compared. first-sight: what is new is pinned. lock: what is not in the file is in quarantine. */
export type PinningMode = 'off' | 'first-sight' | 'lock';

export interface Pin {
  readonly hash: string;
  readonly definition: JsonObject;
  /** Epoch milliseconds. */
  readonly pinnedAt: number;
}

/** As in the file: server → tool → pin. */
export type Pins = ReadonlyMap<string, ReadonlyMap<string, Pin>>;

export type PinState = 'pinned' | 'unpinned' | 'quarantined';

export interface PinnedTool {
  readonly server: string;
  readonly tool: string;
  readonly state: PinState;
  /** Of the definition that the server offers now. */
  readonly hash: string;
  readonly pin: Pin | undefined;
  readonly definition: JsonObject;
}

/** What changed as a listing was looked at, for the audit log. */
export interface PinEvent {
  readonly outcome: 'pinned' | 'quarantined' | 'restored' | 'accepted' | 'locked';
  readonly server: string;
  readonly tool: string;
  readonly hash: string;
}

const NONE: ReadonlySet<string> = new Set();

export class PinBook {
  readonly mode: PinningMode;
  /** Where the pins are kept; `null`: in memory alone. */
  readonly file: string | null;
  /** Why the file could not be read; `null` when it could, or there is none. Written by the pin keeper. */
  fault: string | null = null;
  #pins = new Map<string, Map<string, Pin>>();
  /** Definitions as offered last. */
  readonly #offered = new Map<string, Map<string, { readonly hash: string; readonly definition: JsonObject }>>();
  readonly #quarantine = new Map<string, ReadonlySet<string>>();
  readonly #hashes = new WeakMap<JsonObject, string>();

  constructor(mode: PinningMode, file: string | null = null) {
    this.mode = mode;
    this.file = file;
  }

  get pins(): Pins {
    return this.#pins;
  }

  /** What the file says. Before anything is judged. */
  load(pins: Pins): void {
    this.#pins = new Map([...pins].map(([server, tools]) => [server, new Map(tools)]));
  }

  /** Looks at what a server offers now; the same set as before when nothing changed. */
  judge(server: string, tools: readonly JsonObject[], now: number, seen: (event: PinEvent) => void): void {
    const offered = new Map<string, { hash: string; definition: JsonObject }>();
    for (const definition of tools) {
      const name = String(definition['name']);
      if (!offered.has(name)) offered.set(name, { hash: this.#hash(definition), definition });
    }
    this.#offered.set(server, offered);
    if (this.mode !== 'off') this.#compare(server, now, seen);
  }

  forget(server: string): void {
    this.#offered.delete(server);
    this.#quarantine.delete(server);
  }

  /** Own names of the server's tools that are kept back. */
  quarantined(server: string): ReadonlySet<string> {
    return this.#quarantine.get(server) ?? NONE;
  }

  /** Every tool that is offered, in the order of servers and lists. */
  *tools(): Iterable<PinnedTool> {
    for (const [server, offered] of this.#offered) {
      for (const [tool, { hash, definition }] of offered) {
        const pin = this.#pins.get(server)?.get(tool);
        const state = this.quarantined(server).has(tool) ? 'quarantined' : pin?.hash === hash ? 'pinned' : 'unpinned';
        yield { server, tool, state, hash, pin, definition };
      }
    }
  }

  /** Pins what the server offers now; `false` when it offers no such tool. */
  accept(server: string, tool: string, now: number, seen: (event: PinEvent) => void): boolean {
    const current = this.#offered.get(server)?.get(tool);
    if (!current) return false;
    this.#pin(server, tool, current, now);
    seen({ outcome: 'accepted', server, tool, hash: current.hash });
    if (this.mode !== 'off') this.#compare(server, now, () => undefined);
    return true;
  }

  /** Pins everything that is offered now and nothing else of those servers; returns how many tools. */
  lock(now: number, seen: (event: PinEvent) => void): number {
    let count = 0;
    this.fault = null;
    for (const [server, offered] of this.#offered) {
      const before = this.#pins.get(server);
      this.#pins.delete(server);
      for (const [tool, current] of offered) {
        const kept = before?.get(tool);
        this.#pin(server, tool, current, kept?.hash === current.hash ? kept.pinnedAt : now);
        if (kept?.hash !== current.hash) seen({ outcome: 'locked', server, tool, hash: current.hash });
        count += 1;
      }
      if (this.mode !== 'off') this.#compare(server, now, () => undefined);
    }
    return count;
  }

  #compare(server: string, now: number, seen: (event: PinEvent) => void): void {
    const before = this.quarantined(server);
    const kept = new Set<string>();
    for (const [tool, current] of this.#offered.get(server) ?? []) {
      const pin = this.#pins.get(server)?.get(tool);
      const { hash } = current;
      if (this.fault === null && pin?.hash === hash) {
        if (before.has(tool)) seen({ outcome: 'restored', server, tool, hash });
      } else if (this.fault === null && pin === undefined && this.mode === 'first-sight') {
        this.#pin(server, tool, current, now);
        seen({ outcome: 'pinned', server, tool, hash });
      } else {
        kept.add(tool);
        if (!before.has(tool)) seen({ outcome: 'quarantined', server, tool, hash });
      }
    }
    const same = kept.size === before.size && [...kept].every((tool) => before.has(tool));
    if (!same) this.#quarantine.set(server, kept);
  }

  #pin(
    server: string,
    tool: string,
    current: { readonly hash: string; readonly definition: JsonObject },
    at: number,
  ): void {
    const tools = this.#pins.get(server) ?? new Map<string, Pin>();
    this.#pins.set(server, tools);
    tools.set(tool, { ...current, pinnedAt: at });
  }

  #hash(definition: JsonObject): string {
    let hash = this.#hashes.get(definition);
    if (hash === undefined) this.#hashes.set(definition, (hash = hashOf(definition)));
    return hash;
  }
}
