/**
 * The bars the product is held to, as constants with their units, and how a figure is judged by them. Ratios compare
 * figures of one run; `node-mcp` is the bare gateway of this folder.
 */

export type Unit = '×' | 'µs' | 'kB' | 'MB' | 'ms' | 'M/s';

export interface Bar {
  readonly what: string;
  readonly unit: Unit;
  /** Which side of the bar is right. */
  readonly sense: 'at most' | 'at least';
  readonly bar?: number;
  readonly stretch?: number;
}

export const BARS = {
  cpuHttp16: {
    what: 'CPU a call, HTTP → HTTP, C=16, by node-mcp',
    unit: '×',
    sense: 'at most',
    bar: 1.5,
    stretch: 1.1,
  },
  cpuHttp64: {
    what: 'CPU a call, HTTP → HTTP, C=64, by node-mcp',
    unit: '×',
    sense: 'at most',
    bar: 1.5,
    stretch: 1.1,
  },
  rateByPeer: { what: 'calls/s, HTTP → stdio, C=64, by the best npm peer', unit: '×', sense: 'at least', bar: 5 },
  rateByNodeMcp: { what: 'calls/s, HTTP → HTTP, C=64, by node-mcp', unit: '×', sense: 'at least', stretch: 0.9 },
  addedP50: {
    what: 'added p50, HTTP → HTTP, C=1, by what node-mcp adds',
    unit: '×',
    sense: 'at most',
    bar: 1.5,
    stretch: 1.2,
  },
  cpuWs16: { what: "CPU a call, WebSocket → HTTP, C=16, by the HTTP client's", unit: '×', sense: 'at most', bar: 1 },
  cpuWs64: { what: "CPU a call, WebSocket → HTTP, C=64, by the HTTP client's", unit: '×', sense: 'at most', bar: 1 },
  cpuStdio16: { what: 'CPU a call, HTTP → stdio, C=16', unit: 'µs', sense: 'at most', bar: 60 },
  cpuStdio64: { what: 'CPU a call, HTTP → stdio, C=64', unit: 'µs', sense: 'at most', bar: 60 },
  idleWs: { what: 'idle WebSocket at 5,000', unit: 'kB', sense: 'at most', bar: 16 },
  idleStream: { what: 'idle SSE stream (GET) at 5,000', unit: 'kB', sense: 'at most', bar: 28 },
  idleSse: { what: 'idle HTTP+SSE connection at 5,000', unit: 'kB', sense: 'at most', bar: 28 },
  idleSession: { what: 'idle session without a stream at 5,000', unit: 'kB', sense: 'at most', bar: 8 },
  idleMixed: { what: 'process with 10,000 mixed connections', unit: 'MB', sense: 'at most', stretch: 250 },
  actorMessages: { what: 'actor messages through one cell', unit: 'M/s', sense: 'at least', bar: 1.5 },
  alarmP99: {
    what: 'alarm behind 100,000 queued messages, p99',
    unit: 'ms',
    sense: 'at most',
    bar: 1,
    stretch: 0.1,
  },
  attackDelay: { what: 'event-loop delay under the worst attack, p99', unit: 'ms', sense: 'at most', bar: 50 },
  stillReaders: {
    what: 'median latency beside 200 readers that sit still',
    unit: '×',
    sense: 'at most',
    bar: 1.1,
    stretch: 1.05,
  },
  alarmToPolicy: { what: 'from a cause to S5’s decision under a flood, p99', unit: 'ms', sense: 'at most', bar: 1 },
} as const satisfies Record<string, Bar>;

export type BarId = keyof typeof BARS;

/** What a run measured; what it did not measure is absent. */
export type BarValues = Partial<Record<BarId, number>>;

export type Verdict = 'stretch' | 'ok' | 'MISSED' | 'short of the stretch goal' | 'not measured';

function meets(bar: Bar, limit: number, value: number): boolean {
  return bar.sense === 'at most' ? value <= limit : value >= limit;
}

/** Judges a figure; a goal without a bar cannot be missed. */
export function judge(bar: Bar, value: number | undefined): Verdict {
  if (value === undefined || !Number.isFinite(value)) return 'not measured';
  if (bar.stretch !== undefined && meets(bar, bar.stretch, value)) return 'stretch';
  if (bar.bar === undefined) return 'short of the stretch goal';
  return meets(bar, bar.bar, value) ? 'ok' : 'MISSED';
}

function amount(value: number, unit: Unit): string {
  const digits = unit === '×' || unit === 'ms' || unit === 'M/s' ? 2 : 1;
  const text = Number(value.toFixed(digits)).toString();
  return unit === '×' ? `${text}×` : `${text} ${unit}`;
}

/** `bar ≤ 1.5×, stretch ≤ 1.1× : 1.21× ok`. */
export function verdictLine(bar: Bar, value: number | undefined): string {
  const sign = bar.sense === 'at most' ? '≤' : '≥';
  const limits = [
    bar.bar === undefined ? [] : [`bar ${sign} ${amount(bar.bar, bar.unit)}`],
    bar.stretch === undefined ? [] : [`stretch ${sign} ${amount(bar.stretch, bar.unit)}`],
  ].flat();
  const verdict = judge(bar, value);
  const figure = value === undefined || verdict === 'not measured' ? '' : `${amount(value, bar.unit)} `;
  return `${limits.join(', ')} : ${figure}${verdict}`;
}
