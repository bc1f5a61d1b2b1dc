/** What the gateway tells of itself to collectors, put together: traces, metrics, the metrics page. */
import { type DataPlane } from '../actors/data-plane.js';
import { type GatewayView } from '../actors/gateway-view.js';
import { TELEMETRY } from '../actors/names.js';
import { telemetry } from '../actors/telemetry.js';
import { type TelemetrySnapshot } from '../admin/snapshot/telemetry.js';
import { type TracesSnapshot } from '../admin/snapshot/traces.js';
import { type GatewayOptions as Options } from '../config/types.js';
import { type ActorSystem } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type MetricSources } from '../telemetry/metrics/collect.js';
import { type MetricsText } from '../telemetry/metrics/definition.js';
import { telemetrySettings, type TelemetrySettings } from '../telemetry/tracing/settings.js';
import { TracingState } from '../telemetry/tracing/state.js';

const DEFAULT_TRACES = 50;

export interface TelemetryParts {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly view: () => GatewayView;
  readonly log: Logger;
  readonly random: () => number;
  readonly version: string;
}

export class GatewayTelemetry {
  readonly #parts: TelemetryParts;
  readonly state: TracingState;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.state = new TracingState(parts.plane, settingsOf(parts.plane.options).samplingRate);
  }

  /** `init` of its actor, by path. */
  inits(): Record<string, unknown> {
    const { plane, log, random, version } = this.#parts;
    return {
      '/vitals/telemetry': telemetry({
        state: this.state,
        settings: () => settingsOf(plane.options),
        metrics: this.#sources(),
        version,
        log,
        random,
        algedonic: () => plane.algedonic,
      }),
    };
  }

  /** The configuration changed from `before`. */
  reconfigured(before: Options): void {
    const { plane } = this.#parts;
    const { samplingRate } = settingsOf(plane.options);
    // A rate that an operator has set holds until the file says another one.
    if (samplingRate !== settingsOf(before).samplingRate) this.state.rate = samplingRate;
    this.apply();
  }

  /** Switches tracing on or off; on also where no collector is configured. Off holds with the next request. */
  switch(on: boolean): void {
    this.state.on = on;
    this.state.forced = on && !settingsOf(this.#parts.plane.options).traces;
    this.apply();
  }

  apply(): void {
    this.#parts.system.tell(TELEMETRY, { type: 'telemetry/apply' });
  }

  /** The text of `/metrics`. The exporter is loaded with the first request for it. */
  async metricsText(): Promise<MetricsText> {
    const { prometheusText } = await import('../telemetry/metrics/prometheus.js');
    return prometheusText(this.#sources());
  }

  snapshot(): TelemetrySnapshot {
    const { running, rate, counts, trouble } = this.state;
    return { tracing: running, samplingRate: rate, spans: { ...counts }, trouble };
  }

  /** At most `limit`, newest first. */
  traces(limit = DEFAULT_TRACES): TracesSnapshot {
    const { running, rate, recent } = this.state;
    return { tracing: running, samplingRate: rate, traces: recent.traces(limit) };
  }

  #sources(): MetricSources {
    const { plane, view, version } = this.#parts;
    return { snapshot: () => view().snapshot(), durations: plane.counters.durations, version };
  }
}

function settingsOf({ telemetry: options }: Options): TelemetrySettings {
  return telemetrySettings(options, process.env);
}
