/**
 * What the data path knows of a circuit breaker: plain fields that it reads before a call and counts in after it. One for
 * each upstream and one for each client transport; outlives its actor.
 *
 * Invariants: while it is half-open one caller has the token, and whoever takes it says how its call ended; the actor is
 * told of outcomes at most once a collection, and at once when the failures in a row reach `threshold`.
 */
import { type BreakerState } from '../admin/protocol.js';
import { type Ref } from '../kernel/index.js';
import { type BreakerCause, type BreakerMemory } from '../machines/breaker.js';

/** `neutral`: says nothing of the server: the client's own mistake, or nobody waited for the end. */
export type Outcome = 'success' | 'failure' | 'neutral';

/** What a breaker's actor is told by the data path and the unit's lifecycle. */
export type BreakerNews =
  /** Something was counted since the last collection. */
  | { readonly type: 'breaker/outcomes' }
  /** Enough failures in a row: look at once. */
  | { readonly type: 'breaker/tripped' }
  /** The token of this number was taken. */
  | { readonly type: 'breaker/probe-sent'; readonly token: number }
  | { readonly type: 'breaker/probe-ended'; readonly token: number; readonly outcome: Outcome }
  /** The server could not be reached. */
  | { readonly type: 'breaker/unreachable' }
  | { readonly type: 'breaker/reachable' }
  | { readonly type: 'breaker/reconfigured' };

const OUTCOMES: BreakerNews = { type: 'breaker/outcomes' };
const TRIPPED: BreakerNews = { type: 'breaker/tripped' };

/** What an ordinary call has in place of a token. */
export const NO_TOKEN = 0;

/** States of the past that are kept for the consoles. */
export const HISTORY = 60;

export class BreakerGate {
  // Written by the breaker actor.
  state: BreakerState = 'closed';
  /** Since when, milliseconds since the Unix epoch. */
  since = 0;
  /** Why it is not closed. */
  cause: BreakerCause | null = null;
  /** End of the hold, `null` while there is none. */
  until: number | null = null;
  /** Failures in a row at which the actor is told at once; 0: never. */
  threshold = 0;
  actor: Ref<BreakerNews> | null = null;
  /** What the actor's next incarnation begins with. */
  memory: BreakerMemory | null = null;
  /** Its changes, oldest first, at most `HISTORY`. */
  readonly history: { readonly at: number; readonly state: BreakerState }[] = [];
  /** Number of the newest token. */
  token = NO_TOKEN;

  // Written by the data path; the actor takes what was counted and begins at 0.
  /** Whether the token is there to be taken. */
  tokenFree = false;
  succeeded = 0;
  failed = 0;
  /** Failures in a row. */
  consecutive = 0;
  /** Calls that were refused since the start. */
  refused = 0;
  /** The actor knows that something was counted. */
  told = false;

  /** Whether a call would be refused now. */
  get refuses(): boolean {
    return this.state !== 'closed' && !this.tokenFree;
  }

  /** The token for the call that is sent next: `NO_TOKEN` while it is closed. Ask `refuses` before. */
  take(): number {
    if (this.state === 'closed') return NO_TOKEN;
    this.tokenFree = false;
    this.actor?.urgent({ type: 'breaker/probe-sent', token: this.token });
    return this.token;
  }

  /** A call ended. */
  count(outcome: Outcome, token: number): void {
    if (token !== NO_TOKEN) {
      this.actor?.urgent({ type: 'breaker/probe-ended', token, outcome });
      return;
    }
    if (outcome === 'neutral') return;
    if (outcome === 'success') {
      this.succeeded += 1;
      this.consecutive = 0;
    } else {
      this.failed += 1;
      this.consecutive += 1;
      if (this.consecutive === this.threshold) this.actor?.urgent(TRIPPED);
    }
    if (this.told) return;
    // Stays set when nobody lives there: the next incarnation looks by itself.
    this.told = true;
    this.actor?.tell(OUTCOMES);
  }
}
