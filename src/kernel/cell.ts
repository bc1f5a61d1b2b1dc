/**
 * A cell is one incarnation of an actor: its two lanes, its behavior, its exit.
 *
 * nact gives it a reference and a place in the event loop: the nact message is only a wake token, and one turn handles
 * up to `TURN_BUDGET` messages, urgent first. Everything else that OTP promises is here:
 * - messages of one cell are handled one at a time, in order within a lane; urgent overtakes normal, but a turn with
 *   both always handles some normal ones, so that alarms cannot starve work;
 * - a handler that throws ends the cell with that error; no message is handled afterwards;
 * - the exit is announced exactly once, after the running handler and `terminate` have settled, or when the cell is
 *   abandoned because that takes too long; `terminate` then still runs once, when the handler settles after all.
 *
 * Lifecycle: starting → running → exiting → exited. Only forward.
 */
import { dispatch, spawn, stop as nactStop } from 'nact';
import { type CellHost } from './cell-host.js';
import {
  type ActorContext,
  type ActorInit,
  type Behavior,
  type MailboxSpec,
  type MonitorHandle,
} from './child-spec.js';
import { type Clock, type TimerHandle } from './clock.js';
import { Belongings } from './belongings.js';
import { type Lane, Mailbox, NOTHING_WAITS, type Waiting } from './mailbox.js';
import { describeExit, type ExitReason, KILLED, type Ref, type SendResult, toError } from './ref.js';

/** Messages handled in one turn before other actors and I/O get theirs. */
export const TURN_BUDGET = 64;
/** Urgent messages handled in a turn while normal ones wait. */
export const URGENT_QUOTA = 48;

/** nact's own reference type is an empty interface: anything would be one. */
type NactActor = Parameters<typeof nactStop>[0];

const WAKE = Symbol('wake');
const NOTHING_TO_CANCEL: TimerHandle = { cancel: () => undefined };

export type AnyCell = Cell<never>;
export type CellState = 'starting' | 'running' | 'exiting' | 'exited';
type ExitWatcher = (reason: ExitReason) => void;

export class Cell<M> implements Ref<M>, ActorContext<M> {
  readonly path: string;
  readonly incarnation: number;
  readonly startedAt: number;
  readonly keepsMailbox: boolean;
  readonly #host: CellHost;
  readonly #exiting: (() => void) | null;
  readonly #mailbox: Mailbox<M>;
  #state: CellState = 'starting';
  #behavior: Behavior<M> | null = null;
  #nact: NactActor | null = null;
  #woken = false;
  /** A handler runs: in a turn, in `accept`, or a promise of one is pending. */
  #busy = false;
  #terminated = false;
  #handled = 0;
  #reason: ExitReason | null = null;
  #belongings: Belongings | null = null;
  #watchers: Set<ExitWatcher> | null = null;

  /** `exiting` is called once, when the cell begins to exit. `inherited` may exceed the bounds: it was accepted once. */
  constructor(
    host: CellHost,
    path: string,
    incarnation: number,
    mailbox: MailboxSpec = {},
    inherited: Waiting<M> = NOTHING_WAITS,
    exiting: (() => void) | null = null,
  ) {
    this.#host = host;
    this.#exiting = exiting;
    this.path = path;
    this.incarnation = incarnation;
    this.startedAt = host.clock.now();
    this.keepsMailbox = mailbox.keep ?? false;
    this.#mailbox = new Mailbox(mailbox.urgent, mailbox.normal, inherited);
  }

  get self(): Ref<M> {
    return this;
  }

  get clock(): Clock {
    return this.#host.clock;
  }

  get signal(): AbortSignal {
    return this.#owned().signal;
  }

  get state(): CellState {
    return this.#state;
  }

  get alive(): boolean {
    return this.#state === 'starting' || this.#state === 'running';
  }

  get depth(): { urgent: number; normal: number } {
    return this.#mailbox.depth;
  }

