/**
 * The newest spans, for consoles: a ring of bytes that they are copied into when their batch is full, or somebody looks. Objects that are
 * kept for a while are copied by each garbage collection meanwhile, and cost a span more than the rest of it.
 */
import { Buffer } from 'node:buffer';
import { type SpanSnapshot, type TraceSnapshot } from '../../admin/snapshot/traces.js';
import { type ProtoWriter } from '../otlp/proto-writer.js';
import { ProtoReader } from '../otlp/proto-reader.js';
import { readSpan, traceIdOf } from '../otlp/span-decoding.js';

/** As many spans as are kept at most; a call has two or three. */
export const MOST_SPANS = 512;
/** Nearly all spans take less than half of their share. */
const MOST_BYTES = 1_024 * MOST_SPANS;
/** A longer one would drive out too many others. */
const LONGEST = MOST_BYTES / 8;

export class RecentSpans {
  /** Whoever may have spans that have not been added yet adds them; `null`: nobody has. */
  beforeReading: (() => void) | null = null;
  #bytes: Buffer | null = null;
  /** Where the next one is written, if there is room before the end. */
  #at = 0;
  /** Of span `n`, at `n % MOST_SPANS`. */
  readonly #starts = new Int32Array(MOST_SPANS);
  /** Of the oldest that is kept, and of the next: spans are numbered as they come. */
  #oldest = 0;
  #next = 0;

  /** The spans that stand in `written` from `start` to `end`, one behind the other. */
  add(written: ProtoWriter, start: number, end = written.length): void {
    const spans = new ProtoReader(written.written, start, end);
    const starts: number[] = [];
    while (spans.more) {
      starts.push(spans.at);
      spans.skip(spans.key());
    }
    for (let at = Math.max(0, starts.length - MOST_SPANS); at < starts.length; at += 1)
      this.#keep(written, starts[at] as number, starts[at + 1] ?? end);
  }

  #keep(written: ProtoWriter, from: number, to: number): void {
    const length = to - from;
    if (length > LONGEST) return;
    const bytes = (this.#bytes ??= Buffer.allocUnsafeSlow(MOST_BYTES));
    if (this.#at + length > MOST_BYTES) {
      while (this.#isKept && this.#start(this.#oldest) >= this.#at) this.#oldest += 1;
      this.#at = 0;
    }
    const end = this.#at + length;
    if (this.#next - this.#oldest === MOST_SPANS) this.#oldest += 1;
    while (this.#isKept && this.#start(this.#oldest) >= this.#at && this.#start(this.#oldest) < end) this.#oldest += 1;
    written.copyTo(bytes, this.#at, from, to);
    this.#starts[this.#next % MOST_SPANS] = this.#at;
    this.#next += 1;
    this.#at = end;
  }

  /** At most `limit` traces, the one that ended last first. Of a long trace the oldest spans may have been forgotten. */
  traces(limit: number): readonly TraceSnapshot[] {
    this.beforeReading?.();
    const found = new Map<string, SpanSnapshot[]>();
    const bytes = this.#bytes;
    if (bytes === null) return [];
    for (let number = this.#next - 1; number >= this.#oldest; number -= 1) {
      const start = this.#start(number);
      const traceId = traceIdOf(bytes, start);
      const spans = found.get(traceId);
      if (spans !== undefined) spans.push(readSpan(bytes, start));
      else if (found.size < limit) found.set(traceId, [readSpan(bytes, start)]);
    }
    return [...found].map(([traceId, spans]) => ({
      traceId,
      spans: spans.sort((a, b) => a.startedAt - b.startedAt),
    }));
  }

  get #isKept(): boolean {
    return this.#oldest < this.#next;
  }

  #start(number: number): number {
    return this.#starts[number % MOST_SPANS] as number;
  }
}
