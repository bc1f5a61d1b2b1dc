/**
 * S4's models: what comes, how far such forecasts are to be trusted, and what is out of the ordinary. Pure.
 *
 * Holt's linear method: l = α·y + (1−α)(l+b), b = β·Δl + (1−β)·b, ŷ(h) = l + h·b. A forecast is worth as much as it beats
 * the naive one ("as now"): skill = 1 − MAE/MAE_naive over the last forecasts; at or below nought nobody is to follow it.
 * Sources: Holt (1957); Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 8.1 and 5.8.
 */

export interface Smoothing {
  readonly alpha: number;
  readonly beta: number;
  /** Cycles ahead. */
  readonly horizon: number;
}

/** Errors that skill and spread are taken from. */
const REMEMBERED = 60;
/** Below this many, neither skill nor anomaly. */
const ENOUGH = 8;
/** Windows looked at for an anomaly, and how many of them must be out. */
const WINDOWS = 5;
const OUT = 3;

export class Forecaster {
  #level: number | null = null;
  #trend = 0;
  /** What was forecast for now, `horizon` cycles ago, and what the naive forecast was. */
  readonly #made: { readonly holt: number; readonly naive: number }[] = [];
  readonly #errors: { readonly holt: number; readonly naive: number }[] = [];
  readonly #residuals: number[] = [];
  readonly #out: boolean[] = [];

  /** Takes the next value; whether it makes an anomaly that was none before. */
  observe(value: number, { alpha, beta, horizon }: Smoothing, sigmas: number): boolean {
    if (this.#made.length >= horizon) {
      const made = this.#made.shift();
      if (made) remember(this.#errors, { holt: Math.abs(value - made.holt), naive: Math.abs(value - made.naive) });
    }
    const anomalous = this.#judge(value, sigmas);
    if (this.#level === null) this.#level = value;
    else {
      const level = alpha * value + (1 - alpha) * (this.#level + this.#trend);
      this.#trend = beta * (level - this.#level) + (1 - beta) * this.#trend;
      this.#level = level;
    }
    this.#made.push({ holt: this.forecast(horizon) ?? value, naive: value });
    return anomalous;
  }

  /** `null` before the first value. Rates and times are never below nought. */
  forecast(horizon: number): number | null {
    return this.#level === null ? null : Math.max(0, this.#level + horizon * this.#trend);
  }

  /** 1 − MAE/MAE_naive; `null` until there are enough forecasts, 0 where the naive one is never wrong. */
  get skill(): number | null {
    if (this.#errors.length < ENOUGH) return null;
    const holt = mean(this.#errors.map((error) => error.holt));
    const naive = mean(this.#errors.map((error) => error.naive));
    if (naive === 0) return 0;
    return 1 - holt / naive;
  }

  /** |e| > kσ in three of the last five windows. True once, when it begins. */
  #judge(value: number, sigmas: number): boolean {
    const expected = this.forecast(1);
    if (expected === null) return false;
    const residual = value - expected;
    const spread = deviation(this.#residuals);
    // What never varied has no spread of its own: a tenth of what is usual stands in.
    const sigma = Math.max(spread, 0.1 * Math.abs(expected), 1e-9);
    const out = this.#residuals.length >= ENOUGH && Math.abs(residual) > sigmas * sigma;
    const before = count(this.#out) >= OUT;
    this.#out.push(out);
    if (this.#out.length > WINDOWS) this.#out.shift();
    // What is out says nothing of how much is usual.
    if (!out) remember(this.#residuals, residual);
    return !before && count(this.#out) >= OUT;
  }
}

/** S4's word to S3 about one unit. */
export interface Advice {
  readonly unit: string;
  readonly at: number;
  /** Demands a second that are expected. */
  readonly rate: number;
  readonly skill: number | null;
}

/** Whether S3 may follow it. */
export function isWorthFollowing({ skill }: Advice): boolean {
  return skill !== null && skill > 0;
}

/** What a unit has been seen to manage, a second; raised by pleasure, and slowly by use. */
export class Capability {
  #mean: number | null = null;
  #cycles = 0;
  #raised = 1;

  /** What it is thought able to do; `null` until it has been seen at work for a while. */
  get value(): number | null {
    return this.#mean === null || this.#cycles < ENOUGH ? null : this.#mean * 1.2 * this.#raised;
  }

  observe(absorbed: number): void {
    if (absorbed === 0) return; // idle says nothing of what it can
    this.#cycles += 1;
    this.#mean = this.#mean === null ? absorbed : this.#mean + 0.01 * (absorbed - this.#mean);
  }

  raise(): void {
    this.#raised *= 1.05;
  }
}

export type EventKind = 'anomaly' | 'forecast-breach' | 'environment';

export interface IntelligenceEvent {
  readonly at: number;
  readonly kind: EventKind;
  readonly unit: string;
  readonly what: string;
}

const KEPT = 100;
const SAME_MS = 60_000;

/** Events, each once: the same of the same unit within a minute is the same event. */
export class EventBook {
  readonly #events: IntelligenceEvent[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Newest first. */
  get recent(): readonly IntelligenceEvent[] {
    return [...this.#events].reverse();
  }

  /** `false` when it is known already. */
  add(event: IntelligenceEvent): boolean {
    const same = this.#events.some(
      ({ at, kind, unit, what }) =>
        event.at - at < SAME_MS && kind === event.kind && unit === event.unit && what === event.what,
    );
    if (same) return false;
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
    this.#total += 1;
    return true;
  }

  within(now: number, ms: number): number {
    return this.#events.filter(({ at }) => now - at < ms).length;
  }
}

function remember<T>(list: T[], value: T): void {
  list.push(value);
  if (list.length > REMEMBERED) list.shift();
}

function count(flags: readonly boolean[]): number {
  return flags.filter(Boolean).length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
