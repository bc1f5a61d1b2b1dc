/**
 * Readings on their way to the channel: the latest of each (source, index), and the worst since they were last taken,
 * so that a flood of readings is a few and no peak is lost. What is critical can be taken apart from the rest. Pure.
 */
import { type Achievement, type Reading } from './reading.js';

/** Different signals on their way at a time; more are counted and dropped. */
const MAX_WAITING = 4_096;

export class ReadingsBox {
  #readings = new Map<string, { latest: Reading; worst: Reading }>();
  /** Keys of those that are critical. */
  readonly #critical = new Set<string>();
  #achievements = new Map<string, Achievement>();
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  put(reading: Reading): void {
    const key = `${reading.source}\n${reading.index}`;
    const known = this.#readings.get(key);
    if (known) {
      known.latest = reading;
      if (reading.value > known.worst.value) known.worst = reading;
    } else if (this.#readings.size < MAX_WAITING) {
      this.#readings.set(key, { latest: reading, worst: reading });
    } else {
      this.#dropped += 1;
      return;
    }
    if (reading.value >= reading.agony) this.#critical.add(key);
  }

  putAchievement(achievement: Achievement): void {
    const key = `${achievement.source}\n${achievement.index}`;
    if (this.#achievements.size < MAX_WAITING || this.#achievements.has(key)) this.#achievements.set(key, achievement);
    else this.#dropped += 1;
  }

  /** Takes what is critical, and leaves the rest; of a signal whose worst is not its latest, the worst first. */
  takeCritical(): readonly Reading[] {
    if (this.#critical.size === 0) return NONE;
    const taken: Reading[] = [];
    for (const key of this.#critical) {
      const known = this.#readings.get(key);
      this.#readings.delete(key);
      if (known) collect(known, taken);
    }
    this.#critical.clear();
    return taken;
  }

  /** Whether anything is left. */
  get waits(): boolean {
    return this.#readings.size > 0 || this.#achievements.size > 0;
  }

  /** Takes everything, what is critical first. */
  take(): { readonly readings: readonly Reading[]; readonly achievements: readonly Achievement[] } {
    const readings = [...this.takeCritical()];
    for (const known of this.#readings.values()) collect(known, readings);
    const achievements = [...this.#achievements.values()];
    this.#readings = new Map();
    this.#achievements = new Map();
    return { readings, achievements };
  }
}

const NONE: readonly Reading[] = [];

function collect({ latest, worst }: { readonly latest: Reading; readonly worst: Reading }, into: Reading[]): void {
  into.push(worst);
  if (latest !== worst) into.push(latest);
}
