/**
 * Ids of traces and spans, as the 32-bit words that they are drawn in: the collector gets bytes of them, and whoever is called
 * upstream `traceparent`. The words have a sign: those are the numbers that need no memory of their own.
 *
 * Source: W3C Trace Context, "traceparent Header": 16 and 8 bytes, never all zeros.
 */

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const DIGITS_OF_A_WORD = 8;

export class TraceId {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;

  constructor(a: number, b: number, c: number, d: number) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  /** Of 32 hexadecimal digits. */
  static of(digits: string): TraceId {
    return new TraceId(word(digits, 0), word(digits, 1), word(digits, 2), word(digits, 3));
  }
}

export class SpanId {
  readonly high: number;
  readonly low: number;

  constructor(high: number, low: number) {
    this.high = high;
    this.low = low;
  }

  /** Of 16 hexadecimal digits. */
  static of(digits: string): SpanId {
    return new SpanId(word(digits, 0), word(digits, 1));
  }
}

/** Of a `traceparent`. */
export const TRACEPARENT_LENGTH = 55;

/** Writes `traceparent` of what is recorded, one behind the other. */
export class TraceparentWriter {
  readonly #text: Buffer;

  /** `count`: the most that are written at once. */
  constructor(count = 1) {
    this.#text = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`.repeat(count), 'latin1');
  }

  write({ a, b, c, d }: TraceId, { high, low }: SpanId): string {
    for (const [index, word] of [a, b, c, d, high, low].entries()) this.#word(PLACES[index] as number, word);
    return this.#text.toString('latin1', 0, TRACEPARENT_LENGTH);
  }

  /** Of the ids that begin at `trace` and `span` of each `stride` words. */
  writeAll(words: Int32Array, stride: number, trace: number, span: number): string {
    let to = 0;
    for (let from = 0; from < words.length; from += stride) {
      for (let word = 0; word < 4; word += 1)
        this.#word(to + (PLACES[word] as number), words[from + trace + word] as number);
      for (let word = 0; word < 2; word += 1)
        this.#word(to + (PLACES[4 + word] as number), words[from + span + word] as number);
      to += TRACEPARENT_LENGTH;
    }
    return this.#text.toString('latin1', 0, to);
  }

  #word(at: number, word: number): void {
    const text = this.#text;
    for (let digit = 0; digit < DIGITS_OF_A_WORD; digit += 1)
      text[at + digit] = DIGITS[(word >>> (28 - 4 * digit)) & 0xf] as number;
  }
}

/** Where the words of both ids stand in it. */
const PLACES = [3, 11, 19, 27, 36, 44] as const;

export function random32(random: () => number): number {
  return (random() * 0x1_0000_0000) >>> 0;
}

function word(digits: string, index: number): number {
  return Number.parseInt(digits.slice(DIGITS_OF_A_WORD * index, DIGITS_OF_A_WORD * (index + 1)), 16) | 0;
}
