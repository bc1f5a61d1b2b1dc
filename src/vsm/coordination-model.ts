/**
 * S2's models: it damps the oscillation of units that know nothing of each other, and commands none of them. They ask it
 * when their turn is; the answers are plain arithmetic. Pure.
 *
 * A breaker that goes to and fro tells it of each turn and is told for how long to stay open (`flap.ts`); without S2 it stays
 * open for its own hold alone.
 *
 * Sources: RFC 2439; Brooker, "Exponential Backoff and Jitter" (2015); docs/vsm.md.
 */

import { type Flap, type FlapRules, NO_FLAP, penaltyNow, reversed, suppressedHold, suppressedNow } from './flap.js';

export interface CoordinationRules {
  /** Off: nobody is held back. */
  readonly enabled: boolean;
  /** New connections a second to one server, and how many may come at once. */
  readonly connectsPerSecond: number;
  readonly connectBurst: number;
  /** Half-open breakers that may probe at a time. */
  readonly probes: number;
}

/** As S2 goes by them: with the whole viable system off it is off, too. */
export function coordinationRules(vsm: {
  readonly enabled: boolean;
  readonly coordination: CoordinationRules;
}): CoordinationRules {
  return vsm.enabled || !vsm.coordination.enabled ? vsm.coordination : { ...vsm.coordination, enabled: false };
}

const MAX_ROUTES = 10_000;
/** A penalty below this is forgotten. */
const WORTH_KEEPING = 0.01;

/**
 * Turns for a herd: a burst goes at once, then `rate` a second, each at a random instant of its own slice of time, so
 * that no two are told the same.
 */
export class Pacer {
  #next = -Infinity;

  /** Milliseconds until this one's turn. */
  turn(now: number, rate: number, burst: number, random: () => number): number {
    const slice = 1_000 / rate;
    const earliest = now - burst * slice;
    this.#next = Math.max(this.#next, earliest) + slice;
    const wait = this.#next - now;
    return wait <= 0 ? 0 : Math.max(0, wait - slice + random() * slice);
  }

  /** Nobody waits any more, and the whole burst is there again. */
  isIdle(now: number, rate: number, burst: number): boolean {
    return this.#next <= now - (burst * 1_000) / rate;
  }
}

/** How much a breaker has gone to and fro, decayed to now, and whether it is held open for longer because of that. */
export interface Penalty {
  readonly penalty: number;
  readonly suppressed: boolean;
}

export type CoordinationStatus = 'idle' | 'coordinating' | 'damping';

/** For how long something S2 has done makes it coordinating. */
const ACTIVE_MS = 60_000;

export class Coordination {
  readonly #flaps = new Map<string, { readonly flap: Flap; readonly rules: FlapRules }>();
  readonly #pacers = new Map<string, Pacer>();
  readonly #probing = new Set<string>();
  #lastAction = -Infinity;
  #coalescedBefore = 0;
  delays = 0;
  coalesced = 0;
  tokensRefused = 0;

  /** Milliseconds that a new connection to `route` waits. */
  connectDelay(route: string, now: number, rules: CoordinationRules, random: () => number): number {
    if (!rules.enabled) return 0;
    const pacer = this.#pacers.get(route) ?? new Pacer();
    if (this.#pacers.size < MAX_ROUTES) this.#pacers.set(route, pacer);
    const delay = pacer.turn(now, rules.connectsPerSecond, rules.connectBurst, random);
    if (delay > 0) {
      this.delays += 1;
      this.#lastAction = now;
    }
    return delay;
  }

  /** A breaker has opened after it was closed, or closed after it was open. */
  turned(route: string, now: number, flapRules: FlapRules, { enabled }: CoordinationRules): void {
    if (!enabled) return;
    const before = this.#flaps.get(route)?.flap ?? NO_FLAP;
    if (this.#flaps.size < MAX_ROUTES || before !== NO_FLAP)
      this.#flaps.set(route, { flap: reversed(before, now, flapRules), rules: flapRules });
  }

  /** Milliseconds that a breaker which opens now is to stay so for going to and fro; 0: as long as it would anyway. */
  holdFor(route: string, now: number, { enabled }: CoordinationRules): number {
    const known = this.#flaps.get(route);
    if (!enabled || !known || !suppressedNow(known.flap, now, known.rules)) return 0;
    return suppressedHold(penaltyNow(known.flap, now, known.rules), known.rules);
  }

  penaltyOf(route: string, now: number): Penalty {
    const known = this.#flaps.get(route);
    if (!known) return { penalty: 0, suppressed: false };
    const { flap, rules } = known;
    return { penalty: penaltyNow(flap, now, rules), suppressed: suppressedNow(flap, now, rules) };
  }

  /** An operator has closed it, or it is there no more. */
  forgetTurns(route: string): void {
    this.#flaps.delete(route);
  }

  /** A token for a probe of `route`; `false` when enough others probe. Give it back. */
  takeProbe(route: string, now: number, rules: CoordinationRules): boolean {
    if (!rules.enabled || this.#probing.has(route)) return true;
    if (this.#probing.size >= rules.probes) {
      this.tokensRefused += 1;
      this.#lastAction = now;
      return false;
    }
    this.#probing.add(route);
    return true;
  }

  giveProbe(route: string): void {
    this.#probing.delete(route);
  }

  /** A read was answered with another's answer. */
  noteCoalesced(): void {
    this.coalesced += 1;
  }

  status(now: number): { readonly status: CoordinationStatus; readonly maxPenalty: number } {
    let maxPenalty = 0;
    let damping = false;
    for (const route of this.#flaps.keys()) {
      const { penalty, suppressed } = this.penaltyOf(route, now);
      maxPenalty = Math.max(maxPenalty, penalty);
      damping ||= suppressed;
    }
    if (damping) return { status: 'damping', maxPenalty };
    return { status: now - this.#lastAction < ACTIVE_MS ? 'coordinating' : 'idle', maxPenalty };
  }

  /** Forgets what has no memory worth keeping. */
  tidy(now: number, rules: CoordinationRules): void {
    if (this.coalesced > this.#coalescedBefore) this.#lastAction = now;
    this.#coalescedBefore = this.coalesced;
    for (const [route, { flap, rules: flapRules }] of this.#flaps)
      if (penaltyNow(flap, now, flapRules) < WORTH_KEEPING) this.#flaps.delete(route);
    for (const [route, pacer] of this.#pacers)
      if (pacer.isIdle(now, rules.connectsPerSecond, rules.connectBurst)) this.#pacers.delete(route);
  }
}
