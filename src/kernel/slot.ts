/**
 * A child's place in the tree. Incarnations come and go; the slot keeps their history.
 */
import { type AnyCell, Cell, type CellHost } from './cell.js';
import { type Behavior, type ChildSpec, DEFAULT_SHUTDOWN_MS, type Restart } from './child-spec.js';
import { type TimerHandle } from './clock.js';
import { describeExit, type ExitReason, isAbnormal, KILLED, NORMAL, SHUTDOWN, toError } from './ref.js';
import { type Report } from './reports.js';

export type SlotState = 'starting' | 'running' | 'stopping' | 'stopped' | 'restarting' | 'failed';

/** The kernel's messages to a supervisor. Delivered past the bounds: one for each child, at most. */
export type SupervisorMessage =
  | { readonly type: 'child/exited'; readonly slot: ChildSlot; readonly cell: AnyCell; readonly reason: ExitReason }
  | { readonly type: 'restart/due'; readonly slot: ChildSlot };

/** A supervisor that runs, as its slot and the snapshot see it. */
export interface Supervising extends Behavior<SupervisorMessage> {
  /** In start order. */
  children(): Iterable<ChildSlot>;
  readonly childCount: number;
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
  state: SlotState = 'starting';
  incarnation = 0;
  restarts = 0;
  lastExit: ExitReason = NORMAL;
  lastFault: { readonly at: number; readonly message: string } | null = null;
  backoff: TimerHandle | null = null;
  readonly #system: TreeHost;

  /** `parentPath` is `null` for the root, whose own path is empty. */
  constructor(system: TreeHost, spec: ChildSpec, parentPath: string | null) {
    if (spec.id === '' || spec.id.includes('/')) throw new Error(`not a child id: "${spec.id}"`);
    this.#system = system;
    this.spec = spec;
    this.path = parentPath === null ? '' : `${parentPath}/${spec.id}`;
    this.restart = spec.restart ?? 'permanent';
  }

  /**
   * Starts a new incarnation and calls `exited` once when it ends. Throws or rejects with what its init threw; a
   * synchronous init has run when this returns `undefined`.
   */
  start(exited: (cell: AnyCell, reason: ExitReason) => void): undefined | Promise<void> {
    const previous = this.cell;
    const inherited = previous?.keepsMailbox ? previous.takeMailbox() : [];
    this.state = 'starting';
    this.incarnation += 1;
    const mailbox = this.spec.type === 'actor' ? this.spec.mailbox : undefined;
    const cell = new Cell<never>(this.#system, this.path, this.incarnation, mailbox, inherited);
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

  /** Stops the incarnation that runs; after `shutdownMs` it is abandoned. Resolves when it has exited. Never rejects. */
  stop(reason: ExitReason = SHUTDOWN): Promise<void> {
    this.backoff?.cancel();
    this.backoff = null;
    const cell = this.cell;
    if (!cell || cell.state === 'exited') {
      this.state = 'stopped';
      return Promise.resolve();
    }
    this.state = 'stopping';
    const patience =
      this.spec.shutdownMs ?? (this.spec.type === 'actor' ? DEFAULT_SHUTDOWN_MS : SUPERVISOR_SHUTDOWN_MS);
    return new Promise((resolve) => {
      const timer = this.#system.clock.after(patience, () => {
        this.#system.report({
          type: 'child/abandoned',
          path: this.path,
          incarnation: cell.incarnation,
          afterMs: patience,
        });
        cell.abandon();
      });
      cell.onExit(() => {
        timer.cancel();
        this.state = 'stopped';
        resolve();
      });
      cell.exit(reason);
    });
  }

  /** Keeps what the exit says for the snapshot. */
  exited(reason: ExitReason): void {
    this.supervising = null;
    this.lastExit = reason;
    if (isAbnormal(reason)) this.lastFault = { at: this.#system.clock.now(), message: describeExit(reason) };
  }

  #init(cell: Cell<never>): undefined | Promise<void> {
    const spec = this.spec;
    if (spec.type === 'actor') return cell.start(spec.init);
    const self = cell as unknown as Cell<SupervisorMessage>;
    const supervising = this.#system.supervise(spec, this, self);
    this.supervising = supervising;
    return self.start(() => supervising.begin());
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
    this.state = 'failed';
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
