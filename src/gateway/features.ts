/** The features that an operator may switch while the gateway runs, and what each costs. */
import { type DataPlane } from '../actors/data-plane.js';
import { POLICY } from '../actors/names.js';
import { type AdminReply } from '../admin/protocol.js';
import { type FeatureMetrics, type FeatureName, type FeatureSnapshot } from '../admin/snapshot/features.js';
import { type GatewayOptions as Options } from '../config/types.js';
import { type ActorSystem } from '../kernel/index.js';
import { Features } from '../telemetry/features.js';
import { V8Profile } from '../telemetry/profile.js';
import { type GatewayTelemetry } from './telemetry.js';

/** Milliseconds over which CPU is measured, unless somebody asks otherwise. */
export const MEASURE_MS = 1_000;

export interface FeatureParts {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly telemetry: GatewayTelemetry;
  /** Returns why the audit log cannot be switched. */
  readonly switchAudit: (on: boolean) => string | undefined;
}

export class GatewayFeatures {
  readonly #system: ActorSystem;
  readonly #plane: DataPlane;
  readonly #telemetry: GatewayTelemetry;
  readonly #profile: V8Profile;
  readonly features: Features;
  /** Switched by an operator, in place of the configuration. */
  readonly #switched = new Map<'draining' | 'vsm', boolean>();

  constructor({ system, plane, telemetry, switchAudit }: FeatureParts) {
    this.#system = system;
    this.#plane = plane;
    this.#telemetry = telemetry;
    this.#profile = new V8Profile((ms) => new Promise((resolve) => void system.clock.after(ms, resolve)));
    this.features = new Features(this.#profile);
    this.#hookDashboard();
    this.#hookTracing();
    this.#hookOption(
      'draining',
      ['/actors/drain', '/machines/drain', '/drain/'],
      () => plane.admission.state === 'draining',
    );
    this.#hookOption('vsm', ['/vsm/', '/actors/vital-signs', '/actors/viability']);
    this.#hookAudit(switchAudit);
    this.#hookJwt();
  }

  /** The options of a changed configuration, with what an operator has switched. */
  applied(options: Options): Options {
    const draining = this.#switched.get('draining') ?? options.draining.enabled;
    const vsm = this.#switched.get('vsm') ?? options.vsm.enabled;
    return { ...options, draining: { ...options.draining, enabled: draining }, vsm: { ...options.vsm, enabled: vsm } };
  }

  /** Every feature, measured from now on over `windowMs`. */
  measure(windowMs = MEASURE_MS): Promise<FeatureSnapshot[]> {
    return this.features.measure(windowMs);
  }

  async byName(windowMs?: number): Promise<FeatureMetrics> {
    return Object.fromEntries((await this.measure(windowMs)).map((feature) => [feature.name, feature]));
  }

  /** Takes effect at once. Throws what is wrong. */
  switch(name: FeatureName, on: boolean): void {
    const trouble = this.features.switch(name, on);
    if (trouble !== undefined) throw new Error(trouble);
  }

  /** Share of the traces that begin here which is recorded. Takes effect with the next request. */
  set samplingRate(rate: number) {
    if (!(rate >= 0 && rate <= 1)) throw new RangeError('the sampling rate is a number from 0 to 1');
    this.#telemetry.state.rate = rate;
  }

  /** Answers the admin requests `features` and `sampling`. */
  readonly admin = {
    features: async (action?: 'enable' | 'disable', name?: FeatureName, windowMs = MEASURE_MS): Promise<AdminReply> => {
      const trouble = action && name ? this.features.switch(name, action === 'enable') : undefined;
      if (trouble !== undefined) return { ok: false, error: { code: 'feature_unavailable', message: `${trouble}.` } };
      return { ok: true, result: await this.measure(action ? 0 : windowMs) };
    },
    sampling: (rate?: number): AdminReply => {
      if (rate !== undefined) this.samplingRate = rate;
      const { tracing, samplingRate } = this.#telemetry.snapshot();
      return { ok: true, result: { tracing, samplingRate } };
    },
    traces: (limit?: number): AdminReply => ({ ok: true, result: this.#telemetry.traces(limit) }),
  };

  close(): void {
    this.#profile.close();
  }

  #hookDashboard(): void {
    const plane = this.#plane;
    this.features.hook('dashboard', {
      enabled: () => plane.dashboards,
      switch: (on) => {
        plane.dashboards = on;
        return undefined;
      },
      scripts: ['/admin/', '/actors/gateway-view', '/actors/admin-endpoint', '/actors/dashboard', '/actors/web-'],
    });
  }

  #hookTracing(): void {
    const { state } = this.#telemetry;
    this.features.hook('tracing', {
      enabled: () => state.on,
      switch: (on) => {
        this.#telemetry.switch(on);
        return undefined;
      },
      active: () => state.running,
      spans: () => state.counts.started,
      scripts: ['/telemetry/tracing/', '/actors/telemetry', '/@opentelemetry/'],
    });
  }

  #hookOption(name: 'draining' | 'vsm', scripts: readonly string[], active?: () => boolean): void {
    const plane = this.#plane;
    this.features.hook(name, {
      enabled: () => plane.options[name].enabled,
      switch: (on) => {
        this.#switched.set(name, on);
        plane.options = this.applied(plane.options);
        // What the viable system has shut, it would not open again.
        if (name === 'vsm' && !on) this.#system.urgent(POLICY, { type: 'policy/set-mode', mode: 'normal' });
        return undefined;
      },
      scripts,
      ...(active && { active }),
    });
  }

  #hookJwt(): void {
    const plane = this.#plane;
    this.features.hook('jwt', {
      enabled: () => plane.options.auth.mode !== 'off',
      // One command more or less must not decide who comes in.
      switch: () => 'authentication is switched by `gateway.auth.mode` and a new start alone',
      cacheHits: () => {
        const { hits, misses } = plane.auth.authenticator;
        return hits + misses === 0 ? null : hits / (hits + misses);
      },
      scripts: ['/auth/', '/jose/', '/actors/authenticator'],
    });
  }

  #hookAudit(switchAudit: FeatureParts['switchAudit']): void {
    const plane = this.#plane;
    this.features.hook('audit', {
      enabled: () => plane.audit.enabled,
      switch: switchAudit,
      scripts: ['/audit/', '/actors/audit-log', '/actors/call-audit'],
    });
  }
}
