/**
 * S3, control: the inside and now. Every cycle it grants each upstream a lease on the gateway's strength, by what it needs,
 * what it has deserved and what there is, and holds the units to account.
 *
 * Parent: viability. Restart: permanent. The data path reads the leases; when S3 is dead the last ones hold until they
 * expire, and then every unit has its floor.
 *
 * Invariants: Σ slots ≤ the gateway's; nobody below the lesser of floor and need. The bargain: `src/vsm/control-model.ts`.
 */
import { AUDIT, INTELLIGENCE, POLICY, upstreamLifecycle } from '../../actors/names.js';
import { type DataPlane } from '../../actors/data-plane.js';
import { type UpstreamGate } from '../../actors/upstream-gate.js';
import { type ActorContext, type ActorSystem, type Behavior } from '../../kernel/index.js';
import { type Logger } from '../../telemetry/logger.js';
import { type Finding } from '../audit-model.js';
import {
  bargain,
  type Claim,
  GOOD_STANDING,
  judge,
  lend,
  restrained,
  rewarded,
  slotsNeeded,
  type Standing,
} from '../control-model.js';
import { type Advice, isWorthFollowing } from '../intelligence-model.js';
import { type UnitCycle } from '../unit-model.js';
import { type Use } from '../usage-model.js';
import { type ControlMessage } from './messages.js';

export interface ControlDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  /** What is used now of what there is, by resource; `null`: not bounded. */
  readonly resources: () => Readonly<Record<string, Use | null>>;
}

/** Between two looks at the resources. */
const LOOK_MS = 1_000;
/** Cycles running that S3 turns S4's advice down before S5 is asked. */
const DISPUTE = 3;
/** Cycles for which S5's ruling holds. */
const RULED = 12;
/** How much more S5's ruling for S4 is worth to the unit. */
const RULED_WEIGHT = 2;

interface Account {
  standing: Standing;
  cycle: UnitCycle | null;
  advice: Advice | null;
  /** Cycles running in which it was granted less than S4 advised. */
  turnedDown: number;
  ruling: { readonly favour: 'control' | 'intelligence'; left: number } | null;
}

export function control(deps: ControlDeps) {
  return (context: ActorContext<ControlMessage>): Behavior<ControlMessage> => new Control(deps, context);
}

class Control implements Behavior<ControlMessage> {
  readonly #deps: ControlDeps;
  readonly #context: ActorContext<ControlMessage>;
  readonly #accounts = new Map<string, Account>();
  readonly #draining = new Set<string>();

  constructor(deps: ControlDeps, context: ActorContext<ControlMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#grant();
    this.#again();
    context.after(LOOK_MS, { type: 'control/look' });
  }

  handle(message: ControlMessage): void {
    switch (message.type) {
      case 'control/cycle':
        this.#grant();
        return this.#again();
      case 'control/look':
        this.#deps.plane.viability.usage.look(this.#deps.resources());
        this.#context.after(LOOK_MS, { type: 'control/look' });
        return;
      case 'control/reported':
        return this.#reported(message.cycle);
      case 'control/advised':
        this.#account(message.advice.unit).advice = message.advice;
        return;
      case 'control/audited':
        return this.#audited(message.finding);
      case 'control/alarm':
        return this.#hurts(message.alarm.source);
      case 'control/pleasure':
        this.#stand(message.source, rewarded);
        this.#deps.system.whereis(INTELLIGENCE)?.tell({ type: 'intelligence/pleasure', source: message.source });
        return;
      case 'control/ruled':
        this.#account(message.unit).ruling = { favour: message.favour, left: RULED };
        return;
      case 'control/drain-step':
        return this.#drainStep(message.phase, message.target);
    }
  }

