/**
 * Session id → the actor that holds it. Plain memory: a POST finds its session by one map look-up. A session enters
 * itself when it starts and leaves when it ends.
 */
import { type ConnectionSnapshot } from '../admin/protocol.js';
import { type Principal } from '../auth/principal.js';
import { type Ref } from '../kernel/index.js';
import { type ScopeKey } from '../routing/scopes.js';
import { type Announcements } from './announcements.js';
import { type ClientMessage, type ClientTransportKind } from './client-message.js';

export interface SessionEntry {
  readonly id: string;
  readonly transport: ClientTransportKind;
  readonly scope: ScopeKey;
  readonly ref: Ref<ClientMessage>;
  /** Whose it is: nobody else may use it. */
  readonly principal: Principal;
  /** Requests of the client that wait for an answer. */
  readonly inFlight: number;
  /** A stream from the gateway to the client is open. */
  readonly streaming: boolean;
  /** When the client was last heard of. Epoch milliseconds. */
  readonly lastSeenAt: number;
  /** It takes no new requests until then, while those that run finish; `null` while it does. Written by its drain. */
  quietUntil: number | null;
  /** What consoles see of it, read without asking the actor. */
  inspect(): ConnectionSnapshot;
}

export class SessionDirectory {
  readonly #entries = new Map<string, SessionEntry>();
  readonly #announcements: Announcements | null;

  constructor(announcements: Announcements | null = null) {
    this.#announcements = announcements;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): SessionEntry | undefined {
    return this.#entries.get(id);
  }

  add(entry: SessionEntry): void {
    this.#entries.set(entry.id, entry);
    this.#announcements?.announce('connection/opened', () => entry.inspect());
  }

  /** Removes the entry if it is still that actor's. */
  remove(id: string, ref: Ref<ClientMessage>): void {
    const entry = this.#entries.get(id);
    if (entry?.ref !== ref) return;
    this.#entries.delete(id);
    this.#announcements?.announce('connection/closed', () => entry.inspect());
  }

  all(): IterableIterator<SessionEntry> {
    return this.#entries.values();
  }
}
