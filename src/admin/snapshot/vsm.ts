/** What consoles see of the viable system: alarms, and how S1 to S5 are. Times are epoch milliseconds. */

export type AlarmSeverity = 'low' | 'medium' | 'high' | 'critical';
/** Who has the signal now: the unit itself, S3, S5, the operator. */
export type AlarmStage = 'unit' | 'control' | 'policy' | 'operator';

/** One living signal for each (source, index). */
export interface AlarmSnapshot {
  /** For `viable ack`. */
  readonly id: number;
  readonly source: string;
  readonly index: string;
  /** Higher is worse; pain begins at `pain`, `agony` is critical. */
  readonly value: number;
  readonly pain: number;
  readonly agony: number;
  /** clamp((value − pain) / (agony − pain), 0, 1). */
  readonly intensity: number;
  readonly severity: AlarmSeverity;
  readonly message: string;
  readonly raisedAt: number;
  readonly stage: AlarmStage;
  readonly stageSince: number;
  readonly acknowledged: { readonly by: string; readonly at: number } | null;
  /** Readings past the threshold. */
  readonly count: number;
  readonly peak: number;
  /** Calm seconds in a row; some more end it. */
  readonly calm: number;
}

/** A signal that is over, or a pleasure (actuality above capability for a while). */
export interface PastSignalSnapshot {
  readonly id: number;
  readonly kind: 'pain' | 'pleasure';
  readonly source: string;
  readonly index: string;
  readonly message: string;
  readonly peak: number;
  readonly severity: AlarmSeverity | null;
  /** How far it went. */
  readonly stage: AlarmStage;
  readonly acknowledgedBy: string | null;
  readonly raisedAt: number;
  readonly endedAt: number;
}

/** What was said without the channel, because the channel or S5 was dead. */
export interface LastResortSnapshot {
  readonly source: string;
  readonly index: string;
  readonly message: string;
  readonly at: number;
  readonly count: number;
}

export interface AlarmsSnapshot {
  /** Worst first. */
  readonly active: readonly AlarmSnapshot[];
  /** Newest first. */
  readonly history: readonly PastSignalSnapshot[];
  /** Newest first; empty in health. */
  readonly lastResort: readonly LastResortSnapshot[];
  /** Readings that found the channel full, since the start. */
  readonly overflow: number;
}

export type PolicyMode = 'normal' | 'conserve' | 'lockdown';

export interface PolicySnapshot {
  readonly version: number;
  readonly mode: PolicyMode;
  readonly since: number;
  readonly by: 'operator' | 'policy';
  readonly reason: string;
}

export interface VsmSnapshot {
  readonly policy: PolicySnapshot;
}
