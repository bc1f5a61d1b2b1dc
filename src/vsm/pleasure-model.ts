/**
 * Pleasure: actuality above capability, without a break, for a while. Pure.
 *
 * One watch for each (source, index); a pleasure is told once, and again only after as much time once more.
 * Source: Beer, "Brain of the Firm" (achievement: actuality over capability); docs/vsm.md.
 */
import { type Achievement } from './reading.js';

/** Watches at a time; whoever comes later is not watched. */
const MAX_WATCHES = 1_000;

export class PleasureWatch {
  readonly #since = new Map<string, number>();

  /** The instant since which it has gone so well, when that is long enough ago to be told; else `undefined`. */
  achieve({ source, index, actuality, capability }: Achievement, now: number, afterMs: number): number | undefined {
    const key = `${source}\n${index}`;
    if (!(actuality > capability)) {
      this.#since.delete(key);
      return undefined;
    }
    const since = this.#since.get(key);
    if (since === undefined) {
      if (this.#since.size < MAX_WATCHES) this.#since.set(key, now);
      return undefined;
    }
    if (now - since < afterMs) return undefined;
    this.#since.set(key, now);
    return since;
  }
}
