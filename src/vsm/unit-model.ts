/**
 * One S1 unit's books: what the data path counts of it, and what a cycle of it was. Pure.
 *
 * The counters only grow; a cycle is the difference of two looks. Times are kept in a histogram of powers of √2, so that a
 * call adds one number and a percentile is right within a fifth.
 */
import { type Settlement } from './operations-model.js';

const BUCKETS = 64;

export class UnitLedger {
  /** Admitted. */
  started = 0;
  absorbed = 0;
  failed = 0;
  /** Kept out: its lease, its bulkhead, its breaker, or no session. */
  attenuated = 0;
  /** Of a unit whose gate does not count them itself. */
  inFlight = 0;
  /** Milliseconds from start to end, summed over what was absorbed or has failed. */
  busyMs = 0;
  readonly times = new Float64Array(BUCKETS);

  settle(how: Exclude<Settlement, 'attenuated'>, ms: number): void {
    this[how] += 1;
    this.busyMs += ms;
    const bucket = bucketOf(ms);
    this.times[bucket] = (this.times[bucket] ?? 0) + 1;
  }
}

/** A unit between two looks. */
export interface UnitCycle {
  readonly unit: string;
  readonly at: number;
  readonly seconds: number;
  /** Demands a second, those that were kept out included. */
  readonly rate: number;
  /** Mean seconds from start to end; `null` when nothing ended. */
  readonly serviceTime: number | null;
  /** Milliseconds; `null` when nothing ended. */
  readonly p95: number | null;
  /** Absorbed a second. */
  readonly absorbed: number;
  /** Failed, of what ended; `null` when nothing did. */
  readonly failureRatio: number | null;
  readonly attenuated: number;
  readonly ended: number;
  readonly inFlight: number;
  /** What the server says it is. */
  readonly version: string | null;
  /** Of its tool list. */
  readonly toolsHash: string | null;
}

export interface UnitLook {
  readonly at: number;
  readonly started: number;
  readonly absorbed: number;
  readonly failed: number;
  readonly attenuated: number;
  readonly busyMs: number;
  readonly times: Float64Array;
}

export function look(ledger: UnitLedger, at: number): UnitLook {
  const { started, absorbed, failed, attenuated, busyMs, times } = ledger;
  return { at, started, absorbed, failed, attenuated, busyMs, times: times.slice() };
}

export interface UnitState {
  readonly unit: string;
  readonly inFlight: number;
  readonly version: string | null;
  readonly toolsHash: string | null;
}

export function cycle(before: UnitLook, after: UnitLook, state: UnitState): UnitCycle {
  const seconds = Math.max(0.001, (after.at - before.at) / 1_000);
  const absorbed = after.absorbed - before.absorbed;
  const failed = after.failed - before.failed;
  const attenuated = after.attenuated - before.attenuated;
  const ended = absorbed + failed;
  return {
    ...state,
    at: after.at,
    seconds,
    rate: (after.started - before.started + attenuated) / seconds,
    serviceTime: ended === 0 ? null : (after.busyMs - before.busyMs) / ended / 1_000,
    p95: percentile(before.times, after.times, 0.95),
    absorbed: absorbed / seconds,
    failureRatio: ended === 0 ? null : failed / ended,
    attenuated,
    ended,
  };
}

/** Bucket b holds times from 2^(b/2)/1000 ms. */
function bucketOf(ms: number): number {
  const microseconds = Math.max(1, ms * 1_000);
  return Math.min(BUCKETS - 1, Math.floor(2 * Math.log2(microseconds)));
}

function percentile(before: Float64Array, after: Float64Array, part: number): number | null {
  let total = 0;
  for (let b = 0; b < BUCKETS; b++) total += (after[b] ?? 0) - (before[b] ?? 0);
  if (total === 0) return null;
  let seen = 0;
  for (let b = 0; b < BUCKETS; b++) {
    seen += (after[b] ?? 0) - (before[b] ?? 0);
    if (seen >= part * total) return 2 ** ((b + 0.5) / 2) / 1_000;
  }
  return null;
}
