/**
 * A cell is one incarnation of an actor: its two lanes, its behavior, its exit.
 *
 * nact gives it a reference and a place in the event loop: the nact message is only a wake token, and one turn handles
 * up to `TURN_BUDGET` messages, urgent first. Everything else that OTP promises is here:
 * - messages of one cell are handled one at a time, in order within a lane; urgent overtakes normal, but a turn with
 *   both always handles some normal ones, so that alarms cannot starve work;
 * - a handler that throws ends the cell with that error; no message is handled afterwards;
 * - the exit is announced exactly once, after the running handler, `terminate` and nact's `afterStop` have settled, or
 *   when the supervisor abandons the cell.
 *
 * Lifecycle: starting → running → exiting → exited. Only forward.
 */
import { type ActorSystemRef, dispatch, spawn, stop as nactStop } from 'nact';
import {
  type ActorContext,
  type ActorInit,
  type Behavior,
  type MailboxSpec,
  type MonitorHandle,
} from './child-spec.js';
import { type Clock, type TimerHandle } from './clock.js';
import { Lane } from './mailbox.js';
import { type ExitReason, KILLED, type Ref, type SendResult, toError } from './ref.js';

/** Messages handled in one turn before other actors and I/O get theirs. */
export const TURN_BUDGET = 64;
/** Urgent messages handled in a turn while normal ones wait. */
export const URGENT_QUOTA = 48;

export const DEFAULT_URGENT_BOUND = 1_024;
export const DEFAULT_NORMAL_BOUND = 4_096;

/** nact's own reference type is an empty interface: anything would be one. */
type NactActor = Parameters<typeof nactStop>[0];

const WAKE = Symbol('wake');
const NOTHING_TO_CANCEL: TimerHandle = { cancel: () => undefined };

/** What a cell needs of its system. */
export interface CellHost {
  readonly nact: ActorSystemRef;
  readonly clock: Clock;
  /** A message that will never be handled: sent to an exited cell, refused by a full lane, or left when it exited. */
  dropped(path: string, reason: 'dead_letter' | 'mailbox_full', count: number): void;
  /** An error after the actor's fate was sealed. */
  lateError(path: string, error: Error): void;
}

export type AnyCell = Cell<never>;
export type CellState = 'starting' | 'running' | 'exiting' | 'exited';
type ExitWatcher = (reason: ExitReason) => void;

let nextNactName = 0;

export class Cell<M> implements Ref<M>, ActorContext<M> {
  readonly path: string;
  readonly incarnation: number;
  readonly startedAt: number;
  readonly keepsMailbox: boolean;
  readonly #host: CellHost;
  readonly #urgent: Lane<M>;
  readonly #normal: Lane<M>;
  #state: CellState = 'starting';
  #behavior: Behavior<M> | null = null;
  #nact: NactActor | null = null;
  #woken = false;
  #handled = 0;
  #reason: ExitReason | null = null;
  #abort: AbortController | null = null;
  #watchers: Set<ExitWatcher> | null = null;
  #timers: Set<TimerHandle> | null = null;
  #monitors: Set<MonitorHandle> | null = null;

  constructor(
    host: CellHost,
    path: string,
    incarnation: number,
    mailbox: MailboxSpec = {},
    inherited: readonly M[] = [],
  ) {
    this.#host = host;
    this.path = path;
    this.incarnation = incarnation;
    this.startedAt = host.clock.now();
    this.keepsMailbox = mailbox.keep ?? false;
    this.#urgent = new Lane(mailbox.urgent ?? DEFAULT_URGENT_BOUND);
    this.#normal = new Lane(mailbox.normal ?? DEFAULT_NORMAL_BOUND);
    for (const message of inherited) this.#normal.push(message);
  }

  get self(): Ref<M> {
    return this;
  }

  get clock(): Clock {
    return this.#host.clock;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (!this.alive) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get state(): CellState {
    return this.#state;
  }

  get alive(): boolean {
    return this.#state === 'starting' || this.#state === 'running';
  }

