/**
 * Reads the wire format of protocol buffers, as this process has written it.
 *
 * Source: Protocol Buffers, "Encoding".
 */
import { type Buffer } from 'node:buffer';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

export class ProtoReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at;
  }

  /** Whether there is another field. */
  get more(): boolean {
    return this.#at < this.#end;
  }

  /** The key of a field; its value has to be read or skipped next. */
  key(): number {
    return this.varint();
  }

  /** A whole number from 0 to 2⁵³. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  /** A whole number in two's complement of 64 bits. */
  int64(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  }

  /** A moment in nanoseconds since the epoch, as milliseconds. */
  time(): number {
    const nanoseconds = this.bytes.readBigUInt64LE(this.#at);
    this.#at += 8;
    return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6;
  }

  double(): number {
    const value = this.bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    return this.#field('utf8');
  }

  /** Bytes, in hexadecimal digits. */
  hex(): string {
    return this.#field('hex');
  }

  message(): ProtoReader {
    const length = this.varint();
    const start = this.#at;
    this.#at += length;
    return new ProtoReader(this.bytes, start, this.#at);
  }

  /** Goes past the value of this key. */
  skip(key: number): void {
    const kind = key & 7;
    if (kind === VARINT) this.int64();
    else if (kind === LENGTH) this.message();
    else this.#at += kind === FIXED64 ? 8 : 4;
  }

  #field(encoding: 'utf8' | 'hex'): string {
    const length = this.varint();
    const start = this.#at;
    this.#at += length;
    return this.bytes.toString(encoding, start, this.#at);
  }
}
