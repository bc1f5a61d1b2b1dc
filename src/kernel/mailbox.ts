/**
 * A lane of a mailbox: a bounded FIFO ring that costs nothing until it is used.
 */

export const DEFAULT_URGENT_BOUND = 1_024;
export const DEFAULT_NORMAL_BOUND = 4_096;

const FIRST_SIZE = 8;

/** What waits in the lanes of an actor that has exited, oldest first. */
export interface Waiting<M> {
  readonly urgent: readonly M[];
  readonly normal: readonly M[];
}

export const NOTHING_WAITS: Waiting<never> = { urgent: [], normal: [] };

export class Lane<M> {
  readonly bound: number;
  #ring: (M | undefined)[] | null = null;
  #head = 0;
  #length = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends; `false` when the lane is at its bound. */
  push(message: M): boolean {
    if (this.#length >= this.bound) return false;
    this.force(message);
    return true;
  }

  /** Appends past the bound: for messages whose number is bounded elsewhere (exits of children, timers of one's own). */
  force(message: M): void {
    this.#ring ??= new Array<M | undefined>(FIRST_SIZE);
    if (this.#length === this.#ring.length) this.#grow(this.#ring);
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = message;
    this.#length += 1;
  }

  /** Takes the oldest. Call only when `length > 0`. */
  shift(): M {
    const ring = this.#ring as (M | undefined)[];
    const message = ring[this.#head] as M;
    ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (ring.length - 1);
    this.#length -= 1;
    // A burst leaves no large ring behind in an idle actor.
    if (this.#length === 0 && ring.length > 1024) {
      this.#ring = null;
      this.#head = 0;
    }
    return message;
  }

  /** Takes everything, oldest first. */
  drain(): M[] {
    const all: M[] = [];
    while (this.#length > 0) all.push(this.shift());
    return all;
  }

  #grow(ring: (M | undefined)[]): void {
    const grown = new Array<M | undefined>(ring.length * 2);
    for (let i = 0; i < this.#length; i++) grown[i] = ring[(this.#head + i) & (ring.length - 1)];
    this.#ring = grown;
    this.#head = 0;
  }
}

/** One box for all messages, read before the next is taken, so that taking one allocates nothing. */
const BOX: { value: unknown; urgent: boolean } = { value: undefined, urgent: false };

/** Both lanes, and which message is next. */
export class Mailbox<M> {
  readonly urgent: Lane<M>;
  readonly normal: Lane<M>;

  constructor(urgent = DEFAULT_URGENT_BOUND, normal = DEFAULT_NORMAL_BOUND, inherited: Waiting<M> = NOTHING_WAITS) {
    this.urgent = new Lane(urgent);
    this.normal = new Lane(normal);
    for (const message of inherited.urgent) this.urgent.force(message);
    for (const message of inherited.normal) this.normal.force(message);
  }

  get empty(): boolean {
    return this.urgent.length === 0 && this.normal.length === 0;
  }

  get depth(): { urgent: number; normal: number } {
    return { urgent: this.urgent.length, normal: this.normal.length };
  }

  /** The next message, `undefined` when none waits. Urgent ones first, unless `mayBeUrgent` is false and a normal one waits. */
  next(mayBeUrgent: boolean): { readonly value: M; readonly urgent: boolean } | undefined {
    const urgent = this.urgent.length > 0 && (mayBeUrgent || this.normal.length === 0);
    if (!urgent && this.normal.length === 0) return undefined;
    BOX.value = urgent ? this.urgent.shift() : this.normal.shift();
    BOX.urgent = urgent;
    return BOX as { value: M; urgent: boolean };
  }

  take(): Waiting<M> {
    return { urgent: this.urgent.drain(), normal: this.normal.drain() };
  }
}
