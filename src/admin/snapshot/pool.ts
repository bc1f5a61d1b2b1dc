/**
 * The pool of sessions with one upstream, as consoles see it. Each session is a process or a connection.
 *
 * At every instant available + vacant + inUse − overflow = size.
 */
export interface PoolSnapshot {
  readonly size: number;
  readonly maxOverflow: number;
  /** Sessions that live and are not in use. */
  readonly available: number;
  /** What is missing of `size`: not started until it is wanted, or being replaced. */
  readonly vacant: number;
  /** Held by a client or principal; of those that clients share, the ones with a call in flight. */
  readonly inUse: number;
  /** Sessions beyond `size`. */
  readonly overflow: number;
  /** Clients that wait for a session. */
  readonly waiting: number;
  /** Bound on sessions of clients' own that control grants now; `null`: none but the configured one. */
  readonly limit: number | null;
  /** inUse / (size + maxOverflow). */
  readonly utilisation: number;
  readonly checkouts: number;
  /** Clients that waited in vain for as long as the configuration allows. */
  readonly timeouts: number;
  /** Clients that were refused at once, because too many waited. */
  readonly refused: number;
  /** Sessions that ended by themselves. */
  readonly lost: number;
  /** Waits of the checkouts of the last minute, 99th percentile, milliseconds; `null` without samples. */
  readonly waitP99: number | null;
}
