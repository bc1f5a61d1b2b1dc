/** The spans of the gateway's requests on the SDK that the application around it has registered. */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { type CallTrace, type EventAttributes, type EventKind, type TraceContext } from './call-trace.js';
import { type Descriptions } from './descriptions.js';
import { RecordedTrace } from './recorded.js';
import { type SharedFields } from './shared-fields.js';
import { REQUEST_ID, type SpanSource, type SpanStart, type TraceSpan, writtenContext } from './trace-span.js';

export class ApiSpans implements SpanSource {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  call(start: SpanStart, descriptions: Descriptions, baggage: string | undefined): CallTrace | null {
    const span = this.start(start);
    return span && new RecordedTrace(span, descriptions, start.at, baggage);
  }

  start({ kind, description, around: origin, requestId, parent, links }: SpanStart): TraceSpan | null {
    const around = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const attributes = all(description, origin, requestId);
    const options = { kind, attributes, links: links.map((context) => ({ context })) };
    const span = this.#tracer.startSpan(description.name, options, around);
    // That SDK has a sampler of its own.
    return span.isRecording() ? new ApiSpan(this.#tracer, span, around) : null;
  }
}

class ApiSpan implements TraceSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #around: Context;

  constructor(tracer: Tracer, span: Span, around: Context) {
    this.#tracer = tracer;
    this.#span = span;
    this.#around = around;
  }

  context(baggage?: string): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    const flags = (traceFlags & 0xff).toString(16).padStart(2, '0');
    return writtenContext(`00-${traceId}-${spanId}-${flags}`, traceState?.serialize() ?? '', baggage);
  }

  child(kind: SpanKind, description: SharedFields, goes: SharedFields, requestId: string | number): TraceSpan {
    const options = { kind, attributes: all(description, goes, requestId) };
    const around = trace.setSpan(this.#around, this.#span);
    return new ApiSpan(this.#tracer, this.#tracer.startSpan(description.name, options, around), around);
  }

  set(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value);
  }

  event(what: EventKind, attributes?: EventAttributes): void {
    if (typeof what === 'string') this.#span.addEvent(what, attributes);
    else this.#span.addEvent(what.name, { ...what.attributes, ...attributes });
  }

  measured({ name, attributes, measure }: SharedFields, value: number): void {
    this.#span.addEvent(name, { ...attributes, ...(measure !== null && { [measure]: value }) });
  }

  exception(type: string, message: string): void {
    this.#span.recordException({ name: type, message });
  }

  failed(message?: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
  }

  end(): void {
    this.#span.end();
  }
}

function all({ attributes }: SharedFields, around: SharedFields | null, requestId: string | number | null): Attributes {
  return {
    ...attributes,
    ...around?.attributes,
    ...(requestId !== null && { [REQUEST_ID]: String(requestId) }),
  };
}
