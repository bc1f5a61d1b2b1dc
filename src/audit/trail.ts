/**
 * The bounded queue between whoever has something for the audit log and the actor that writes it. The data path pushes
 * one small object and goes on; a disk that is slow or full fills the queue, and what does not fit is counted.
 */
import { type AuditEvent, type AuditPort } from './event.js';

export interface TimedEvent {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: AuditEvent;
}

export class AuditTrail implements AuditPort {
  /** Switched by an operator, too. What waits is written all the same. */
  enabled: boolean;
  readonly hashArguments: boolean;
  readonly #capacity: number;
  readonly #now: () => number;
  #queue: TimedEvent[] = [];
  /** Since the start. */
  dropped = 0;

  constructor(options: { enabled: boolean; hashArguments: boolean; capacity: number; now: () => number }) {
    this.enabled = options.enabled;
    this.hashArguments = options.hashArguments;
    this.#capacity = options.capacity;
    this.#now = options.now;
  }

  record(event: AuditEvent): void {
    if (!this.enabled) return;
    if (this.#queue.length >= this.#capacity) this.dropped += 1;
    else this.#queue.push({ at: this.#now(), event });
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Everything that waits, oldest first. */
  takeAll(): readonly TimedEvent[] {
    const taken = this.#queue;
    this.#queue = [];
    return taken;
  }
}
