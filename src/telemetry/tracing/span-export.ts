/** Batches of spans to the collector, by the SDK's OTLP exporter over HTTP: its variables, its retries, its answers. */
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { type SpanBatch, type SpanExport } from './span-batcher.js';

/** `url`: `null` as the `OTEL_EXPORTER_OTLP_*` variables have it. */
export function otlpSpanExport(url: string | null, headers: Readonly<Record<string, string>>): SpanExport {
  const options = convertLegacyHttpOptions({ headers, ...(url !== null && { url }) }, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/x-protobuf',
  });
  const serializer = {
    serializeRequest: (batch: SpanBatch) => batch.request,
    deserializeResponse: (answer: Uint8Array) => ProtobufTraceSerializer.deserializeResponse(answer),
  };
  const counted = { name: 'span' as const, countItems: (batch: SpanBatch) => batch.spans };
  return createOtlpHttpExportDelegate(options, serializer, 'otlp_http_span_exporter', counted, undefined);
}
