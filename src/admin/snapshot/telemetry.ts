/** What consoles see of tracing. Counts are since the start of the process. */
export interface TelemetrySnapshot {
  /** Requests are traced: the feature is on and a collector is configured. */
  readonly tracing: boolean;
  /** Share of the traces that begin here which is recorded, 0 to 1. */
  readonly samplingRate: number;
  readonly spans: {
    readonly started: number;
    /** Taken by the collector. */
    readonly exported: number;
    /** Found the queue full. */
    readonly dropped: number;
    /** The collector could not be reached, or refused them. */
    readonly failed: number;
    /** Wait in the queue now. */
    readonly queued: number;
  };
  /** Why the last export failed; `null` when it did not. */
  readonly trouble: string | null;
}

/** How much is traced. */
export type SamplingState = Pick<TelemetrySnapshot, 'tracing' | 'samplingRate'>;
