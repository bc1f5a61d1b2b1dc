/**
 * Begins a trace for each request: reads the context that came with it, decides, and makes a span only of what is
 * recorded.
 *
 * A context in `_meta` is the parent, and the one of the HTTP request beside it is linked; without the first, the second
 * is the parent. What opened a WebSocket is linked, not a parent: it is no more the cause of the thousandth message than
 * of the first.
 */
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';
import { isJsonObject } from '../../protocol/jsonrpc.js';
import { type IncomingHeaders } from '../../protocol/modern/headers.js';
import {
  type CallTrace,
  type ControlStep,
  type EventAttributes,
  metaOf,
  readContext,
  type RefusedRequest,
  type RequestOrigin,
  type RequestTracer,
  type TraceContext,
  type TracedRequest,
} from './call-trace.js';
import { formatContext, RecordedTrace, startServerSpan, within } from './recorded.js';
import { type DrawnIds, type RuntimeSampler } from './sampling.js';
import { UnsampledHeaders, UnsampledMeta, UnsampledRoot } from './unsampled.js';

export interface TracerParts {
  readonly tracer: Tracer;
  readonly sampler: RuntimeSampler;
  readonly ids: DrawnIds;
  /** A caller that records its trace has ours recorded. */
  readonly parentBased: boolean;
}

/** Names of the tools and prompts that clients call are theirs to invent, so a span is named after a known shape alone. */
const TARGETED = new Set(['tools/call', 'prompts/get']);

export class SpanTracer implements RequestTracer {
  readonly #tracer: Tracer;
  readonly #sampler: RuntimeSampler;
  readonly #ids: DrawnIds;
  readonly #parentBased: boolean;
  readonly #unsampledRoot = new UnsampledRoot();
  readonly #unsampledMeta = new UnsampledMeta();

  constructor({ tracer, sampler, ids, parentBased }: TracerParts) {
    this.#tracer = tracer;
    this.#sampler = sampler;
    this.#ids = ids;
    this.#parentBased = parentBased;
    ids.rate = sampler.rate;
  }

  /** Share of the traces that begin here which is recorded, 0 to 1. */
  get rate(): number {
    return this.#sampler.rate;
  }

  set rate(rate: number) {
    this.#sampler.rate = rate;
    this.#ids.rate = this.#sampler.rate;
  }

  begin(request: TracedRequest, headers: IncomingHeaders | undefined, origin: RequestOrigin | null): CallTrace {
    const meta = metaOf(request.params);
    // Two property reads decide for nearly all requests; nothing is made for them.
    if (meta?.['traceparent'] === undefined && headers?.['traceparent'] === undefined) {
      if (!this.#ids.draw()) return this.#unsampledRoot;
      return this.#record(request, origin, ROOT_CONTEXT, undefined, []);
    }
    return this.#continued(request, readContext(meta), readContext(headers), origin);
  }

  refused({ name, error, message, attributes }: RefusedRequest, headers: IncomingHeaders | undefined): void {
    const given = readContext(headers);
    const parent = given && remoteContext(given);
    if (parent === null) {
      if (!this.#ids.draw()) return;
    } else if (this.#parentBased && !isSampled(parent)) return;
    const options = { kind: SpanKind.SERVER, attributes: { ...attributes, 'error.type': error } };
    const span = this.#tracer.startSpan(name, options, parent ?? ROOT_CONTEXT);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    span.recordException({ name: error, message });
    span.end();
  }

  step(name: string, attributes: EventAttributes, cause?: TraceContext | null): ControlStep {
    const parent = cause ? remoteContext(cause) : null;
    if (parent === null && !this.#ids.force()) return NO_STEP;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent ?? ROOT_CONTEXT);
    return span.isRecording() ? new RecordedStep(span) : NO_STEP;
  }

  /** The client gave a context: it decides, where it may. */
  #continued(
    request: TracedRequest,
    meta: TraceContext | null,
    http: TraceContext | null,
    origin: RequestOrigin | null,
  ): CallTrace {
    const given = meta ?? http;
    const parent = given && remoteContext(given);
    if (!given || !parent) {
      if (!this.#ids.draw()) return this.#unsampledRoot;
      return this.#record(request, origin, ROOT_CONTEXT, given?.baggage, []);
    }
    if (this.#parentBased && !isSampled(parent)) return meta ? this.#unsampledMeta : new UnsampledHeaders(given);
    const beside = meta && http ? linkTo(http) : [];
    return this.#record(request, origin, parent, given.baggage, beside, given);
  }

  #record(
    request: TracedRequest,
    origin: RequestOrigin | null,
    parent: Context,
    baggage: string | undefined,
    beside: Link[],
    given?: TraceContext,
  ): CallTrace {
    const target = targetOf(request);
    const opened = origin?.openedBy === undefined ? [] : linkTo({ traceparent: origin.openedBy });
    const span = startServerSpan(this.#tracer, request, target, origin, [...beside, ...opened], parent);
    // By the rate alone, or by another SDK of the application's, the answer may still be no.
    if (!span.isRecording()) return given ? new UnsampledHeaders(given) : this.#unsampledRoot;
    return new RecordedTrace(this.#tracer, span, within(parent, span), baggage);
  }
}

class RecordedStep implements ControlStep {
  readonly #span: Span;
  readonly context: TraceContext;

  constructor(span: Span) {
    this.#span = span;
    this.context = formatContext(span.spanContext());
  }

  event(name: string, attributes: EventAttributes = {}): void {
    this.#span.addEvent(name, attributes);
  }

  end(error?: string): void {
    if (error !== undefined) {
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      this.#span.setAttribute('error.type', error);
    }
    this.#span.end();
  }
}

const NO_STEP: ControlStep = { context: null, event: () => undefined, end: () => undefined };

/** The context as the parent of a span; `null` when it is none that W3C Trace Context knows. */
function remoteContext({ traceparent, tracestate }: TraceContext): Context | null {
  const parsed = parseTraceParent(traceparent);
  if (parsed === null) return null;
  const state = tracestate === undefined ? {} : { traceState: new TraceState(tracestate) };
  return trace.setSpanContext(ROOT_CONTEXT, { ...parsed, ...state, isRemote: true });
}

function isSampled(parent: Context): boolean {
  return ((trace.getSpanContext(parent)?.traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;
}

function linkTo({ traceparent }: TraceContext): Link[] {
  const context = parseTraceParent(traceparent);
  return context === null ? [] : [{ context }];
}

function targetOf({ method, params }: TracedRequest): string {
  const name = TARGETED.has(method) && isJsonObject(params) ? params['name'] : undefined;
  return typeof name === 'string' ? name : '';
}
