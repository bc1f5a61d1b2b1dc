/** What the load generator saw in one window. */

export interface ProcessCost {
  readonly pid: number;
  readonly cpuUsPerCall: number;
  readonly rssMb: number;
}

export interface LoadResult {
  readonly event: string;
  readonly concurrency: number;
  readonly seconds: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** The first few different problems. */
  readonly problems: readonly string[];
  readonly processes: readonly ProcessCost[];
}

/** What a parent asks of a load `--on-demand`: a window of so many seconds, answered with an event of its own name. */
export interface WindowRequest {
  readonly window: number;
  readonly seconds: number;
}

export function windowEvent(window: number): string {
  return `window-${window}`;
}
