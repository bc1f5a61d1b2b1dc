/**
 * One drain, whatever is drained: phases, notices, pace, deadline, end. Process-free: the drain actors are shells around it,
 * and `targets.ts` says what each step means for a gateway, an upstream, a session, a principal or a listener.
 *
 * Invariants: it ends exactly once; nobody is closed who waits for an answer before the time is over; no client is told a remaining time that is not true; idle clients go before busy ones,
 * never faster than the pace; the deadline holds. All state that has to outlive a crash is in the record.
 */
import { type ActorSystem, type Clock, type TimerHandle } from '../../kernel/index.js';
import { type DrainEvent, type DrainOutcome, DrainStepper } from '../../machines/drain.js';
import { type Logger } from '../../telemetry/logger.js';
import { type ShutdownNotice } from '../client-message.js';
import { type DataPlane } from '../data-plane.js';
import { CONTROL } from '../names.js';
import { type DrainBoard, type DrainRecord } from './board.js';

/** What is drained. */
export interface Drainable {
  /** Looks around, once before each decision: what is counted is counted then. */
  survey(): void;
  /** Goes on accepting, and says that it is not ready. */
  lame(): void;
  /** Takes nothing new from now on. */
  refuse(deadlineAt: number): void;
  /** The time that is left is for what runs: those who are here may begin nothing new either. */
  quiet(deadlineAt: number): void;
  /** Serves again as if nothing had been. */
  reopen(): void;
  /** Tells each client, with a notice of its own; how many. */
  tell(notice: () => ShutdownNotice): number;
  /** Clients that still have to go elsewhere. */
  connections(): number;
  /** Requests that wait for their answer. */
  inFlight(): number;
  /** Closes up to `most` clients that wait for nothing, those first that have been quiet longest; how many. */
  shed(most: number): number;
  /** Closes what is left; whatever waits is answered with an error. */
  closeAll(): void;
  /** Whether everything has let go. */
  gone(): boolean;
  /** It is out of service: what kept newcomers out is not needed any more. */
  release(): void;
}

export interface DrainDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly random: () => number;
  readonly board: DrainBoard;
}

export interface DrainHost {
  readonly clock: Clock;
  /** Calls `look` after `ms`. */
  readonly later: (ms: number) => TimerHandle;
  /** It is over. Called once, after everything else. */
  readonly onEnd: (outcome: DrainOutcome) => void;
}

const LOOK_MS = 50;
const CLOSE_LOOK_MS = 10;
/** How long clients may take to be closed. */
const CLOSE_MS = 1_000;
/** Clients come back within this time at least, so that few of them do not all come at once either. Milliseconds. */
const MIN_SPREAD_MS = 1_000;
/** Share of the time that the quiet period takes at most. */
const QUIET_SHARE = 0.25;
/** Share of the time in which idle clients have to be gone, even if that is faster than the pace. */
const SHED_WITHIN = 0.8;

export class DrainRun {
  readonly #deps: DrainDeps;
  readonly #target: Drainable;
  readonly #record: DrainRecord;
  readonly #host: DrainHost;
  readonly #machine: DrainStepper;
  /** Clients that may be closed now, and since when that is so. */
  #allowance = 0;
  #pacedAt: number;
  #left = Infinity;
  #timer: TimerHandle | null = null;

  /** Goes on where the record says; `look` starts it. */
  constructor(deps: DrainDeps, target: Drainable, record: DrainRecord, host: DrainHost) {
    this.#deps = deps;
    this.#target = target;
    this.#record = record;
    this.#host = host;
    this.#machine = new DrainStepper(record.phase, record.outcome);
    this.#pacedAt = host.clock.now();
  }

  get record(): DrainRecord {
    return this.#record;
  }

