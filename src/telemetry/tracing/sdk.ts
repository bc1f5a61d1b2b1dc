/**
 * The OpenTelemetry SDK, put together. Imported when telemetry is switched on and not before: it takes tens of megabytes
 * and some hundred milliseconds.
 *
 * One SDK a process, as the OpenTelemetry API has it: where the application has registered its own, the gateway's spans go
 * there.
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  type Resource,
  type ResourceDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { type Clock } from '../../kernel/index.js';
import { metricProducer, type MetricSources } from '../metrics/collect.js';
import { ApiSpans } from './api-spans.js';
import { LateContextManager } from './context-manager.js';
import { type SpanCounts } from './counts.js';
import { OwnSpans } from './own-spans.js';
import { type RecentSpans } from './recent.js';
import { DrawnIds, RuntimeSampler } from './sampling.js';
import { type TelemetrySettings } from './settings.js';
import { SpanBatcher } from './span-batcher.js';
import { otlpSpanExport } from './span-export.js';
import { SpanTracer } from './tracer.js';

export interface SdkParts {
  readonly settings: TelemetrySettings;
  readonly version: string;
  /** Tells this process from others of the service. */
  readonly instanceId: string;
  readonly counts: SpanCounts;
  /** Gets every span that has ended. */
  readonly recent: RecentSpans;
  readonly metrics: MetricSources;
  readonly random: () => number;
  readonly clock: Clock;
  /** Told how each batch fared; `null`: the collector has it. */
  readonly onExport: (error: Error | null) => void;
}

export interface RunningSdk {
  /** `null` when only metrics are sent. */
  readonly tracer: SpanTracer | null;
  /** Sends what waits; what was lost is in the counts. `false`: the collector has not answered within `graceMs`. */
  flush(graceMs: number): Promise<boolean>;
  /** Sends what waits and ends, within `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export const SERVICE_NAME = 'mcp-gateway';
export const SERVICE_NAMESPACE = 'autonomous-opponent';
/** Of the gateway's own spans. */
const SCOPE = 'viable';

export function startSdk(parts: SdkParts): RunningSdk {
  const { settings, version, random } = parts;
  const { parentBased } = settings;
  const sampler = new RuntimeSampler(settings.samplingRate, parentBased);
  const ids = new DrawnIds(random);
  const free = isFree();
  const resource = describedResource(version, parts.instanceId);
  const batcher = spanBatcher(parts, resource);
  const reader = settings.metrics ? metricReader(parts) : null;
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    contextManager: new LateContextManager(),
    sampler,
    spanProcessors: settings.traces ? [batcher] : [],
    metricReaders: reader ? [reader] : [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  const spans = free ? new OwnSpans(batcher, ids, sampler) : new ApiSpans(trace.getTracer(SCOPE, version));
  return {
    tracer: settings.traces ? new SpanTracer({ spans, sampler, ids, parentBased }) : null,
    flush: (graceMs) => within(Promise.allSettled([batcher.forceFlush(), reader?.forceFlush()]), graceMs),
    stop: async (graceMs) => {
      await within(sdk.shutdown(), graceMs);
      if (!free) return;
      trace.disable();
      context.disable();
      propagation.disable();
      metrics.disable();
    },
  };
}

const DETECTORS: Readonly<Record<string, ResourceDetector>> = {
  env: envDetector,
  host: hostDetector,
  os: osDetector,
  process: processDetector,
  serviceinstance: serviceInstanceIdDetector,
};

/**
 * What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before what the gateway says. Other detectors look when
 * OTEL_NODE_RESOURCE_DETECTORS names them: the command line is nobody's business.
 */
function describedResource(version: string, instanceId: string): Resource {
  const named = (process.env['OTEL_NODE_RESOURCE_DETECTORS'] ?? 'env').split(',').map((name) => name.trim());
  const detectors = named.includes('none')
    ? []
    : Object.entries(DETECTORS).filter(([name]) => named.includes(name) || named.includes('all'));
  const own = resourceFromAttributes({
    'service.name': SERVICE_NAME,
    'service.namespace': SERVICE_NAMESPACE,
    'service.version': version,
    'service.instance.id': instanceId,
  });
  const detected = detectResources({ detectors: detectors.map(([, detector]) => detector) });
  return defaultResource().merge(own).merge(detected);
}

/** Nobody has registered an SDK in this process. */
function isFree(): boolean {
  const free = trace.setGlobalTracerProvider({ getTracer: (name) => trace.getTracer(name) });
  if (free) trace.disable();
  return free;
}

function spanBatcher(
  { settings, version, counts, recent, clock, onExport }: SdkParts,
  resource: Resource,
): SpanBatcher {
  const { endpoint, headers, batchSize, maxQueue, scheduleDelayMs, exportTimeoutMs } = settings;
  const exporter = otlpSpanExport(endpoint === null ? null : signalUrl(endpoint, 'traces'), headers);
  const limits = { batchSize, maxQueue, scheduleDelayMs, exportTimeoutMs };
  return new SpanBatcher({
    exporter,
    resource,
    scope: { name: SCOPE, version },
    counts,
    recent,
    clock,
    onExport,
    ...limits,
  });
}

function metricReader({ settings, metrics: sources }: SdkParts): MetricReader {
  const { endpoint, headers } = settings;
  const exporter = new OTLPMetricExporter({
    headers,
    ...(endpoint !== null && { url: signalUrl(endpoint, 'metrics') }),
  });
  const every = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  const timeout = Number(process.env['OTEL_METRIC_EXPORT_TIMEOUT']);
  return new PeriodicExportingMetricReader({
    exporter,
    metricProducers: [metricProducer(sources)],
    ...(every > 0 && { exportIntervalMillis: every }),
    ...(timeout > 0 && { exportTimeoutMillis: timeout }),
  });
}

/** As OTEL_EXPORTER_OTLP_ENDPOINT is read: the path of the signal comes behind. */
function signalUrl(endpoint: string, signal: 'traces' | 'metrics'): string {
  return `${endpoint.replace(/(?<!\/)\/+$/, '')}/v1/${signal}`;
}

/** A collector that does not answer must not hold up the end of the process. Returns whether it was in time. */
async function within(done: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = (): true => true;
  const inTime = await Promise.race([done.then(ended, ended), late]);
  clearTimeout(timer);
  return inTime;
}
