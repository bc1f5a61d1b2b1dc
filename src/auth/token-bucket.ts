/**
 * A rate limit over many keys in plain memory: the generic cell rate algorithm, one number a key.
 *
 * Invariant: of one key, what is admitted in any span of t milliseconds is at most `burst + rate · t`. Bounded: a key
 * that has rested is forgotten at no loss; while `maxKeys` are busy, those beyond share one bucket.
 * Sources: ITU-T I.371, annex A (GCRA, virtual scheduling); why no library: docs/adr/0011.
 */

export interface BucketOptions {
  readonly perMinute: number;
  /** Share of a minute's that may come at once. At least one request may. */
  readonly burst: number;
  readonly maxKeys: number;
}

const MINUTE_MS = 60_000;
const OVERFLOW = '';

export class TokenBuckets {
  /** Milliseconds that one request costs. */
  readonly #cost: number;
  /** Milliseconds of cost that may be ahead of time. */
  readonly #allowance: number;
  readonly #maxKeys: number;
  /** When the cost of what was admitted is worked off, by key. */
  readonly #busyUntil = new Map<string, number>();
  #sweepAt = 0;

  constructor({ perMinute, burst, maxKeys }: BucketOptions) {
    this.#cost = MINUTE_MS / perMinute;
    this.#allowance = this.#cost * Math.max(1, Math.floor(perMinute * burst));
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#busyUntil.size;
  }

  /** Admits `n` requests at `now` and returns 0; or nothing, and returns the milliseconds until they would be. */
  take(key: string, n: number, now: number): number {
    const known = this.#busyUntil.get(key);
    if (known === undefined && this.#busyUntil.size >= this.#maxKeys) return this.#takeShared(n, now);
    return this.#take(key, known, n, now);
  }

  /** Milliseconds until `n` would be admitted. Takes nothing. */
  peek(key: string, n: number, now: number): number {
    const known = this.#busyUntil.get(key);
    const full = known === undefined && this.#busyUntil.size >= this.#maxKeys;
    return this.#wait(full ? this.#busyUntil.get(OVERFLOW) : known, n, now);
  }

  /** Forgets the keys that have rested. */
  sweep(now: number): void {
    for (const [key, until] of this.#busyUntil) if (until <= now) this.#busyUntil.delete(key);
    this.#sweepAt = now + 1_000;
  }

  /** No room for another key: perhaps some have rested; if not, the newcomers share one. */
  #takeShared(n: number, now: number): number {
    if (now >= this.#sweepAt) this.sweep(now);
    return this.#take(OVERFLOW, this.#busyUntil.get(OVERFLOW), n, now);
  }

  #take(key: string, known: number | undefined, n: number, now: number): number {
    const wait = this.#wait(known, n, now);
    if (wait === 0) this.#busyUntil.set(key, Math.max(now, known ?? now) + n * this.#cost);
    return wait;
  }

  #wait(known: number | undefined, n: number, now: number): number {
    const after = Math.max(now, known ?? now) + n * this.#cost;
    const wait = after - this.#allowance - now;
    // Sums of fractions: a millionth of a request must not make a client wait.
    return wait <= this.#cost * 1e-6 ? 0 : wait;
  }
}
