/**
 * S3's model: the resource bargain. Who needs how much, who gets how much, and what a unit loses that does not keep its
 * side. Pure.
 *
 * Invariants: what is granted is never more than there is; nobody gets less than the lesser of its floor and its need;
 * beyond the floors, who gets less than it needs gets no less for its weight than anybody else.
 * Source: Little's law; max-min fairness (Bertsekas and Gallager, "Data Networks", 6.5); Beer's resource bargain.
 */

export interface Claim {
  readonly unit: string;
  /** What it would use. */
  readonly need: number;
  /** The most that it may have. */
  readonly limit: number;
  readonly floor: number;
  readonly weight: number;
}

/**
 * share_i = min(need_i, limit_i, max(floor_i, w_i·θ)), with the largest θ for which Σ ≤ budget. Whole numbers if `whole`.
 * Needs Σ floor ≤ budget, which the configuration is checked for.
 */
export function bargain(claims: readonly Claim[], budget: number, whole: boolean): Map<string, number> {
  const cap = (claim: Claim): number => Math.max(0, Math.min(claim.need, claim.limit));
  const share = (claim: Claim, theta: number): number =>
    Math.min(cap(claim), Math.max(claim.floor, claim.weight * theta));
  const total = (theta: number): number => claims.reduce((sum, claim) => sum + share(claim, theta), 0);
  const most = Math.max(0, ...claims.map((claim) => cap(claim) / claim.weight));
  let [low, high] = [0, most];
  if (total(most) <= budget) low = most;
  else
    for (let i = 0; i < 64; i++) {
      const middle = (low + high) / 2;
      if (total(middle) <= budget) low = middle;
      else high = middle;
    }
  const shares = new Map(claims.map((claim) => [claim.unit, share(claim, low)]));
  return whole ? rounded(claims, shares, cap, budget) : shares;
}

/** Down to whole numbers; what is left over goes one by one to who gets least for its weight. */
function rounded(
  claims: readonly Claim[],
  shares: ReadonlyMap<string, number>,
  cap: (claim: Claim) => number,
  budget: number,
): Map<string, number> {
  const whole = new Map([...shares].map(([unit, share]) => [unit, Math.floor(share + 1e-9)]));
  const of = ({ unit }: Claim): number => whole.get(unit) ?? 0;
  let left = Math.floor(budget) - [...whole.values()].reduce((sum, share) => sum + share, 0);
  const wanting = claims.filter((claim) => of(claim) + 1 <= cap(claim));
  wanting.sort((a, b) => of(a) / a.weight - of(b) / b.weight || a.unit.localeCompare(b.unit));
  for (const claim of wanting) {
    if (left < 1) break;
    whole.set(claim.unit, of(claim) + 1);
    left -= 1;
  }
  return whole;
}

/** Slots that a unit would use: ⌈λ·S·(1 + h)⌉ by Little's law, and no less than what is in flight now. */
export function slotsNeeded(rate: number, serviceTime: number | null, inFlight: number, headroom: number): number {
  return Math.max(0, Math.ceil(Math.max(rate * (serviceTime ?? 0), inFlight) * (1 + headroom) - 1e-9));
}

/** Lends what nobody needs now, by weight up to each limit, so that a burst finds room before the next cycle. */
export function lend(
  claims: readonly Claim[],
  granted: ReadonlyMap<string, number>,
  budget: number,
): Map<string, number> {
  const spare = budget - [...granted.values()].reduce((sum, slots) => sum + slots, 0);
  const wishes = claims.map((claim) => ({
    ...claim,
    floor: 0,
    need: Math.max(0, claim.limit - (granted.get(claim.unit) ?? 0)),
  }));
  const loans = bargain(wishes, Math.max(0, spare), true);
  return new Map(claims.map(({ unit }) => [unit, (granted.get(unit) ?? 0) + (loans.get(unit) ?? 0)]));
}

/** The accountability of the bargain. */
export interface Standing {
  /** Part of its configured weight that it still has. */
  readonly trust: number;
  /** Part of its limit that S3 lets it use. */
  readonly limit: number;
  /** Cycles in a row: missed below nought, kept above. */
  readonly streak: number;
}

export const GOOD_STANDING: Standing = { trust: 1, limit: 1, streak: 0 };

const STREAK = 3;
const LEAST_TRUST = 0.25;
const LOSS = 0.8;
const PLEASURE = 1.05;
const LEAST_LIMIT = 0.5;

/** Three cycles missed cost weight, three cycles kept give it back. `kept` is `null` when nothing was asked of it. */
export function judge(standing: Standing, kept: boolean | null): Standing {
  if (kept === null) return standing;
  const streak = kept ? Math.max(0, standing.streak) + 1 : Math.min(0, standing.streak) - 1;
  if (Math.abs(streak) < STREAK) return { ...standing, streak };
  if (kept) return { ...rewarded(standing), trust: Math.min(1, standing.trust / LOSS), streak: 0 };
  return { ...standing, trust: Math.max(LEAST_TRUST, standing.trust * LOSS), streak: 0 };
}

/** Pleasure: five per cent more of its limit, up to what is configured. */
export function rewarded(standing: Standing): Standing {
  return { ...standing, limit: Math.min(1, standing.limit * PLEASURE) };
}

/** Pain that came to S3: a tenth less of its limit. */
export function restrained(standing: Standing): Standing {
  return { ...standing, limit: Math.max(LEAST_LIMIT, standing.limit * 0.9) };
}
