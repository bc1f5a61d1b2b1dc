/**
 * Bytes → lines, with a cap, for both ends of the admin socket.
 *
 * A line longer than the cap is reported once and skipped up to its end, so that one bad line never costs the
 * connection. Pure but for its buffer; holds at most `maxBytes` plus one chunk.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #size = 0;
  #skipping = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Complete lines in `chunk` (and before it); `null` stands for a line that was too long. Blank lines are left out. */
  push(chunk: Buffer): (string | null)[] {
    const lines: (string | null)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      this.#take(chunk.subarray(start, end), lines);
      if (!this.#skipping) {
        const line = Buffer.concat(this.#parts, this.#size).toString('utf8').trim();
        if (line !== '') lines.push(line);
      }
      this.#reset();
      start = end + 1;
    }
    this.#take(chunk.subarray(start), lines);
    return lines;
  }

  #take(part: Buffer, lines: (string | null)[]): void {
    if (this.#skipping || part.length === 0) return;
    if (this.#size + part.length > this.#maxBytes) {
      this.#reset();
      this.#skipping = true;
      lines.push(null);
      return;
    }
    this.#parts.push(part);
    this.#size += part.length;
  }

  #reset(): void {
    this.#parts = [];
    this.#size = 0;
    this.#skipping = false;
  }
}
