/**
 * The algedonic channel's book of alarms: one signal for each (source, index), escalated in time, cleared by hysteresis.
 * Pure: it is fed readings, ticks and acknowledgements, and says what follows from them.
 *
 * Invariants: stages only rise while a signal lives; a critical one is at S5 at once; an acknowledged one that is still
 * past its threshold goes on rising, for acknowledged is not resolved; both lists are bounded.
 * Source: Beer, "Brain of the Firm" (algedonic loops); docs/vsm.md.
 */
import { intensity, type Reading, type Severity, severity } from './reading.js';

/** Who has the signal: the unit itself, S3, S5, the operator. */
export const STAGES = ['unit', 'control', 'policy', 'operator'] as const;
export type Stage = (typeof STAGES)[number];

export interface AlarmRules {
  /** Milliseconds that each stage has before the next one is told. */
  readonly escalation: { readonly unit: number; readonly control: number; readonly policy: number };
  /** Below this part of the threshold of pain a signal is calm. */
  readonly clearRatio: number;
  /** Calm ticks in a row after which it is over. */
  readonly clearTicks: number;
  /** Signals of the past that are kept. */
  readonly history: number;
}

export interface Alarm {
  readonly id: number;
  readonly source: string;
  readonly index: string;
  readonly value: number;
  readonly pain: number;
  readonly agony: number;
  readonly intensity: number;
  readonly severity: Severity;
  readonly message: string;
  readonly raisedAt: number;
  readonly stage: Stage;
  readonly stageSince: number;
  readonly acknowledged: { readonly by: string; readonly at: number } | null;
  /** Readings past the threshold so far. */
  readonly count: number;
  /** The worst so far. */
  readonly peak: number;
  /** Calm ticks in a row. */
  readonly calm: number;
}

/** A signal that is over, or a pleasure. */
export interface PastSignal {
  readonly id: number;
  readonly kind: 'pain' | 'pleasure';
  readonly source: string;
  readonly index: string;
  readonly message: string;
  readonly peak: number;
  readonly severity: Severity | null;
  readonly stage: Stage;
  readonly acknowledgedBy: string | null;
  readonly raisedAt: number;
  readonly endedAt: number;
}

export type AlarmEffect =
  | { readonly type: 'raised'; readonly alarm: Alarm }
  | { readonly type: 'escalated'; readonly alarm: Alarm }
  /** It is critical again, and S5 has it already. */
  | { readonly type: 'worsened'; readonly alarm: Alarm }
  | { readonly type: 'acknowledged'; readonly alarm: Alarm }
  | { readonly type: 'cleared'; readonly alarm: Alarm; readonly at: number }
  | { readonly type: 'pleasure'; readonly signal: PastSignal };

/** Signals that may live at a time; more are counted and dropped. */
export const MAX_ALARMS = 1_000;

export class AlarmBook {
  readonly #active = new Map<string, Alarm>();
  readonly #past: PastSignal[] = [];
  #lastId = 0;
  #overflow = 0;

