/**
 * The actor system: one nact system, one tree, the registry of names, and the places where drops and reports end.
 */
import { type ActorSystemRef, start as startNact } from 'nact';
import { type Cell } from './cell.js';
import { type ChildSpec, type Intensity } from './child-spec.js';
import { type Clock, SystemClock } from './clock.js';
import { DynamicSupervisor, PartitionedSupervisor, type StartResult } from './dynamic-supervisor.js';
import {
  absurd,
  type ActorName,
  type ExitReason,
  isAbnormal,
  type Ref,
  type SendResult,
  SHUTDOWN,
  toError,
} from './ref.js';
import { type Report, type ReportListener } from './reports.js';
import {
  ChildSlot,
  type StartAgain,
  type SupervisionSpec,
  type Supervising,
  type SupervisorMessage,
  type TreeHost,
} from './slot.js';
import { type NodeSnapshot, snapshotOf } from './snapshot.js';
import { StaticSupervisor } from './supervisor.js';
import { TimerWheel } from './timer-wheel.js';

export interface ActorSystemOptions {
  readonly clock?: Clock;
  readonly onReport?: ReportListener;
}

export type DropReason = 'dead_letter' | 'mailbox_full';

const DYNAMIC_CHILDREN_SHOWN = 50;

export class ActorSystem implements TreeHost {
  readonly nact: ActorSystemRef = startNact();
  readonly clock: Clock;
  /** For deadlines of the data path and of asks. */
  readonly wheel: TimerWheel;
  readonly #listeners = new Set<ReportListener>();
  readonly #slots = new Map<string, ChildSlot>();
  readonly #drops = new Map<DropReason, number>();
  #nactNames = 0;
  #root: ChildSlot | null = null;
  #rootExited: ((reason: ExitReason) => void) | null = null;
  /** Resolves with the reason when the root has exited or its boot has failed: nothing of the tree is left. */
  readonly terminated: Promise<ExitReason>;

  constructor(options: ActorSystemOptions = {}) {
    this.clock = options.clock ?? new SystemClock();
    this.wheel = new TimerWheel(this.clock);
    if (options.onReport) this.#listeners.add(options.onReport);
    this.terminated = new Promise((resolve) => {
      this.#rootExited = resolve;
    });
  }

