/**
 * Spans that have ended and are not written yet, their values one behind the other. As the objects that they were they would have to be
 * fetched from all over the memory again: that took twice as long as writing them.
 */
import { type EndedSpan, NO_LINKS, NOTHING_DROPPED, NOTHING_MORE, type SpanEvent } from './ended-span.js';
import { SpanId, TraceId } from './ids.js';
import { SharedFields } from './shared-fields.js';

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type Event = Writable<SpanEvent>;

/** Of trace, span and parent. */
const WORDS_OF_IDS = 8;
const TIMES = 2;
/** Of those that stand here; a span with more of them is a rare one. */
const EVENTS_OF_A_ROW = 2;

const HAS_PARENT = 1;
const IS_REMOTE = 2;

const NOTHING = new SharedFields('', {});

export class SpanRows {
  readonly #ids: Int32Array;
  readonly #times: Float64Array;
  readonly #kinds: Uint8Array;
  /** Whether it has one, and whether that is remote. */
  readonly #parents: Uint8Array;
  readonly #descriptions: SharedFields[];
  readonly #arounds: (SharedFields | null)[];
  readonly #requestIds: EndedSpan['requestId'][];
  readonly #eventCounts: Uint8Array;
  readonly #eventKinds: SpanEvent['what'][];
  readonly #eventAttributes: SpanEvent['attributes'][];
  /** When it was, and how much. */
  readonly #eventNumbers: Float64Array;
  /** Those that have what has no place here. */
  readonly #rare: (EndedSpan | null)[];
  readonly #row = new Row();
  #length = 0;

  /** `size`: how many there may be. */
  constructor(size: number) {
    this.#ids = new Int32Array(WORDS_OF_IDS * size);
    this.#times = new Float64Array(TIMES * size);
    this.#kinds = new Uint8Array(size);
    this.#parents = new Uint8Array(size);
    this.#descriptions = new Array<SharedFields>(size).fill(NOTHING);
    this.#arounds = new Array<SharedFields | null>(size).fill(null);
    this.#requestIds = new Array<EndedSpan['requestId']>(size).fill(null);
    this.#eventCounts = new Uint8Array(size);
    this.#eventKinds = new Array<SpanEvent['what']>(EVENTS_OF_A_ROW * size).fill('');
    this.#eventAttributes = new Array<SpanEvent['attributes']>(EVENTS_OF_A_ROW * size).fill(undefined);
    this.#eventNumbers = new Float64Array(2 * EVENTS_OF_A_ROW * size);
    this.#rare = new Array<EndedSpan | null>(size).fill(null);
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  add(span: EndedSpan): void {
    const at = this.#length++;
    if (isRare(span)) {
      this.#rare[at] = span;
      return;
    }
    const { traceId, spanId, parentId, events } = span;
    const ids = this.#ids;
    const id = WORDS_OF_IDS * at;
    ids[id] = traceId.a;
    ids[id + 1] = traceId.b;
    ids[id + 2] = traceId.c;
    ids[id + 3] = traceId.d;
    ids[id + 4] = spanId.high;
    ids[id + 5] = spanId.low;
    if (parentId !== null) {
      ids[id + 6] = parentId.high;
      ids[id + 7] = parentId.low;
    }
    this.#parents[at] = (parentId === null ? 0 : HAS_PARENT) | (span.parentIsRemote ? IS_REMOTE : 0);
    this.#times[TIMES * at] = span.startedAt;
    this.#times[TIMES * at + 1] = span.endedAt;
    this.#kinds[at] = span.kind;
    this.#descriptions[at] = span.description;
    this.#arounds[at] = span.around;
    this.#requestIds[at] = span.requestId;
    this.#eventCounts[at] = events.length;
    for (let n = 0; n < events.length; n += 1) {
      const event = events[n] as SpanEvent;
      const to = EVENTS_OF_A_ROW * at + n;
      this.#eventKinds[to] = event.what;
      this.#eventAttributes[to] = event.attributes;
      this.#eventNumbers[2 * to] = event.at;
      this.#eventNumbers[2 * to + 1] = event.measured ?? 0;
    }
  }

  /** One of them, once: it stands until the next is taken. What is only its own is kept no longer. */
  take(index: number): EndedSpan {
    const rare = this.#rare[index];
    if (rare) {
      this.#rare[index] = null;
      return rare;
    }
    const row = this.#row;
    const ids = this.#ids;
    const id = WORDS_OF_IDS * index;
    const { traceId, spanId, parent } = row;
    traceId.a = ids[id] as number;
    traceId.b = ids[id + 1] as number;
    traceId.c = ids[id + 2] as number;
    traceId.d = ids[id + 3] as number;
    spanId.high = ids[id + 4] as number;
    spanId.low = ids[id + 5] as number;
    parent.high = ids[id + 6] as number;
    parent.low = ids[id + 7] as number;
    const parents = this.#parents[index] as number;
    row.parentId = (parents & HAS_PARENT) === 0 ? null : parent;
    row.parentIsRemote = (parents & IS_REMOTE) !== 0;
    row.startedAt = this.#times[TIMES * index] as number;
    row.endedAt = this.#times[TIMES * index + 1] as number;
    row.kind = this.#kinds[index] as number;
    row.description = this.#descriptions[index] as SharedFields;
    row.around = this.#arounds[index] as SharedFields | null;
    row.requestId = this.#requestIds[index] as EndedSpan['requestId'];
    this.#requestIds[index] = null;
    const count = this.#eventCounts[index] as number;
    row.events = row.shown[count] as readonly Event[];
    for (let n = 0; n < count; n += 1) {
      const event = row.events[n] as Event;
      const from = EVENTS_OF_A_ROW * index + n;
      event.what = this.#eventKinds[from] as SpanEvent['what'];
      event.attributes = this.#eventAttributes[from];
      this.#eventAttributes[from] = undefined;
      event.at = this.#eventNumbers[2 * from] as number;
      event.measured = this.#eventNumbers[2 * from + 1];
    }
    return row;
  }
}

function isRare(span: EndedSpan): boolean {
  const { events, dropped } = span;
  return (
    events.length > EVENTS_OF_A_ROW ||
    span.more.length > 0 ||
    span.links.length > 0 ||
    span.statusCode !== 0 ||
    span.statusMessage !== '' ||
    span.traceState !== '' ||
    dropped.attributes + dropped.events + dropped.links > 0 ||
    events.some(({ dropped: some }) => some)
  );
}

class Row implements EndedSpan {
  readonly traceId: Writable<TraceId> = new TraceId(0, 0, 0, 0);
  readonly spanId: Writable<SpanId> = new SpanId(0, 0);
  readonly parent: Writable<SpanId> = new SpanId(0, 0);
  readonly shown: readonly (readonly Event[])[];
  parentId: SpanId | null = null;
  parentIsRemote = false;
  readonly traceState = '';
  kind = 0;
  startedAt = 0.5;
  endedAt = 0.5;
  description = NOTHING;
  around: SharedFields | null = null;
  requestId: EndedSpan['requestId'] = null;
  events: readonly Event[];
  readonly more = NOTHING_MORE;
  readonly links = NO_LINKS;
  readonly statusCode = 0;
  readonly statusMessage = '';
  readonly dropped = NOTHING_DROPPED;

  constructor() {
    const [first, second] = [anEvent(), anEvent()];
    this.shown = [[], [first], [first, second]];
    this.events = [];
  }
}

function anEvent(): Event {
  return { what: '', at: 0.5, attributes: undefined, measured: 0.5, dropped: undefined };
}
