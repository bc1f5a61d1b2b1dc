/**
 * Reads a server's lists again when it says that they have changed. Process-free.
 *
 * Invariants: one reading at a time, and after it another if something changed meanwhile; a reading that takes too long
 * or fails leaves what was known; a list that the server refuses stays as it was.
 * Source: MCP specification, "Server Features" (list_changed).
 */
import { type ActorContext, type TimerHandle, toError } from '../kernel/index.js';
import { type Listing } from '../routing/routing-table.js';
import { type PendingRequests } from './pending-requests.js';
import { listAll, type OwnRequest, type ServerFacts } from './upstream-handshake.js';
import { RequestFailed } from './upstream-probe.js';
import { type OwnRequests } from './upstream-requests.js';

export type RelistingMessage =
  | { readonly type: 'relist/due' }
  /** The reading of this number has ended: with a listing, or with why there is none. */
  | { readonly type: 'relist/over'; readonly round: number; readonly outcome: Listing | string };

export interface RelistingDeps {
  readonly context: Pick<ActorContext<RelistingMessage>, 'after' | 'self'>;
  readonly pending: PendingRequests;
  readonly requests: OwnRequests;
  /** Milliseconds before a reading begins: servers announce several changes at once. */
  readonly relistDelay: number;
  /** Milliseconds that one reading may take. */
  readonly connectTimeout: number;
  readonly odd: (what: string) => void;
}

interface Reading {
  readonly round: number;
  readonly ids: number[];
  readonly late: TimerHandle;
}

export class Relisting {
  readonly #deps: RelistingDeps;
  #planned = false;
  #again = false;
  #rounds = 0;
  #reading: Reading | null = null;

  constructor(deps: RelistingDeps) {
    this.#deps = deps;
  }

  plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#deps.context.after(this.#deps.relistDelay, { type: 'relist/due' });
  }

  /** Begins to read, unless that is going on or nothing is known yet. */
  due(ready: { readonly facts: ServerFacts; readonly listing: Listing } | null): void {
    if (ready === null) return;
    const { facts, listing: known } = ready;
    this.#planned = false;
    this.#again = this.#reading !== null;
    if (this.#again) return;
    const { context, requests, pending, connectTimeout, odd } = this.#deps;
    const round = (this.#rounds += 1);
    const over = (outcome: Listing | string): RelistingMessage => ({ type: 'relist/over', round, outcome });
    const late = context.after(connectTimeout, over(`no answer within ${connectTimeout} ms`));
    const reading: Reading = { round, ids: [], late };
    this.#reading = reading;
    const request: OwnRequest = (method, params) => {
      if (this.#reading !== reading) return Promise.reject(new RequestFailed('it took too long'));
      reading.ids.push(pending.peekId());
      return requests.request(method, params);
    };
    void listAll(request, facts, odd, known).then(
      (listing) => context.self.answer(over(listing)),
      (cause: unknown) => context.self.answer(over(toError(cause).message)),
    );
  }

  /** What the server lists now; `undefined` when that was not learnt. */
  over(round: number, outcome: Listing | string): Listing | undefined {
    const reading = this.#reading;
    if (reading?.round !== round) return undefined;
    this.#reading = null;
    reading.late.cancel();
    for (const id of reading.ids) this.#deps.requests.drop(id);
    if (this.#again) this.plan();
    this.#again = false;
    if (typeof outcome !== 'string') return outcome;
    this.#deps.odd(`listing again failed: ${outcome}`);
    return undefined;
  }
}
