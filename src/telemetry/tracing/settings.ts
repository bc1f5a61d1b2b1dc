/**
 * What tracing is told by the configuration file and by the variables of OpenTelemetry. The file goes first. Pure.
 *
 * Source: OpenTelemetry specification, "Environment Variables".
 */

/** The `telemetry` block of the configuration. */
export interface TelemetryOptions {
  readonly enabled: boolean | null;
  readonly endpoint: string | null;
  readonly samplingRate: number | null;
  readonly parentBased: boolean | null;
  readonly batchSize: number | null;
}

export interface TelemetrySettings {
  readonly traces: boolean;
  /** Metrics are sent to the collector as well. */
  readonly metrics: boolean;
  /** Base address of the collector; `null`: as the exporter reads it from its variables. */
  readonly endpoint: string | null;
  readonly samplingRate: number;
  readonly parentBased: boolean;
  readonly batchSize: number;
  readonly maxQueue: number;
  readonly scheduleDelayMs: number;
  readonly exportTimeoutMs: number;
  /** Headers of every export. */
  readonly headers: Readonly<Record<string, string>>;
  /** What was asked for and is not done, one sentence each. */
  readonly warnings: readonly string[];
}

export type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_SAMPLING_RATE = 0.01;
/**
 * Four times the SDK's, an eighth of the queue: an export takes a millisecond of CPU, whatever is in it (docs/adr/0010). With two spans a
 * call it is some 1.3 MB.
 */
const DEFAULT_BATCH_SIZE = 2_048;
/** Eight times the SDK's: a few seconds of a busy gateway at 10 %. */
const DEFAULT_QUEUE = 16_384;
const DEFAULT_DELAY_MS = 5_000;
const DEFAULT_EXPORT_TIMEOUT_MS = 30_000;

export function telemetrySettings(options: TelemetryOptions, env: Env): TelemetrySettings {
  const sampler = samplerOf(env);
  const warnings = [...sampler.warnings];
  const protocol = value(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? value(env, 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol !== 'http/protobuf')
    warnings.push(`OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}: the gateway speaks http/protobuf to the collector`);
  const disabled = value(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const named = options.endpoint !== null || namesCollector(env, 'TRACES');
  const on = !disabled && (options.enabled ?? named);
  const metricsNamed = options.endpoint !== null || namesCollector(env, 'METRICS');
  const key = value(env, 'OTEL_API_KEY');
  const maxQueue = positive(env, 'OTEL_BSP_MAX_QUEUE_SIZE') ?? DEFAULT_QUEUE;
  const batch = options.batchSize ?? positive(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? DEFAULT_BATCH_SIZE;
  return {
    traces: on && value(env, 'OTEL_TRACES_EXPORTER') !== 'none',
    metrics: on && metricsNamed && value(env, 'OTEL_METRICS_EXPORTER') !== 'none',
    endpoint: options.endpoint,
    samplingRate: options.samplingRate ?? sampler.rate ?? DEFAULT_SAMPLING_RATE,
    parentBased: options.parentBased ?? sampler.parentBased,
    batchSize: Math.min(batch, maxQueue),
    maxQueue,
    scheduleDelayMs: positive(env, 'OTEL_BSP_SCHEDULE_DELAY') ?? DEFAULT_DELAY_MS,
    exportTimeoutMs: positive(env, 'OTEL_BSP_EXPORT_TIMEOUT') ?? DEFAULT_EXPORT_TIMEOUT_MS,
    headers: key === undefined ? {} : { 'x-api-key': key },
    warnings,
  };
}

/** Whether a variable says where traces, or metrics, are to go. */
function namesCollector(env: Env, signal: 'TRACES' | 'METRICS'): boolean {
  return (
    value(env, 'OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined ||
    value(env, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) !== undefined
  );
}

interface SamplerChoice {
  readonly rate: number | null;
  readonly parentBased: boolean;
  readonly warnings: readonly string[];
}

function samplerOf(env: Env): SamplerChoice {
  const name = value(env, 'OTEL_TRACES_SAMPLER');
  if (name === undefined) return { rate: null, parentBased: true, warnings: [] };
  const parentBased = name.startsWith('parentbased_');
  switch (name.replace(/^parentbased_/, '')) {
    case 'always_on':
      return { rate: 1, parentBased, warnings: [] };
    case 'always_off':
      return { rate: 0, parentBased, warnings: [] };
    case 'traceidratio': {
      const text = value(env, 'OTEL_TRACES_SAMPLER_ARG');
      const rate = text === undefined ? 1 : Number(text);
      if (rate >= 0 && rate <= 1) return { rate, parentBased, warnings: [] };
      return { rate: null, parentBased, warnings: [`OTEL_TRACES_SAMPLER_ARG=${text}: must be a number from 0 to 1`] };
    }
    default:
      return { rate: null, parentBased: true, warnings: [`OTEL_TRACES_SAMPLER=${name}: no sampler of this name`] };
  }
}

/** An empty variable is one that is not set. */
function value(env: Env, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function positive(env: Env, name: string): number | undefined {
  const number = Number(value(env, name));
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
