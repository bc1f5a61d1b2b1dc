/**
 * A child's stderr as lines for people, at a bounded cost.
 *
 * At most `maxLinesPerSecond` lines pass; past that the bytes of the rest of the second are searched for line ends and
 * dropped, and one line says how many. The child is never held up: a server blocked on its log would not answer.
 */
import { stripControl } from '../../protocol/text.js';
import type { Clock } from './clock.js';

const LF = 0x0a;
const WINDOW_MS = 1_000;
const MAX_LINE_CHARS = 4_096;
/** Bytes kept of an unfinished line: enough for `MAX_LINE_CHARS` characters of four bytes. */
const MAX_HELD_BYTES = MAX_LINE_CHARS * 4;

export class StderrLines {
  readonly #clock: Clock;
  readonly #maxLines: number;
  readonly #onLine: (line: string) => void;
  #windowStart = -Infinity;
  #passed = 0;
  #dropped = 0;
  #cancelReport: (() => void) | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Newest bytes of a flood, for `last`. */
  #tail: Buffer | undefined;
  #lastLine = '';

  constructor(clock: Clock, maxLinesPerSecond: number, onLine: (line: string) => void) {
    this.#clock = clock;
    this.#maxLines = maxLinesPerSecond;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    if (this.#clock.now() - this.#windowStart >= WINDOW_MS) this.#openWindow();
    let start = 0;
    while (this.#passed < this.#maxLines) {
      const at = chunk.indexOf(LF, start);
      if (at === -1) {
        this.#hold(chunk.subarray(start));
        return;
      }
      this.#hold(chunk.subarray(start, at));
      this.#flushLine();
      start = at + 1;
    }
    this.#drop(chunk, start);
  }

  /** Ends the stream: passes on an unfinished line and the count of dropped ones. */
  end(): void {
    if (this.#heldBytes > 0 && this.#passed < this.#maxLines) this.#flushLine();
    this.#report();
  }

  /** The last line that was written, whether it passed or not. Empty when there was none. */
  get last(): string {
    if (this.#tail === undefined) return this.#lastLine;
    return clean(this.#tail.toString('utf8').trimEnd().split('\n').at(-1) ?? '');
  }

  #openWindow(): void {
    this.#report();
    this.#windowStart = this.#clock.now();
    this.#passed = 0;
    this.#tail = undefined;
  }

  #hold(bytes: Buffer): void {
    const room = MAX_HELD_BYTES - this.#heldBytes;
    if (room <= 0 || bytes.length === 0) return;
    // Copied: a view would keep the whole chunk alive for as long as the line stays unfinished.
    this.#held.push(Buffer.from(bytes.subarray(0, room)));
    this.#heldBytes += Math.min(bytes.length, room);
  }

  #flushLine(): void {
    const line = clean(Buffer.concat(this.#held, this.#heldBytes).toString('utf8'));
    this.#held = [];
    this.#heldBytes = 0;
    if (line === '') return;
    this.#passed++;
    this.#lastLine = line;
    this.#onLine(line);
  }

  #drop(chunk: Buffer, from: number): void {
    if (from === chunk.length) return;
    for (let at = chunk.indexOf(LF, from); at !== -1; at = chunk.indexOf(LF, at + 1)) this.#dropped++;
    this.#held = [];
    this.#heldBytes = 0;
    this.#tail = chunk.subarray(-MAX_LINE_CHARS);
    // Should the flood stop now, no later bytes would bring the report about.
    this.#cancelReport ??= this.#clock.after(WINDOW_MS, () => this.#report());
  }

  #report(): void {
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#onLine(`[${dropped} more lines dropped: over ${this.#maxLines} lines a second]`);
  }
}

function clean(line: string): string {
  return stripControl(line, MAX_LINE_CHARS).trimEnd();
}
