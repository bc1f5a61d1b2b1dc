/** An append-only list that can be searched now and awaited for what is still to come. */
import { within } from './eventually.js';

export class EventLog<T> {
  readonly items: T[] = [];
  readonly #waiters = new Set<() => void>();
  #ended: Error | undefined;

  push(item: T): void {
    this.items.push(item);
    this.#wake();
  }

  /** Nothing more will come: everyone who still waits is told why. */
  end(reason: Error): void {
    this.#ended ??= reason;
    this.#wake();
  }

  /** The first item at or after index `from` that matches, now or later. */
  async waitFor(matches: (item: T) => boolean, what: string, from = 0, deadline?: number): Promise<T> {
    return await within(this.#find(matches, what, from), what, deadline);
  }

  /** The item at `index`, now or later; `undefined` when the log ended before it came. */
  async next(index: number): Promise<T | undefined> {
    while (index >= this.items.length) {
      if (this.#ended !== undefined) return undefined;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
    return this.items[index];
  }

  async #find(matches: (item: T) => boolean, what: string, from: number): Promise<T> {
    let index = from;
    for (;;) {
      for (; index < this.items.length; index += 1) {
        const item = this.items[index] as T;
        if (matches(item)) return item;
      }
      if (this.#ended !== undefined) throw new Error(`${what}: ${this.#ended.message}`, { cause: this.#ended });
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const resume of waiters) resume();
  }
}
