/**
 * S2's models: it damps the oscillation of units that know nothing of each other, and commands none of them. They ask it
 * when their turn is; the answers are plain arithmetic. Pure.
 *
 * Sources: RFC 2439 (route flap damping); Brooker, "Exponential Backoff and Jitter" (2015); docs/vsm.md.
 */

export interface CoordinationRules {
  /** Off: nobody is held back. */
  readonly enabled: boolean;
  readonly halfLife: number;
  readonly suppress: number;
  readonly release: number;
  readonly holdBase: number;
  readonly holdMax: number;
  /** New connections a second to one server, and how many may come at once. */
  readonly connectsPerSecond: number;
  readonly connectBurst: number;
  /** Half-open breakers that may probe at a time. */
  readonly probes: number;
}

interface Flap {
  penalty: number;
  at: number;
  suppressed: boolean;
}

/** Penalties below this are forgotten. */
const NEGLIGIBLE = 0.01;
const MAX_ROUTES = 10_000;

/** p += 1 at each reversal, p(t) = p·2^(−Δt/half-life); suppressed from p ≥ 3 until p < 1. */
export class FlapDamper {
  readonly #flaps = new Map<string, Flap>();

  reverse(route: string, now: number, rules: CoordinationRules): void {
    const flap = this.#decay(route, now, rules) ?? { penalty: 0, at: now, suppressed: false };
    flap.penalty += 1;
    if (flap.penalty >= rules.suppress) flap.suppressed = true;
    if (this.#flaps.size < MAX_ROUTES || this.#flaps.has(route)) this.#flaps.set(route, flap);
  }

  penalty(route: string, now: number, rules: CoordinationRules): number {
    return this.#decay(route, now, rules)?.penalty ?? 0;
  }

  /** Milliseconds that a suppressed route is to be held: min(max, base·2^⌊p−2⌋); 0 when it is not suppressed. */
  hold(route: string, now: number, rules: CoordinationRules): number {
    const flap = this.#decay(route, now, rules);
    if (!flap?.suppressed) return 0;
    return Math.min(rules.holdMax, rules.holdBase * 2 ** Math.max(0, Math.floor(flap.penalty - 2)));
  }

  worst(now: number, rules: CoordinationRules): number {
    let worst = 0;
    for (const route of this.#flaps.keys()) worst = Math.max(worst, this.penalty(route, now, rules));
    return worst;
  }

  #decay(route: string, now: number, rules: CoordinationRules): Flap | undefined {
    const flap = this.#flaps.get(route);
    if (!flap) return undefined;
    flap.penalty *= 2 ** (-(now - flap.at) / rules.halfLife);
    flap.at = now;
    if (flap.penalty < rules.release) flap.suppressed = false;
    if (flap.penalty < NEGLIGIBLE) this.#flaps.delete(route);
    return flap;
  }
}

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

export type CoordinationStatus = 'idle' | 'coordinating' | 'damping';

/** For how long something S2 has done makes it coordinating. */
const ACTIVE_MS = 60_000;

export class Coordination {
  readonly flaps = new FlapDamper();
  readonly #pacers = new Map<string, Pacer>();
  readonly #probing = new Set<string>();
  #lastAction = -Infinity;
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

  /** A route went from good to bad or back. */
  reversal(route: string, now: number, rules: CoordinationRules): void {
    if (rules.enabled) this.flaps.reverse(route, now, rules);
  }

  /** Milliseconds for which a breaker that wants to try again is to stay open; 0 when it may. */
  hold(route: string, now: number, rules: CoordinationRules): number {
    return rules.enabled ? this.flaps.hold(route, now, rules) : 0;
  }

  /** A token for a probe of `route`; `false` when others probe already. Give it back. */
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
  noteCoalesced(now: number): void {
    this.coalesced += 1;
    this.#lastAction = now;
  }

  status(now: number, rules: CoordinationRules): { readonly status: CoordinationStatus; readonly maxPenalty: number } {
    const maxPenalty = this.flaps.worst(now, rules);
    if (maxPenalty >= rules.suppress) return { status: 'damping', maxPenalty };
    return { status: now - this.#lastAction < ACTIVE_MS ? 'coordinating' : 'idle', maxPenalty };
  }

  /** Forgets what has no memory worth keeping. */
  tidy(now: number, rules: CoordinationRules): void {
    for (const [route, pacer] of this.#pacers)
      if (pacer.isIdle(now, rules.connectsPerSecond, rules.connectBurst)) this.#pacers.delete(route);
  }
}
