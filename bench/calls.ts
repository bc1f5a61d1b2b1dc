/**
 * Calls through every target, interleaved: for each concurrency, round after round, each series has its turn, so that
 * a slow minute of the machine falls on all of them alike.
 */
import { type Children } from './children.js';
import { type LoadResult } from './load-result.js';
import { median, spread } from './stats.js';
import { type Target } from './targets.js';

export type Scenario = 'http' | 'ws' | 'stdio';

/** One target in one scenario. */
export interface Series {
  readonly scenario: Scenario;
  readonly target: Target;
}

export interface CallFigures {
  readonly scenario: Scenario;
  readonly target: string;
  readonly concurrency: number;
  /** Medians of the rounds. */
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerCall: number | null;
  readonly rssMb: number | null;
  /** How far the rounds lie apart in CPU (calls/s where there is no process), as a share of the median. */
  readonly spread: number;
  /** Over all rounds. */
  readonly calls: number;
  readonly errors: number;
  readonly problems: readonly string[];
}

export interface CallOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly concurrencies: readonly number[];
  readonly progress: (text: string) => void;
  /** A window that could not be measured: what it was, and why. */
  readonly fail: (text: string) => void;
}

/** Before the first round every series runs once for nothing: code that is not compiled yet costs several times more. */
const WARM_CONCURRENCY = 16;

const EXTRA_MS = 60_000;

/** One window of load on one target. */
export async function measure(
  children: Children,
  { scenario, target }: Series,
  concurrency: number,
  options: Pick<CallOptions, 'seconds' | 'warmupSeconds'>,
  more: readonly string[] = [],
): Promise<LoadResult> {
  const ws = scenario === 'ws';
  const args = [...more, '--transport', ws ? 'ws' : 'http', '--url', ws ? (target.wsUrl ?? '') : target.url];
  args.push('--tool', target.tool, '-c', `${concurrency}`);
  args.push('--seconds', `${options.seconds}`, '--warmup', `${options.warmupSeconds}`);
  if (target.program !== undefined) args.push('--pid', `${target.program.pid}`);
  const load = children.start(`load on ${target.name}`, 'load', args);
  try {
    const done = await load.waitFor('done', (options.seconds + options.warmupSeconds) * 1000 + EXTRA_MS);
    return done as unknown as LoadResult;
  } finally {
    await load.stop();
  }
}

function summarise({ scenario, target }: Series, concurrency: number, rounds: readonly LoadResult[]): CallFigures {
  const costs = rounds.flatMap((round) => round.processes.slice(0, 1));
  const middle = (pick: (round: LoadResult) => number): number => median(rounds.map(pick));
  return {
    scenario,
    target: target.name,
    concurrency,
    callsPerSecond: middle((round) => round.callsPerSecond),
    p50Ms: middle((round) => round.p50Ms),
    p99Ms: middle((round) => round.p99Ms),
    cpuUsPerCall: costs.length === 0 ? null : median(costs.map((cost) => cost.cpuUsPerCall)),
    rssMb: costs.length === 0 ? null : median(costs.map((cost) => cost.rssMb)),
    spread: spread(
      costs.length === 0 ? rounds.map((round) => round.callsPerSecond) : costs.map((cost) => cost.cpuUsPerCall),
    ),
    calls: rounds.reduce((sum, round) => sum + round.calls, 0),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    problems: [...new Set(rounds.flatMap((round) => round.problems))].slice(0, 5),
  };
}

/** One window; a target that fails is reported and has no figure. */
async function attempt(
  children: Children,
  series: Series,
  concurrency: number,
  options: CallOptions,
): Promise<LoadResult | undefined> {
  const name = `${series.scenario} ${series.target.name}, C=${concurrency}`;
  try {
    const result = await measure(children, series, concurrency, options);
    const cpu = result.processes[0]?.cpuUsPerCall;
    options.progress(
      `${name}: ${Math.round(result.callsPerSecond)} calls/s` +
        (cpu === undefined ? '' : `, ${cpu.toFixed(0)} µs a call`) +
        (result.errors === 0 ? '' : `, ${result.errors} ERRORS: ${result.problems.join('; ')}`),
    );
    return result;
  } catch (error) {
    options.fail([`${name}: ${(error as Error).message}`, series.target.program?.obituary ?? ''].join('\n'));
    return undefined;
  }
}

/** A B C D A B C D … for each concurrency. */
export async function measureCalls(
  children: Children,
  series: readonly Series[],
  options: CallOptions,
): Promise<CallFigures[]> {
  const figures: CallFigures[] = [];
  options.progress('warming up');
  for (const one of series) await attempt(children, one, WARM_CONCURRENCY, { ...options, progress: () => undefined });
  for (const concurrency of options.concurrencies) {
    const results = new Map<Series, LoadResult[]>(series.map((one) => [one, []]));
    for (let round = 1; round <= options.rounds; round += 1) {
      options.progress(`round ${round} of ${options.rounds}`);
      for (const [one, seen] of results) {
        const result = await attempt(children, one, concurrency, options);
        if (result !== undefined) seen.push(result);
      }
    }
    for (const [one, seen] of results) if (seen.length > 0) figures.push(summarise(one, concurrency, seen));
  }
  return figures;
}
