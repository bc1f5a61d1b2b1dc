/**
 * Drain: takes the gateway down without losing work. Newcomers are refused, clients are told in their transport's own
 * way, what is in flight finishes, the clients are closed with an answer to whatever did not, then the tree is stopped.
 *
 * Parent: root. Restart: permanent; a restarted one goes on from what the data plane says.
 * The phases are `src/machines/drain.ts`.
 */
import { type DrainSnapshot } from '../admin/protocol.js';
import { type ActorContext, type ActorSystem, type Behavior, type ReplyTo } from '../kernel/index.js';
import { DrainStepper } from '../machines/drain.js';
import { type Logger } from '../telemetry/logger.js';
import { type ShutdownNotice } from './client-message.js';
import { type DataPlane } from './data-plane.js';
import { REGISTRY } from './names.js';

export type DrainMessage =
  | {
      readonly type: 'drain/begin';
      readonly reason: string;
      /** Milliseconds; absent: `gateway.draining.defaultTimeout`. */
      readonly timeoutMs?: number;
      readonly replyTo?: ReplyTo<DrainSnapshot>;
    }
  | { readonly type: 'drain/force'; readonly reason: string; readonly replyTo?: ReplyTo<{ stopping: true }> }
  | { readonly type: 'drain/look' }
  | { readonly type: 'drain/notify' }
  /** Are the clients gone? After `until` that matters no more. */
  | { readonly type: 'drain/closed'; readonly outcome: DrainOutcome; readonly until: number };

/** Why the gateway closes: everything had finished, time was over, or it was forced. */
export type DrainOutcome = 'completed' | 'timed_out' | 'forced';

/** Written by the drain actor, read by consoles; `null` while nothing drains. */
export interface DrainProgress {
  startedAt: number;
  deadlineAt: number;
  reason: string;
  connectionsAtStart: number;
}

export interface DrainDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly random: () => number;
  readonly progress: { current: DrainProgress | null };
  /** Stops the tree. Called once. */
  readonly onDrained: (outcome: DrainOutcome) => void;
}

const LOOK_MS = 50;
/** How long the clients may take to be closed. */
const CLOSE_MS = 1_000;
const CLOSE_LOOK_MS = 10;
/** Clients a second that a successor is expected to take; spreads their return. */
const RECONNECTS_A_SECOND = 500;
const MIN_RECONNECT_MS = 1_000;

export function drain(deps: DrainDeps) {
  return (context: ActorContext<DrainMessage>): Behavior<DrainMessage> => new Drain(deps, context);
}

class Drain implements Behavior<DrainMessage> {
  readonly #deps: DrainDeps;
  readonly #context: ActorContext<DrainMessage>;
  readonly #machine = new DrainStepper();

  constructor(deps: DrainDeps, context: ActorContext<DrainMessage>) {
    this.#deps = deps;
    this.#context = context;
    if (!deps.progress.current || !this.#machine.send({ type: 'drain' })) return;
    context.self.tell({ type: 'drain/look' });
    const interval = deps.plane.options.draining.notificationInterval;
    context.after(interval - ((context.clock.now() - deps.progress.current.startedAt) % interval), {
      type: 'drain/notify',
    });
  }

  handle(message: DrainMessage): void {
    switch (message.type) {
      case 'drain/begin':
        this.#begin(message.reason, message.timeoutMs);
        return message.replyTo?.reply(this.#snapshot());
      case 'drain/force':
        message.replyTo?.reply({ stopping: true });
        if (this.#machine.send({ type: 'force' })) this.#close('forced', message.reason);
        return;
      case 'drain/look':
        return this.#look();
      case 'drain/notify':
        return this.#notify();
      case 'drain/closed':
        return this.#closed(message.outcome, message.until);
    }
  }

  #begin(reason: string, timeoutMs: number | undefined): void {
    if (!this.#machine.send({ type: 'drain' })) return; // drains already: the first deadline holds
    const { plane, progress, log } = this.#deps;
    const { enabled, defaultTimeout } = plane.options.draining;
    const startedAt = this.#context.clock.now();
    const timeout = enabled ? (timeoutMs ?? defaultTimeout) : 0;
    const deadlineAt = startedAt + timeout;
    progress.current = { startedAt, deadlineAt, reason, connectionsAtStart: plane.sessions.size };
    plane.admission = { state: 'draining', deadlineAt };
    log.info(
      { event: 'draining', reason, timeoutMs: timeout, inFlight: plane.counters.inFlight },
      'draining: no newcomers, work in flight finishes',
    );
    this.#notify();
    this.#look();
  }

  #look(): void {
    if (this.#machine.phase !== 'draining') return;
    const { plane, progress } = this.#deps;
    const now = this.#context.clock.now();
    if (plane.counters.inFlight === 0) {
      if (this.#machine.send({ type: 'settled' })) this.#close('completed', 'nothing is in flight');
    } else if (now >= (progress.current?.deadlineAt ?? now)) {
      if (this.#machine.send({ type: 'expired' }))
        this.#close('timed_out', `${plane.counters.inFlight} calls did not finish in time`);
    } else {
      this.#context.after(LOOK_MS, { type: 'drain/look' });
    }
  }

  #notify(): void {
    if (this.#machine.phase !== 'draining') return;
    const { system, plane, random } = this.#deps;
    const remaining = Math.max(
      0,
      Math.round((this.#deps.progress.current?.deadlineAt ?? 0) - this.#context.clock.now()),
    );
    const spread = (plane.sessions.size / RECONNECTS_A_SECOND) * 1_000;
    const notice = (): ShutdownNotice => ({
      type: 'shutdown_pending',
      message: 'The gateway is shutting down; finish what is in flight and connect again.',
      reconnect_after: Math.round(MIN_RECONNECT_MS + random() * Math.max(spread, MIN_RECONNECT_MS)),
      remaining,
    });
    system.tell(REGISTRY, { type: 'registry/shutdown-pending', notice });
    this.#context.after(plane.options.draining.notificationInterval, { type: 'drain/notify' });
  }

  #close(outcome: DrainOutcome, detail: string): void {
    const { log, plane, system } = this.#deps;
    const now = this.#context.clock.now();
    plane.admission = { state: 'draining', deadlineAt: now };
    log.info({ event: 'closing', outcome }, `closing: ${detail}`);
    // Sessions before sockets: when the tree stops, a socket may end before the session that has last words for it.
    system.tell(REGISTRY, { type: 'registry/close-all' });
    this.#closed(outcome, now + CLOSE_MS);
  }

  #closed(outcome: DrainOutcome, until: number): void {
    const { plane, onDrained } = this.#deps;
    if (plane.sessions.size === 0 || this.#context.clock.now() >= until) onDrained(outcome);
    else this.#context.after(CLOSE_LOOK_MS, { type: 'drain/closed', outcome, until });
  }

  #snapshot(): DrainSnapshot {
    return drainSnapshot(this.#deps.progress.current, this.#deps.plane, this.#context.clock.now());
  }
}

/** What consoles are shown of a drain. */
export function drainSnapshot(progress: DrainProgress | null, plane: DataPlane, now: number): DrainSnapshot {
  return {
    startedAt: progress?.startedAt ?? now,
    deadlineAt: progress?.deadlineAt ?? now,
    reason: progress?.reason ?? '',
    connectionsAtStart: progress?.connectionsAtStart ?? 0,
    connectionsLeft: plane.sessions.size,
    inFlight: plane.counters.inFlight,
  };
}
