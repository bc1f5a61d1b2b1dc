/**
 * Breaker: the circuit breaker of one upstream or of one client transport. Takes what the data path has counted, steps the
 * machine, publishes what it says on the gate, and says so to the catalogue, the log and the algedonic channel.
 *
 * Parent: upstream:<name>, after the lifecycle, and front/breakers. Restart: permanent. All that it knows is on the gate, so
 * a restarted one goes on where the last one was, and a crash holds up no call.
 *
 * Invariants: the gate's state is the machine's; there is at most one token, and one that nobody gave back in time is
 * replaced. The phases are `src/machines/breaker.ts`.
 */
import { type BreakerSnapshot } from '../admin/protocol.js';
import { type ActorContext, type Behavior, type ReplyTo, type TimerHandle } from '../kernel/index.js';
import { type BreakerInput, type BreakerPhase, type BreakerRules, BreakerStepper } from '../machines/breaker.js';
import { type Logger } from '../telemetry/logger.js';
import { type BreakerGate, type BreakerNews, HISTORY, type Outcome } from './breaker-gate.js';
import { breakerSnapshot, breakerSource, BREAKER_STATES, type BreakerUnit } from './breaker-view.js';
import { type Coordination, coordinationRules } from '../vsm/coordination-model.js';
import { type FlapRules } from '../vsm/flap.js';
import { type DataPlane } from './data-plane.js';

export type BreakerMessage =
  | BreakerNews
  /** Time to take what was counted. */
  | { readonly type: 'breaker/collect' }
  | { readonly type: 'breaker/expired' }
  /** Nobody may have come for the token of this number. */
  | { readonly type: 'breaker/unasked'; readonly token: number }
  /** The holder of this token should have said by now how its call ended. */
  | { readonly type: 'breaker/probe-late'; readonly token: number }
  | {
      readonly type: 'breaker/force-open' | 'breaker/half-open' | 'breaker/reset';
      readonly replyTo?: ReplyTo<BreakerSnapshot>;
    };

export interface BreakerDeps {
  readonly plane: DataPlane;
  readonly unit: BreakerUnit;
  readonly gate: BreakerGate;
  readonly log: Logger;
  /** As configured now. */
  readonly rules: () => BreakerRules;
  /** How S2 is to damp it. */
  readonly flap: () => FlapRules;
  /** Milliseconds in half-open without a call after which the unit itself is asked how it is. */
  readonly probeAfter: () => number;
  /** Milliseconds after which a probe whose end nobody has told counts as lost. */
  readonly probeTimeout: () => number;
  /** Whether the unit can be reached now. */
  readonly reachable: () => boolean;
  /** Asks the unit itself; `ended` is called once, later. `false` when it cannot be asked. */
  readonly probe: (ended: (outcome: Outcome) => void) => boolean;
  /** Told after each change. */
  readonly changed?: () => void;
}

/** How long outcomes gather before they are taken. Milliseconds. */
const COLLECT_MS = 100;
/** Wait before coordination is asked again for the probe that it did not grant. Milliseconds. */
const ASK_AGAIN_MS = 1_000;

/** Turns of its own making are no flapping. */
const BY_OPERATOR: ReadonlySet<BreakerInput['type']> = new Set<BreakerInput['type']>(['force_open', 'try', 'reset']);

export function breaker(deps: BreakerDeps) {
  return (context: ActorContext<BreakerMessage>): Behavior<BreakerMessage> => new Breaker(deps, context);
}

class Breaker implements Behavior<BreakerMessage> {
  readonly #deps: BreakerDeps;
  readonly #context: ActorContext<BreakerMessage>;
  readonly #machine: BreakerStepper;
  #hold: TimerHandle | null = null;

  constructor(deps: BreakerDeps, context: ActorContext<BreakerMessage>) {
    this.#deps = deps;
    this.#context = context;
    const { gate } = deps;
    this.#machine = new BreakerStepper(deps.rules(), gate.memory);
    gate.actor = context.self;
    if (gate.memory === null) gate.since = context.clock.now();
    gate.threshold = deps.rules().consecutiveFailures;
    this.#publish();
    this.#step({ type: 'configured', rules: deps.rules() });
    // Whoever had the token told the incarnation before this one, or nobody.
    this.#step({ type: 'probe_lost' });
    if (deps.reachable()) this.#step({ type: 'reachable' });
    this.#collect();
    this.#report();
  }