  get depth(): { urgent: number; normal: number } {
    return { urgent: this.#urgent.length, normal: this.#normal.length };
  }

  /** Messages handled so far. */
  get handled(): number {
    return this.#handled;
  }

  tell(message: M): SendResult {
    return this.#enqueue(this.#normal, message);
  }

  urgent(message: M): SendResult {
    return this.#enqueue(this.#urgent, message);
  }

  /**
   * Runs `init`. Synchronous inits start the cell before this returns; then the result is `undefined`, otherwise a
   * promise. Throws (or rejects) what `init` threw: the cell has then never run and announces no exit.
   */
  start(init: ActorInit<M>): undefined | Promise<void> {
    let started: Behavior<M> | Promise<Behavior<M>>;
    try {
      started = init(this);
    } catch (cause) {
      this.#discard(toError(cause));
      throw toError(cause);
    }
    if (!(started instanceof Promise)) {
      this.#run(started);
      return undefined;
    }
    return started.then(
      (behavior) => this.#run(behavior),
      (cause: unknown) => {
        this.#discard(toError(cause));
        throw toError(cause);
      },
    );
  }

  /** Begins to stop. The first reason wins. Resolves through `onExit`. */
  exit(reason: ExitReason): void {
    if (this.#state === 'exiting' || this.#state === 'exited') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'exiting';
    this.#reason = reason;
    this.#abort?.abort();
    for (const timer of this.#timers ?? []) timer.cancel();
    this.#timers = null;
    // A cell that still starts exits when its init has settled; a running one in a turn of its own.
    if (wasRunning) this.#wake();
  }

  /** Ends the cell at once, whatever its handler is doing. For a supervisor whose patience is over. */
  abandon(): void {
    if (this.#state === 'exited') return;
    this.#reason ??= KILLED;
    this.#finish();
  }

  /** Calls `watcher` once with the exit reason, at once when the cell has exited. */
  onExit(watcher: ExitWatcher): MonitorHandle {
    if (this.#state === 'exited') {
      watcher(this.#reason ?? KILLED);
      return NOTHING_TO_CANCEL;
    }
    this.#watchers ??= new Set();
    this.#watchers.add(watcher);
    return { cancel: () => void this.#watchers?.delete(watcher) };
  }

  /** Takes the messages that wait, for the next incarnation. Call after the exit. */
  takeMailbox(): M[] {
    return [...this.#urgent.drain(), ...this.#normal.drain()];
  }

  after(ms: number, message: M): TimerHandle {
    if (!this.alive) return NOTHING_TO_CANCEL;
    const timers = (this.#timers ??= new Set());
    const inner = this.#host.clock.after(ms, () => {
      timers.delete(handle);
      this.deliver(message);
    });
    const handle: TimerHandle = {
      cancel: () => {
        timers.delete(handle);
        inner.cancel();
      },
    };
    timers.add(handle);
    return handle;
  }

  monitor<T>(target: Ref<T>, down: (reason: ExitReason) => M): MonitorHandle {
    if (!(target instanceof Cell)) throw new Error(`not a reference of this kernel: ${target.path}`);
    const monitors = (this.#monitors ??= new Set());
    const inner = target.onExit((reason) => {
      monitors.delete(handle);
      this.deliver(down(reason));
    });
    const handle: MonitorHandle = {
      cancel: () => {
        monitors.delete(handle);
        inner.cancel();
      },
    };
    if (target.state !== 'exited') monitors.add(handle);
    return handle;
  }

  /** @internal The kernel's own messages: urgent, past the bound, their number being bounded by what was asked for. */
  deliver(message: M): void {
    if (!this.alive) return;
    this.#urgent.force(message);
    if (!this.#woken && this.#state === 'running') this.#wake();
  }

  #enqueue(lane: Lane<M>, message: M): SendResult {
    if (this.#state === 'exiting' || this.#state === 'exited') {
      this.#host.dropped(this.path, 'dead_letter', 1);
      return 'noproc';
    }
    if (!lane.push(message)) {
      this.#host.dropped(this.path, 'mailbox_full', 1);
      return 'full';
    }
    if (!this.#woken && this.#state === 'running') this.#wake();
    return 'ok';
  }

  #run(behavior: Behavior<M>): void {
    this.#behavior = behavior;
    if (this.#reason !== null || this.#state !== 'starting') {
      // Stopped or abandoned while its init was under way: it runs only to release what init took.
      this.#nact = this.#spawn();
      if (this.#state === 'exited') void this.#terminate(this.#reason ?? KILLED);
      else this.#wake();
      return;
    }
    this.#nact = this.#spawn();
    this.#state = 'running';
    if (this.#urgent.length > 0 || this.#normal.length > 0) this.#wake();
  }

  #spawn(): NactActor {
    // All cells are children of the nact system itself, under names never used twice: dispatch is one map look-up, a
    // reference never reaches another incarnation, and no actor has children (docs/adr/0002).
    return spawn(this.#host.nact, () => this.#turn(), `c${(nextNactName++).toString(36)}`, {
      onCrash: (_message, error, context) => {
        this.#host.lateError(this.path, toError(error));
        return context.stop;
      },
    });
  }

  #wake(): void {
    if (this.#nact === null) return;
    this.#woken = true;
    dispatch(this.#nact, WAKE);
  }

  #turn(): undefined | Promise<void> {
    this.#woken = false;
    let urgentLeft = URGENT_QUOTA;
    for (let budget = TURN_BUDGET; budget > 0 && this.#state === 'running'; budget--) {
      const message = this.#next(urgentLeft);
      if (message === undefined) return undefined;
      if (message.urgent) urgentLeft -= 1;
      const pending = this.#handle(message.value);
      if (pending) return this.#settle(pending);
    }
    return this.#endOfTurn();
  }

  /** The next message: urgent while its quota lasts or nothing normal waits. A reused box, so nothing is allocated. */
  #next(urgentLeft: number): { value: M; urgent: boolean } | undefined {
    const urgent = this.#urgent.length > 0 && (urgentLeft > 0 || this.#normal.length === 0);
    if (!urgent && this.#normal.length === 0) return undefined;
    BOX.value = urgent ? this.#urgent.shift() : this.#normal.shift();
    BOX.urgent = urgent;
    return BOX as { value: M; urgent: boolean };
  }

  #handle(message: M): Promise<void> | undefined {
    this.#handled += 1;
    try {
      const result = this.#behavior?.handle(message);
      return result instanceof Promise ? result : undefined;
    } catch (cause) {
      this.#fault(cause);
      return undefined;
    }
  }

  async #settle(pending: Promise<void>): Promise<void> {
    try {
      await pending;
    } catch (cause) {
      this.#fault(cause);
    }
    await this.#endOfTurn();
  }

  #fault(cause: unknown): void {
    const error = toError(cause);
    if (this.#state === 'running') {
      this.exit({ type: 'fault', error });
    } else {
      this.#host.lateError(this.path, error);
    }
  }

  #endOfTurn(): undefined | Promise<void> {
    if (this.#state === 'exiting') return this.#terminate(this.#reason ?? KILLED).then(() => this.#finish());
    if (this.#state === 'running' && !this.#woken && (this.#urgent.length > 0 || this.#normal.length > 0)) this.#wake();
    return undefined;
  }

  async #terminate(reason: ExitReason): Promise<void> {
    const behavior = this.#behavior;
    this.#behavior = null;
    try {
      await behavior?.terminate?.(reason);
    } catch (cause) {
      this.#host.lateError(this.path, toError(cause));
    }
  }

  #finish(): void {
    if (this.#state === 'exited') return;
    this.#state = 'exited';
    if (this.#nact !== null) nactStop(this.#nact);
    this.#nact = null;
    this.#release();
    const reason = this.#reason ?? KILLED;
    if (!this.keepsMailbox) {
      const left = this.#urgent.length + this.#normal.length;
      if (left > 0) {
        this.takeMailbox();
        this.#host.dropped(this.path, 'dead_letter', left);
      }
    }
    this.#announce(reason);
  }

  /** An init that failed: the host hears no exit, because the cell never was a child. */
  #discard(error: Error): void {
    if (this.#state === 'exited') return;
    this.#state = 'exited';
    this.#reason ??= { type: 'start_failed', error };
    this.#release();
    this.#announce(this.#reason);
  }

  #announce(reason: ExitReason): void {
    const watchers = this.#watchers;
    this.#watchers = null;
    for (const watcher of watchers ?? []) watcher(reason);
  }

  #release(): void {
    this.#abort?.abort();
    for (const timer of this.#timers ?? []) timer.cancel();
    this.#timers = null;
    for (const monitor of this.#monitors ?? []) monitor.cancel();
    this.#monitors = null;
  }
}

const BOX: { value: unknown; urgent: boolean } = { value: undefined, urgent: false };
