/**
 * The spans of the gateway's requests, made by itself: what the SDK's do for spans of anybody (limits, checks and copies of whatever
 * they are given) costs more than all the rest of a trace, and of the gateway's own it is known. They go the way that the
 * SDK's go, to the same batches.
 */
import { type AttributeValue, type SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { type EventAttributes, type TraceContext } from './call-trace.js';
import { type EndedSpan, type SpanEvent, type SpanLink } from './ended-span.js';
import { type DrawnIds, type RuntimeSampler } from './sampling.js';
import { type SpanSource, type SpanStart, type TraceSpan, writtenContext } from './trace-span.js';

/** Takes the gateway's spans. */
export interface OwnSpanSink {
  spanStarted(): void;
  spanEnded(span: EndedSpan): void;
}

/** As OTEL_SPAN_EVENT_COUNT_LIMIT has it by default. */
const MOST_EVENTS = 128;
const NOTHING_DROPPED = { attributes: 0, events: 0, links: 0 } as const;
const NO_EVENTS: readonly SpanEvent[] = [];
const NO_LINKS: readonly SpanLink[] = [];

export class OwnSpans implements SpanSource {
  readonly #sink: OwnSpanSink;
  readonly #ids: DrawnIds;
  readonly #sampler: RuntimeSampler;

  constructor(sink: OwnSpanSink, ids: DrawnIds, sampler: RuntimeSampler) {
    this.#sink = sink;
    this.#ids = ids;
    this.#sampler = sampler;
  }

  start({ name, kind, attributes, parent, links }: SpanStart): TraceSpan | null {
    if (parent !== null && !this.#sampler.goesOn(parent)) return null;
    const trace: OwnTrace = {
      sink: this.#sink,
      ids: this.#ids,
      traceId: parent?.traceId ?? this.#ids.traceId(),
      traceState: parent?.traceState?.serialize() ?? '',
      // The wall clock as it is now; what happens in the trace follows the monotonic one.
      epoch: Date.now() - performance.now(),
    };
    const linked = links.length === 0 ? NO_LINKS : links.map((context) => ({ context }));
    return new OwnSpan(trace, name, kind, attributes, parent?.spanId ?? '', parent !== null, linked);
  }
}

/** What the spans of one request share. */
interface OwnTrace {
  readonly sink: OwnSpanSink;
  readonly ids: DrawnIds;
  readonly traceId: string;
  readonly traceState: string;
  /** Milliseconds from the start of the monotonic clock back to the epoch. */
  readonly epoch: number;
}

class OwnSpan implements TraceSpan, EndedSpan {
  readonly #trace: OwnTrace;
  readonly spanId: string;
  readonly parentId: string;
  readonly parentIsRemote: boolean;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: EventAttributes;
  readonly links: readonly SpanLink[];
  readonly startedAt: number;
  endedAt = 0;
  readonly more: AttributeValue[] = [];
  #events: SpanEvent[] | null = null;
  #droppedEvents = 0;
  statusCode = SpanStatusCode.UNSET;
  statusMessage = '';

  constructor(
    trace: OwnTrace,
    name: string,
    kind: SpanKind,
    attributes: EventAttributes,
    parentId: string,
    parentIsRemote: boolean,
    links: readonly SpanLink[],
  ) {
    this.#trace = trace;
    this.spanId = trace.ids.spanId();
    this.parentId = parentId;
    this.parentIsRemote = parentIsRemote;
    this.name = name;
    this.kind = kind;
    this.attributes = attributes;
    this.links = links;
    this.startedAt = trace.epoch + performance.now();
    trace.sink.spanStarted();
  }

  get traceId(): string {
    return this.#trace.traceId;
  }

  get traceState(): string {
    return this.#trace.traceState;
  }

  get events(): readonly SpanEvent[] {
    return this.#events ?? NO_EVENTS;
  }

  get dropped(): EndedSpan['dropped'] {
    return this.#droppedEvents === 0 ? NOTHING_DROPPED : { ...NOTHING_DROPPED, events: this.#droppedEvents };
  }

  context(baggage?: string): TraceContext {
    return writtenContext(this.traceId, this.spanId, TraceFlags.SAMPLED, this.traceState, baggage);
  }

  child(name: string, kind: SpanKind, attributes: EventAttributes): TraceSpan {
    return new OwnSpan(this.#trace, name, kind, attributes, this.spanId, false, NO_LINKS);
  }

  set(name: string, value: string | number | boolean): void {
    this.more.push(name, value);
  }

  event(name: string, attributes?: EventAttributes): void {
    const events = (this.#events ??= []);
    if (events.length >= MOST_EVENTS) this.#droppedEvents += 1;
    else events.push({ name, at: this.#trace.epoch + performance.now(), attributes });
  }

  exception(type: string, message: string): void {
    this.event('exception', { 'exception.type': type, 'exception.message': message });
  }

  failed(message = ''): void {
    this.statusCode = SpanStatusCode.ERROR;
    this.statusMessage = message;
  }

  end(): void {
    if (this.endedAt !== 0) return;
    this.endedAt = this.#trace.epoch + performance.now();
    this.#trace.sink.spanEnded(this);
  }
}