  begin(): void {
    const { reason, deadlineAt, graceUntil, startedAt, id } = this.#record;
    const { log } = this.#deps;
    this.#step({ type: 'drain', grace: graceUntil > startedAt });
    log.info(
      { event: 'draining', drain: id, reason, timeoutMs: deadlineAt - graceUntil, inFlight: this.#target.inFlight() },
      `draining ${id}: no newcomers, work in flight finishes`,
    );
    this.look();
  }

  /** Does what is due, and sees to it that it is called again. */
  look(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const now = this.#host.clock.now();
    this.#target.survey();
    if (this.#record.phase === 'lame_duck' && now >= this.#record.graceUntil) this.#step({ type: 'grace_over' });
    if (this.#record.phase === 'draining') this.#drain(now);
    if (this.#record.phase === 'closing' && (this.#target.gone() || now >= (this.#record.closeUntil ?? now)))
      this.#step({ type: 'closed' });
    if (this.#count() && this.#record.endedAt === null) this.#deps.board.changed(this.#record);
    if (this.#record.endedAt === null) this.#timer = this.#host.later(this.#wait(now));
  }

  /** At once, whatever is in flight. */
  force(): void {
    if (this.#step({ type: 'force' })) this.look();
  }

  /** Serve again; `false` when it is too late for that. */
  cancel(): boolean {
    return this.#step({ type: 'cancel' });
  }

  #drain(now: number): void {
    const record = this.#record;
    if (now >= record.noticeAt && now < record.deadlineAt) this.#notify(now);
    if (now >= this.#quietAt) this.#target.quiet(record.deadlineAt);
    this.#shed(now);
    this.#watchProgress(now);
    const inFlight = this.#target.inFlight();
    if (inFlight === 0 && (this.#target.connections() === 0 || now >= record.deadlineAt))
      this.#step({ type: 'settled' });
    else if (now >= record.deadlineAt) this.#step({ type: 'expired' });
  }

  /** Milliseconds until something is due: notices and deadlines are kept to the millisecond. */
  #wait(now: number): number {
    const { phase, graceUntil, noticeAt, deadlineAt } = this.#record;
    if (phase === 'closing') return CLOSE_LOOK_MS;
    if (phase === 'lame_duck') return Math.max(0, graceUntil - now);
    const untilQuiet = this.#quietAt > now ? this.#quietAt - now : LOOK_MS;
    return Math.max(1, Math.min(LOOK_MS, noticeAt - now, untilQuiet, deadlineAt - now));
  }

  get #quietAt(): number {
    const { deadlineAt, graceUntil } = this.#record;
    const { quietPeriod } = this.#deps.plane.options.draining;
    return deadlineAt - Math.min(quietPeriod, (deadlineAt - graceUntil) * QUIET_SHARE);
  }

  #step(event: DrainEvent): boolean {
    if (!this.#machine.send(event)) return false;
    const record = this.#record;
    const now = this.#host.clock.now();
    record.phase = this.#machine.phase;
    record.outcome = this.#machine.outcome;
    switch (record.phase) {
      case 'lame_duck':
        this.#target.lame();
        break;
      case 'draining':
        this.#target.refuse(record.deadlineAt);
        record.noticeAt = now;
        record.progressAt = now;
        this.#pacedAt = now;
        this.#allowance = (this.#rate() * LOOK_MS) / 1_000;
        this.#notify(now);
        break;
      case 'closing':
        record.closeUntil = now + CLOSE_MS;
        this.#deps.log.info(
          { event: 'closing', drain: record.id, outcome: record.outcome, inFlight: this.#target.inFlight() },
          `closing ${record.id}: ${record.outcome ?? ''}`,
        );
        this.#target.survey();
        this.#target.refuse(now);
        this.#target.quiet(now);
        this.#target.closeAll();
        break;
      case 'running':
        this.#target.reopen();
        this.#end(now);
        break;
      case 'stopped':
        this.#target.release();
        this.#end(now);
        break;
    }
    this.#count();
    this.#tell();
    if (record.endedAt !== null) this.#host.onEnd(record.outcome ?? 'forced');
    return true;
  }

  #end(now: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#record.endedAt = now;
    this.#stalled(false);
  }

  /** Tells S3 and the consoles where the drain is. */
  #tell(): void {
    const { id, target, phase, outcome, connectionsLeft, inFlight, deadlineAt } = this.#record;
    const part = target.kind === 'gateway' ? {} : { target: id };
    // Nobody there is no fault: the data plane drains without S3 as well.
    this.#deps.system
      .whereis(CONTROL)
      ?.tell({ type: 'control/drain-step', ...part, phase, outcome, connectionsLeft, inFlight, deadlineAt });
    this.#deps.board.changed(this.#record);
  }

  /** True when the figures have changed. */
  #count(): boolean {
    const record = this.#record;
    const { connectionsLeft, inFlight } = record;
    record.connectionsLeft = this.#target.connections();
    record.inFlight = this.#target.inFlight();
    return record.connectionsLeft !== connectionsLeft || record.inFlight !== inFlight;
  }

  #notify(now: number): void {
    const record = this.#record;
    const { plane, random } = this.#deps;
    const { notificationInterval, reconnectRate } = plane.options.draining;
    const remaining = Math.max(0, Math.round(record.deadlineAt - now));
    const spread = Math.max(MIN_SPREAD_MS, (this.#target.connections() / reconnectRate) * 1_000);
    this.#target.tell(() => ({
      type: 'shutdown_pending',
      message: MESSAGES[record.target.kind],
      reconnect_after: Math.round(random() * spread),
      remaining,
    }));
    record.noticeAt += notificationInterval * (Math.floor((now - record.noticeAt) / notificationInterval) + 1);
    this.#count();
    this.#tell();
  }

  /** Clients a second that are closed while they wait for nothing. */
  #rate(): number {
    const { connectionsAtStart, deadlineAt, graceUntil } = this.#record;
    const seconds = ((deadlineAt - graceUntil) * SHED_WITHIN) / 1_000;
    const needed = seconds > 0 ? connectionsAtStart / seconds : 0;
    return Math.max(this.#deps.plane.options.draining.closeRate, needed);
  }

  #shed(now: number): void {
    const rate = this.#rate();
    this.#allowance += (rate * (now - this.#pacedAt)) / 1_000;
    this.#pacedAt = now;
    const whole = Math.floor(this.#allowance);
    if (whole >= 1) this.#allowance -= this.#target.shed(whole);
    // What was not used is not saved up: later it would be a herd.
    this.#allowance = Math.min(this.#allowance, Math.max(1, (rate * LOOK_MS) / 1_000));
  }

  #watchProgress(now: number): void {
    const record = this.#record;
    const left = this.#target.connections() + this.#target.inFlight();
    if (left < this.#left) {
      this.#left = left;
      record.progressAt = now;
      this.#stalled(false);
    } else if (left > 0 && now - record.progressAt >= (record.deadlineAt - record.graceUntil) / 2) {
      this.#stalled(true);
    }
  }

  #stalled(stalled: boolean): void {
    const record = this.#record;
    if (record.stalled === stalled) return;
    record.stalled = stalled;
    const message = `the drain of ${record.id} makes no progress: ${this.#target.inFlight()} requests in flight`;
    this.#deps.plane.algedonic.report({
      source: `drain:${record.id}`,
      index: 'drain_stalled',
      value: stalled ? 1 : 0,
      pain: 0.5,
      agony: 1,
      message: stalled ? message : `the drain of ${record.id} goes on`,
    });
    this.#deps.board.changed(record);
  }
}

const MESSAGES: Readonly<Record<DrainRecord['target']['kind'], string>> = {
  gateway: 'The gateway is shutting down; finish what is in flight and connect again.',
  upstream: 'A server behind the gateway is being taken out of service.',
  session: 'This session is being ended; finish what is in flight and connect again.',
  principal: 'The sessions of this client are being ended; finish what is in flight and connect again.',
  listener: 'The gateway stops listening here; finish what is in flight and connect again.',
};