  handle(message: BreakerMessage): void {
    switch (message.type) {
      case 'breaker/outcomes':
        return void this.#context.after(COLLECT_MS, { type: 'breaker/collect' });
      case 'breaker/collect':
      case 'breaker/tripped':
        return this.#collect();
      case 'breaker/probe-sent':
        if (message.token === this.#deps.gate.token) this.#step({ type: 'probe_sent' });
        return;
      case 'breaker/probe-ended':
        return this.#probeEnded(message.token, message.outcome);
      case 'breaker/probe-late':
        return this.#probeEnded(message.token, 'neutral');
      case 'breaker/unasked':
        return this.#unasked(message.token);
      case 'breaker/expired':
        return this.#expired();
      case 'breaker/unreachable':
        return this.#step({ type: 'unreachable' });
      case 'breaker/reachable':
        return this.#step({ type: 'reachable' });
      case 'breaker/reconfigured':
        this.#deps.gate.threshold = this.#deps.rules().consecutiveFailures;
        return this.#step({ type: 'configured', rules: this.#deps.rules() });
      case 'breaker/force-open':
      case 'breaker/half-open':
      case 'breaker/reset':
        this.#operate(message.type);
        message.replyTo?.reply(this.#snapshot());
        return;
    }
  }

  #expired(): void {
    this.#step({ type: 'expired' });
    // A timer may fire a fraction of a millisecond before its time. Only the machine's own clock reading says so: by a second
    // one the time might have come, and nobody would wait for it any more.
    if (this.#machine.phase === 'open') this.#hold = this.#holdTimer();
  }

  #holdTimer(): TimerHandle | null {
    const { until } = this.#machine.context;
    if (until === null) return null;
    return this.#context.after(Math.max(1, until - this.#context.clock.now()), { type: 'breaker/expired' });
  }

  #operate(command: 'breaker/force-open' | 'breaker/half-open' | 'breaker/reset'): void {
    const events = {
      'breaker/force-open': 'force_open',
      'breaker/half-open': 'try',
      'breaker/reset': 'reset',
    } as const;
    if (command === 'breaker/reset') {
      this.#deps.gate.consecutive = 0;
      this.#coordination.forgetTurns(breakerSource(this.#deps.unit));
    }
    this.#step({ type: events[command] });
  }

