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

/** The alarms that live, and those of the past. */
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

/** Who is admitted: everybody, the essential, administrators alone. docs/vsm.md. */
export type PolicyMode = 'normal' | 'conserve' | 'lockdown';

/** The mode that S5 has decreed, by whom and why. */
export interface PolicySnapshot {
  readonly version: number;
  readonly mode: PolicyMode;
  readonly since: number;
  readonly by: 'operator' | 'policy';
  readonly reason: string;
}

/** S1. The formulas are in `figures.ts`; `null` without samples. */
export interface OperationsSnapshot {
  readonly varietyAbsorption: number | null;
  /** Demands a second. */
  readonly absorptionRate: number | null;
  readonly volumeRatio: number | null;
  readonly kinds: number;
  /** Demands in the window. */
  readonly demands: number;
  readonly units: readonly UnitSnapshot[];
}

/** One upstream or client transport, over its last cycle. */
export interface UnitSnapshot {
  readonly unit: string;
  /** Demands a second. */
  readonly rate: number;
  /** Seconds; `null` when nothing ended. */
  readonly serviceTime: number | null;
  /** Milliseconds; `null` when nothing ended. */
  readonly p95: number | null;
  readonly failureRatio: number | null;
  readonly inFlight: number;
  readonly attenuated: number;
}

/** S2. */
export interface CoordinationSnapshot {
  readonly status: 'idle' | 'coordinating' | 'damping';
  readonly maxPenalty: number;
  /** Since the start. */
  readonly delays: number;
  readonly coalesced: number;
  readonly tokensRefused: number;
}

/** S3. */
export interface ControlSnapshot {
  /** Per cent of the resource that is nearest its limit; `null` without samples. */
  readonly usage: number | null;
  readonly resources: readonly { readonly resource: string; readonly percent: number | null }[];
  readonly leases: readonly LeaseSnapshot[];
  readonly drainSteps: number;
}

/** What S3 has granted one unit, until when. */
export interface LeaseSnapshot {
  readonly unit: string;
  readonly slots: number;
  readonly rps: number | null;
  readonly floor: number;
  readonly inFlight: number;
  readonly expiresAt: number;
}

/** S3*. */
export interface AuditsSnapshot {
  readonly total: number;
  /** Newest first. */
  readonly findings: readonly {
    readonly unit: string;
    readonly at: number;
    readonly latencyMs: number | null;
    readonly discrepancies: readonly string[];
  }[];
}

/** S4. */
export interface IntelligenceSnapshot {
  readonly eventsIn5Minutes: number;
  readonly eventsTotal: number;
  /** Newest first. */
  readonly recent: readonly {
    readonly at: number;
    readonly kind: string;
    readonly unit: string;
    readonly what: string;
  }[];
  /** `null`: not enough forecasts yet. At 0 and below S3 ignores them. */
  readonly skills: readonly { readonly unit: string; readonly skill: number | null }[];
}

/** S5: attempts of clients that were denied, and breaches of the gateway's own invariants. */
export interface ViolationsSnapshot {
  readonly attemptsIn5Minutes: number;
  readonly attemptsTotal: number;
  readonly breachesIn5Minutes: number;
  readonly breachesTotal: number;
}

/** The viable system, S1 to S5. docs/vsm.md says what each figure means. */
export interface VsmSnapshot {
  readonly operations: OperationsSnapshot;
  readonly coordination: CoordinationSnapshot;
  readonly control: ControlSnapshot;
  readonly audit: AuditsSnapshot;
  readonly intelligence: IntelligenceSnapshot;
  readonly policy: PolicySnapshot;
  readonly violations: ViolationsSnapshot;
}
