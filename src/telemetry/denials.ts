/** Denials by policy: in all, and over the last five minutes, which is what S5 looks at. One number a second. */
const WINDOW_S = 300;

export class Denials {
  /** Since the start. */
  total = 0;
  readonly #perSecond = new Uint32Array(WINDOW_S);
  /** The second that each slot is about. */
  readonly #seconds = new Float64Array(WINDOW_S).fill(-1);

  /** `now`: epoch milliseconds. */
  record(now: number): void {
    const second = Math.floor(now / 1_000);
    const slot = second % WINDOW_S;
    if (this.#seconds[slot] !== second) this.#perSecond[slot] = 0;
    this.#seconds[slot] = second;
    this.#perSecond[slot] = (this.#perSecond[slot] ?? 0) + 1;
    this.total += 1;
  }

  lastFiveMinutes(now: number): number {
    const oldest = Math.floor(now / 1_000) - WINDOW_S;
    return this.#perSecond.reduce((sum, count, slot) => ((this.#seconds[slot] ?? 0) > oldest ? sum + count : sum), 0);
  }
}
