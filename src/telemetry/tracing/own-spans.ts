/**
 * The spans of the gateway's requests, made by itself: what the SDK's do for spans of anybody (limits, checks and copies of whatever
 * they are given) costs more than all the rest of a trace, and of the gateway's own it is known. They go the way that the
 * SDK's go, to the same batches.
 */
import { type AttributeValue, type SpanContext, type SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type EventAttributes, type EventKind, type TraceContext } from './call-trace.js';
import {
  type EndedSpan,
  NO_EVENTS,
  NO_LINKS,
  NOTHING_DROPPED,
  NOTHING_MORE,
  type SpanEvent,
  type SpanLink,
} from './ended-span.js';
import { SpanId, TraceId } from './ids.js';
import { type DrawnIds, type RootIds, type RuntimeSampler } from './sampling.js';
import { type SharedFields } from './shared-fields.js';
import { type SpanSource, type SpanStart, type TraceSpan, writtenContext } from './trace-span.js';

/** Takes the gateway's spans. */
export interface OwnSpanSink {
  spanStarted(): void;
  spanEnded(span: EndedSpan): void;
}

/** So long the wall clock is taken to go as the monotonic one does: when it is set, spans know it after that. */
const CLOCKS_AGREE_MS = 1_000;
/** As OTEL_SPAN_EVENT_COUNT_LIMIT has it by default. */
const MOST_EVENTS = 128;

export class OwnSpans implements SpanSource {
  readonly sink: OwnSpanSink;
  readonly ids: DrawnIds;
  readonly #sampler: RuntimeSampler;
  /** Milliseconds from the start of the monotonic clock back to the epoch, and when that was found, by the monotonic one. */
  #epoch = 0;
  #epochFoundAt = -Infinity;

  constructor(sink: OwnSpanSink, ids: DrawnIds, sampler: RuntimeSampler) {
    this.sink = sink;
    this.ids = ids;
    this.#sampler = sampler;
  }

  start({ kind, description, around, requestId, parent, links, at }: SpanStart): TraceSpan | null {
    const trace = parent === null ? this.#begun(at) : this.#continued(parent, at);
    if (trace === null) return null;
    const spanId = trace.unused?.spanId ?? this.ids.spanId();
    const span = new OwnSpan(trace, spanId, kind, description, around, requestId, trace.remoteParent, at);
    if (links.length > 0) span.links = links.map((context) => ({ context }));
    return span;
  }

  #begun(at: number): OwnTrace {
    const unused = this.ids.root();
    const { traceId } = unused;
    return { maker: this, traceId, traceState: '', epoch: this.#epochOf(at), remoteParent: null, unused };
  }

  #continued(parent: SpanContext, at: number): OwnTrace | null {
    if (!this.#sampler.goesOn(parent)) return null;
    return {
      maker: this,
      traceId: TraceId.of(parent.traceId),
      traceState: parent.traceState?.serialize() ?? '',
      epoch: this.#epochOf(at),
      remoteParent: SpanId.of(parent.spanId),
      unused: null,
    };
  }

  #epochOf(at: number): number {
    if (at - this.#epochFoundAt > CLOCKS_AGREE_MS) {
      this.#epoch = Date.now() - performance.now();
      this.#epochFoundAt = at;
    }
    return this.#epoch;
  }
}

/** What the spans of one request share. */
interface OwnTrace {
  readonly maker: OwnSpans;
  readonly traceId: TraceId;
  readonly traceState: string;
  /** As `OwnSpans` had it when the trace began: what happens in it follows the monotonic clock. */
  readonly epoch: number;
  /** The span of the client's that all this is for. */
  readonly remoteParent: SpanId | null;
  /** Ids for its first child; `null` when that has them, or there are none. */
  unused: RootIds | null;
}

