/**
 * Supervisors of children that come and go: Elixir's DynamicSupervisor and PartitionSupervisor.
 *
 * Children start from outside the supervisor's mailbox, synchronously: whoever accepts a connection never waits for a
 * control-plane actor. Restarts and removals happen in the supervisor's own turns.
 */
import { type AnyCell, type Cell } from './cell.js';
import {
  type Behavior,
  type ChildSpec,
  dynamic,
  type DynamicSupervisorSpec,
  type PartitionedSupervisorSpec,
} from './child-spec.js';
import { absurd, type ExitReason, type Ref, toError } from './ref.js';
import { RestartWindow, shouldRestart } from './restart.js';
import { ChildSlot, stopWith, type Supervising, type SupervisorMessage, type TreeHost } from './slot.js';

const DEFAULT_MAX_CHILDREN = 1_000_000;
const DEFAULT_PARTITION_SIZE = 100;

/** `ready` settles when an asynchronous init has; a rejection may be ignored: it was reported and the child removed. */
export type StartResult<M> =
  | { readonly ok: true; readonly ref: Ref<M>; readonly ready: Promise<void> | undefined }
  | {
      readonly ok: false;
      readonly why: 'max_children' | 'already_started' | 'not_running' | 'init_failed';
      readonly error?: Error;
    };

export class DynamicSupervisor implements Supervising {
  readonly #system: TreeHost;
  readonly #spec: DynamicSupervisorSpec;
  readonly #path: string;
  readonly #self: Cell<SupervisorMessage>;
  readonly #window: RestartWindow;
  readonly #slots = new Map<string, ChildSlot>();

  constructor(system: TreeHost, spec: DynamicSupervisorSpec, slot: ChildSlot, self: Cell<SupervisorMessage>) {
    this.#system = system;
    this.#spec = spec;
    this.#path = slot.path;
    this.#self = self;
    this.#window = new RestartWindow(spec.intensity);
  }

  get childCount(): number {
    return this.#slots.size;
  }

  get full(): boolean {
    return this.#slots.size >= (this.#spec.maxChildren ?? DEFAULT_MAX_CHILDREN);
  }

  /** Whether a child could be started now. */
  get accepts(): boolean {
    return this.#self.alive && !this.full;
  }

  has(id: string): boolean {
    return this.#slots.has(id);
  }

  restartsWithin(now: number): number {
    return this.#window.count(now);
  }

  children(): Iterable<ChildSlot> {
    return this.#slots.values();
  }

  begin(): Behavior<SupervisorMessage> {
    return this;
  }

