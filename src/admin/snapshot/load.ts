/** What consoles see of the bounds that an upstream's calls have. */

export interface ConcurrencySnapshot {
  /** Calls at a time that are let through now. */
  readonly limit: number;
  /** `maxInFlight`: the limit is never higher. */
  readonly max: number;
  /** What the last look said: 1 as quick as usual, down to 0.5; `null` when there were too few answers. */
  readonly gradient: number | null;
  /** Calls that the adaptive limit has kept out. */
  readonly refused: number;
}

/** Calls that were sent to a server once more, and what is left of the budget for it. */
export interface RetriesSnapshot {
  /** Calls that were sent once more. */
  readonly sent: number;
  /** Those that were not, since there had been too many. */
  readonly refused: number;
  /** Retries that the budget has left. */
  readonly budget: number;
}
