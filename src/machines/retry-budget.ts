/**
 * A retry budget: retries are a part of the calls and no more, so that a server in trouble is not given several times the
 * load that it could not bear. Pure but for what it remembers; looked at only when a retry is wanted.
 *
 * Each call puts `ratio` into the bucket, each second `perSecond`; a retry takes 1. It holds what ten seconds and a thousand calls bring.
 * Source: Finagle `RetryBudget`; Envoy `retry_budget`.
 */
export interface RetryBudgetRules {
  /** Retries for each call, from 0 to 1. */
  readonly ratio: number;
  /** Retries a second that there are whatever the load. */
  readonly perSecond: number;
}

/** What it holds at the most: the part of so many calls, and what so many seconds bring. */
const HELD_CALLS = 1_000;
const HELD_S = 10;

export class RetryBudget {
  #tokens: number | null = null;
  #calls = 0;
  #at = 0;

  /** Takes one retry out; `false` when there is none. `calls`: all since the start. */
  take(calls: number, now: number, rules: RetryBudgetRules): boolean {
    const left = this.left(calls, now, rules);
    this.#calls = calls;
    this.#at = now;
    this.#tokens = left >= 1 ? left - 1 : left;
    return left >= 1;
  }

  /** Retries that could be taken now. */
  left(calls: number, now: number, { ratio, perSecond }: RetryBudgetRules): number {
    const begin = Math.max(1, HELD_S * perSecond);
    const seconds = this.#tokens === null ? 0 : Math.max(0, now - this.#at) / 1_000;
    const tokens = (this.#tokens ?? begin) + ratio * Math.max(0, calls - this.#calls) + perSecond * seconds;
    return Math.min(begin + HELD_CALLS * ratio, tokens);
  }
}
