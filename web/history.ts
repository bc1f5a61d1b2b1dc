/** What the charts show beyond one snapshot: figures of the last minutes that this page has seen. Bounded. */
import type { GatewaySnapshot } from '#src/admin/protocol.js';

export interface Point {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly cpu: number | null;
  readonly loop: number | null;
  /** Highest error rate of all transports, percent. */
  readonly errors: number | null;
}

const MOST_POINTS = 600;

export class History {
  #points: Point[] = [];
  #startedAt = 0;

  get points(): readonly Point[] {
    return this.#points;
  }

  add(snapshot: GatewaySnapshot): void {
    // Another gateway: its past is not this one's.
    if (snapshot.startedAt !== this.#startedAt) this.#points = [];
    this.#startedAt = snapshot.startedAt;
    const at = snapshot.takenAt / 1_000;
    if (at <= (this.#points.at(-1)?.at ?? 0)) return;
    const { requests, process, errors } = snapshot;
    const rates = errors.flatMap(({ percent }) => (percent === null ? [] : [percent]));
    this.#points.push({
      at,
      p50: requests.p50,
      p99: requests.p99,
      cpu: process.cpuPercent,
      loop: process.loopDelayP99,
      errors: rates.length === 0 ? null : Math.max(...rates),
    });
    if (this.#points.length > MOST_POINTS) this.#points.shift();
  }
}