class OwnSpan implements TraceSpan, EndedSpan {
  readonly #trace: OwnTrace;
  readonly description: SharedFields;
  readonly spanId: SpanId;
  readonly parentId: SpanId | null;
  readonly kind: SpanKind;
  readonly around: SharedFields | null;
  readonly requestId: string | number | null;
  readonly startedAt: number;
  endedAt = 0;
  links: readonly SpanLink[] = NO_LINKS;
  statusCode = SpanStatusCode.UNSET;
  statusMessage = '';
  #more: AttributeValue[] | null = null;
  #events: SpanEvent[] | null = null;
  #droppedEvents = 0;
  /** What is sent on of it, if that is written already. */
  #traceparent: string | null = null;

  constructor(
    trace: OwnTrace,
    spanId: SpanId,
    kind: SpanKind,
    description: SharedFields,
    around: SharedFields | null,
    requestId: string | number | null,
    parentId: SpanId | null,
    at: number,
  ) {
    this.#trace = trace;
    this.description = description;
    this.spanId = spanId;
    this.parentId = parentId;
    this.kind = kind;
    this.around = around;
    this.requestId = requestId;
    this.startedAt = trace.epoch + at;
    trace.maker.sink.spanStarted();
  }

  get traceId(): TraceId {
    return this.#trace.traceId;
  }

  get traceState(): string {
    return this.#trace.traceState;
  }

  get parentIsRemote(): boolean {
    return this.parentId !== null && this.parentId === this.#trace.remoteParent;
  }

  get more(): readonly AttributeValue[] {
    return this.#more ?? NOTHING_MORE;
  }

  get events(): readonly SpanEvent[] {
    return this.#events ?? NO_EVENTS;
  }

  get dropped(): EndedSpan['dropped'] {
    return this.#droppedEvents === 0 ? NOTHING_DROPPED : { ...NOTHING_DROPPED, events: this.#droppedEvents };
  }

  context(baggage?: string): TraceContext {
    const { maker, traceId, traceState } = this.#trace;
    const traceparent = this.#traceparent ?? maker.ids.traceparent(traceId, this.spanId);
    return writtenContext(traceparent, traceState, baggage);
  }

  child(
    kind: SpanKind,
    description: SharedFields,
    around: SharedFields,
    requestId: string | number,
    at: number,
  ): TraceSpan {
    const trace = this.#trace;
    const { unused } = trace;
    const childId = unused?.childId ?? trace.maker.ids.spanId();
    const child = new OwnSpan(trace, childId, kind, description, around, requestId, this.spanId, at);
    if (unused !== null) child.#traceparent = unused.childTraceparent;
    trace.unused = null;
    return child;
  }

  set(name: string, value: string | number | boolean): void {
    if (this.endedAt === 0) (this.#more ??= []).push(name, value);
  }

  event(what: EventKind, attributes?: EventAttributes, at = performance.now()): void {
    this.#happened(what, attributes, 0, at);
  }

  measured(what: SharedFields, value: number, at = performance.now()): void {
    this.#happened(what, undefined, value, at);
  }

  #happened(what: EventKind, attributes: EventAttributes | undefined, measured: number, at: number): void {
    if (this.endedAt !== 0) return;
    const event: SpanEvent = { what, at: this.#trace.epoch + at, attributes, measured, dropped: undefined };
    const events = this.#events;
    if (events === null) this.#events = [event];
    // Most spans have two or none: to push the second would make room for sixteen more.
    else if (events.length === 1) this.#events = [events[0] as SpanEvent, event];
    else if (events.length < MOST_EVENTS) events.push(event);
    else this.#droppedEvents += 1;
  }

  exception(type: string, message: string, at?: number): void {
    this.event('exception', { 'exception.type': type, 'exception.message': message }, at);
  }

  failed(message = ''): void {
    if (this.endedAt !== 0) return;
    this.statusCode = SpanStatusCode.ERROR;
    this.statusMessage = message;
  }

  end(at = performance.now()): void {
    if (this.endedAt !== 0) return;
    this.endedAt = this.#trace.epoch + at;
    this.#trace.maker.sink.spanEnded(this);
  }
}