  /** Signals that live, worst first, then oldest. */
  active(): Alarm[] {
    return [...this.#active.values()].sort((a, b) => b.intensity - a.intensity || a.raisedAt - b.raisedAt);
  }

  /** Those that S5 has to decide on: at its stage or beyond, and still hurting. In no order. */
  pressing(): Alarm[] {
    const pressing: Alarm[] = [];
    for (const alarm of this.#active.values())
      if (alarm.value >= alarm.pain && isForPolicy(alarm)) pressing.push(alarm);
    return pressing;
  }

  /** Signals of the past, newest first. */
  history(): readonly PastSignal[] {
    return [...this.#past].reverse();
  }

  /** Readings of new signals that found the book full. */
  get overflow(): number {
    return this.#overflow;
  }

  get(id: number): Alarm | undefined {
    for (const alarm of this.#active.values()) if (alarm.id === id) return alarm;
    return undefined;
  }

  report(reading: Reading, now: number): AlarmEffect[] {
    if (!isUsable(reading)) return [];
    const key = keyOf(reading);
    const known = this.#active.get(key);
    const felt = severity(reading);
    if (!known) return felt === null ? [] : this.#raise(key, reading, felt, now);
    const worse = felt !== null && rank(felt) > rank(known.severity);
    const alarm: Alarm = {
      ...known,
      value: reading.value,
      pain: reading.pain,
      agony: reading.agony,
      intensity: intensity(reading),
      severity: felt ?? 'low',
      message: felt === null ? known.message : reading.message,
      count: known.count + (felt === null ? 0 : 1),
      peak: Math.max(known.peak, reading.value),
      // Somebody took note of something less bad.
      acknowledged: worse ? null : known.acknowledged,
    };
    this.#active.set(key, alarm);
    if (felt === 'critical' && STAGES.indexOf(alarm.stage) < STAGES.indexOf('policy')) {
      return [this.#moveTo(key, alarm, 'policy', now)];
    }
    return felt === 'critical' && worse ? [{ type: 'worsened', alarm }] : [];
  }

  /** Once a second: who is calm long enough is cleared, who waits too long is escalated. */
  tick(now: number, rules: AlarmRules): AlarmEffect[] {
    const effects: AlarmEffect[] = [];
    for (const [key, alarm] of this.#active) {
      const calm = alarm.value < rules.clearRatio * alarm.pain ? alarm.calm + 1 : 0;
      if (calm >= rules.clearTicks) {
        effects.push(this.#clear(key, alarm, now, rules.history));
        continue;
      }
      const current = { ...alarm, calm };
      this.#active.set(key, current);
      if (isDue(current, now, rules)) effects.push(this.#moveTo(key, current, after(current.stage), now));
    }
    return effects;
  }

  /** `undefined`: no signal that lives has this id. */
  acknowledge(id: number, by: string, now: number): AlarmEffect | undefined {
    for (const [key, known] of this.#active) {
      if (known.id !== id) continue;
      const alarm = { ...known, acknowledged: known.acknowledged ?? { by, at: now } };
      this.#active.set(key, alarm);
      return { type: 'acknowledged', alarm };
    }
    return undefined;
  }

  /** Something has gone better than it was thought able to, for long enough. */
  delight(source: string, index: string, message: string, since: number, now: number, rules: AlarmRules): AlarmEffect {
    const signal: PastSignal = {
      id: (this.#lastId += 1),
      kind: 'pleasure',
      source,
      index,
      message,
      peak: 0,
      severity: null,
      stage: 'control',
      acknowledgedBy: null,
      raisedAt: since,
      endedAt: now,
    };
    this.#remember(signal, rules.history);
    return { type: 'pleasure', signal };
  }

  #raise(key: string, reading: Reading, felt: Severity, now: number): AlarmEffect[] {
    if (this.#active.size >= MAX_ALARMS) {
      this.#overflow += 1;
      return [];
    }
    const { source, index, value, pain, agony, message } = reading;
    const alarm: Alarm = {
      id: (this.#lastId += 1),
      source,
      index,
      value,
      pain,
      agony,
      intensity: intensity(reading),
      severity: felt,
      message,
      raisedAt: now,
      stage: felt === 'critical' ? 'policy' : 'unit',
      stageSince: now,
      acknowledged: null,
      count: 1,
      peak: value,
      calm: 0,
    };
    this.#active.set(key, alarm);
    return [{ type: 'raised', alarm }];
  }

  #moveTo(key: string, alarm: Alarm, stage: Stage, now: number): AlarmEffect {
    const moved = { ...alarm, stage, stageSince: now };
    this.#active.set(key, moved);
    return { type: 'escalated', alarm: moved };
  }

  #clear(key: string, alarm: Alarm, now: number, bound: number): AlarmEffect {
    this.#active.delete(key);
    const { id, source, index, message, peak, stage, acknowledged, raisedAt } = alarm;
    this.#remember(
      {
        id,
        kind: 'pain',
        source,
        index,
        message,
        peak,
        severity: severity({ ...alarm, value: peak }),
        stage,
        acknowledgedBy: acknowledged?.by ?? null,
        raisedAt,
        endedAt: now,
      },
      bound,
    );
    return { type: 'cleared', alarm, at: now };
  }

  #remember(signal: PastSignal, bound: number): void {
    this.#past.push(signal);
    if (this.#past.length > bound) this.#past.splice(0, this.#past.length - bound);
  }
}

/** A stage has had its time, and nobody took note or it still hurts. */
function isDue(alarm: Alarm, now: number, { escalation }: AlarmRules): boolean {
  if (alarm.stage === 'operator') return false;
  if (now - alarm.stageSince < escalation[alarm.stage]) return false;
  return alarm.acknowledged === null || alarm.value >= alarm.pain;
}

/** Critical, or unresolved for so long that S5 decides. */
export function isForPolicy(alarm: Alarm): boolean {
  return STAGES.indexOf(alarm.stage) >= STAGES.indexOf('policy');
}

function after(stage: Stage): Stage {
  return STAGES[STAGES.indexOf(stage) + 1] ?? 'operator';
}

function rank(felt: Severity): number {
  return (['low', 'medium', 'high', 'critical'] as const).indexOf(felt);
}

function keyOf({ source, index }: Reading): string {
  return `${source}\n${index}`;
}

/** Thresholds that make sense: otherwise a signal could never clear, or its intensity would be no number. */
function isUsable({ value, pain, agony }: Reading): boolean {
  return Number.isFinite(value) && pain > 0 && agony > pain && Number.isFinite(agony);
}
