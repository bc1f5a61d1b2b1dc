/** Spans that have ended and are not written yet, in the order in which they did. */
import { type ProtoWriter } from '../otlp/proto-writer.js';
import { writeSpan } from '../otlp/span-encoding.js';
import { type EndedSpan } from './ended-span.js';
import { NotePage } from './note-page.js';
import { NotedSpan } from './noted-span.js';

export class UnwrittenSpans {
  /** Where there are notes of them, or the span itself. */
  readonly #at: (NotePage | EndedSpan | null)[];
  /** The place on that page. */
  readonly #calls: Int32Array;
  readonly #noted = new NotedSpan();
  #entries = 0;
  #length = 0;

  /** `size`: as many spans as are waited for; a call's second may be one more. */
  constructor(size: number) {
    this.#at = new Array<NotePage | EndedSpan | null>(size).fill(null);
    this.#calls = new Int32Array(size);
  }

  /** How many spans. */
  get length(): number {
    return this.#length;
  }

  add(span: EndedSpan): void {
    this.#at[this.#entries++] = span;
    this.#length += 1;
  }

  addCall(page: NotePage, call: number, spans: number): void {
    this.#at[this.#entries] = page;
    this.#calls[this.#entries++] = call;
    this.#length += spans;
  }

  /** All of them; none is left then. */
  write(out: ProtoWriter): void {
    for (let entry = 0; entry < this.#entries; entry += 1) {
      const at = this.#at[entry] as NotePage | EndedSpan;
      if (at instanceof NotePage) this.#writeCall(out, at, this.#calls[entry] as number);
      else writeSpan(out, at);
      this.#at[entry] = null;
    }
    this.#entries = 0;
    this.#length = 0;
  }

  #writeCall(out: ProtoWriter, page: NotePage, call: number): void {
    const noted = this.#noted;
    if (page.wasSent(call)) {
      page.readClient(call, noted);
      writeSpan(out, noted);
    }
    page.readServer(call, noted);
    writeSpan(out, noted);
    page.leave(call);
  }
}