  /** A unit keeps its side when nine tenths of what it ends are definitive replies. */
  #reported(report: UnitCycle): void {
    if (!report.unit.startsWith('upstream:')) return;
    const account = this.#account(report.unit);
    account.cycle = report;
    const { objective } = this.#deps.plane.options.vsm.control;
    const kept = report.failureRatio === null ? null : 1 - report.failureRatio >= objective;
    account.standing = judge(account.standing, kept);
  }

  #audited({ unit, discrepancies, stale }: Finding): void {
    if (discrepancies.length === 0) return;
    this.#stand(unit, restrained);
    // What S1 reports of its tools is what clients are shown: it is to be read again.
    if (stale)
      this.#deps.system.whereis(upstreamLifecycle(unit.slice('upstream:'.length)))?.tell({ type: 'upstream/relist' });
  }

  #hurts(source: string): void {
    const unit = this.#unitOf(source);
    if (unit === undefined) return;
    this.#stand(unit, restrained);
    this.#deps.system.whereis(AUDIT)?.tell({ type: 'audit/look', unit });
  }

  /** `breaker:x`, `pool:x` and `upstream:x` are of one unit. */
  #unitOf(source: string): string | undefined {
    const name = source.slice(source.indexOf(':') + 1);
    return this.#deps.plane.gates.has(name) ? `upstream:${name}` : undefined;
  }

  #stand(unit: string, change: (standing: Standing) => Standing): void {
    const account = this.#accounts.get(unit);
    if (account) account.standing = change(account.standing);
  }

  /** A unit that drains is granted no more than it has in flight. */
  #drainStep(phase: string, target: string | undefined): void {
    this.#deps.plane.viability.drainSteps += 1;
    if (target === undefined) return;
    if (phase === 'running' || phase === 'stopped') this.#draining.delete(target);
    else this.#draining.add(target);
  }

  #grant(): void {
    const { plane } = this.#deps;
    const { control: options, enabled } = plane.options.vsm;
    const gates = [...plane.gates.values()];
    for (const unit of this.#accounts.keys())
      if (!plane.gates.has(unit.slice('upstream:'.length))) this.#accounts.delete(unit);
    if (!enabled || !options.enabled) {
      for (const { allowance } of gates) allowance.lease = null;
      return;
    }
    const claims = gates.map((gate) => this.#claim(gate, gates.length));
    const granted = bargain(claims, options.slots, true);
    this.#dispute(claims, granted);
    const slots = lend(claims, granted, options.slots);
    const rates = options.rate === null ? null : this.#rates(claims, options.rate);
    const expiresAt = this.#context.clock.now() + options.leaseTime;
    for (const [at, gate] of gates.entries()) {
      const claim = claims[at];
      if (!claim) continue;
      const floor = {
        slots: Math.min(claim.floor, gate.maxInFlight),
        rps: rates && (options.rate ?? 0) / gates.length,
      };
      gate.allowance.lease = {
        slots: slots.get(claim.unit) ?? 0,
        rps: rates?.get(claim.unit) ?? null,
        floor,
        expiresAt,
      };
    }
  }

  #claim(gate: UpstreamGate, among: number): Claim {
    const unit = `upstream:${gate.name}`;
    const { standing, cycle, ruling } = this.#account(unit);
    const { control: options } = this.#deps.plane.options.vsm;
    const own = options.units[gate.name];
    const floor = Math.min(own?.floor ?? this.#fairFloor(among), gate.maxInFlight);
    const limit = this.#draining.has(unit) ? gate.inFlight : Math.floor(gate.maxInFlight * standing.limit);
    const favoured = ruling !== null && ruling.left > 0 && ruling.favour === 'intelligence' ? RULED_WEIGHT : 1;
    const rate = this.#rate(unit);
    const need = slotsNeeded(rate, cycle?.serviceTime ?? null, gate.inFlight, options.headroom);
    return {
      unit,
      need: Math.max(Math.min(floor, options.reserve), need),
      limit,
      floor,
      weight: (own?.weight ?? 1) * standing.trust * favoured,
    };
  }

  /** What nobody has claimed by name, shared by those who have no floor of their own. */
  #fairFloor(among: number): number {
    const { slots, units } = this.#deps.plane.options.vsm.control;
    let claimed = 0;
    let named = 0;
    for (const name of this.#deps.plane.gates.keys()) {
      const floor = units[name]?.floor;
      if (floor === undefined) continue;
      claimed += floor;
      named += 1;
    }
    return Math.max(0, Math.floor((slots - claimed) / Math.max(1, among - named)));
  }

  /** S4's forecast where it is worth following, else what was. */
  #rate(unit: string): number {
    const { cycle, advice } = this.#account(unit);
    const measured = cycle?.rate ?? 0;
    const { interval } = this.#deps.plane.options.vsm.control;
    const fresh = advice !== null && this.#context.clock.now() - advice.at <= 2 * interval;
    return fresh && isWorthFollowing(advice) ? Math.max(advice.rate, 0) : measured;
  }

  #rates(claims: readonly Claim[], budget: number): Map<string, number> {
    const { headroom } = this.#deps.plane.options.vsm.control;
    const fair = budget / Math.max(1, claims.length);
    const wishes = claims.map((claim) => ({
      ...claim,
      need: Math.max(1, this.#rate(claim.unit) * (1 + headroom)),
      limit: budget,
      floor: fair,
    }));
    const granted = bargain(wishes, budget, false);
    const spare = budget - [...granted.values()].reduce((sum, rate) => sum + rate, 0);
    const share = Math.max(0, spare) / Math.max(1, claims.length);
    return new Map([...granted].map(([unit, rate]) => [unit, rate + share]));
  }

  /** S3 and S4 disagree when less is granted than advised; when they go on disagreeing, S5 is asked. */
  #dispute(claims: readonly Claim[], granted: ReadonlyMap<string, number>): void {
    for (const { unit, need, limit } of claims) {
      const account = this.#account(unit);
      if (account.ruling && (account.ruling.left -= 1) <= 0) account.ruling = null;
      const got = granted.get(unit) ?? 0;
      const advised = account.advice !== null && isWorthFollowing(account.advice);
      account.turnedDown = advised && got < Math.min(need, limit) ? account.turnedDown + 1 : 0;
      if (account.turnedDown < DISPUTE || account.ruling) continue;
      account.turnedDown = 0;
      this.#deps.log.info({ event: 'dispute', unit, advised: need, granted: got }, 'S3 cannot grant what S4 advises');
      this.#deps.system.whereis(POLICY)?.tell({ type: 'policy/dispute', unit, advised: need, granted: got });
    }
  }

  #account(unit: string): Account {
    const known = this.#accounts.get(unit);
    if (known) return known;
    const made: Account = { standing: GOOD_STANDING, cycle: null, advice: null, turnedDown: 0, ruling: null };
    this.#accounts.set(unit, made);
    return made;
  }

  #again(): void {
    this.#context.after(this.#deps.plane.options.vsm.control.interval, { type: 'control/cycle' });
  }
}
