/**
 * Supervisors: cells whose work is to start, watch, restart and stop other cells. Semantics of OTP's `supervisor`
 * (one_for_one, one_for_all, rest_for_one); run-time children are in `dynamic-supervisor.ts`.
 *
 * Invariants: children start in order and stop in reverse; a start that fails undoes those before it; a supervisor that
 * restarts more often than its intensity allows exits itself; an exit is acted on once, and only when it is the exit of
 * the incarnation that its slot holds.
 */
import { type AnyCell, type Cell } from './cell.js';
import { type Behavior, type SupervisorSpec } from './child-spec.js';
import { absurd, type ExitReason, toError } from './ref.js';
import { restartSet, RestartWindow, shouldRestart } from './restart.js';
import {
  ChildSlot,
  type StartAgain,
  stopWith,
  type Supervising,
  type SupervisorMessage,
  type TreeHost,
} from './slot.js';

export class StaticSupervisor implements Supervising {
  readonly #system: TreeHost;
  readonly #spec: SupervisorSpec;
  readonly #path: string;
  readonly #self: Cell<SupervisorMessage>;
  readonly #window: RestartWindow;
  readonly #slots = new Map<string, ChildSlot>();

  constructor(system: TreeHost, spec: SupervisorSpec, slot: ChildSlot, self: Cell<SupervisorMessage>) {
    this.#system = system;
    this.#spec = spec;
    this.#path = slot.path;
    this.#self = self;
    this.#window = new RestartWindow(spec.intensity);
    for (const child of spec.children) {
      if (this.#slots.has(child.id)) throw new Error(`two children named "${child.id}" under ${slot.path}`);
      this.#slots.set(child.id, new ChildSlot(system, child, slot.path, slot.children?.get(child.id)));
    }
    slot.children = this.#slots;
  }

  get childCount(): number {
    return this.#slots.size;
  }

  restartsWithin(now: number): number {
    return this.#window.count(now);
  }

  children(): Iterable<ChildSlot> {
    return this.#slots.values();
  }

  begin(): Behavior<SupervisorMessage> | Promise<Behavior<SupervisorMessage>> {
    const pending = this.#startInOrder([...this.#slots.values()]);
    return pending ? pending.then(() => this) : this;
  }

  handle(message: SupervisorMessage): undefined | Promise<void> {
    switch (message.type) {
      case 'child/exited':
        return this.#childExited(message.slot, message.cell, message.reason);
      case 'restart/due':
        message.slot.backoff = null;
        return message.slot.state === 'restarting' ? this.#restart(message.slot) : undefined;
      case 'child/start-again':
        return this.#startAgain(message.slot, message.settle);
      default:
        return absurd(message);
    }
  }

  async terminate(): Promise<void> {
    for (const slot of [...this.#slots.values()].reverse()) await this.#remove(slot);
  }

  /**
   * Starts a child that was stopped for good, as its turn comes. It is nobody's fault, so it does not count as a restart.
   * Source: supervisor:restart_child/2.
   */
  startAgain(slot: ChildSlot): Promise<StartAgain> {
    return new Promise((resolve) => {
      const gone = this.#self.onExit(() => resolve({ ok: false, why: 'no_place' }));
      const settle = (how: StartAgain): void => {
        gone.cancel();
        resolve(how);
      };
      this.#self.deliver({ type: 'child/start-again', slot, settle });
    });
  }

  async #startAgain(slot: ChildSlot, settle: (how: StartAgain) => void): Promise<void> {
    if (slot.state !== 'stopped') {
      settle({ ok: false, why: 'running' });
      return;
    }
    try {
      await this.#start(slot);
      settle(slot.cell?.alive === true ? { ok: true } : { ok: false, why: 'no_place' });
    } catch (cause) {
      slot.state = 'stopped';
      settle({ ok: false, why: 'start_failed', error: toError(cause) });
    }
  }

  /** Starts `slots`; at the first failure stops those already started, in reverse, and throws it. */
  #startInOrder(slots: readonly ChildSlot[], from = 0): undefined | Promise<void> {
    for (let i = from; i < slots.length; i++) {
      let pending: undefined | Promise<void>;
      try {
        if (!this.#self.alive) throw new Error('stopped while it started its children');
        pending = this.#start(slots[i] as ChildSlot);
      } catch (cause) {
        if (i > 0) return this.#rollBack(slots.slice(0, i + 1), cause);
        this.#system.unregister(slots[i] as ChildSlot);
        throw cause;
      }
      if (pending) {
        return pending.then(
          () => this.#startInOrder(slots, i + 1),
          (cause: unknown) => this.#rollBack(slots.slice(0, i + 1), cause),
        );
      }
    }
    return undefined;
  }

  async #rollBack(started: readonly ChildSlot[], cause: unknown): Promise<never> {
    for (const slot of [...started].reverse()) await this.#remove(slot);
    throw cause;
  }

  #start(slot: ChildSlot): undefined | Promise<void> {
    this.#system.register(slot);
    const pending = slot.start((cell, reason) => this.#self.deliver({ type: 'child/exited', slot, cell, reason }));
    return pending && stopWith(this.#self, slot, pending);
  }

  async #remove(slot: ChildSlot): Promise<void> {
    await slot.stop();
    slot.retire();
    this.#system.unregister(slot);
  }

  #childExited(slot: ChildSlot, cell: AnyCell, reason: ExitReason): undefined | Promise<void> {
    if (slot.cell !== cell || slot.state === 'stopping' || slot.state === 'stopped') return undefined;
    if (!shouldRestart(slot.restart, reason)) {
      slot.state = 'stopped';
      slot.retire();
      return undefined;
    }
    if (this.#tooOften()) return undefined;
    slot.state = 'restarting';
    const delay = this.#spec.backoff?.(this.#window.count(this.#system.clock.now())) ?? 0;
    if (delay <= 0 || this.#spec.strategy !== 'one_for_one') return this.#restart(slot);
    slot.backoff = this.#self.after(delay, { type: 'restart/due', slot });
    return undefined;
  }

  /** Counts one restart; true when the supervisor gives up. */
  #tooOften(): boolean {
    if (!this.#window.exceeds(this.#system.clock.now())) return false;
    const { max, withinMs } = this.#spec.intensity;
    this.#system.report({ type: 'supervisor/intensity-exceeded', path: this.#path, restarts: max + 1, withinMs });
    this.#self.exit({ type: 'intensity', restarts: max + 1, withinMs });
    return true;
  }

  async #restart(failed: ChildSlot): Promise<void> {
    const order = [...this.#slots.keys()];
    const affected = restartSet(this.#spec.strategy, order, failed.spec.id).map(
      (id) => this.#slots.get(id) as ChildSlot,
    );
    for (const slot of [...affected].reverse()) {
      if (slot === failed) continue;
      await slot.stop();
      if (slot.restart === 'temporary') slot.retire();
    }
    const again = affected.filter((slot) => slot === failed || slot.restart !== 'temporary');
    for (const slot of again) {
      if (!this.#self.alive) return; // stopped meanwhile: `terminate` undoes what was started
      slot.restarts += 1;
      const reason = slot.lastExit;
      try {
        await this.#start(slot);
      } catch {
        this.#restartFailed(slot);
        return;
      }
      this.#system.report({ type: 'child/restarted', path: slot.path, incarnation: slot.incarnation, reason });
    }
  }

  /** A child that cannot be started again counts as one more restart (OTP: `try_again_restart`). */
  #restartFailed(slot: ChildSlot): void {
    if (!this.#self.alive || this.#tooOften()) return;
    slot.state = 'restarting';
    const delay = this.#spec.backoff?.(this.#window.count(this.#system.clock.now())) ?? 0;
    slot.backoff = this.#self.after(delay, { type: 'restart/due', slot });
  }
}
