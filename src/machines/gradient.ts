/**
 * The adaptive limit of calls at a time: L ← clamp(tol·RTT_long/RTT_short, ½, 1)·L + √L. Pure.
 *
 * A server that queues answers slower than it used to, and gets fewer calls until it does not. The quotient is taken of each
 * answer, against what is usual of its tool: so a slow tool beside a quick one is no queue, and one slow call among many
 * changes little. What has not been used is not judged: the limit grows only where half of it was, and shrinks to no
 * less than twice the calls that there were.
 * Source: Netflix concurrency-limits, `Gradient2Limit`.
 */
export interface GradientRules {
  /** The least and the most calls at a time. */
  readonly min: number;
  readonly max: number;
  /** How much slower than usual is no sign of a queue, as a factor of at least 1. */
  readonly tolerance: number;
  /** Fewer answers say nothing. */
  readonly minimumSamples: number;
  /** In this time the usual moves half of the way to what is. Milliseconds. */
  readonly halfLife: number;
}

/** Below this times differ by chance. Milliseconds. */
const NOISE_MS = 1;
/** A time further from the usual than this factor is taken for this: one that is out of all measure moves little. */
const OUTLIER = 10;

/** How quick one answer was: clamp(tol·usual/ms, ½, 1). */
export function paceOf(ms: number, usualMs: number, tolerance: number): number {
  return Math.min(1, Math.max(0.5, (tolerance * (usualMs + NOISE_MS)) / (ms + NOISE_MS)));
}

/** The time as far as it counts for what is usual. */
export function clipped(ms: number, usualMs: number): number {
  return usualMs === 0 ? ms : Math.min(ms, OUTLIER * (usualMs + NOISE_MS));
}

/** Mean pace of `answers`; `null` when there are too few. `paces`: their sum. */
export function gradientOf(answers: number, paces: number, { minimumSamples }: GradientRules): number | null {
  return answers === 0 || answers < minimumSamples ? null : paces / answers;
}

/** The next limit. `peak`: the most calls at a time since the last look. */
export function nextLimit(limit: number, gradient: number, peak: number, { min, max }: GradientRules): number {
  const wanted = gradient * limit + Math.sqrt(limit);
  const kept = peak * 2 < limit ? Math.min(limit, Math.max(wanted, peak * 2)) : wanted;
  return Math.min(max, Math.max(min, kept));
}

/** What is usual after `ms` in which it was `short`. What has become quicker is believed sooner. */
export function usual(long: number, short: number, ms: number, { halfLife }: GradientRules): number {
  if (long === 0) return short;
  const pace = short < long ? halfLife / 4 : halfLife;
  return short + (long - short) * 2 ** (-ms / pace);
}
