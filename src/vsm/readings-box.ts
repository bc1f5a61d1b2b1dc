/**
 * Readings on their way to the channel: the latest of each (source, index), and the worst since they were last taken,
 * so that a flood of readings is a few and no peak is lost. Pure.
 */
import { type Achievement, type Reading } from './reading.js';

/** Different signals on their way at a time; more are counted and dropped. */
const MAX_WAITING = 4_096;

export class ReadingsBox {
  #readings = new Map<string, { latest: Reading; worst: Reading }>();
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
    }
  }

  putAchievement(achievement: Achievement): void {
    const key = `${achievement.source}\n${achievement.index}`;
    if (this.#achievements.size < MAX_WAITING || this.#achievements.has(key)) this.#achievements.set(key, achievement);
    else this.#dropped += 1;
  }

  /** Takes everything, what is critical first; of a signal whose worst is not its latest, the worst first. */
  take(): { readonly readings: readonly Reading[]; readonly achievements: readonly Achievement[] } {
    const critical: Reading[] = [];
    const others: Reading[] = [];
    for (const { latest, worst } of this.#readings.values()) {
      const list = worst.value >= worst.agony ? critical : others;
      list.push(worst);
      if (latest !== worst) list.push(latest);
    }
    const readings = [...critical, ...others];
    const achievements = [...this.#achievements.values()];
    this.#readings = new Map();
    this.#achievements = new Map();
    return { readings, achievements };
  }
}
