/** What consoles see of the newest traces. They are kept only while requests are traced; a bounded number of them. */

export interface SpanSnapshot {
  readonly spanId: string;
  /** Of the span that caused it; a root, or a span whose parent is somebody else's, has one that is not in the trace. */
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** `error.type`; `null` when it went well. */
  readonly error: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TraceSnapshot {
  readonly traceId: string;
  /** In the order in which they began. */
  readonly spans: readonly SpanSnapshot[];
}

export interface TracesSnapshot {
  /** Requests are traced now. */
  readonly tracing: boolean;
  readonly samplingRate: number;
  /** Newest first. */
  readonly traces: readonly TraceSnapshot[];
}
