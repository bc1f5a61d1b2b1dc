/**
 * The spans of the gateway's requests, made by itself: what the SDK's do for spans of anybody (limits, checks and copies of whatever
 * they are given) costs more than all the rest of a trace, and of the gateway's own it is known. They go the way that the
 * SDK's go, to the same batches.
 */
import { type AttributeValue, type SpanContext, type SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type CallTrace, type EventAttributes, type EventKind, type TraceContext } from './call-trace.js';
import { type Descriptions } from './descriptions.js';
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
import { type CallMaker, NotedCall } from './noted-call.js';
import { type NotePage, NotePages } from './note-page.js';
import { NotedSpan } from './noted-span.js';
import { RecordedTrace } from './recorded.js';
import { type DrawnIds, type RootIds, type RuntimeSampler } from './sampling.js';
import { type SharedFields } from './shared-fields.js';
import { type OwnSpanSink } from './span-sink.js';
import { type SpanSource, type SpanStart, type TraceSpan, writtenContext } from './trace-span.js';

/** So long the wall clock is taken to go as the monotonic one does: when it is set, spans know it after that. */
const CLOCKS_AGREE_MS = 1_000;
/** As OTEL_SPAN_EVENT_COUNT_LIMIT has it by default. */
const MOST_EVENTS = 128;

export class OwnSpans implements SpanSource, CallMaker {
  readonly sink: OwnSpanSink;
  readonly ids: DrawnIds;
  readonly #sampler: RuntimeSampler;
  readonly #pages = new NotePages();
  /** Milliseconds from the start of the monotonic clock back to the epoch, and when that was found, by the monotonic one. */
  #epoch = 0;
  #epochFoundAt = -Infinity;

  constructor(sink: OwnSpanSink, ids: DrawnIds, sampler: RuntimeSampler) {
    this.sink = sink;
    this.ids = ids;
    this.#sampler = sampler;
  }

  start({ kind, description, around, requestId, parent, links, at }: SpanStart): OwnSpan | null {
    if (parent !== null && !this.#sampler.goesOn(parent)) return null;
    const { traceId, spanId } = parent === null ? this.ids.root() : this.#below(parent);
    const trace: OwnTrace = {
      maker: this,
      traceId,
      traceState: parent?.traceState?.serialize() ?? '',
      epoch: this.#epochOf(at),
      remoteParent: parent && SpanId.of(parent.spanId),
    };
    this.sink.spanStarted();
    const span = new OwnSpan(trace, spanId, kind, description, around, requestId, trace.remoteParent, trace.epoch + at);
    if (links.length > 0) span.links = links.map((context) => ({ context }));
    return span;
  }

  /** Notes are taken of it as long as they have a place for what comes. */
  call(start: SpanStart, descriptions: Descriptions, baggage: string | undefined): CallTrace | null {
    const { description, around, requestId, parent, links, at } = start;
    const mayBeNoted = links.length === 0 && parent?.traceState === undefined;
    const page = mayBeNoted ? this.#pages.withPlace(this.ids) : null;
    if (page === null) {
      const server = this.start(start);
      return server && new RecordedTrace(server, descriptions, at, baggage);
    }
    if (parent !== null && !this.#sampler.goesOn(parent)) return null;
    const call = page.begin(this.#epochOf(at), at, description, around, requestId);
    if (parent !== null) page.continue(call, TraceId.of(parent.traceId), SpanId.of(parent.spanId), this.ids);
    this.sink.spanStarted();
    return new NotedCall(this, page, call, descriptions, baggage);
  }

  spelled(
    page: NotePage,
    call: number,
    answered: boolean,
    descriptions: Descriptions,
    baggage: string | undefined,
  ): RecordedTrace {
    const noted = new NotedSpan();
    page.readServer(call, noted);
    const { a, b, c, d } = noted.traceId;
    const remoteParent = noted.parentId && copyOf(noted.parentId);
    const epoch = page.epoch(call);
    const trace: OwnTrace = { maker: this, traceId: new TraceId(a, b, c, d), traceState: '', epoch, remoteParent };
    const server = OwnSpan.of(noted, trace, remoteParent);
    const beganAt = page.began(call);
    if (!page.wasSent(call)) return new RecordedTrace(server, descriptions, beganAt, baggage);
    page.readClient(call, noted);
    const client = OwnSpan.of(noted, trace, server.spanId);
    if (answered) client.end(noted.endedAt - epoch);
    return new RecordedTrace(server, descriptions, beganAt, baggage, answered ? null : client);
  }

  #below({ traceId }: SpanContext): RootIds {
    return { traceId: TraceId.of(traceId), spanId: this.ids.spanId() };
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
}

function copyOf({ high, low }: SpanId): SpanId {
  return new SpanId(high, low);
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

  /** `startedAt`: milliseconds since the epoch. */
  constructor(
    trace: OwnTrace,
    spanId: SpanId,
    kind: SpanKind,
    description: SharedFields,
    around: SharedFields | null,
    requestId: string | number | null,
    parentId: SpanId | null,
    startedAt: number,
  ) {
    this.#trace = trace;
    this.description = description;
    this.spanId = spanId;
    this.parentId = parentId;
    this.kind = kind;
    this.around = around;
    this.requestId = requestId;
    this.startedAt = startedAt;
  }

  /** A span that goes on where notes of it end. */
  static of(noted: NotedSpan, trace: OwnTrace, parentId: SpanId | null): OwnSpan {
    const { kind, description, around, requestId, startedAt } = noted;
    const span = new OwnSpan(trace, copyOf(noted.spanId), kind, description, around, requestId, parentId, startedAt);
    if (noted.events.length > 0) span.#events = noted.events.map((event) => ({ ...event }));
    return span;
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
    return writtenContext(maker.ids.traceparent(traceId, this.spanId), traceState, baggage);
  }

  child(
    kind: SpanKind,
    description: SharedFields,
    around: SharedFields,
    requestId: string | number,
    at: number,
  ): TraceSpan {
    const trace = this.#trace;
    const { sink, ids } = trace.maker;
    sink.spanStarted();
    return new OwnSpan(trace, ids.spanId(), kind, description, around, requestId, this.spanId, trace.epoch + at);
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
