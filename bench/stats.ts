/** Statistics of what was measured. Pure. */

/** NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Nearest-rank quantile of an ascending list, `q` in 0..1; NaN of nothing. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const rank = Math.ceil(q * sorted.length) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
}

/** Widest distance between rounds as a share of their median: 0.1 = they differ by 10 %. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Of Student's t, 97.5 %, by the degrees of freedom from 1 on. */
const T_975 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26] as const;
const T_975_OF_MORE = 2.2;
/** Of fewer values quartiles say nothing. */
const FEWEST = 4;

/**
 * How sure a median is, or the mean of several: it lies within it with about 95 %. Of one: 1.57 times the distance between the quartiles by
 * the root of the number of values; NaN of fewer than four. Of several: Student's t of theirs. `samples`: the values that each is the median of.
 *
 * Source: McGill, Tukey, Larsen, "Variations of Box Plots" (1978).
 */
export function spreadOfMedians(samples: readonly (readonly number[])[]): number {
  if (samples.length <= 1) {
    const sorted = (samples[0] ?? []).toSorted((a, b) => a - b);
    if (sorted.length < FEWEST) return Number.NaN;
    return (1.57 * (quantile(sorted, 0.75) - quantile(sorted, 0.25))) / Math.sqrt(sorted.length);
  }
  const medians = samples.map(median);
  const middle = mean(medians);
  const variance = medians.reduce((sum, each) => sum + (each - middle) ** 2, 0) / (medians.length - 1);
  return (T_975[medians.length - 2] ?? T_975_OF_MORE) * Math.sqrt(variance / medians.length);
}
