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

/** Writes `traceparent` of what is recorded. */
export class TraceparentWriter {
  readonly #text = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, 'latin1');

  write({ a, b, c, d }: TraceId, { high, low }: SpanId): string {
    this.#word(3, a);
    this.#word(11, b);
    this.#word(19, c);
    this.#word(27, d);
    this.#word(36, high);
    this.#word(44, low);
    return this.#text.toString('latin1');
  }

  #word(at: number, word: number): void {
    const text = this.#text;
    for (let digit = 0; digit < DIGITS_OF_A_WORD; digit += 1)
      text[at + digit] = DIGITS[(word >>> (28 - 4 * digit)) & 0xf] as number;
  }
}

export function random32(random: () => number): number {
  return (random() * 0x1_0000_0000) >>> 0;
}

function word(digits: string, index: number): number {
  return Number.parseInt(digits.slice(DIGITS_OF_A_WORD * index, DIGITS_OF_A_WORD * (index + 1)), 16) | 0;
}
