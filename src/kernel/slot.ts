/**
 * A child's place in the tree. Incarnations come and go; the slot keeps their history.
 */
import { type AnyCell, Cell } from './cell.js';
import { type CellHost } from './cell-host.js';
import { type Behavior, type ChildSpec, DEFAULT_SHUTDOWN_MS, type Restart } from './child-spec.js';
import { type TimerHandle } from './clock.js';
import { describeExit, type ExitReason, isAbnormal, KILLED, NORMAL, SHUTDOWN, toError } from './ref.js';
import { type Report } from './reports.js';

export type SlotState = 'starting' | 'running' | 'stopping' | 'stopped' | 'restarting' | 'failed';

/** The kernel's messages to a supervisor. Delivered past the bounds: one for each child, at most. */
export type SupervisorMessage =
  | { readonly type: 'child/exited'; readonly slot: ChildSlot; readonly cell: AnyCell; readonly reason: ExitReason }
  | { readonly type: 'restart/due'; readonly slot: ChildSlot }
  | { readonly type: 'child/start-again'; readonly slot: ChildSlot; readonly settle: (how: StartAgain) => void };

/** How a child that was stopped for good came back: `started`, or why it did not. */
export type StartAgain =
  | { readonly ok: true }
  /** There is no such place, or its supervisor does not run or starts its children itself. */
  | { readonly ok: false; readonly why: 'no_place' }
  | { readonly ok: false; readonly why: 'running' }
  | { readonly ok: false; readonly why: 'start_failed'; readonly error: Error };

/** A supervisor that runs, as its slot and the snapshot see it. */
export interface Supervising extends Behavior<SupervisorMessage> {
  /** In start order. */
  children(): Iterable<ChildSlot>;
  readonly childCount: number;
  /** Restarts of children within the window of its intensity. */
  restartsWithin(now: number): number;
  /** Starts the children that the spec names. Throws or rejects after undoing a partial start. */
  begin(): Behavior<SupervisorMessage> | Promise<Behavior<SupervisorMessage>>;
}

export type SupervisionSpec = Exclude<ChildSpec, { type: 'actor' }>;

/** What slots and supervisors need of the actor system. */
export interface TreeHost extends CellHost {
  report(report: Report): void;
  register(slot: ChildSlot): void;
  unregister(slot: ChildSlot): void;
  supervise(spec: SupervisionSpec, slot: ChildSlot, self: Cell<SupervisorMessage>): Supervising;
}

/** Supervisors stop their children one after the other, so they get more time than an actor. */
const SUPERVISOR_SHUTDOWN_MS = 60_000;

export class ChildSlot {
  readonly spec: ChildSpec;
  readonly path: string;
  readonly restart: Restart;
  cell: AnyCell | null = null;
  /** Set while this slot holds a supervisor that runs. */
  supervising: Supervising | null = null;
  /** A static supervisor's children by id, kept over its incarnations: their history goes on. */
  children: ReadonlyMap<string, ChildSlot> | null = null;
  state: SlotState = 'starting';
  incarnation = 0;
  restarts = 0;
  lastExit: ExitReason = NORMAL;
  lastFault: { readonly at: number; readonly message: string } | null = null;
  backoff: TimerHandle | null = null;
  readonly #system: TreeHost;

  /** `parentPath` is `null` for the root. `before` held this place under an earlier incarnation of the supervisor. */
  constructor(system: TreeHost, spec: ChildSpec, parentPath: string | null, before?: ChildSlot) {
    if (spec.id === '' || spec.id.includes('/')) throw new Error(`not a child id: "${spec.id}"`);
    this.#system = system;
    this.spec = spec;
    this.path = parentPath === null ? '/' : `${parentPath === '/' ? '' : parentPath}/${spec.id}`;
    this.restart = spec.restart ?? 'permanent';
    if (before) {
      this.incarnation = before.incarnation;
      this.restarts = before.restarts;
      this.lastFault = before.lastFault;
      this.children = before.children;
    }
  }

