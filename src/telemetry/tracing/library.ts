/**
 * Tracing for code around the gateway: spans of one's own, and the context in and out of headers. Works on whatever SDK is
 * registered in the process; without one every function does nothing and `withSpan` just runs.
 */
import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { redact } from '../../protocol/redact.js';

/** The part that a span plays (OpenTelemetry, `SpanKind`). */
export type TraceKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** How a span begins. */
export interface SpanOptions {
  /** Default `internal`. */
  readonly kind?: TraceKind;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Default: the span that is active here. */
  readonly parent?: Context;
}

const KINDS: Readonly<Record<TraceKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Spans of your own, and the trace context in and out. Guide: docs/tracing.md. */
export const Tracing = {
  /**
   * Runs `work` within a span of this name. An exception, or a rejection, is recorded and goes on. Returns what `work` does.
   */
  withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => T): T {
    const { kind = 'internal', attributes = {}, parent = context.active() } = options;
    const tracer = trace.getTracer('viable.app');
    const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, parent);
    return context.with(trace.setSpan(parent, span), () => finish(span, work));
  },

  /** Adds to the active span. */
  addAttributes(attributes: Readonly<Attributes>): void {
    trace.getActiveSpan()?.setAttributes(attributes);
  },

  /** Something happened within the active span. */
  addEvent(name: string, attributes: Readonly<Attributes> = {}): void {
    trace.getActiveSpan()?.addEvent(name, attributes);
  },

  /** The context that headers (or `_meta`) carry, to be the `parent` of a span. */
  extractTraceContext(carrier: Readonly<Record<string, unknown>>): Context {
    return propagation.extract(ROOT_CONTEXT, carrier);
  },

  /** A copy of `carrier` with the context of the active span, or of `from`. */
  injectTraceContext<T extends Readonly<Record<string, unknown>>>(
    carrier: T = {} as T,
    from: Context = context.active(),
  ): T & { traceparent?: string; tracestate?: string; baggage?: string } {
    const copy = { ...carrier };
    propagation.inject(from, copy);
    return copy;
  },
} as const;

function finish<T>(span: Span, work: (span: Span) => T): T {
  try {
    const result = work(span);
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result.then(
      (value: unknown) => {
        span.end();
        return value;
      },
      (cause: unknown) => {
        fail(span, cause);
        throw cause;
      },
    ) as T;
  } catch (cause) {
    fail(span, cause);
    throw cause;
  }
}

function fail(span: Span, cause: unknown): void {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  span.recordException({ name: error.name, message: redact(error.message) });
  span.setAttribute('error.type', error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: redact(error.message) });
  span.end();
}
