/**
 * The OpenTelemetry SDK, put together. Imported when telemetry is switched on and not before: it takes tens of megabytes
 * and some hundred milliseconds.
 *
 * One SDK a process, as the OpenTelemetry API has it: where the application has registered its own, the gateway's spans go
 * there.
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { metricProducer, type MetricSources } from '../metrics/collect.js';
import { LateContextManager } from './context-manager.js';
import { CountedExporter, CountedProcessor } from './counted.js';
import { type SpanCounts } from './counts.js';
import { type RecentSpans } from './recent.js';
import { DrawnIds, RuntimeSampler } from './sampling.js';
import { type TelemetrySettings } from './settings.js';
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
  /** Told how each batch fared; `null`: the collector has it. */
  readonly onExport: (error: Error | null) => void;
}

export interface RunningSdk {
  /** `null` when only metrics are sent. */
  readonly tracer: SpanTracer | null;
  /** Sends what waits and ends, within `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export const SERVICE_NAME = 'mcp-gateway';
export const SERVICE_NAMESPACE = 'autonomous-opponent';

export function startSdk(parts: SdkParts): RunningSdk {
  const { settings, version, random } = parts;
  const sampler = new RuntimeSampler(settings.samplingRate, settings.parentBased);
  const ids = new DrawnIds(random);
  const free = isFree();
  const sdk = new NodeSDK({
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': SERVICE_NAME,
        'service.namespace': SERVICE_NAMESPACE,
        'service.version': version,
        'service.instance.id': parts.instanceId,
      }),
    ),
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before ours; the command line is nobody's business.
    ...(process.env['OTEL_NODE_RESOURCE_DETECTORS'] === undefined && { resourceDetectors: [envDetector] }),
    contextManager: new LateContextManager(),
    sampler,
    idGenerator: ids,
    spanProcessors: settings.traces ? [spanProcessor(parts)] : [],
    metricReaders: settings.metrics ? [metricReader(parts)] : [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  const tracer = trace.getTracer('viable', version);
  return {
    tracer: settings.traces ? new SpanTracer({ tracer, sampler, ids, parentBased: settings.parentBased }) : null,
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

/** Nobody has registered an SDK in this process. */
function isFree(): boolean {
  const free = trace.setGlobalTracerProvider({ getTracer: (name) => trace.getTracer(name) });
  if (free) trace.disable();
  return free;
}

function spanProcessor({ settings, counts, recent, onExport }: SdkParts): SpanProcessor {
  const { endpoint, headers, batchSize, maxQueue, scheduleDelayMs, exportTimeoutMs } = settings;
  const exporter = new OTLPTraceExporter({ headers, ...(endpoint !== null && { url: signalUrl(endpoint, 'traces') }) });
  const batch = new BatchSpanProcessor({
    exporter: new CountedExporter(exporter, counts, onExport),
    maxQueueSize: maxQueue,
    maxExportBatchSize: batchSize,
    scheduledDelayMillis: scheduleDelayMs,
    exportTimeoutMillis: exportTimeoutMs,
  });
  return new CountedProcessor(batch, counts, maxQueue, recent);
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

/** A collector that does not answer must not hold up the end of the process. */
async function within(done: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done.catch(() => undefined), late]);
  clearTimeout(timer);
}
