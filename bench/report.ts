/** The comparison as text: ratios first, then the figures they come from, then each bar. Pure. */
import Table from 'cli-table3';
import { BARS, judge, verdictLine, type Bar } from './bars.js';
import { type CallFigures, type Scenario } from './calls.js';
import { type AlarmFigures } from './alarm-figures.js';
import { type AttackFigures } from './attack-figures.js';
import { type KernelFigures } from './kernel-figures.js';
import { addedP50, barValues, find, ratio, YARDSTICK, type BenchResult } from './result.js';

const TITLES: Record<Scenario, string> = {
  http: 'HTTP → HTTP',
  ws: 'WebSocket → HTTP',
  stdio: 'HTTP → stdio',
};
const SCENARIOS: readonly Scenario[] = ['http', 'ws', 'stdio'];
const NOTHING = '–';

function show(value: number | null | undefined, digits = 0, unit = ''): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text}${unit}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
  });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}

function targetsOf(result: BenchResult, scenario: Scenario): string[] {
  return [...new Set(result.calls.filter((one) => one.scenario === scenario).map((one) => one.target))];
}

function concurrencies(result: BenchResult): number[] {
  return [...new Set(result.calls.map((one) => one.concurrency))];
}

/** Each target by node-mcp in the same scenario: CPU and calls/s at each concurrency, and the added median. */
function ratios(result: BenchResult): string[] {
  const cs = concurrencies(result);
  const rows: string[][] = [];
  for (const scenario of SCENARIOS) {
    for (const target of targetsOf(result, scenario)) {
      const by = (c: number, pick: (one: CallFigures) => number | null): number | undefined => {
        const [mine, yard] = [find(result, scenario, target, c), find(result, scenario, YARDSTICK, c)];
        return mine === undefined || yard === undefined ? undefined : ratio(pick(mine), pick(yard));
      };
      rows.push([
        `${TITLES[scenario]}: ${target}`,
        ...cs.map((c) =>
          show(
            by(c, (one) => one.cpuUsPerCall),
            2,
            '×',
          ),
        ),
        ...cs.map((c) =>
          show(
            by(c, (one) => one.callsPerSecond),
            2,
            '×',
          ),
        ),
        scenario === 'http' ? show(ratio(addedP50(result, target), addedP50(result, YARDSTICK)), 2, '×') : NOTHING,
      ]);
    }
  }
  if (rows.length === 0) return [];
  const head = ['by node-mcp = 1', ...cs.map((c) => `CPU C=${c}`), ...cs.map((c) => `calls/s C=${c}`), 'added p50 C=1'];
  return ['Ratios (CPU and added p50: less is better; calls/s: more)', table(head, rows), ''];
}

function figures(result: BenchResult): string[] {
  return SCENARIOS.flatMap((scenario) => {
    const rows = result.calls
      .filter((one) => one.scenario === scenario)
      .map((one) => [
        one.target,
        `${one.concurrency}`,
        show(one.cpuUsPerCall),
        show(one.callsPerSecond),
        show(one.p50Ms, 2),
        show(one.p99Ms, 2),
        one.concurrency === 1 && scenario === 'http' ? show(addedP50(result, one.target), 2) : NOTHING,
        show(one.rssMb),
        show(one.spread * 100, 0, ' %'),
        `${one.errors}`,
      ]);
    if (rows.length === 0) return [];
    const head = [
      '',
      'C',
      'CPU µs a call',
      'calls/s',
      'p50 ms',
      'p99 ms',
      'added p50 ms',
      'RSS MB',
      'spread',
      'errors',
    ];
    return [TITLES[scenario], table(head, rows), ''];
  });
}

function idle(result: BenchResult): string[] {
  if (result.idle.length === 0) return [];
  const rows = result.idle.map((cost) => [
    `${cost.target}: ${cost.kind}`,
    show(cost.count),
    show(cost.kbEach, 1),
    show(cost.totalMb),
  ]);
  return ['Idle connections', table(['', 'held', 'RSS kB each', 'process RSS MB'], rows), ''];
}

