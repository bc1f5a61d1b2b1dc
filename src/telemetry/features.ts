/**
 * The features that can be switched while the gateway runs, each hooked in by whoever owns it: how it is switched, what
 * code is its own, and what it counts. Process-free.
 */
import { type FeatureName, type FeatureSnapshot } from '../admin/snapshot/features.js';
import { type Profile, type ProfileSource } from './profile.js';

export interface Feature {
  readonly enabled: () => boolean;
  /** Takes effect at once. Returns why it cannot be switched. */
  readonly switch: (on: boolean) => string | undefined;
  /** Parts of the paths of its scripts, `/telemetry/tracing/`: what runs there, and below, is its cost. */
  readonly scripts: readonly string[];
  /** It is at work now. */
  readonly active?: () => boolean;
  /** Spans begun since the start. */
  readonly spans?: () => number;
  /** Share of look-ups that its cache answered, 0 to 1; `null` without look-ups. */
  readonly cacheHits?: () => number | null;
}

export class Features {
  readonly #features = new Map<FeatureName, Feature>();
  readonly #profile: ProfileSource;

  constructor(profile: ProfileSource) {
    this.#profile = profile;
  }

  /** One call, when the gateway is put together. */
  hook(name: FeatureName, feature: Feature): void {
    this.#features.set(name, feature);
  }

  /** Switches a feature. Returns why it cannot be switched; `undefined` when it has been. */
  switch(name: FeatureName, on: boolean): string | undefined {
    const feature = this.#features.get(name);
    return feature ? feature.switch(on) : `the feature "${name}" is not part of this gateway`;
  }

  /** Every feature, measured over `windowMs` from now on. 0: what needs no window. */
  async measure(windowMs: number): Promise<FeatureSnapshot[]> {
    if (windowMs === 0) return this.#snapshots(null, new Map());
    const before = new Map([...this.#features].map(([name, feature]) => [name, feature.spans?.() ?? null]));
    const scripts = new Map([...this.#features].map(([name, feature]) => [name, feature.scripts]));
    const profile = await this.#profile.measure(windowMs, scripts);
    return this.#snapshots(profile, before);
  }

  #snapshots(profile: Profile | null, before: ReadonlyMap<FeatureName, number | null>): FeatureSnapshot[] {
    return [...this.#features].map(([name, feature]) => {
      const cost = profile?.costs.get(name);
      const spans = before.get(name) ?? null;
      return {
        name,
        enabled: feature.enabled(),
        active: feature.active?.() ?? null,
        cpuPercent: cost?.cpuPercent ?? null,
        memoryMb: cost?.heapBytes === undefined ? null : cost.heapBytes / 1e6,
        spansPerSecond: profile && spans !== null && feature.spans ? (feature.spans() - spans) / profile.seconds : null,
        cacheHits: feature.cacheHits?.() ?? null,
      };
    });
  }
}
