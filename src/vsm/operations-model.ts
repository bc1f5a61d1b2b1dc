/**
 * S1's account: how much variety the operations absorb. A demand is a client request to a server; its kind is (method,
 * tool, role). The data path adds one number when a demand is over; the window moves on by ticks. Pure.
 *
 * Invariants: bounded, however many tools and methods clients name: the kinds with most demands have a place of their own,
 * the rest share one; adding to a known kind allocates nothing.
 * Source: Ashby, "An Introduction to Cybernetics" (only variety absorbs variety); docs/vsm.md.
 */

/** How a demand ended. absorbed: a definitive reply within its deadline. attenuated: kept out. failed: neither. */
export type Settlement = 'absorbed' | 'attenuated' | 'failed';

export const WINDOW_MS = 60_000;
const SLOTS = 12;
/** The window moves on by this much. */
export const SLOT_MS = WINDOW_MS / SLOTS;
/** Kinds with a place of their own. */
export const MAX_KINDS = 1_024;
/** Of the places, how many the least used ones give up when others are waiting for one. */
const YIELDED = 64;

class Kind {
  readonly absorbed = new Float64Array(SLOTS);
  readonly attenuated = new Float64Array(SLOTS);
  readonly failed = new Float64Array(SLOTS);

  constructor(
    readonly method: string,
    readonly tool: string,
    readonly role: string,
  ) {}

  get demands(): number {
    return sum(this.absorbed) + sum(this.attenuated) + sum(this.failed);
  }
}

export interface AbsorptionFigures {
  /** (1/K) Σ a_k/n_k; `null` without demands. */
  readonly varietyAbsorption: number | null;
  /** Σ a_k / W, demands a second; `null` without demands. */
  readonly absorptionRate: number | null;
  /** a / (a + attenuated + failed); `null` without demands. */
  readonly volumeRatio: number | null;
  /** Kinds with demands in the window. */
  readonly kinds: number;
  readonly demands: number;
}

export class OperationsLedger {
  readonly #kinds = new Map<string, Map<string, Map<string, Kind>>>();
  readonly #other = new Kind('other', '', '');
  #size = 0;
  #slot = 0;

  /** Adds a demand that is over. */
  settle(method: string, tool: string, role: string, how: Settlement): void {
    const counts = this.#find(method, tool, role)[how];
    counts[this.#slot] = (counts[this.#slot] ?? 0) + 1;
  }

  /** Every `SLOT_MS`: the oldest slot leaves the window; kinds without demands, and the least used when others wait, go. */
  tick(): void {
    this.#slot = (this.#slot + 1) % SLOTS;
    for (const kind of [this.#other, ...this.#all()]) {
      kind.absorbed[this.#slot] = 0;
      kind.attenuated[this.#slot] = 0;
      kind.failed[this.#slot] = 0;
    }
    for (const kind of this.#all()) if (kind.demands === 0) this.#drop(kind);
    if (this.#other.demands === 0 || this.#size < MAX_KINDS) return;
    const least = [...this.#all()].sort((a, b) => a.demands - b.demands).slice(0, YIELDED);
    for (const kind of least) this.#merge(kind);
  }

  figures(): AbsorptionFigures {
    let kinds = 0;
    let ratios = 0;
    let absorbed = 0;
    let demands = 0;
    for (const kind of [this.#other, ...this.#all()]) {
      const n = kind.demands;
      if (n === 0) continue;
      const a = sum(kind.absorbed);
      kinds += 1;
      ratios += a / n;
      absorbed += a;
      demands += n;
    }
    if (demands === 0) return NO_FIGURES;
    return {
      varietyAbsorption: ratios / kinds,
      absorptionRate: absorbed / (WINDOW_MS / 1_000),
      volumeRatio: absorbed / demands,
      kinds,
      demands,
    };
  }

  #find(method: string, tool: string, role: string): Kind {
    const known = this.#kinds.get(method)?.get(tool)?.get(role);
    if (known) return known;
    if (this.#size >= MAX_KINDS) return this.#other;
    const tools = this.#kinds.get(method) ?? new Map<string, Map<string, Kind>>();
    const roles = tools.get(tool) ?? new Map<string, Kind>();
    const kind = new Kind(method, tool, role);
    this.#kinds.set(method, tools.set(tool, roles.set(role, kind)));
    this.#size += 1;
    return kind;
  }

  *#all(): Iterable<Kind> {
    for (const tools of this.#kinds.values()) for (const roles of tools.values()) yield* roles.values();
  }

  #merge(kind: Kind): void {
    for (const how of ['absorbed', 'attenuated', 'failed'] as const) {
      for (let slot = 0; slot < SLOTS; slot++) {
        this.#other[how][slot] = (this.#other[how][slot] ?? 0) + (kind[how][slot] ?? 0);
      }
    }
    this.#drop(kind);
  }

  #drop({ method, tool, role }: Kind): void {
    const tools = this.#kinds.get(method);
    const roles = tools?.get(tool);
    if (!roles?.delete(role)) return;
    this.#size -= 1;
    if (roles.size === 0) tools?.delete(tool);
    if (tools?.size === 0) this.#kinds.delete(method);
  }
}

const NO_FIGURES: AbsorptionFigures = {
  varietyAbsorption: null,
  absorptionRate: null,
  volumeRatio: null,
  kinds: 0,
  demands: 0,
};

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