  get backlog(): number {
    return this.#mailbox.normal.length;
  }

  /** Messages handled so far. */
  get handled(): number {
    return this.#handled;
  }

  tell(message: M): SendResult {
    return this.#enqueue(this.#mailbox.normal, message);
  }

  urgent(message: M): SendResult {
    return this.#enqueue(this.#mailbox.urgent, message);
  }

  answer(message: M): SendResult {
    if (!this.alive) return this.#refused();
    this.#mailbox.normal.force(message);
    if (!this.#woken && this.#state === 'running') this.#wake();
    return 'ok';
  }

  accept(message: M): SendResult {
    if (this.#state !== 'running' || this.#busy || !this.#mailbox.empty) {
      return this.#enqueue(this.#mailbox.normal, message);
    }
    this.#busy = true;
    const pending = this.#handle(message);
    if (pending) void this.#settle(pending);
    else this.#busy = false;
    return 'ok';
  }

  /**
   * Runs `init`. Synchronous inits start the cell before this returns; then the result is `undefined`, otherwise a
   * promise. Throws (or rejects) what `init` threw: the cell has then never run. Rejects too when the cell is abandoned
   * before its init has settled.
   */
  start(init: ActorInit<M>): undefined | Promise<void> {
    let started: Behavior<M> | Promise<Behavior<M>>;
    try {
      started = init(this);
    } catch (cause) {
      throw this.#discard(toError(cause));
    }
    if (!(started instanceof Promise)) {
      this.#run(started);
      return undefined;
    }
    const pending = started;
    return new Promise((resolve, reject) => {
      const abandoned = this.onExit((reason) => reject(new Error(`abandoned in init: ${describeExit(reason)}`)));
      pending.then(
        (behavior) => {
          abandoned.cancel();
          this.#run(behavior);
          resolve();
        },
        (cause: unknown) => {
          abandoned.cancel();
          reject(this.#discard(toError(cause)));
        },
      );
    });
  }

  /** Begins to stop. The first reason wins. Resolves through `onExit`. */
  exit(reason: ExitReason): void {
    if (this.#state === 'exiting' || this.#state === 'exited') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'exiting';
    this.#reason = reason;
    this.#belongings?.stop();
    this.#exiting?.();
    // A cell that still starts exits when its init has settled; a running one in a turn of its own.
    if (wasRunning) this.#wake();
  }

  /** Ends the cell at once, whatever its init, handler or `terminate` is doing: when patience with it is over. */
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
  takeMailbox(): Waiting<M> {
    return this.#mailbox.take();
  }

  /** Gives up the messages that wait: counts them, and lets the behavior tell their senders. */
  dropMailbox(): void {
    if (this.#mailbox.empty) return;
    const { urgent, normal } = this.takeMailbox();
    this.#host.dropped(this.path, 'dead_letter', urgent.length + normal.length);
    for (const message of [...urgent, ...normal]) {
      try {
        this.#behavior?.unhandled?.(message);
      } catch (cause) {
        this.#host.lateError(this.path, toError(cause));
      }
    }
  }

  after(ms: number, message: M): TimerHandle {
    if (!this.alive) return NOTHING_TO_CANCEL;
    return this.#owned().timer(this.#host.clock, ms, () => this.deliver(message));
  }

  monitor<T>(target: Ref<T>, down: (reason: ExitReason) => M): MonitorHandle {
    if (!(target instanceof Cell)) throw new Error(`not a reference of this kernel: ${target.path}`);
    if (target.state === 'exited') return target.onExit((reason) => this.deliver(down(reason)));
    return this.#owned().monitor((done) =>
      target.onExit((reason) => {
        done();
        this.deliver(down(reason));
      }),
    );
  }

  /** @internal The kernel's own messages: urgent, past the bound, their number being bounded by what was asked for. */
  deliver(message: M): void {
    if (!this.alive) return;
    this.#mailbox.urgent.force(message);
    if (!this.#woken && this.#state === 'running') this.#wake();
  }

  #enqueue(lane: Lane<M>, message: M): SendResult {
    if (!this.alive) return this.#refused();
    if (!lane.push(message)) {
      this.#host.dropped(this.path, 'mailbox_full', 1);
      return 'full';
    }
    if (!this.#woken && this.#state === 'running') this.#wake();
    return 'ok';
  }

  #refused(): SendResult {
    this.#host.dropped(this.path, 'dead_letter', 1);
    return 'noproc';
  }

  #run(behavior: Behavior<M>): void {
    this.#behavior = behavior;
    if (this.#state === 'exited') {
      void this.#terminate(this.#reason ?? KILLED); // abandoned in its init: it only releases what that took
      return;
    }
    this.#nact = this.#spawn();
    if (this.#state === 'starting') this.#state = 'running';
    if (this.#state === 'exiting' || !this.#mailbox.empty) this.#wake();
  }

  #spawn(): NactActor {
    // All cells are children of the nact system itself, under names never used twice: dispatch is one map look-up, a
    // reference never reaches another incarnation, and no actor has children (docs/adr/0002).
    return spawn(this.#host.nact, () => this.#turn(), this.#host.nactName(), {
      // Only a defect of the kernel or of a report listener ends here; the exit is announced all the same.
      onCrash: (_message, cause, context) => {
        const error = toError(cause);
        this.#reason ??= { type: 'fault', error };
        this.#finish();
        this.#host.lateError(this.path, error);
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
    if (this.#busy) return undefined; // an accepted message is still being handled: its end goes on from here
    this.#busy = true;
    let urgentLeft = URGENT_QUOTA;
    for (let budget = TURN_BUDGET; budget > 0 && this.#state === 'running'; budget--) {
      const message = this.#mailbox.next(urgentLeft > 0);
      if (message === undefined) break;
      if (message.urgent) urgentLeft -= 1;
      const pending = this.#handle(message.value);
      if (pending) return this.#settle(pending);
    }
    this.#busy = false;
    return this.#endOfTurn();
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
    this.#busy = false;
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
    if (this.#state === 'exiting') {
      this.#busy = true; // nothing is handled while it terminates
      return this.#terminate(this.#reason ?? KILLED).then(() => this.#finish());
    }
    // Abandoned under a handler that has settled after all: it releases what it owns.
    if (this.#state === 'exited') return this.#terminate(this.#reason ?? KILLED);
    if (!this.#woken && !this.#mailbox.empty) this.#wake();
    return undefined;
  }

  async #terminate(reason: ExitReason): Promise<void> {
    if (this.#terminated) return;
    this.#terminated = true;
    try {
      await this.#behavior?.terminate?.(reason);
    } catch (cause) {
      this.#host.lateError(this.path, toError(cause));
    }
  }

  #finish(): void {
    if (this.#state === 'exited') return;
    this.#state = 'exited';
    if (this.#nact !== null) nactStop(this.#nact);
    this.#nact = null;
    this.#belongings?.release();
    if (!this.keepsMailbox) this.dropMailbox();
    this.#announce(this.#reason ?? KILLED);
  }

  /** An init that failed. Returns its error. */
  #discard(error: Error): Error {
    if (this.#state === 'exited') {
      this.#host.lateError(this.path, error);
    } else {
      this.#reason ??= { type: 'start_failed', error };
      this.#finish();
    }
    return error;
  }

  #announce(reason: ExitReason): void {
    // One watcher that throws must not keep the news from the others, the supervisor among them.
    for (const watcher of this.#watchers ?? []) {
      try {
        watcher(reason);
      } catch (cause) {
        this.#host.lateError(this.path, toError(cause));
      }
    }
    this.#watchers = null;
  }

  #owned(): Belongings {
    if (this.#belongings === null) {
      this.#belongings = new Belongings();
      if (!this.alive) this.#belongings.stop();
    }
    return this.#belongings;
  }
}
