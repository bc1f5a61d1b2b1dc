/** What the load generator saw in one window. */

export interface ProcessCost {
  readonly pid: number;
  readonly cpuUsPerCall: number;
  readonly rssMb: number;
}

export interface LoadResult {
  readonly event: 'done';
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
