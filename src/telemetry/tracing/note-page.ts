/**
 * Notes of the requests that are recorded: numbers and references one behind the other, in memory that is used again and again. A
 * request that fares as nearly all do (one SERVER span, below it one CLIENT span or none, no error) has no more than that until its
 * spans are written: to make them as objects while it runs takes longer (docs/adr/0010).
 */
import { SpanKind } from '@opentelemetry/api';
import { SpanId, type TraceId, TRACEPARENT_LENGTH, TraceparentWriter } from './ids.js';
import { type NotedSpan } from './noted-span.js';
import { QUEUE_WAIT } from './queue-wait.js';
import { type DrawnIds } from './sampling.js';
import { type SharedFields } from './shared-fields.js';

/** Whose ids are drawn at once: what is run once in ten calls is never in the processor's caches. */
export const CALLS_OF_A_PAGE = 128;

/** Of the trace, of both spans, and of the caller's. */
const WORDS = 10;
const SERVER_ID = 4;
const CLIENT_ID = 6;
const PARENT_ID = 8;

/** Times are `performance.now()`; the epoch is added to them. */
const NUMBERS = 7;
const EPOCH = 0;
const BEGAN = 1;
const SENT = 2;
const RECEIVED = 3;
const ENDED = 4;
const EVENT_AT = 5;
const EVENT_VALUE = 6;

const FIELDS = 5;
const DESCRIPTION = 0;
const AROUND = 1;
const CLIENT_DESCRIPTION = 2;
const CLIENT_AROUND = 3;
const EVENT = 4;

/** So many empty pages are kept. */
const MOST_SPARES = 4;
/** A page is used again when the last of its calls has ended: of 25 kB each, calls that take long would keep one for themselves. */
export const MOST_PAGES = 128;

export class NotePage {
  readonly #pages: NotePages;
  readonly #words = new Int32Array(WORDS * CALLS_OF_A_PAGE);
  readonly #numbers = new Float64Array(NUMBERS * CALLS_OF_A_PAGE);
  readonly #fields = new Array<SharedFields | null>(FIELDS * CALLS_OF_A_PAGE).fill(null);
  /** Of the client's request, and of the one upstream; `null`: there is none yet. */
  readonly #requestIds = new Array<string | number | null>(2 * CALLS_OF_A_PAGE).fill(null);
  /** The trace began elsewhere. */
  readonly #isContinued = new Uint8Array(CALLS_OF_A_PAGE);
  /** Of the CLIENT spans, one behind the other. */
  #traceparents = '';
  /** Of those whose trace began elsewhere. */
  readonly #continued: string[] = [];
  /** Of `DrawnIds`, when it drew these. */
  #generation = -1;
  #next = CALLS_OF_A_PAGE;
  /** Who still reads or writes here: calls, and whoever takes places. */
  #users = 0;

  constructor(pages: NotePages) {
    this.#pages = pages;
  }

  /** Whether there is a place left, with ids that are good now. */
  hasPlace(ids: DrawnIds): boolean {
    return this.#next < CALLS_OF_A_PAGE && this.#generation === ids.generation;
  }