function kernel(figure: KernelFigures | null): string[] {
  if (figure === null) return [];
  const rows = [
    [
      'tell through one cell, M/s of CPU time (wall)',
      `${show(figure.tell.cpuMps, 2)} (${show(figure.tell.wallMps, 2)})`,
    ],
    [
      'ping-pong between two cells, M/s of CPU time (wall)',
      `${show(figure.pingPong.cpuMps, 2)} (${show(figure.pingPong.wallMps, 2)})`,
    ],
    [
      'fan-in of 100 cells into one, M/s of CPU time (wall)',
      `${show(figure.fanIn.cpuMps, 2)} (${show(figure.fanIn.wallMps, 2)})`,
    ],
    [
      'alarm behind 100,000 messages, p50 / p99 / worst, µs',
      [figure.alarmP50Ms, figure.alarmP99Ms, figure.alarmMaxMs].map((ms) => show(ms * 1000)).join(' / '),
    ],
    ['supervised actors started a second', show(figure.spawnsPerSecond)],
    ['bytes an actor, heap / RSS', `${show(figure.heapBytesPerActor)} / ${show(figure.rssBytesPerActor)}`],
  ];
  return ['Kernel', table(['', ''], rows), ''];
}

function alarms(figure: AlarmFigures | null): string[] {
  if (figure === null) return [];
  const pair = (p50: number, p99: number): string => [p50, p99].map((ms) => show(ms * 1000)).join(' / ');
  const rows = [
    ["cause to S5's decision, p50 / p99, µs", pair(figure.decidedP50Ms, figure.decidedP99Ms)],
    ['cause to what a dashboard reads, p50 / p99, µs', pair(figure.shownP50Ms, figure.shownP99Ms)],
  ];
  return [`Alarms under a flood (${show(figure.alarms)} of them)`, table(['', ''], rows), ''];
}

function attacks(figures: readonly AttackFigures[]): string[] {
  if (figures.length === 0) return [];
  const rows = figures.map((one) => [
    `${one.attack}: ${one.what}`,
    show(one.delayMs, 1),
    show(one.worstDelayMs, 1),
    show(one.callsPerSecond),
    show(one.p50Ms, 2),
    show(one.p99Ms, 1),
    show(one.errors),
    show(Object.values(one.answers).reduce((sum, count) => sum + count, 0)),
    show(one.unreadMb),
  ]);
  const head = [
    '',
    'delay p99 ms',
    'worst second',
    'honest calls/s',
    'p50 ms',
    'p99 ms',
    'refused',
    'blows',
    'unread MB',
  ];
  return ['Event-loop delay under attack', table(head, rows), ''];
}

function verdicts(result: BenchResult): string[] {
  const values = barValues(result);
  const lines = (Object.entries(BARS) as [keyof typeof BARS, Bar][]).map(([id, bar]) => {
    const mark = { stretch: '++', ok: '+ ', MISSED: '! ', 'short of the stretch goal': '  ', 'not measured': '  ' };
    return `${mark[judge(bar, values[id])]} ${bar.what.padEnd(58)} ${verdictLine(bar, values[id])}`;
  });
  return ['Bars', ...lines, ''];
}

/** The whole report. */
export function render(result: BenchResult): string {
  const { machine } = result;
  const problems = result.calls.flatMap((one) =>
    one.problems.map((problem) => `${TITLES[one.scenario]} ${one.target} C=${one.concurrency}: ${problem}`),
  );
  const noise = Math.max(0, ...result.calls.map((one) => one.spread));
  return [
    `Node ${machine.node}, ${machine.cpus} × ${machine.model}; medians of ${result.rounds} interleaved rounds of ${result.seconds} s`,
    ...result.skipped.map((text) => `left out: ${text}`),
    '',
    ...ratios(result),
    ...figures(result),
    ...idle(result),
    ...kernel(result.kernel),
    ...alarms(result.alarms),
    ...attacks(result.attacks),
    ...verdicts(result),
    ...(problems.length === 0 ? [] : ['Wrong answers', ...problems, '']),
    'Differences under 30 % say nothing from three rounds; CPU is the figure to trust.',
    ...(result.rounds > 1 ? [`Here rounds differ by up to ${show(noise * 100)} %.`] : []),
  ].join('\n');
}
