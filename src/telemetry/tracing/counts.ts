/** How spans fare. Plain numbers, incremented in place. */

/** Since the start of the process. Read by consoles and exporters. */
export interface SpanCounts {
  started: number;
  /** Accepted by the collector. */
  exported: number;
  /** Found the queue full. */
  dropped: number;
  /** The collector could not be reached, or refused them. */
  failed: number;
  /** Wait in the queue now. */
  queued: number;
}

export function newSpanCounts(): SpanCounts {
  return { started: 0, exported: 0, dropped: 0, failed: 0, queued: 0 };
}