  /**
   * Starts a new incarnation and calls `exited` once when it ends. Throws or rejects with what its init threw; a
   * synchronous init has run when this returns `undefined`.
   */
  start(exited: (cell: AnyCell, reason: ExitReason) => void): undefined | Promise<void> {
    const previous = this.cell;
    const inherited = previous?.keepsMailbox ? previous.takeMailbox() : undefined;
    this.state = 'starting';
    this.incarnation += 1;
    const mailbox = this.spec.type === 'actor' ? this.spec.mailbox : undefined;
    const cell = new Cell<never>(this.#system, this.path, this.incarnation, mailbox, inherited, () =>
      this.#limitExit(cell),
    );
    this.cell = cell;
    let pending: undefined | Promise<void>;
    try {
      pending = this.#init(cell);
    } catch (cause) {
      this.#startFailed(toError(cause));
      throw cause;
    }
    if (!pending) {
      this.#started(cell, exited);
      return undefined;
    }
    return pending.then(
      () => this.#started(cell, exited),
      (cause: unknown) => {
        this.#startFailed(toError(cause));
        throw cause;
      },
    );
  }

  /** Stops the incarnation that starts or runs. Resolves when it has exited or was abandoned. Never rejects. */
  stop(reason: ExitReason = SHUTDOWN): Promise<void> {
    this.backoff?.cancel();
    this.backoff = null;
    const cell = this.cell;
    if (!cell || cell.state === 'exited') {
      this.state = 'stopped';
      return Promise.resolve();
    }
    this.state = 'stopping';
    return new Promise((resolve) => {
      cell.onExit(() => {
        if (this.cell === cell) this.state = 'stopped';
        resolve();
      });
      cell.exit(reason);
    });
  }

  /** The last incarnation gets no successor: what it kept for one is dropped. */
  retire(): void {
    if (this.cell?.state === 'exited') this.cell.dropMailbox();
  }

  /** Keeps what the exit says for the snapshot. */
  exited(reason: ExitReason): void {
    this.supervising = null;
    if (this.state === 'running') this.state = 'failed'; // until its supervisor has decided
    this.lastExit = reason;
    if (isAbnormal(reason)) this.lastFault = { at: this.#system.clock.now(), message: describeExit(reason) };
  }

  #init(cell: Cell<never>): undefined | Promise<void> {
    const spec = this.spec;
    if (spec.type === 'actor') return cell.start(spec.init);
    const self = cell as unknown as Cell<SupervisorMessage>;
    return self.start(() => {
      this.supervising = this.#system.supervise(spec, this, self);
      return this.supervising.begin();
    });
  }

  /**
   * Whoever does not exit in time is left behind, whether it was told to or exits by itself: a handler or `terminate`
   * that hangs must not keep its supervisor from restarting it.
   */
  #limitExit(cell: AnyCell): void {
    const afterMs = this.spec.shutdownMs ?? (this.spec.type === 'actor' ? DEFAULT_SHUTDOWN_MS : SUPERVISOR_SHUTDOWN_MS);
    const { path } = this;
    const timer = this.#system.clock.after(afterMs, () => {
      this.#system.report({ type: 'child/abandoned', path, incarnation: cell.incarnation, afterMs });
      cell.abandon();
    });
    cell.onExit(() => timer.cancel());
  }

  #started(cell: AnyCell, exited: (cell: AnyCell, reason: ExitReason) => void): void {
    if (this.state === 'starting') this.state = 'running';
    this.#system.report({ type: 'child/started', path: this.path, incarnation: cell.incarnation });
    cell.onExit((reason) => {
      this.exited(reason);
      this.#system.report({ type: 'child/terminated', path: this.path, incarnation: cell.incarnation, reason });
      exited(cell, reason);
    });
  }

  #startFailed(error: Error): void {
    this.supervising = null;
    if (this.state === 'starting') this.state = 'failed';
    this.lastFault = { at: this.#system.clock.now(), message: `start failed: ${error.message}` };
    this.#system.report({ type: 'child/start-failed', path: this.path, error });
  }

  /** Ends the incarnation as an operator's `kill`: its supervisor restarts it as its spec says. */
  kill(): boolean {
    if (!this.cell?.alive) return false;
    this.cell.exit(KILLED);
    return true;
  }
}

/**
 * Stops `slot` when its supervisor begins to stop while it still starts: an init that hangs must not hold up the
 * supervisor's own stop, and one that heeds its `signal` ends at once.
 */
export function stopWith(self: Cell<SupervisorMessage>, slot: ChildSlot, pending: Promise<void>): Promise<void> {
  const stop = (): void => void slot.stop();
  if (!self.alive) stop();
  self.signal.addEventListener('abort', stop, { once: true });
  return pending.finally(() => self.signal.removeEventListener('abort', stop));
}