  /** Begins anew. */
  renew(ids: DrawnIds, traceparents: TraceparentWriter): void {
    ids.drawRoots(this.#words, WORDS);
    this.#traceparents = traceparents.writeAll(this.#words, WORDS, 0, CLIENT_ID);
    this.#generation = ids.generation;
    this.#next = 0;
    this.#users = 1;
  }

  /** Returns the place of a call whose trace begins with it. `at`, here and below: `performance.now()`. */
  begin(
    epoch: number,
    at: number,
    description: SharedFields,
    around: SharedFields | null,
    requestId: string | number | null,
  ): number {
    const call = this.#next++;
    this.#users += 1;
    const numbers = this.#numbers;
    numbers[NUMBERS * call + EPOCH] = epoch;
    numbers[NUMBERS * call + BEGAN] = at;
    const fields = this.#fields;
    fields[FIELDS * call + DESCRIPTION] = description;
    fields[FIELDS * call + AROUND] = around;
    fields[FIELDS * call + EVENT] = null;
    this.#requestIds[2 * call] = requestId;
    this.#isContinued[call] = 0;
    return call;
  }

  /** Its trace has begun elsewhere after all. */
  continue(call: number, traceId: TraceId, parent: SpanId, ids: DrawnIds): void {
    const { a, b, c, d } = traceId;
    const words = this.#words;
    const at = WORDS * call;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    words[at + PARENT_ID] = parent.high;
    words[at + PARENT_ID + 1] = parent.low;
    this.#isContinued[call] = 1;
    const client = new SpanId(words[at + CLIENT_ID] as number, words[at + CLIENT_ID + 1] as number);
    this.#continued[call] = ids.traceparent(traceId, client);
  }

  hasEvent(call: number): boolean {
    return this.#fields[FIELDS * call + EVENT] !== null;
  }

  measured(call: number, what: SharedFields, value: number, at: number): void {
    this.#fields[FIELDS * call + EVENT] = what;
    this.#numbers[NUMBERS * call + EVENT_AT] = at;
    this.#numbers[NUMBERS * call + EVENT_VALUE] = value;
  }

  /** Returns `traceparent` of its CLIENT span. */
  sent(call: number, at: number, description: SharedFields, around: SharedFields, requestId: number): string {
    this.#numbers[NUMBERS * call + SENT] = at;
    this.#fields[FIELDS * call + CLIENT_DESCRIPTION] = description;
    this.#fields[FIELDS * call + CLIENT_AROUND] = around;
    this.#requestIds[2 * call + 1] = requestId;
    if (this.#isContinued[call] === 1) return this.#continued[call] as string;
    return this.#traceparents.slice(TRACEPARENT_LENGTH * call, TRACEPARENT_LENGTH * (call + 1));
  }

  received(call: number, at: number): void {
    this.#numbers[NUMBERS * call + RECEIVED] = at;
  }

  ended(call: number, at: number): void {
    this.#numbers[NUMBERS * call + ENDED] = at;
  }

  wasSent(call: number): boolean {
    return this.#requestIds[2 * call + 1] !== null;
  }

  began(call: number): number {
    return this.#numbers[NUMBERS * call + BEGAN] as number;
  }

  epoch(call: number): number {
    return this.#numbers[NUMBERS * call + EPOCH] as number;
  }

  readServer(call: number, span: NotedSpan): void {
    const at = WORDS * call;
    const isContinued = this.#isContinued[call] === 1;
    this.#readIds(span, at, at + SERVER_ID, isContinued ? at + PARENT_ID : null);
    span.parentIsRemote = isContinued;
    span.kind = SpanKind.SERVER;
    const numbers = this.#numbers;
    const from = NUMBERS * call;
    const epoch = numbers[from + EPOCH] as number;
    const began = numbers[from + BEGAN] as number;
    span.startedAt = epoch + began;
    span.endedAt = epoch + (numbers[from + ENDED] as number);
    const fields = this.#fields;
    span.description = fields[FIELDS * call + DESCRIPTION] as SharedFields;
    span.around = fields[FIELDS * call + AROUND] as SharedFields | null;
    span.requestId = this.#requestIds[2 * call] as NotedSpan['requestId'];
    span.clearEvents();
    const event = fields[FIELDS * call + EVENT];
    if (event)
      span.addEvent(event, epoch + (numbers[from + EVENT_AT] as number), numbers[from + EVENT_VALUE] as number);
    if (!this.wasSent(call)) return;
    const sent = numbers[from + SENT] as number;
    span.addEvent(QUEUE_WAIT, epoch + sent, sent - began);
  }

  readClient(call: number, span: NotedSpan): void {
    const at = WORDS * call;
    this.#readIds(span, at, at + CLIENT_ID, at + SERVER_ID);
    span.parentIsRemote = false;
    span.kind = SpanKind.CLIENT;
    const numbers = this.#numbers;
    const from = NUMBERS * call;
    const epoch = numbers[from + EPOCH] as number;
    span.startedAt = epoch + (numbers[from + SENT] as number);
    span.endedAt = epoch + (numbers[from + RECEIVED] as number);
    span.description = this.#fields[FIELDS * call + CLIENT_DESCRIPTION] as SharedFields;
    span.around = this.#fields[FIELDS * call + CLIENT_AROUND] as SharedFields;
    span.requestId = this.#requestIds[2 * call + 1] as NotedSpan['requestId'];
    span.clearEvents();
  }

  /** Nobody reads any more what is noted there. */
  leave(call: number): void {
    this.#requestIds[2 * call] = null;
    this.#requestIds[2 * call + 1] = null;
    this.close();
  }

  /** One user less. */
  close(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#pages.spare(this);
  }

  #readIds(span: NotedSpan, trace: number, own: number, parent: number | null): void {
    const words = this.#words;
    const { traceId, spanId } = span;
    traceId.a = words[trace] as number;
    traceId.b = words[trace + 1] as number;
    traceId.c = words[trace + 2] as number;
    traceId.d = words[trace + 3] as number;
    spanId.high = words[own] as number;
    spanId.low = words[own + 1] as number;
    span.parentId = parent === null ? null : span.parent;
    if (parent === null) return;
    span.parent.high = words[parent] as number;
    span.parent.low = words[parent + 1] as number;
  }
}

export class NotePages {
  #page: NotePage | null = null;
  readonly #spares: NotePage[] = [];
  readonly #traceparents = new TraceparentWriter(CALLS_OF_A_PAGE);
  #used = 0;

  /** One that has a place for a call; `null` while too many are used. */
  withPlace(ids: DrawnIds): NotePage | null {
    const page = this.#page;
    return page !== null && page.hasPlace(ids) ? page : this.#turn(ids);
  }

  /** Nobody uses it any more. */
  spare(page: NotePage): void {
    this.#used -= 1;
    if (this.#spares.length < MOST_SPARES) this.#spares.push(page);
  }

  #turn(ids: DrawnIds): NotePage | null {
    this.#page?.close();
    this.#page = null;
    if (this.#used >= MOST_PAGES) return null;
    this.#used += 1;
    const page = this.#spares.pop() ?? new NotePage(this);
    page.renew(ids, this.#traceparents);
    this.#page = page;
    return page;
  }
}