  /** Boots the tree. Rejects with the first child's error after everything that had started was stopped. */
  async boot(root: ChildSpec): Promise<void> {
    if (this.#root) throw new Error('the system has a root already');
    const slot = new ChildSlot(this, root, null);
    this.#root = slot;
    this.register(slot);
    try {
      await slot.start((_cell, reason) => {
        if (slot.state !== 'stopping' && !isAbnormal(reason)) slot.state = 'stopped'; // nobody decides for the root
        slot.retire();
        this.#rootExited?.(reason);
      });
    } catch (cause) {
      this.#rootExited?.({ type: 'start_failed', error: toError(cause) });
      throw cause;
    }
  }

  /** Stops the tree in reverse start order. Resolves when the root has exited. */
  async shutdown(): Promise<void> {
    await this.#root?.stop(SHUTDOWN);
  }

  onReport(listener: ReportListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whoever lives now under that name. */
  whereis<M>(name: ActorName<M>): Ref<M> | undefined {
    const cell = this.#slots.get(name.path)?.cell;
    return cell?.alive ? cell : undefined;
  }

  /** Sends to whoever lives now under that name. */
  tell<M>(name: ActorName<M>, message: M): SendResult {
    const ref = this.whereis(name);
    if (ref) return ref.tell(message);
    this.dropped(name.path, 'dead_letter', 1);
    return 'noproc';
  }

  /** As `tell`, on the urgent lane. */
  urgent<M>(name: ActorName<M>, message: M): SendResult {
    const ref = this.whereis(name);
    if (ref) return ref.urgent(message);
    this.dropped(name.path, 'dead_letter', 1);
    return 'noproc';
  }

  /** Starts a child of the dynamic or partitioned supervisor at `path`, synchronously. */
  startChild<M>(path: string, spec: ChildSpec): StartResult<M> {
    const supervising = this.#slots.get(path)?.supervising;
    if (supervising instanceof DynamicSupervisor || supervising instanceof PartitionedSupervisor) {
      return supervising.startChild<M>(spec);
    }
    return { ok: false, why: 'not_running' };
  }

  /** Stops a child of the dynamic or partitioned supervisor at `path` for good. */
  async stopChild(path: string, id: string): Promise<boolean> {
    const supervising = this.#slots.get(path)?.supervising;
    if (supervising instanceof DynamicSupervisor || supervising instanceof PartitionedSupervisor) {
      return supervising.stopChild(id);
    }
    return false;
  }

  /** The live children of the supervisor at `path`, in start order. */
  childrenOf<M>(path: string): Ref<M>[] {
    const refs: Ref<M>[] = [];
    for (const { cell } of this.#slots.get(path)?.supervising?.children() ?? []) {
      if (cell?.alive) refs.push(cell);
    }
    return refs;
  }

  /** How near the supervisor at `path` is to its intensity; `undefined` when none runs there. */
  restartPressure(path: string): { readonly restarts: number; readonly intensity: Intensity } | undefined {
    const slot = this.#slots.get(path);
    if (!slot?.supervising || slot.spec.type === 'actor') return undefined;
    return { restarts: slot.supervising.restartsWithin(this.clock.now()), intensity: slot.spec.intensity };
  }

  /**
   * Stops the child of a static supervisor for good: it stays in the tree as `stopped` and comes back only when its
   * supervisor is started anew, or by `startAgain`. `false` if none lives there, or it is the root. Source: supervisor:terminate_child/2.
   */
  async stopForGood(path: string): Promise<boolean> {
    const slot = this.#slots.get(path);
    if (!slot?.cell?.alive || slot === this.#root) return false;
    await slot.stop();
    return true;
  }

  /** Starts what was stopped for good, with everything below it. Never rejects. */
  startAgain(path: string): Promise<StartAgain> {
    const slot = this.#slots.get(path);
    const parent = this.#slots.get(path.slice(0, Math.max(1, path.lastIndexOf('/'))))?.supervising;
    if (slot && slot !== this.#root && parent instanceof StaticSupervisor) return parent.startAgain(slot);
    return Promise.resolve({ ok: false, why: slot?.cell?.alive === true ? 'running' : 'no_place' });
  }

  /** Kills the actor or supervisor at `path`; its supervisor restarts it as its spec says. `false` if none lives there. */
  kill(path: string): boolean {
    const slot = this.#slots.get(path);
    if (!slot || slot === this.#root) return false; // the root has nobody to restart it
    return slot.kill();
  }

  /** Paths of everything that has a place in the tree; the root's is `/`. */
  paths(): Iterable<string> {
    return this.#slots.keys();
  }

  /** Throws before `boot`. */
  snapshot(maxDynamic = DYNAMIC_CHILDREN_SHOWN): NodeSnapshot {
    if (!this.#root) throw new Error('nothing was booted');
    return snapshotOf(this.#root, maxDynamic);
  }

  /** Messages that nobody handled, by reason, since the start. */
  drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  report(report: Report): void {
    for (const listener of this.#listeners) listener(report);
  }

  register(slot: ChildSlot): void {
    this.#slots.set(slot.path, slot);
  }

  unregister(slot: ChildSlot): void {
    if (this.#slots.get(slot.path) === slot) this.#slots.delete(slot.path);
  }

  supervise(spec: SupervisionSpec, slot: ChildSlot, self: Cell<SupervisorMessage>): Supervising {
    switch (spec.type) {
      case 'supervisor':
        return new StaticSupervisor(this, spec, slot, self);
      case 'dynamic':
        return new DynamicSupervisor(this, spec, slot, self);
      case 'partitioned':
        return new PartitionedSupervisor(this, spec, slot, self);
      default:
        return absurd(spec);
    }
  }

  nactName(): string {
    return `c${(this.#nactNames++).toString(36)}`;
  }

  dropped(_path: string, reason: DropReason, count: number): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + count);
  }

  lateError(path: string, error: Error): void {
    this.report({ type: 'actor/late-error', path, error });
  }
}
