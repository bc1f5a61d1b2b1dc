/** Counts of events over a sliding window and since the start. Pure; time is handed in. */

export class EventWindow {
  readonly #bucketMs: number;
  readonly #counts: number[];
  #newest = -Infinity;
  #total = 0;

  /** `windowMs` in `buckets` steps; an event leaves the window up to one step late. */
  constructor(windowMs: number, buckets = 60) {
    this.#bucketMs = windowMs / buckets;
    this.#counts = new Array<number>(buckets).fill(0);
  }

  get total(): number {
    return this.#total;
  }

  add(now: number, count = 1): void {
    const at = this.#advance(now);
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.#total += count;
  }

  /** Events within the window that ends at `now`. */
  within(now: number): number {
    this.#advance(now);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Clears the buckets that time has passed over; the index of the one for `now`. */
  #advance(now: number): number {
    const bucket = Math.floor(now / this.#bucketMs);
    const size = this.#counts.length;
    if (bucket - this.#newest >= size) this.#counts.fill(0);
    else for (let b = this.#newest + 1; b <= bucket; b++) this.#counts[b % size] = 0;
    if (bucket > this.#newest) this.#newest = bucket;
    return bucket % size;
  }
}
