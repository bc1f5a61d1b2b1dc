/** Spans as the gateway makes them: a port, so that where they go is somebody else's business. */
import { type SpanContext, type SpanKind } from '@opentelemetry/api';
import { type EventAttributes, type TraceContext } from './call-trace.js';

/** A span that is recorded, until it ends. */
export interface TraceSpan {
  /** As it is sent on. `baggage`: what goes with it. */
  context(baggage?: string): TraceContext;
  /** `attributes`: not changed by anybody after. */
  child(name: string, kind: SpanKind, attributes: EventAttributes): TraceSpan;
  /** Another attribute; none has a name twice. */
  set(name: string, value: string | number | boolean): void;
  event(name: string, attributes?: EventAttributes): void;
  exception(type: string, message: string): void;
  /** Its status is an error. */
  failed(message?: string): void;
  end(): void;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** Not changed by anybody after. */
  readonly attributes: EventAttributes;
  /** `null`: a trace begins. */
  readonly parent: SpanContext | null;
  readonly links: readonly SpanContext[];
}

export interface SpanSource {
  /** `null`: the trace is not recorded. A trace that begins has been drawn (`DrawnIds`). */
  start(start: SpanStart): TraceSpan | null;
}

/** `traceparent` of W3C Trace Context, and what goes beside it. */
export function writtenContext(
  traceId: string,
  spanId: string,
  traceFlags: number,
  tracestate: string,
  baggage?: string,
): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-${traceFlags === 1 ? '01' : (traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  if (tracestate === '' && baggage === undefined) return { traceparent };
  return { traceparent, ...(tracestate !== '' && { tracestate }), ...(baggage !== undefined && { baggage }) };
}
