/** What consoles see of the features that can be switched while the gateway runs. */
/** The features, in the order in which consoles show them. */
export const FEATURE_NAMES = ['dashboard', 'tracing', 'jwt', 'draining', 'audit', 'vsm'] as const;
/** A feature that can be switched while the gateway runs; `jwt` only by its configuration. */
export type FeatureName = (typeof FEATURE_NAMES)[number];

/** One feature, measured. A figure that was not measured, or that the feature does not have, is `null`. */
export interface FeatureSnapshot {
  readonly name: FeatureName;
  /** Switched on, by configuration or since by an operator. */
  readonly enabled: boolean;
  /** It is at work now: a drain goes on, requests are traced, somebody watches. */
  readonly active: boolean | null;
  /** CPU time within its code and what that calls, of one core, over the measured window. */
  readonly cpuPercent: number | null;
  /** Heap that its code has allocated since measuring began and that is still held, in MB (10⁶ bytes). */
  readonly memoryMb: number | null;
  readonly spansPerSecond: number | null;
  /** Share of look-ups that its cache answered, 0 to 1. */
  readonly cacheHits: number | null;
}

/** What each feature costs, by its name. */
export type FeatureMetrics = Readonly<Partial<Record<FeatureName, FeatureSnapshot>>>;
