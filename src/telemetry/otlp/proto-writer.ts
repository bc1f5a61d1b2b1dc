/**
 * Writes the wire format of protocol buffers into one buffer that grows. Lengths are written behind what they measure, so that
 * nothing is gone through twice.
 *
 * Source: Protocol Buffers, "Encoding".
 */
import { Buffer } from 'node:buffer';

/** The key of a field: its number and how its value is laid out. */
export const varintKey = (field: number): number => field << 3;
export const fixed64Key = (field: number): number => (field << 3) | 1;
export const lengthKey = (field: number): number => (field << 3) | 2;
export const fixed32Key = (field: number): number => (field << 3) | 5;

/** What a hexadecimal digit is worth, by its character. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0);

const FIRST_SIZE = 16_384;
const MOST_KEPT = 4_194_304;
/** Names whose bytes are kept. They may be anybody's: when there are more it begins anew. */
const MOST_NAMES = 512;
const LONGEST_NAME = 256;
/** Keys up to there are one byte. */
const MOST_OF_A_BYTE = 0x7f;
/** A key and a length, or a key and a number. */
const MOST_OF_A_FIELD = 20;
const TWO_32 = 0x1_0000_0000;
const MIN_INT64 = -(2 ** 63);
const MAX_INT64 = 2 ** 63;

export class ProtoWriter {
  #bytes: Buffer;
  /** Where it begins: before that is room for what is known only at the end. */
  readonly #first: number;
  #at: number;
  /** Length and text, as they are written. */
  readonly #names = new Map<string, Uint8Array>();

  /** `headRoom`: bytes that `behind` may put before what is written. */
  constructor(size = FIRST_SIZE, headRoom = 0) {
    this.#bytes = Buffer.allocUnsafeSlow(headRoom + size);
    this.#first = headRoom;
    this.#at = headRoom;
  }

  /** Bytes that are written. */
  get length(): number {
    return this.#at - this.#first;
  }

  /** What is written, until the next word is. */
  get written(): Buffer {
    return this.#bytes.subarray(this.#first, this.#at);
  }

