/**
 * Bytes → lines, split at `\n`, decoded as UTF-8 only when a line is whole, so that a character cut by a chunk border
 * survives. Holds at most one unfinished line.
 *
 * Two caps: `maxLineBytes` for any line, and the smaller `maxJunkBytes` for an unfinished line that cannot be JSON-RPC
 * because it does not begin with `{` or `[`. Past a cap `push` answers `false` and the splitter is spent.
 */
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

export interface LineLimits {
  readonly maxLineBytes: number;
  readonly maxJunkBytes: number;
}

/** True when the bytes, leading blanks aside, begin a JSON object or array. */
export function looksLikeJson(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === SPACE || byte === TAB) continue;
    return byte === OPEN_BRACE || byte === OPEN_BRACKET;
  }
  return false;
}

export class LineSplitter {
  readonly #limits: LineLimits;
  readonly #onLine: (text: string, bytes: number, json: boolean) => void;
  #pieces: Buffer[] = [];
  #held = 0;
  /** The cap that a line is past, once `push` has answered `false`. */
  exceeded = 0;

  /** @param onLine gets each line without its `\n` or `\r\n`; `bytes` counts what was on the wire; blank lines are left out */
  constructor(limits: LineLimits, onLine: (text: string, bytes: number, json: boolean) => void) {
    this.#limits = limits;
    this.#onLine = onLine;
  }

  /** Takes the next bytes. Returns false when a line is past its cap; what is held is dropped then. */
  push(chunk: Buffer): boolean {
    let start = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
      if (this.#held + at - start > this.#limits.maxLineBytes) return this.#overflow(this.#limits.maxLineBytes);
      if (this.#held === 0) this.#emit(chunk, start, at);
      else this.#emitHeld(chunk.subarray(start, at));
      start = at + 1;
    }
    return start === chunk.length || this.#hold(start === 0 ? chunk : chunk.subarray(start));
  }

  #hold(rest: Buffer): boolean {
    this.#pieces.push(rest);
    this.#held += rest.length;
    if (this.#held > this.#limits.maxLineBytes) return this.#overflow(this.#limits.maxLineBytes);
    if (this.#held <= this.#limits.maxJunkBytes) return true;
    const first = this.#pieces[0] ?? rest;
    return looksLikeJson(first, 0, first.length) || this.#overflow(this.#limits.maxJunkBytes);
  }

  #emitHeld(last: Buffer): void {
    this.#pieces.push(last);
    const line = Buffer.concat(this.#pieces, this.#held + last.length);
    this.#pieces = [];
    this.#held = 0;
    this.#emit(line, 0, line.length);
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
    if (stop === start) return;
    this.#onLine(bytes.toString('utf8', start, stop), end - start + 1, looksLikeJson(bytes, start, stop));
  }

  #overflow(limit: number): false {
    this.exceeded = limit;
    this.#pieces = [];
    this.#held = 0;
    return false;
  }
}
