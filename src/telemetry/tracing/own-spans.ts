/**
 * The spans of the gateway's requests, made by itself: what the SDK's do for spans of anybody (limits, checks and copies of whatever
 * they are given) costs more than all the rest of a trace, and of the gateway's own it is known. They go the way that the
 * SDK's go, to the same batches.
 */
import { type AttributeValue, type SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type EventAttributes, type TraceContext } from './call-trace.js';
import { type Description } from './descriptions.js';
import { type EndedSpan, type SpanEvent, type SpanLink } from './ended-span.js';
import { SpanId, TraceId, TraceparentWriter } from './ids.js';
import { type DrawnIds, type RuntimeSampler } from './sampling.js';
import { type SharedAttributes } from './shared-attributes.js';
import { type SpanSource, type SpanStart, type TraceSpan, writtenContext } from './trace-span.js';

/** Takes the gateway's spans. */
export interface OwnSpanSink {
  spanStarted(): void;
  spanEnded(span: EndedSpan): void;
}

/** As OTEL_SPAN_EVENT_COUNT_LIMIT has it by default. */
const MOST_EVENTS = 128;
const NOTHING_DROPPED = { attributes: 0, events: 0, links: 0 } as const;
const NOTHING_MORE: readonly AttributeValue[] = [];
const NO_EVENTS: readonly SpanEvent[] = [];
const NO_LINKS: readonly SpanLink[] = [];

export class OwnSpans implements SpanSource {
  readonly sink: OwnSpanSink;
  readonly ids: DrawnIds;
  readonly traceparents = new TraceparentWriter();
  readonly #sampler: RuntimeSampler;

  constructor(sink: OwnSpanSink, ids: DrawnIds, sampler: RuntimeSampler) {
    this.sink = sink;
    this.ids = ids;
    this.#sampler = sampler;
  }

  start({ kind, description, around, requestId, parent, links }: SpanStart): TraceSpan | null {
    if (parent !== null && !this.#sampler.goesOn(parent)) return null;
    const now = performance.now();
    const trace: OwnTrace = {
      maker: this,
      traceId: parent === null ? this.ids.traceId() : TraceId.of(parent.traceId),
      traceState: parent?.traceState?.serialize() ?? '',
      // The wall clock as it is now; what happens in the trace follows the monotonic one.
      epoch: Date.now() - now,
      remoteParent: parent === null ? null : SpanId.of(parent.spanId),
    };
    const span = new OwnSpan(trace, kind, description, around, requestId, trace.remoteParent, now);
    if (links.length > 0) span.links = links.map((context) => ({ context }));
    return span;
  }
}

/** What the spans of one request share. */
interface OwnTrace {
  readonly maker: OwnSpans;
  readonly traceId: TraceId;
  readonly traceState: string;
  /** Milliseconds from the start of the monotonic clock back to the epoch. */
  readonly epoch: number;
  /** The span of the client's that all this is for. */
  readonly remoteParent: SpanId | null;
}

class OwnSpan implements TraceSpan, EndedSpan {
  readonly #trace: OwnTrace;
  readonly #description: Description;
  readonly spanId: SpanId;
  readonly parentId: SpanId | null;
  readonly kind: SpanKind;
  readonly around: SharedAttributes | null;
  readonly requestId: string | number | null;
  readonly startedAt: number;
  endedAt = 0;
  links: readonly SpanLink[] = NO_LINKS;
  statusCode = SpanStatusCode.UNSET;
  statusMessage = '';
  #more: AttributeValue[] | null = null;
  #events: SpanEvent[] | null = null;
  #droppedEvents = 0;

  constructor(
    trace: OwnTrace,
    kind: SpanKind,
    description: Description,
    around: SharedAttributes | null,
    requestId: string | number | null,
    parentId: SpanId | null,
    now: number,
  ) {
    this.#trace = trace;
    this.#description = description;
    this.spanId = trace.maker.ids.spanId();
    this.parentId = parentId;
    this.kind = kind;
    this.around = around;
    this.requestId = requestId;
    this.startedAt = trace.epoch + now;
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

  get name(): string {
    return this.#description.name;
  }

  get attributes(): SharedAttributes {
    return this.#description.attributes;
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
    return writtenContext(maker.traceparents.write(traceId, this.spanId), traceState, baggage);
  }

  child(
    kind: SpanKind,
    description: Description,
    around: SharedAttributes,
    requestId: string | number,
    now: number,
  ): TraceSpan {
    return new OwnSpan(this.#trace, kind, description, around, requestId, this.spanId, now);
  }

  set(name: string, value: string | number | boolean): void {
    if (this.endedAt === 0) (this.#more ??= []).push(name, value);
  }

  event(name: string, attributes?: EventAttributes, now = performance.now()): void {
    if (this.endedAt !== 0) return;
    const event = { name, at: this.#trace.epoch + now, attributes };
    if (this.#events === null) this.#events = [event];
    else if (this.#events.length < MOST_EVENTS) this.#events.push(event);
    else this.#droppedEvents += 1;
  }

  exception(type: string, message: string): void {
    this.event('exception', { 'exception.type': type, 'exception.message': message });
  }

  failed(message = ''): void {
    if (this.endedAt !== 0) return;
    this.statusCode = SpanStatusCode.ERROR;
    this.statusMessage = message;
  }

  end(): void {
    if (this.endedAt !== 0) return;
    this.endedAt = this.#trace.epoch + performance.now();
    this.#trace.maker.sink.spanEnded(this);
  }
}