  /** As `written`, behind `head`: copied only when there is no room for that. */
  behind(head: Uint8Array): Buffer {
    const start = this.#first - head.length;
    if (start < 0) return Buffer.concat([head, this.written]);
    this.#bytes.set(head, start);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A copy of what is written from there on. */
  copyFrom(start: number): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(this.#first + start, this.#at));
  }

  /** Copies what is written from `start` to `end` to `at` of `target`. */
  copyTo(target: Uint8Array, at: number, start: number, end: number): void {
    target.set(this.#bytes.subarray(this.#first + start, this.#first + end), at);
  }

  /** Forgets what is written from there on. */
  rewind(start: number): void {
    this.#at = this.#first + start;
  }

  /** Forgets what is written and keeps the memory, but for what one unusual batch took. */
  clear(): void {
    this.#at = this.#first;
    if (this.#bytes.length > MOST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(this.#first + FIRST_SIZE);
  }

  /** A whole number from 0 to 2⁵³. */
  varint(key: number, value: number): void {
    this.#room(MOST_OF_A_FIELD);
    this.#key(key);
    this.#varint(value);
  }

  /** A number as `AnyValue` has it: `int_value` when it is a whole one that an int64 holds, else `double_value`. */
  number(intKey: number, doubleKey: number, value: number): void {
    this.#room(MOST_OF_A_FIELD);
    if (!Number.isInteger(value) || value < MIN_INT64 || value >= MAX_INT64) {
      this.#key(doubleKey);
      this.#at = this.#bytes.writeDoubleLE(value, this.#at);
      return;
    }
    this.#key(intKey);
    if (value >= 0) this.#varint(value);
    else this.#negative(value);
  }

  /** A moment, given in milliseconds since the epoch, in nanoseconds. */
  time(key: number, ms: number): void {
    this.#room(MOST_OF_A_FIELD);
    this.#key(key);
    // Nanoseconds have more bits than a number: in two parts, each of them exact.
    // No `%`: of numbers that are no small integers it is a call of the C library.
    const whole = Math.floor(ms);
    const wholeHigh = Math.floor(whole / 0x1_0000);
    const upper = wholeHigh * 1e6;
    const lower = (whole - wholeHigh * 0x1_0000) * 1e6 + Math.round((ms - whole) * 1e6);
    const upperHigh = Math.floor(upper / 0x1_0000);
    const lowerHigh = Math.floor(lower / TWO_32);
    const low = (upper - upperHigh * 0x1_0000) * 0x1_0000 + (lower - lowerHigh * TWO_32);
    const high = upperHigh + lowerHigh + (low >= TWO_32 ? 1 : 0);
    this.#fixed32(low >>> 0);
    this.#fixed32(high >>> 0);
  }

  fixed32(key: number, value: number): void {
    this.#room(MOST_OF_A_FIELD);
    this.#key(key);
    this.#fixed32(value);
  }

  /** Bytes that are given in hexadecimal digits, two each. */
  hex(key: number, digits: string): void {
    const length = digits.length >>> 1;
    this.#room(MOST_OF_A_FIELD + length);
    this.#key(key);
    this.#varint(length);
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < length; i += 1)
      bytes[at + i] =
        (DIGITS[digits.charCodeAt(2 * i)] as number) * 16 + (DIGITS[digits.charCodeAt(2 * i + 1)] as number);
    this.#at = at + length;
  }

  /** Fields that are written already. */
  raw(fields: Uint8Array): void {
    this.#room(fields.length);
    this.#bytes.set(fields, this.#at);
    this.#at += fields.length;
  }

  /** Eight bytes that are given as two words of 32 bits, the first first. */
  words2(key: number, a: number, b: number): void {
    this.#room(MOST_OF_A_FIELD);
    this.#key(key);
    this.#varint(8);
    this.#word(a);
    this.#word(b);
  }

  /** Sixteen bytes that are given as four words of 32 bits, the first first. */
  words4(key: number, a: number, b: number, c: number, d: number): void {
    this.#room(2 * MOST_OF_A_FIELD);
    this.#key(key);
    this.#varint(16);
    this.#word(a);
    this.#word(b);
    this.#word(c);
    this.#word(d);
  }

  text(key: number, text: string): void {
    const { length } = text;
    this.#room(MOST_OF_A_FIELD + 3 * length);
    this.#key(key);
    const lengthAt = this.#at;
    this.#varint(length);
    const bytes = this.#bytes;
    const at = this.#at;
    let all = 0;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      all |= code;
      bytes[at + i] = code;
    }
    if (all < 0x80) {
      this.#at = at + length;
      return;
    }
    this.#at = lengthAt; // not ASCII: once more, as UTF-8
    this.#varint(Buffer.byteLength(text));
    this.#at += bytes.write(text, this.#at);
  }

  /** A text that comes again and again: copied whole, where `text` goes through it character by character. */
  name(key: number, text: string): void {
    const written = this.#names.get(text);
    if (written === undefined || key > MOST_OF_A_BYTE) return this.#newName(key, text);
    this.#room(written.length + 1);
    this.#bytes[this.#at] = key;
    this.#bytes.set(written, this.#at + 1);
    this.#at += written.length + 1;
  }

  #newName(key: number, text: string): void {
    const start = this.length;
    this.text(key, text);
    if (text.length > LONGEST_NAME || key > MOST_OF_A_BYTE) return;
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(text, this.copyFrom(start + 1));
  }

  /** Begins a message; `end` gets what this returns. `size`: bytes that its length will most likely take. */
  begin(key: number, size = 1): number {
    this.#room(MOST_OF_A_FIELD);
    this.#key(key);
    this.#at += size;
    return this.#at;
  }

  /** `size`: as `begin` got it. */
  end(start: number, size = 1): void {
    const length = this.#at - start;
    if (size === 1 && length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const more = varintSize(length) - size;
    if (more !== 0) {
      this.#room(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
    }
    this.#at = start - size;
    this.#varint(length);
    this.#at += length;
  }

  #key(key: number): void {
    if (key < 0x80) this.#bytes[this.#at++] = key;
    else this.#varint(key);
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    while (rest >= 0x8000_0000) {
      bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  /** Two's complement of 64 bits. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  #fixed32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#at = at + 4;
  }

  #word(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#at = at + 4;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
