/** What consoles see of circuit breakers. Times are milliseconds since the Unix epoch. */

/** closed: calls pass. half_open: one passes as a probe. open: none does. */
export type BreakerState = 'closed' | 'half_open' | 'open';

/** One circuit breaker: its state, why, and when it is tried next. docs/breakers.md has the terms. */
export interface BreakerSnapshot {
  /** The upstream's name; of a client transport `transport:http`. */
  readonly name: string;
  readonly kind: 'upstream' | 'transport';
  /** Actor path, for `send`. */
  readonly actor: string;
  readonly state: BreakerState;
  readonly since: number;
  /** Why it is not closed: what calls came to, no connection, an operator. */
  readonly cause: 'failures' | 'unreachable' | 'operator' | null;
  /** Opened by an operator: stays until one closes it. */
  readonly forced: boolean;
  /** A probe is on its way. */
  readonly probing: boolean;
  /** When the next probe may go; `null` when none is planned. */
  readonly nextProbeAt: number | null;
  /** Failures in a row. */
  readonly consecutiveFailures: number;
  /** Calls in the window, how many of them failed, and their ratio (`null` without samples). */
  readonly samples: number;
  readonly failures: number;
  readonly failureRatio: number | null;
  /** How often it has opened, and how many calls it has refused, since the start. */
  readonly opens: number;
  readonly refused: number;
  /** Flap damping: the penalty now, and whether it holds the breaker open for longer. */
  readonly flapPenalty: number;
  readonly suppressed: boolean;
  /** Changes of state, oldest first, the last 60. */
  readonly history: readonly { readonly at: number; readonly state: BreakerState }[];
}
