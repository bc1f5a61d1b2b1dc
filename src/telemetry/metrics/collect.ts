/**
 * The metrics of this instant in the form that OpenTelemetry's exporters take. The gateway is a metric producer of its
 * own: the data path knows no instrument, and nothing is aggregated but what it counts already.
 *
 * Source: OpenTelemetry specification, "Metrics SDK › MetricProducer".
 */
import { type HrTime, ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { emptyResource } from '@opentelemetry/resources';
import { type GatewaySnapshot } from '../../admin/protocol.js';
import { FIGURES } from './catalogue.js';
import { type Figure, type MetricDefinition } from './definition.js';
import { DURATION_BOUNDARIES, DURATION_METRICS, type DurationMetric, type Durations } from './operations.js';

export interface MetricSources {
  readonly snapshot: () => GatewaySnapshot;
  readonly durations: Durations;
  readonly version: string;
}

/** Where the exporters get everything from. */
export function metricProducer(sources: MetricSources): MetricProducer {
  return { collect: () => Promise.resolve(collect(sources)) };
}

export function collect({ snapshot, durations, version }: MetricSources): CollectionResult {
  const now = snapshot();
  const times = { startTime: hrTime(now.startedAt), endTime: hrTime(now.takenAt) };
  const metrics = [
    ...DURATION_METRICS.map((metric) => histogram(metric, durations, times)),
    ...FIGURES.map((figure) => points(figure, now, times)),
  ].filter(({ dataPoints }) => dataPoints.length > 0);
  const resource = emptyResource();
  return { resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'viable', version }, metrics }] }, errors: [] };
}

interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

function points(figure: Figure, snapshot: GatewaySnapshot, times: Times): MetricData {
  const common = {
    descriptor: descriptor(figure),
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: figure.read(snapshot).map((sample) => ({ ...times, ...sample })),
  };
  return figure.kind === 'counter'
    ? { ...common, dataPointType: DataPointType.SUM, isMonotonic: true }
    : { ...common, dataPointType: DataPointType.GAUGE };
}

function histogram(metric: DurationMetric, durations: Durations, times: Times): MetricData {
  return {
    descriptor: descriptor(metric),
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: metric.read(durations).map(({ attributes, histogram: { counts, count, sum } }) => ({
      ...times,
      attributes,
      value: { buckets: { boundaries: [...DURATION_BOUNDARIES], counts: [...counts] }, count, sum },
    })),
  };
}

function descriptor({ name, description, unit }: MetricDefinition): MetricData['descriptor'] {
  return { name, description, unit, valueType: ValueType.DOUBLE };
}

function hrTime(epochMs: number): HrTime {
  return [Math.floor(epochMs / 1_000), Math.round((epochMs % 1_000) * 1e6)];
}
