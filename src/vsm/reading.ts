/**
 * A reading of one index for the algedonic channel (Beer, "Brain of the Firm": pain and pleasure), and the port through
 * which every part of the gateway hands its readings in. Pure.
 *
 * An index is a number where higher is worse. A part that watches something reports on each change or tick, also when
 * all is well again: that is how a signal clears. One signal stands for each (source, index), however often it is reported.
 */
export interface Reading {
  /** Who says it: `upstream:github`, `pool:github`, `audit`, `supervisor:/operations`. */
  readonly source: string;
  /** What was measured: `breaker_open`, `pool_utilisation`, `loop_delay_ms`. */
  readonly index: string;
  /** Higher is worse. For a condition that is there or not: 1 or 0. */
  readonly value: number;
  /** Where pain begins, and where it is agony: 0 < `pain` < `agony`. For a condition: 0.5 and 1. */
  readonly pain: number;
  readonly agony: number;
  /** One sentence for an operator. No secrets, no control characters. */
  readonly message: string;
}

/** How well something does, against what it was thought able to do. Pleasure, when it does better for long enough. */
export interface Achievement {
  readonly source: string;
  readonly index: string;
  /** Higher is better. */
  readonly actuality: number;
  readonly capability: number;
  readonly message: string;
}

/** Takes readings from anywhere, synchronously, and never throws or waits. */
export interface AlgedonicPort {
  report(reading: Reading): void;
}

/** The other side of the channel. */
export interface PleasurePort {
  /** Report it at each look, also when there is nothing to be glad of. */
  achieve(achievement: Achievement): void;
}

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** clamp((value − pain) / (agony − pain), 0, 1). */
export function intensity({ value, pain, agony }: Pick<Reading, 'value' | 'pain' | 'agony'>): number {
  return Math.min(1, Math.max(0, (value - pain) / (agony - pain)));
}

/** `null`: no pain. */
export function severity(reading: Pick<Reading, 'value' | 'pain' | 'agony'>): Severity | null {
  if (reading.value < reading.pain) return null;
  const i = intensity(reading);
  return i >= 1 ? 'critical' : i >= 0.5 ? 'high' : i >= 0.25 ? 'medium' : 'low';
}
