/**
 * The last resort of an alarm: a line in the log and a place in the snapshot, without any actor. For when the channel
 * or S5 is dead.
 *
 * Invariants: bounded; one line for each (source, index) in a while, however often it is said.
 */

export interface Unheard {
  readonly source: string;
  readonly index: string;
  readonly message: string;
  readonly at: number;
  readonly count: number;
}

/** Writes one line, at once. */
export type Say = (what: Unheard) => void;

const MAX_KEPT = 64;
const QUIET_MS = 60_000;

export class LastResort {
  readonly #say: Say;
  readonly #now: () => number;
  readonly #kept = new Map<string, Unheard>();
  readonly #saidAt = new Map<string, number>();

  constructor(say: Say, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  tell(source: string, index: string, message: string): void {
    const now = this.#now();
    const key = `${source}\n${index}`;
    const what: Unheard = { source, index, message, at: now, count: (this.#kept.get(key)?.count ?? 0) + 1 };
    this.#kept.delete(key); // the newest stands last
    this.#kept.set(key, what);
    if (now - (this.#saidAt.get(key) ?? -Infinity) >= QUIET_MS) {
      this.#saidAt.set(key, now);
      this.#say(what);
    }
    if (this.#kept.size <= MAX_KEPT) return;
    for (const [oldest] of this.#kept) {
      this.#kept.delete(oldest);
      this.#saidAt.delete(oldest);
      break;
    }
  }

  /** The channel hears again. */
  clear(): void {
    this.#kept.clear();
    this.#saidAt.clear();
  }

  /** Newest first. */
  all(): Unheard[] {
    return [...this.#kept.values()].reverse();
  }
}
