/**
 * Flap damping: what goes to and fro is held away, longer the more often it has turned. Pure.
 *
 * Each reversal adds 1 to a penalty that halves every `halfLife`. At `suppress` the unit is suppressed, below `release` it
 * is let go; in between it stays what it was. While suppressed it is held for min(`maxHold`, `hold`·2^⌊p−2⌋).
 * Source: RFC 2439, "BGP Route Flap Damping", 4.
 */
export interface FlapRules {
  /** Milliseconds. */
  readonly halfLife: number;
  readonly suppress: number;
  readonly release: number;
  /** Milliseconds. */
  readonly hold: number;
  /** Milliseconds. */
  readonly maxHold: number;
}

export interface Flap {
  /** At `at`. */
  readonly penalty: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly suppressed: boolean;
}

export const NO_FLAP: Flap = { penalty: 0, at: 0, suppressed: false };

/** p·2^(−Δt/halfLife). */
export function penaltyNow({ penalty, at }: Flap, now: number, { halfLife }: FlapRules): number {
  return penalty * 2 ** (-Math.max(0, now - at) / halfLife);
}

/** Whether it is suppressed at this time. */
export function suppressedNow(flap: Flap, now: number, rules: FlapRules): boolean {
  return flap.suppressed && penaltyNow(flap, now, rules) >= rules.release;
}

/** After one more reversal. */
export function reversed(flap: Flap, now: number, rules: FlapRules): Flap {
  const penalty = penaltyNow(flap, now, rules) + 1;
  const suppressed = penalty >= rules.suppress || suppressedNow(flap, now, rules);
  return { penalty, at: now, suppressed };
}

/** Milliseconds to hold a suppressed unit of this penalty. */
export function suppressedHold(penalty: number, { hold, maxHold }: FlapRules): number {
  return Math.min(maxHold, hold * 2 ** Math.floor(penalty - 2));
}
