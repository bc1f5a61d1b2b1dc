/**
 * One timer wheel for the many coarse deadlines of the data path (request timeouts, idle sessions, asks).
 *
 * Scheduling and cancelling are O(1) and allocate one small entry; the clock holds at most one timer for the whole
 * wheel, and none while it is empty. A deadline fires up to one tick late, never early. Source: Varghese & Lauck,
 * "Hashed and Hierarchical Timing Wheels" (1987), scheme 6.
 */
import type { Clock, TimerHandle } from './clock.js';

/** A deadline on the wheel. `fire` runs at most once and must not throw. */
export abstract class Deadline {
  /** @internal */ prev: Deadline | null = null;
  /** @internal */ next: Deadline | null = null;
  /** @internal Tick at which it is due; −1 while it is on no wheel. */ tick = -1;
  abstract fire(): void;
}

class Slot extends Deadline {
  constructor() {
    super();
    this.prev = this;
    this.next = this;
  }
  override fire(): void {
    throw new Error('a slot head never fires');
  }
}

class CallbackDeadline extends Deadline {
  readonly #fn: () => void;
  constructor(fn: () => void) {
    super();
    this.#fn = fn;
  }
  override fire(): void {
    this.#fn();
  }
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: readonly Slot[];
  readonly #origin: number;
  #current = 0;
  #size = 0;
  #timer: TimerHandle | null = null;

  /** `tickMs` is the resolution in milliseconds; `slots` how many ticks one turn of the wheel has. */
  constructor(clock: Clock, tickMs = 20, slots = 512) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slots }, () => new Slot());
    this.#origin = clock.now();
  }

  /** Deadlines that wait. */
  get size(): number {
    return this.#size;
  }

  /** Puts `deadline` on the wheel, `ms` milliseconds from now (`Infinity`: never). One that waits already is moved. */
  schedule(deadline: Deadline, ms: number): void {
    if (deadline.tick >= 0) this.cancel(deadline);
    const due = Math.min(this.#clock.now() - this.#origin + Math.max(ms, 0), Number.MAX_SAFE_INTEGER);
    if (this.#size === 0) this.#current = Math.floor((this.#clock.now() - this.#origin) / this.#tickMs);
    deadline.tick = Math.max(Math.ceil(due / this.#tickMs), this.#current + 1);
    const head = this.#slotOf(deadline.tick);
    const last = head.prev ?? head;
    deadline.prev = last;
    deadline.next = head;
    last.next = deadline;
    head.prev = deadline;
    this.#size += 1;
    this.#arm();
  }

  /** Calls `fn` once, `ms` milliseconds from now. */
  after(ms: number, fn: () => void): TimerHandle {
    const deadline = new CallbackDeadline(fn);
    this.schedule(deadline, ms);
    return { cancel: () => this.cancel(deadline) };
  }

  /** Takes `deadline` off the wheel. Does nothing when it is not on it. */
  cancel(deadline: Deadline): void {
    if (deadline.tick < 0) return;
    if (deadline.prev) deadline.prev.next = deadline.next;
    if (deadline.next) deadline.next.prev = deadline.prev;
    deadline.prev = null;
    deadline.next = null;
    deadline.tick = -1;
    this.#size -= 1;
    if (this.#size === 0) {
      this.#timer?.cancel();
      this.#timer = null;
    }
  }

  #slotOf(tick: number): Slot {
    return this.#slots[tick % this.#slots.length] as Slot;
  }

  #arm(): void {
    if (this.#timer) return;
    const nextAt = this.#origin + (this.#current + 1) * this.#tickMs;
    this.#timer = this.#clock.after(nextAt - this.#clock.now(), () => this.#turn());
  }

  #turn(): void {
    this.#timer = null;
    const now = Math.floor((this.#clock.now() - this.#origin) / this.#tickMs);
    // After a long pause (a blocked loop, a suspended machine) one turn of the wheel visits every slot once.
    const first = Math.max(this.#current + 1, now - this.#slots.length + 1);
    const due: Deadline[] = [];
    for (let tick = first; tick <= now; tick++) {
      const head = this.#slotOf(tick);
      for (let entry = head.next; entry && entry !== head; entry = entry.next) if (entry.tick <= now) due.push(entry);
    }
    this.#current = Math.max(this.#current, now);
    for (const deadline of due) {
      if (deadline.tick < 0 || deadline.tick > now) continue; // cancelled or moved by one that fired before it
      this.cancel(deadline);
      deadline.fire();
    }
    if (this.#size > 0) this.#arm();
  }
}