  startChild<M>(spec: ChildSpec): StartResult<M> {
    if (!this.#self.alive) return { ok: false, why: 'not_running' };
    if (this.full) return { ok: false, why: 'max_children' };
    if (this.#slots.has(spec.id)) return { ok: false, why: 'already_started' };
    const slot = new ChildSlot(this.#system, spec, this.#path);
    this.#slots.set(spec.id, slot);
    try {
      const pending = this.#start(slot);
      const ready = pending?.catch((cause: unknown) => {
        this.#forget(slot);
        throw cause;
      });
      ready?.catch(() => undefined);
      return { ok: true, ref: slot.cell as unknown as Ref<M>, ready };
    } catch (cause) {
      this.#forget(slot);
      return { ok: false, why: 'init_failed', error: toError(cause) };
    }
  }

  /** Stops a child for good, whatever its restart type. `false` when there is none of that id. */
  async stopChild(id: string): Promise<boolean> {
    const slot = this.#slots.get(id);
    if (!slot) return false;
    await slot.stop();
    this.#forget(slot);
    return true;
  }

  handle(message: SupervisorMessage): undefined | Promise<void> {
    switch (message.type) {
      case 'child/exited':
        return this.#childExited(message.slot, message.cell);
      case 'restart/due':
        message.slot.backoff = null;
        return message.slot.state === 'restarting' ? this.#restart(message.slot) : undefined;
      case 'child/start-again':
        message.settle({ ok: false, why: 'no_place' }); // what is stopped for good keeps no place here
        return undefined;
      default:
        return absurd(message);
    }
  }

  /** All at once: they do not know of each other (OTP stops simple_one_for_one children the same way). */
  async terminate(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.stop().then(() => this.#forget(slot))));
  }

  #start(slot: ChildSlot): undefined | Promise<void> {
    this.#system.register(slot);
    return slot.start((cell, reason) => this.#exitedNow(slot, cell, reason));
  }

  /** A child that is not restarted is forgotten at its exit, without a turn; restarts are the mailbox's business. */
  #exitedNow(slot: ChildSlot, cell: AnyCell, reason: ExitReason): void {
    if (slot.cell !== cell || slot.state === 'stopping' || slot.state === 'stopped') return;
    if (!shouldRestart(slot.restart, reason)) this.#forget(slot);
    else this.#self.deliver({ type: 'child/exited', slot, cell, reason });
  }

  #forget(slot: ChildSlot): void {
    if (this.#slots.get(slot.spec.id) === slot) this.#slots.delete(slot.spec.id);
    slot.retire();
    this.#system.unregister(slot);
  }

  #childExited(slot: ChildSlot, cell: AnyCell): undefined | Promise<void> {
    if (slot.cell !== cell || slot.state === 'stopping' || slot.state === 'stopped') return undefined;
    if (this.#tooOften()) return undefined;
    return this.#restart(slot);
  }

  #tooOften(): boolean {
    if (!this.#window.exceeds(this.#system.clock.now())) return false;
    const { max, withinMs } = this.#spec.intensity;
    this.#system.report({ type: 'supervisor/intensity-exceeded', path: this.#path, restarts: max + 1, withinMs });
    this.#self.exit({ type: 'intensity', restarts: max + 1, withinMs });
    return true;
  }

  async #restart(slot: ChildSlot): Promise<void> {
    slot.restarts += 1;
    const reason = slot.lastExit;
    try {
      const pending = this.#start(slot);
      if (pending) await stopWith(this.#self, slot, pending);
      this.#system.report({ type: 'child/restarted', path: slot.path, incarnation: slot.incarnation, reason });
    } catch {
      // Stopped for good meanwhile, by `stopChild` or with the supervisor: it must not come back.
      if (slot.state !== 'failed' || !this.#self.alive || this.#tooOften()) return;
      slot.state = 'restarting';
      slot.backoff = this.#self.after(0, { type: 'restart/due', slot });
    }
  }
}

/** Partitions are made as they are needed and kept; a child goes to the first one with room. */
export class PartitionedSupervisor implements Supervising {
  readonly #spec: PartitionedSupervisorSpec;
  readonly #partitions: DynamicSupervisor;
  #made = 0;

  constructor(system: TreeHost, spec: PartitionedSupervisorSpec, slot: ChildSlot, self: Cell<SupervisorMessage>) {
    this.#spec = spec;
    const { id, intensity } = spec;
    this.#partitions = new DynamicSupervisor(system, dynamic({ id, intensity }), slot, self);
  }

  restartsWithin(now: number): number {
    return this.#partitions.restartsWithin(now);
  }

  /** Partitions. */
  get childCount(): number {
    return this.#partitions.childCount;
  }

  children(): Iterable<ChildSlot> {
    return this.#partitions.children();
  }

  begin(): Behavior<SupervisorMessage> {
    return this;
  }

  startChild<M>(spec: ChildSpec): StartResult<M> {
    let total = 0;
    let roomy: DynamicSupervisor | null = null;
    for (const slot of this.#partitions.children()) {
      const partition = slot.supervising;
      if (!(partition instanceof DynamicSupervisor)) continue;
      if (partition.has(spec.id)) return { ok: false, why: 'already_started' };
      total += partition.childCount;
      if (!roomy && partition.accepts) roomy = partition;
    }
    if (total >= (this.#spec.maxChildren ?? DEFAULT_MAX_CHILDREN)) return { ok: false, why: 'max_children' };
    return (roomy ?? this.#makePartition())?.startChild<M>(spec) ?? { ok: false, why: 'not_running' };
  }

  /** Stops a child for good. `false` when no partition holds it. */
  async stopChild(id: string): Promise<boolean> {
    for (const { supervising } of this.#partitions.children()) {
      if (supervising instanceof DynamicSupervisor && supervising.has(id)) return supervising.stopChild(id);
    }
    return false;
  }

  handle(message: SupervisorMessage): undefined | Promise<void> {
    return this.#partitions.handle(message);
  }

  terminate(): Promise<void> {
    return this.#partitions.terminate();
  }

  #makePartition(): DynamicSupervisor | null {
    const id = `p${this.#made++}`;
    const maxChildren = this.#spec.partitionSize ?? DEFAULT_PARTITION_SIZE;
    const started = this.#partitions.startChild(dynamic({ id, maxChildren, intensity: this.#spec.partitionIntensity }));
    if (!started.ok) return null;
    for (const slot of this.#partitions.children()) {
      if (slot.spec.id === id && slot.supervising instanceof DynamicSupervisor) return slot.supervising;
    }
    return null;
  }
}
