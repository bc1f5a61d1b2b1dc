/** Spans as the gateway makes them: a port, so that where they go is somebody else's business. */
import { type SpanContext, type SpanKind } from '@opentelemetry/api';
import { type CallTrace, type EventAttributes, type EventKind, type TraceContext } from './call-trace.js';
import { type Descriptions } from './descriptions.js';
import { type SharedFields } from './shared-fields.js';

/** A span that is recorded, until it ends. */
export interface TraceSpan {
  /** As it is sent on. `baggage`: what goes with it. */
  context(baggage?: string): TraceContext;
  /** `around`: of where it goes. `requestId` and `at`: as in `SpanStart`. */
  child(
    kind: SpanKind,
    description: SharedFields,
    around: SharedFields,
    requestId: string | number,
    at: number,
  ): TraceSpan;
  /** Another attribute; none has a name twice. */
  set(name: string, value: string | number | boolean): void;
  /** `at`: when, if that is known. */
  event(what: EventKind, attributes?: EventAttributes, at?: number): void;
  /** An event whose kind measures something. */
  measured(what: SharedFields, value: number, at?: number): void;
  exception(type: string, message: string, at?: number): void;
  /** Its status is an error. */
  failed(message?: string): void;
  /** `at`: as for `event`. */
  end(at?: number): void;
}

export interface SpanStart {
  readonly kind: SpanKind;
  /** What it is called, and what it says of what is asked for. */
  readonly description: SharedFields;
  /** Of where it came in; `null` when there is nothing to say. */
  readonly around: SharedFields | null;
  /** Of the JSON-RPC request; `null`: it is the span of none. */
  readonly requestId: string | number | null;
  /** `null`: a trace begins. */
  readonly parent: SpanContext | null;
  readonly links: readonly SpanContext[];
  /** When it begins, as `performance.now()` has it. The SDK of an application may use its own clock. */
  readonly at: number;
}

export interface SpanSource {
  /** As `start`, of a request: its SERVER span, and CLIENT spans below it. `baggage`: as the client sent it. */
  call(start: SpanStart, descriptions: Descriptions, baggage: string | undefined): CallTrace | null;
  /** `null`: the trace is not recorded. A trace that begins has been drawn (`DrawnIds`). */
  start(start: SpanStart): TraceSpan | null;
}

/** Attribute of the id of the JSON-RPC request. */
export const REQUEST_ID = 'jsonrpc.request.id';

/** `traceparent` of W3C Trace Context, and what goes beside it. */
export function writtenContext(traceparent: string, tracestate: string, baggage?: string): TraceContext {
  if (tracestate === '' && baggage === undefined) return { traceparent };
  return { traceparent, ...(tracestate !== '' && { tracestate }), ...(baggage !== undefined && { baggage }) };
}
