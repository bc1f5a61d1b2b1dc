/**
 * Begins a trace for each request: reads the context that came with it, decides, and makes a span only of what is
 * recorded.
 *
 * A context in `_meta` is the parent, and the one of the HTTP request beside it is linked; without the first, the second
 * is the parent. What opened a WebSocket is linked, not a parent: it is no more the cause of the thousandth message than
 * of the first.
 */
import { type SpanContext, SpanKind, TraceFlags } from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';
import { metaOf } from '../../protocol/modern/meta.js';
import { type IncomingHeaders } from '../../protocol/modern/headers.js';
import {
  type CallTrace,
  type ControlStep,
  type EventAttributes,
  readContext,
  type RefusedRequest,
  type RequestOrigin,
  type RequestTracer,
  type TraceContext,
  type TracedRequest,
} from './call-trace.js';
import { Descriptions } from './descriptions.js';
import { type DrawnIds, type RuntimeSampler } from './sampling.js';
import { SharedFields } from './shared-fields.js';
import { type SpanSource, type SpanStart, type TraceSpan } from './trace-span.js';
import { UnsampledHeaders, UnsampledMeta } from './unsampled.js';

export interface TracerParts {
  readonly spans: SpanSource;
  readonly sampler: RuntimeSampler;
  readonly ids: DrawnIds;
  /** A caller that records its trace has ours recorded. */
  readonly parentBased: boolean;
}

export class SpanTracer implements RequestTracer {
  readonly #spans: SpanSource;
  readonly #sampler: RuntimeSampler;
  readonly #ids: DrawnIds;
  readonly #parentBased: boolean;
  readonly #descriptions = new Descriptions();
  readonly #unsampledMeta = new UnsampledMeta();

  constructor({ spans, sampler, ids, parentBased }: TracerParts) {
    this.#spans = spans;
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

  begin(
    request: TracedRequest,
    headers: IncomingHeaders | undefined,
    origin: RequestOrigin | null,
    at: number,
  ): CallTrace | null {
    const meta = metaOf(request.params);
    // Two property reads decide for nearly all requests; nothing is made for them.
    if (meta?.['traceparent'] === undefined && headers?.['traceparent'] === undefined) {
      if (!this.#ids.draw()) return null;
      return this.#record(request, origin, at, null, undefined, NO_LINKS);
    }
    return this.#continued(request, readContext(meta), readContext(headers), origin, at);
  }

  refused({ name, error, message, attributes }: RefusedRequest, headers: IncomingHeaders | undefined): void {
    const given = readContext(headers);
    const parent = given && remoteContext(given);
    if (parent === null) {
      if (!this.#ids.draw()) return;
    } else if (this.#parentBased && !isSampled(parent)) return;
    const span = this.#spans.start({
      kind: SpanKind.SERVER,
      description: new SharedFields(name, { ...attributes, 'error.type': error }),
      ...ALONE,
      parent,
      at: performance.now(),
    });
    span?.failed(message);
    span?.exception(error, message);
    span?.end();
  }

  step(name: string, attributes: EventAttributes, cause?: TraceContext | null): ControlStep {
    const parent = cause ? remoteContext(cause) : null;
    if (parent === null && !this.#ids.any) return NO_STEP;
    const description = new SharedFields(name, attributes);
    const span = this.#spans.start({ kind: SpanKind.INTERNAL, description, ...ALONE, parent, at: performance.now() });
    return span === null ? NO_STEP : new RecordedStep(span);
  }

  /** The client gave a context: it decides, where it may. */
  #continued(
    request: TracedRequest,
    meta: TraceContext | null,
    http: TraceContext | null,
    origin: RequestOrigin | null,
    at: number,
  ): CallTrace | null {
    const given = meta ?? http;
    const parent = given && remoteContext(given);
    if (!given || !parent) {
      if (!this.#ids.draw()) return null;
      return this.#record(request, origin, at, null, given?.baggage, NO_LINKS);
    }
    if (this.#parentBased && !isSampled(parent)) return meta ? this.#unsampledMeta : new UnsampledHeaders(given);
    const beside = meta && http ? linkTo(http) : NO_LINKS;
    return this.#record(request, origin, at, parent, given.baggage, beside, given);
  }

  #record(
    request: TracedRequest,
    origin: RequestOrigin | null,
    at: number,
    parent: SpanContext | null,
    baggage: string | undefined,
    beside: readonly SpanContext[],
    given?: TraceContext,
  ): CallTrace | null {
    const links = origin?.openedBy === undefined ? beside : [...beside, ...linkTo({ traceparent: origin.openedBy })];
    const start: SpanStart = {
      kind: SpanKind.SERVER,
      description: this.#descriptions.request(request),
      around: this.#descriptions.origin(origin),
      requestId: request.id,
      parent,
      links,
      at,
    };
    // By the rate alone, or by another SDK of the application's, the answer may still be no.
    return this.#spans.call(start, this.#descriptions, baggage) ?? (given ? new UnsampledHeaders(given) : null);
  }
}

class RecordedStep implements ControlStep {
  readonly #span: TraceSpan;
  readonly context: TraceContext;

  constructor(span: TraceSpan) {
    this.#span = span;
    this.context = span.context();
  }

  event(name: string, attributes?: EventAttributes): void {
    this.#span.event(name, attributes);
  }

  end(error?: string): void {
    if (error !== undefined) {
      this.#span.failed(error);
      this.#span.set('error.type', error);
    }
    this.#span.end();
  }
}

const NO_LINKS: readonly SpanContext[] = [];
/** A span that is of no request. */
const ALONE = { around: null, requestId: null, links: NO_LINKS } as const;
const NO_STEP: ControlStep = { context: null, event: () => undefined, end: () => undefined };

/** The context as the parent of a span; `null` when it is none that W3C Trace Context knows. */
function remoteContext({ traceparent, tracestate }: TraceContext): SpanContext | null {
  const parsed = parseTraceParent(traceparent);
  if (parsed === null) return null;
  return { ...parsed, ...(tracestate !== undefined && { traceState: new TraceState(tracestate) }), isRemote: true };
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

function linkTo({ traceparent }: TraceContext): SpanContext[] {
  const context = parseTraceParent(traceparent);
  return context === null ? [] : [context];
}
