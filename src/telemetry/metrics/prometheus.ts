/**
 * The page at `/metrics`: Prometheus text format 0.0.4, written by OpenTelemetry's serializer under the names of the
 * catalogue. Imported with the first request for it.
 */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { type MetricData, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { METRICS } from './catalogue.js';
import { collect, type MetricSources } from './collect.js';
import { type MetricsText, prometheusName } from './definition.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** OpenTelemetry name → the name here. The serializer adds `_total` itself. */
const NAMES: ReadonlyMap<string, string> = new Map(
  METRICS.map((metric) => [metric.name, prometheusName(metric).replace(/_total$/, '')]),
);

/** Under its name at `/metrics`. The unit is in the name; the 0.0.4 format has no line for it. */
function renamed(metric: MetricData): MetricData {
  const name = NAMES.get(metric.descriptor.name) ?? metric.descriptor.name;
  return { ...metric, descriptor: { ...metric.descriptor, name, unit: '' } };
}

export function prometheusText(sources: MetricSources): MetricsText {
  const { resourceMetrics } = collect(sources);
  const scopeMetrics = resourceMetrics.scopeMetrics.map(({ scope, metrics }): ScopeMetrics => ({
    scope,
    metrics: metrics.map(renamed),
  }));
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  return { contentType: CONTENT_TYPE, text: serializer.serialize({ ...resourceMetrics, scopeMetrics }) };
}
