/** What the gateway tells of itself to collectors, put together: the metrics page. */
import { type GatewayView } from '../actors/gateway-view.js';
import { type Counters } from '../telemetry/counters.js';
import { type MetricsText } from '../telemetry/metrics/definition.js';

export interface TelemetryParts {
  readonly view: GatewayView;
  readonly counters: Counters;
  readonly version: string;
}

/** The text of `/metrics`. The exporter is loaded with the first request for it. */
export async function metricsText({ view, counters, version }: TelemetryParts): Promise<MetricsText> {
  const { prometheusText } = await import('../telemetry/metrics/prometheus.js');
  return prometheusText({ snapshot: () => view.snapshot(), durations: counters.durations, version });
}
