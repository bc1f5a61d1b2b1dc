/**
 * The newest spans, for consoles: a ring that the span processor writes into, read when somebody looks. A span costs one
 * assignment; nothing is made of it before it is asked for.
 */
import { type SpanSnapshot, type TraceSnapshot } from '../../admin/snapshot/traces.js';

/** What is read of a span that has ended; `ReadableSpan` of the SDK is one. */
export interface EndedSpan {
  readonly name: string;
  /** `SpanKind` of the OpenTelemetry API: 1 server, 2 client. */
  readonly kind: number;
  spanContext(): { readonly traceId: string; readonly spanId: string };
  readonly parentSpanContext?: { readonly spanId: string } | undefined;
  /** Seconds and nanoseconds. */
  readonly startTime: readonly [number, number];
  readonly duration: readonly [number, number];
  /** `SpanStatusCode`: 2 is an error. */
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** As many spans as are kept; a call has two or three. */
const MOST_SPANS = 512;
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;

export class RecentSpans {
  readonly #ring: EndedSpan[] = [];
  #next = 0;

  add(span: EndedSpan): void {
    this.#ring[this.#next] = span;
    this.#next = (this.#next + 1) % MOST_SPANS;
  }

  /** At most `limit` traces, the one that ended last first. Of a long trace the oldest spans may have been forgotten. */
  traces(limit: number): readonly TraceSnapshot[] {
    const found = new Map<string, EndedSpan[]>();
    for (let back = 1; back <= this.#ring.length; back += 1) {
      const span = this.#ring[(this.#next - back + MOST_SPANS) % MOST_SPANS];
      if (span === undefined) break;
      const { traceId } = span.spanContext();
      const spans = found.get(traceId);
      if (spans !== undefined) spans.push(span);
      else if (found.size < limit) found.set(traceId, [span]);
    }
    return [...found].map(([traceId, spans]) => ({
      traceId,
      spans: spans.map(spanSnapshot).sort((a, b) => a.startedAt - b.startedAt),
    }));
  }
}

function spanSnapshot(span: EndedSpan): SpanSnapshot {
  const type = span.attributes['error.type'];
  const failed = typeof type === 'string' ? type : (span.status.message ?? 'error');
  return {
    spanId: span.spanContext().spanId,
    parentId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind: span.kind === SERVER ? 'server' : span.kind === CLIENT ? 'client' : 'internal',
    startedAt: milliseconds(span.startTime),
    durationMs: milliseconds(span.duration),
    error: span.status.code === ERROR ? failed : null,
    attributes: Object.fromEntries(Object.entries(span.attributes).map(([name, value]) => [name, String(value)])),
  };
}

function milliseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
