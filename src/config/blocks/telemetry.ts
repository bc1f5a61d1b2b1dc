/** `gateway.telemetry`: traces and metrics for a collector. What they say: docs/tracing.md, docs/metrics.md. */
import { z } from 'zod';
import { block, LIVE, text } from './parts.js';

export const telemetry = block(
  LIVE,
  'Traces and metrics for an OpenTelemetry collector, over OTLP/HTTP. The `OTEL_…` variables hold where nothing is written here.',
  {
    enabled: z
      .boolean()
      .nullable()
      .default(null)
      .describe('`null`: when a collector is named, by `endpoint` or by `OTEL_EXPORTER_OTLP_ENDPOINT`.'),
    endpoint: text('the address')
      .regex(/^https?:\/\/[^\s/]+/, { error: 'must be an http or https address' })
      .nullable()
      .default(null)
      .describe(
        'Base address of the collector, as in `http://localhost:4318`; `/v1/traces` and `/v1/metrics` come behind.',
      ),
    samplingRate: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe('Share of the traces that begin here which is recorded. `null`: `OTEL_TRACES_SAMPLER`, else 0.01.'),
    parentBased: z
      .boolean()
      .nullable()
      .default(null)
      .describe(
        'A caller that has decided for its trace has decided for ours. `false`: the rate alone decides. `null`: `OTEL_TRACES_SAMPLER`, else `true`.',
      ),
    batchSize: z
      .int()
      .min(1)
      .max(65_536)
      .nullable()
      .default(null)
      .describe('The most spans in one export. `null`: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 2,048.'),
  },
);
