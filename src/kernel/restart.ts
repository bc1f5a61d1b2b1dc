/**
 * The decisions of a supervisor as pure functions: who is restarted with whom, and when it is too often.
 */
import { type Intensity, type Restart, type Strategy } from './child-spec.js';
import { type ExitReason, isAbnormal } from './ref.js';

/** Whether a child with this restart type comes back after this exit. */
export function shouldRestart(restart: Restart, reason: ExitReason): boolean {
  switch (restart) {
    case 'permanent':
      return true;
    case 'transient':
      return isAbnormal(reason);
    case 'temporary':
      return false;
  }
}

/** The ids that are stopped (in reverse) and started again (in order) when `failed` exits, in start order. */
export function restartSet(strategy: Strategy, order: readonly string[], failed: string): string[] {
  const at = order.indexOf(failed);
  if (at < 0) return [];
  switch (strategy) {
    case 'one_for_one':
      return [failed];
    case 'one_for_all':
      return [...order];
    case 'rest_for_one':
      return order.slice(at);
  }
}

/** A sliding window of restarts. */
export class RestartWindow {
  readonly #intensity: Intensity;
  readonly #times: number[] = [];

  constructor(intensity: Intensity) {
    this.#intensity = intensity;
  }

  /** Records a restart at `now`; true when that is one too many: more than `max` within the last `withinMs`. */
  exceeds(now: number): boolean {
    const times = this.#times;
    times.push(now);
    while (times.length > 0 && (times[0] as number) <= now - this.#intensity.withinMs) times.shift();
    return times.length > this.#intensity.max;
  }

  /** Restarts within the window that ends at `now`. */
  count(now: number): number {
    let n = 0;
    for (const time of this.#times) if (time > now - this.#intensity.withinMs) n += 1;
    return n;
  }
}
