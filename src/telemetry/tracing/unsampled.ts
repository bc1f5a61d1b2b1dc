/**
 * Requests that are not recorded: decided before anything is made, and their context goes on all the same, so that nobody
 * behind the gateway begins a trace of its own for them.
 */
import { metaOf, readContext, type CallTrace, type TraceContext, type TracedCall } from './call-trace.js';

const BYTE = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** Eight digits of a 32-bit number. */
export function hex32(value: number): string {
  return (
    (BYTE[value >>> 24] as string) +
    (BYTE[(value >>> 16) & 0xff] as string) +
    (BYTE[(value >>> 8) & 0xff] as string) +
    (BYTE[value & 0xff] as string)
  );
}

export function random32(random: () => number): number {
  return (random() * 0x1_0000_0000) >>> 0;
}

/** The request brought no context: it gets one of its own that says "not recorded". One object serves all of them. */
export class UnsampledRoot implements CallTrace {
  readonly #random: () => number;
  readonly #prefix: string;
  #count = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#prefix = `00-${hex32(random32(random) | 1)}${hex32(random32(random))}`;
  }

  sent(): TraceContext {
    this.#count = (this.#count + 1) >>> 0;
    const count = hex32(this.#count);
    const salt = hex32(random32(this.#random));
    return { traceparent: `${this.#prefix}${salt}${count}-${salt}${count}-00` };
  }

  event(): void {
    // not recorded
  }

  received(): void {
    // not recorded
  }

  ended(): void {
    // not recorded
  }
}

/** The request brought a context in its `_meta` that says "not recorded". One object serves all of them. */
export class UnsampledMeta implements CallTrace {
  sent({ params }: TracedCall): TraceContext | null {
    return readContext(metaOf(params));
  }

  event(): void {
    // not recorded
  }

  received(): void {
    // not recorded
  }

  ended(): void {
    // not recorded
  }
}

/** The request brought a context in its headers that says "not recorded": it goes on in `_meta` as well. */
export class UnsampledHeaders implements CallTrace {
  readonly #context: TraceContext;

  constructor(context: TraceContext) {
    this.#context = context;
  }

  sent(): TraceContext {
    return this.#context;
  }

  event(): void {
    // not recorded
  }

  received(): void {
    // not recorded
  }

  ended(): void {
    // not recorded
  }
}
