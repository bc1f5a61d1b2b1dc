/** One span of a request of which notes were taken, as it is written: it stands until the next is read into it. */
import { SpanKind } from '@opentelemetry/api';
import { type EndedSpan, NO_LINKS, NOTHING_DROPPED, NOTHING_MORE, type SpanEvent } from './ended-span.js';
import { SpanId, TraceId } from './ids.js';
import { SharedFields } from './shared-fields.js';

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const NOTHING = new SharedFields('', {});

export class NotedSpan implements EndedSpan {
  readonly traceId: Writable<TraceId> = new TraceId(0, 0, 0, 0);
  readonly spanId: Writable<SpanId> = new SpanId(0, 0);
  /** Memory for `parentId`. */
  readonly parent: Writable<SpanId> = new SpanId(0, 0);
  parentId: SpanId | null = null;
  parentIsRemote = false;
  readonly traceState = '';
  kind = SpanKind.INTERNAL;
  startedAt = 0.5;
  endedAt = 0.5;
  description = NOTHING;
  around: SharedFields | null = null;
  requestId: EndedSpan['requestId'] = null;
  events: readonly SpanEvent[] = [];
  readonly more = NOTHING_MORE;
  readonly links = NO_LINKS;
  readonly statusCode = 0;
  readonly statusMessage = '';
  readonly dropped = NOTHING_DROPPED;
  readonly #memory: readonly Writable<SpanEvent>[] = [anEvent(), anEvent()];
  /** Of that memory, by how much is used. */
  readonly #used: readonly (readonly SpanEvent[])[] = [0, 1, 2].map((count) => this.#memory.slice(0, count));

  clearEvents(): void {
    this.events = this.#used[0] as readonly SpanEvent[];
  }

  /** One of two at most. */
  addEvent(what: SharedFields, at: number, measured: number): void {
    const count = this.events.length;
    const event = this.#memory[count] as Writable<SpanEvent>;
    event.what = what;
    event.at = at;
    event.measured = measured;
    this.events = this.#used[count + 1] as readonly SpanEvent[];
  }
}

function anEvent(): Writable<SpanEvent> {
  return { what: '', at: 0.5, attributes: undefined, measured: 0.5, dropped: undefined };
}
