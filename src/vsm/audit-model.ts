/**
 * S3*'s model: when to look, what a direct look is compared with, and whether the books agree. Pure.
 *
 * Source: Beer, "Diagnosing the System" (S3*: sporadic, direct, past the reports).
 */
import { type UnitCycle } from './unit-model.js';

/** What S3* has seen of a unit with its own eyes. */
export type Sight =
  | {
      readonly ok: true;
      readonly latencyMs: number;
      readonly version: string | null;
      readonly toolsHash: string | null;
    }
  | { readonly ok: false; readonly why: string };

/** What that says against what S1 reports. */
export interface Finding {
  readonly unit: string;
  readonly at: number;
  /** Milliseconds of the direct look; `null` when it failed. */
  readonly latencyMs: number | null;
  /** One sentence each; empty when S1 tells the truth. */
  readonly discrepancies: readonly string[];
  /** Its list of tools is not the one that S1 reports. */
  readonly stale: boolean;
}

/** U → exponential: no unit can know when it is looked at. */
export function nextLook(meanMs: number, random: () => number): number {
  return -meanMs * Math.log(1 - Math.min(random(), 1 - 1e-12));
}

/** @param factor how much slower than reported a direct look may be */
export function compare(unit: string, sight: Sight, report: UnitCycle | null, factor: number, at: number): Finding {
  if (!sight.ok) {
    const claims = report?.version !== null && report !== null;
    const discrepancies = claims ? [`S1 reports that it serves; a connection of its own failed: ${sight.why}`] : [];
    return { unit, at, latencyMs: null, discrepancies, stale: false };
  }
  const discrepancies: string[] = [];
  const stale =
    report?.toolsHash !== null &&
    report?.toolsHash !== undefined &&
    sight.toolsHash !== null &&
    report.toolsHash !== sight.toolsHash;
  if (stale) discrepancies.push('its list of tools is not the one that S1 reports');
  if (report?.version !== null && report?.version !== undefined && sight.version !== null) {
    if (report.version !== sight.version) discrepancies.push(`it is ${sight.version}, S1 reports ${report.version}`);
  }
  if (report?.p95 !== null && report?.p95 !== undefined) {
    const most = Math.max(LEAST_MS, factor * report.p95);
    if (sight.latencyMs > most) {
      const seen = Math.round(sight.latencyMs);
      discrepancies.push(`it answered in ${seen} ms, S1 reports a 95th percentile of ${Math.round(report.p95)} ms`);
    }
  }
  return { unit, at, latencyMs: sight.latencyMs, discrepancies, stale };
}

/** A direct look that is this fast is no discrepancy, whatever S1 reports. */
const LEAST_MS = 250;

export interface Ledgers {
  /** In flight, as the gateway counts it, and by unit. */
  readonly inFlight: number;
  readonly units: readonly {
    readonly unit: string;
    readonly inFlight: number;
    /** Where there is a pool: available + in use − overflow = size. */
    readonly pool: {
      readonly available: number;
      readonly inUse: number;
      readonly overflow: number;
      readonly size: number;
    } | null;
  }[];
}

/** Books that do not agree with each other, one sentence each. */
export function brokenLedgers({ inFlight, units }: Ledgers): string[] {
  const broken: string[] = [];
  const sum = units.reduce((total, unit) => total + unit.inFlight, 0);
  if (sum !== inFlight) broken.push(`${inFlight} calls are in flight, the units have ${sum}`);
  for (const { unit, inFlight: own, pool } of units) {
    if (own < 0) broken.push(`${unit} has ${own} calls in flight`);
    if (pool && pool.available + pool.inUse - pool.overflow !== pool.size) {
      broken.push(
        `the pool of ${unit}: ${pool.available} available + ${pool.inUse} in use − ${pool.overflow} overflow is not ${pool.size}`,
      );
    }
  }
  return broken;
}