  #collect(): void {
    const { gate } = this.#deps;
    const { succeeded, failed, consecutive } = gate;
    gate.succeeded = 0;
    gate.failed = 0;
    gate.told = false;
    this.#step({ type: 'observed', succeeded, failed, consecutive });
  }

  #probeEnded(token: number, outcome: Outcome): void {
    if (token !== this.#deps.gate.token) return; // an older one, given up or overtaken by an operator
    const events = { success: 'probe_succeeded', failure: 'probe_failed', neutral: 'probe_lost' } as const;
    this.#step({ type: events[outcome] });
  }

  /** No call has come for the token: the unit itself is asked. */
  #unasked(token: number): void {
    const { gate, probe } = this.#deps;
    if (token !== gate.token || this.#machine.phase !== 'free') return;
    if (!gate.tokenFree) return this.#grant(); // coordination had not granted it
    const { self } = this.#context;
    const ended = (outcome: Outcome): void => void self.urgent({ type: 'breaker/probe-ended', token, outcome });
    gate.take();
    if (!probe(ended)) ended('neutral');
  }

  #step(event: BreakerInput): void {
    const { gate } = this.#deps;
    const now = this.#context.clock.now();
    const before = this.#machine.send({ ...event, now });
    if (this.#machine.phase !== before && !BY_OPERATOR.has(event.type)) this.#damp(before, now);
    gate.memory = this.#machine.memory;
    if (this.#machine.phase === before) return;
    const turned = BREAKER_STATES[before] !== BREAKER_STATES[this.#machine.phase];
    this.#publish();
    if (turned) this.#turned();
  }

  /** S2 hears of each turn, and says for how long one that flaps stays open. */
  #damp(before: BreakerPhase, now: number): void {
    const { plane, unit, flap } = this.#deps;
    const { phase } = this.#machine;
    const route = breakerSource(unit);
    const rules = coordinationRules(plane.options.vsm);
    if ((before === 'closed') !== (phase === 'closed')) this.#coordination.turned(route, now, flap(), rules);
    if (phase !== 'open') return;
    this.#machine.send({ type: 'held', forMs: this.#coordination.holdFor(route, now, rules), now });
  }

  #snapshot(): BreakerSnapshot {
    const { unit, gate } = this.#deps;
    const now = this.#context.clock.now();
    return breakerSnapshot(unit, gate, this.#coordination.penaltyOf(breakerSource(unit), now), now);
  }

  /** What the data path reads, and the timers of the phase. */
  #publish(): void {
    const { gate, probeTimeout } = this.#deps;
    const { phase, context } = this.#machine;
    gate.state = BREAKER_STATES[phase];
    gate.cause = context.cause;
    gate.until = context.until;
    gate.tokenFree = false;
    if (gate.state !== 'half_open') this.#coordination.giveProbe(breakerSource(this.#deps.unit));
    this.#hold?.cancel();
    this.#hold = null;
    switch (phase) {
      case 'closed':
      case 'forced':
        return;
      case 'open':
        this.#hold = this.#holdTimer();
        return;
      case 'free':
        return this.#grant();
      case 'probing':
        this.#context.after(probeTimeout(), { type: 'breaker/probe-late', token: gate.token });
        return;
    }
  }

  /** S2's books: who probes, and who goes to and fro. */
  get #coordination(): Coordination {
    return this.#deps.plane.viability.coordination;
  }

  /** A new token, if coordination lets one go now. */
  #grant(): void {
    const { gate, plane, unit, probeAfter } = this.#deps;
    const rules = coordinationRules(plane.options.vsm);
    gate.token += 1;
    gate.tokenFree = this.#coordination.takeProbe(breakerSource(unit), this.#context.clock.now(), rules);
    const wait = gate.tokenFree ? probeAfter() : ASK_AGAIN_MS;
    this.#context.after(wait, { type: 'breaker/unasked', token: gate.token });
  }

  #turned(): void {
    const { gate, plane, unit, log, changed } = this.#deps;
    const { context } = this.#machine;
    gate.since = this.#context.clock.now();
    // What failed before says nothing of what comes.
    if (gate.state === 'closed') gate.consecutive = 0;
    gate.history.push({ at: gate.since, state: gate.state });
    if (gate.history.length > HISTORY) gate.history.shift();
    const fields = { event: 'breaker', breaker: unit.name, state: gate.state, cause: gate.cause, opens: context.opens };
    if (gate.state === 'open') log.warn(fields, this.#story());
    else log.info(fields, this.#story());
    this.#report();
    plane.announcements.announce('breaker', () => this.#snapshot());
    changed?.();
  }

  #report(): void {
    const { gate, plane, unit } = this.#deps;
    // One server of many is not the gateway; a door of the gateway's own is. All servers at once: `vital-signs.ts`.
    const agony = unit.kind === 'upstream' ? 2 : 1;
    const reading = { source: breakerSource(unit), index: 'breaker_open', pain: 0.5, agony };
    plane.algedonic.report({ ...reading, value: gate.state === 'closed' ? 0 : 1, message: this.#story() });
  }

  /** One line for people. */
  #story(): string {
    const { gate, unit } = this.#deps;
    const what = `the breaker of ${unit.kind} "${unit.name}"`;
    if (gate.state === 'closed') return `${what} is closed: calls pass`;
    if (gate.state === 'half_open') return `${what} is half-open: one call passes as a probe`;
    const why = { failures: 'too many calls failed', unreachable: 'it cannot be reached', operator: 'by an operator' };
    return `${what} is open: ${why[gate.cause ?? 'failures']}`;
  }
}
