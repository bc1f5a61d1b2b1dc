/**
 * The newest spans, for consoles: a ring that the span processor writes into, read when somebody looks. A span costs one
 * assignment; nothing is made of it before it is asked for.
 */
import { type SpanSnapshot, type TraceSnapshot } from '../../admin/snapshot/traces.js';
import { type EndedSpan } from './ended-span.js';

/** As many spans as are kept; a call has two or three. */
const MOST_SPANS = 512;
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;

export class RecentSpans {
  readonly #ring: EndedSpan[] = [];
  #next = 0;

  add(span: EndedSpan): void {
    this.#ring[this.#next] = span;
    this.#next = (this.#next + 1) % MOST_SPANS;
  }

  /** At most `limit` traces, the one that ended last first. Of a long trace the oldest spans may have been forgotten. */
  traces(limit: number): readonly TraceSnapshot[] {
    const found = new Map<string, EndedSpan[]>();
    for (let back = 1; back <= this.#ring.length; back += 1) {
      const span = this.#ring[(this.#next - back + MOST_SPANS) % MOST_SPANS];
      if (span === undefined) break;
      const { traceId } = span;
      const spans = found.get(traceId);
      if (spans !== undefined) spans.push(span);
      else if (found.size < limit) found.set(traceId, [span]);
    }
    return [...found].map(([traceId, spans]) => ({
      traceId,
      spans: spans.map(spanSnapshot).sort((a, b) => a.startedAt - b.startedAt),
    }));
  }
}

function spanSnapshot(span: EndedSpan): SpanSnapshot {
  const attributes = attributesOf(span);
  const failed = attributes['error.type'] ?? (span.statusMessage === '' ? 'error' : span.statusMessage);
  return {
    spanId: span.spanId,
    parentId: span.parentId === '' ? null : span.parentId,
    name: span.name,
    kind: span.kind === SERVER ? 'server' : span.kind === CLIENT ? 'client' : 'internal',
    startedAt: span.startedAt,
    durationMs: span.endedAt - span.startedAt,
    error: span.statusCode === ERROR ? failed : null,
    attributes,
  };
}

function attributesOf({ attributes, more }: EndedSpan): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) all[name] = String(value);
  for (let at = 0; at < more.length; at += 2) all[String(more[at])] = String(more[at + 1]);
  return all;
}
