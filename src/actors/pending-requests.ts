/**
 * What an upstream session waits for: the clients' calls and its own requests, by the id that each was sent under.
 * Process-free.
 *
 * Invariant: ids are integers of this session, never used twice; what is taken out is settled by the one who took it.
 */
import { type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { Outstanding } from '../protocol/outstanding.js';
import { type Call } from './call.js';
import { type SessionLoad } from './upstream-gate.js';

/** A request of the gateway's own: handshake, listing, log level. */
export interface OwnRequestPending {
  readonly type: 'own';
  readonly method: string;
  readonly settle: (answer: JsonRpcResponse) => void;
  readonly fail: (error: Error) => void;
}

export type Pending = Call | OwnRequestPending;

export class PendingRequests {
  readonly #pending = new Outstanding<Pending>();
  /** Calls that the server is known not to have begun. */
  readonly #refused = new WeakSet<Call>();
  readonly #load: SessionLoad;
  #nextId = 1;

  /** `load` is kept at the number of calls that wait. */
  constructor(load: SessionLoad = { calls: 0 }) {
    this.#load = load;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** The id that comes next. */
  peekId(): number {
    return this.#nextId;
  }

  add(id: number, waiting: Pending): void {
    this.#pending.set(id, waiting);
    if (waiting.type === 'call') this.#load.calls += 1;
  }

  /** What waits under this id, and waits no more. */
  take(id: JsonRpcId | null): Pending | undefined {
    if (typeof id !== 'number') return undefined;
    const waiting = this.#pending.get(id);
    if (waiting === undefined) return undefined;
    this.#pending.delete(id);
    if (waiting.type === 'call') this.#load.calls -= 1;
    return waiting;
  }

  /** The call that was sent under this id or progress token. */
  call(id: unknown): Call | undefined {
    const waiting = typeof id === 'number' ? this.#pending.get(id) : undefined;
    return waiting?.type === 'call' ? waiting : undefined;
  }

  /** The calls that wait, oldest first. */
  *calls(): Iterable<Call> {
    for (const waiting of this.#pending.values()) if (waiting.type === 'call') yield waiting;
  }

  /** Calls that wait. */
  get count(): number {
    return this.#load.calls;
  }

  /** Methods of the gateway's own requests that wait. */
  ownMethods(): string[] {
    return this.#pending.values().flatMap((waiting) => (waiting.type === 'own' ? [waiting.method] : []));
  }

  /** Everything that waits, and waits no more. */
  takeAll(): Pending[] {
    const all = this.#pending.values();
    this.#pending.clear();
    this.#load.calls = 0;
    return all;
  }

  /** The server refused the call of this id before it began it. */
  refused(id: JsonRpcId): void {
    const call = this.call(id);
    if (call) this.#refused.add(call);
  }

  /** The calls that were refused and wait still, given back as never sent. */
  takeRefused(): Call[] {
    const calls = [...this.calls()].filter((call) => this.#refused.has(call));
    for (const call of calls) {
      this.#pending.delete(call.upstreamId);
      this.#load.calls -= 1;
      call.upstreamId = 0;
    }
    return calls;
  }
}
