/**
 * Time as the kernel sees it. Everything that waits takes a `Clock`, so that tests run on a `VirtualClock`.
 */

export interface TimerHandle {
  /** Does nothing when the timer has fired or was cancelled before. */
  cancel(): void;
}

/** The time, and timers; tests give one of their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Never goes back within one process. */
  now(): number;
  /** Calls `fn` once after `ms` milliseconds (values under 0 count as 0, over 2³¹−1 as 2³¹−1). */
  after(ms: number, fn: () => void): TimerHandle;
}

const MAX_DELAY = 2 ** 31 - 1;

/** The machine's clock: epoch time that follows the monotonic clock, so that a stepped wall clock moves no deadline. */
export class SystemClock implements Clock {
  readonly #origin = Date.now() - performance.now();

  now(): number {
    return this.#origin + performance.now();
  }

  after(ms: number, fn: () => void): TimerHandle {
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), MAX_DELAY));
    return { cancel: () => clearTimeout(timer) };
  }
}

interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that moves only by `advance`. Timers fire in order of their due time, equal times in order of creation. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<VirtualTimer>();

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  after(ms: number, fn: () => void): TimerHandle {
    const timer: VirtualTimer = { at: this.#now + Math.min(Math.max(ms, 0), MAX_DELAY), order: this.#order++, fn };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves time on by `ms`, firing what comes due on the way, timers set by those included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextDue(end); next; next = this.#nextDue(end)) {
      this.#timers.delete(next);
      // A timer's function may advance the clock itself; time still never goes back.
      this.#now = Math.max(this.#now, next.at);
      next.fn();
    }
    this.#now = Math.max(this.#now, end);
  }

  #nextDue(end: number): VirtualTimer | undefined {
    let best: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer;
    }
    return best;
  }
}
