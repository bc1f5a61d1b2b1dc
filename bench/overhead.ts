/**
 * `npm run bench -- overhead`: what each feature costs a gateway that works. Two gateways at once on one CPU, the feature on in one of
 * them and off in the other, and then the other way round: whatever makes the machine slower for a while does so to both. In several
 * such pairs one after the other: how a process happens to be compiled changes what a feature costs in it.
 *
 * Source: Bulej, Horký, Tůma, Farquet, Prokopec, "Duet Benchmarking: Improving Measurement Accuracy in the Cloud" (ICPE 2020).
 */
import { type Children } from './children.js';
import { type LoadResult } from './load-result.js';
import { FEATURE_IDS, type FeatureId, turn } from './overhead-features.js';
import { type Bench, startBench, startCollector, window } from './overhead-gateway.js';
import { leaveOneCpu } from './own-cpu.js';
import { cpuMicros, rssKb } from './proc.js';
import { mean, median, spreadOfMedians } from './stats.js';

export interface OverheadOptions {
  /** Pairs of gateways, one after the other. */
  readonly twins: number;
  /** Turns of each pair: on in the one, then in the other. */
  readonly turns: number;
  readonly seconds: number;
  /** How long each feature is on before it is measured. */
  readonly warmup: number;
  /** Parts of the names of those that are measured; `null`: all. */
  readonly only: readonly string[] | null;
  readonly progress: (text: string) => void;
}

/** One feature, on against off. */
export interface Overhead {
  readonly name: FeatureId;
  /** Median of the turns' ratios less one, per cent of the gateway's CPU a call at C=16; of several pairs, the mean of theirs. */
  readonly cpuPercent: number;
  /** How sure that is, per cent: it lies within it with about 95 %. See `spreadOfMedians`. */
  readonly cpuSpread: number;
  /** Median of the turns' differences of CPU a call at C=16. */
  readonly cpuUs: number;
  /** Resident memory when it has been on for the warm-up, less before it. */
  readonly memoryMb: number;
  /** Median of the turns' differences of the median latency at C=1. */
  readonly latencyMs: number;
  /** Of each pair of gateways, per cent of their CPU. */
  readonly byTwins: readonly number[];
  readonly turns: number;
  readonly errors: number;
}

/** The turns of one feature in one pair. */
interface Turns {
  readonly ratios: readonly number[];
  /** CPU a call, microseconds. */
  readonly differences: readonly number[];
  /** Milliseconds. */
  readonly latencies: readonly number[];
  readonly memoryMb: number;
  readonly errors: number;
}

export interface OverheadFigures {
  readonly node: string;
  /** The CPU that the two gateways had for themselves; `null`: they had none. */
  readonly cpu: number | null;
  readonly features: readonly Overhead[];
}

/** Before the first turn: code that is not compiled yet costs several times more. */
const WARM_WINDOWS = 4;
/** A median of thousands of calls moves less than the CPU that they take. */
const TURNS_OF_A_LATENCY = 4;
/** After each turn: what starting and stopping a feature takes is no cost of having it. */
const SETTLE_MS = 200;

export async function measureOverhead(children: Children, options: OverheadOptions): Promise<OverheadFigures> {
  const collector = await startCollector();
  const free = leaveOneCpu();
  const wanted = FEATURE_IDS.filter((name) => options.only?.some((part) => name.includes(part)) ?? true);
  const seen = new Map<FeatureId, Turns[]>(wanted.map((name) => [name, []]));
  let cpu: number | null = null;
  try {
    for (let number = 1; number <= options.twins; number += 1) {
      const twins: Twins = [await startBench(children, collector, free), await startBench(children, collector, free)];
      cpu = twins[0].cpu;
      options.progress(`pair ${number}/${options.twins}: warming up`);
      for (let round = 0; round < WARM_WINDOWS; round += 1)
        for (const withToken of [false, true])
          for (const concurrency of [16, 1])
            await both(twins, (bench) => window(bench, concurrency, withToken, options.seconds));
      for (const [name, turns] of seen) turns.push(await compare(twins, name, options));
      for (const { admin } of twins) admin.close();
      await children.stop();
    }
    return { node: process.version, cpu, features: [...seen].map(([name, turns]) => overheadOf(name, turns)) };
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
}

/** `turns`: those of each pair. */
function overheadOf(name: FeatureId, turns: readonly Turns[]): Overhead {
  const percents = turns.map(({ ratios }) => 100 * (median(ratios) - 1));
  const all = <T>(of: (each: Turns) => readonly T[]): T[] => turns.flatMap(of);
  return {
    name,
    cpuPercent: mean(percents),
    cpuSpread: 100 * spreadOfMedians(turns.map(({ ratios }) => ratios)),
    cpuUs: median(all(({ differences }) => differences)),
    memoryMb: median(turns.map(({ memoryMb }) => memoryMb)),
    latencyMs: median(all(({ latencies }) => latencies)),
    byTwins: percents,
    turns: all(({ ratios }) => ratios).length,
    errors: turns.reduce((sum, { errors }) => sum + errors, 0),
  };
}

type Twins = readonly [Bench, Bench];
type Side = 'off' | 'on';

function both<T>(twins: Twins, work: (bench: Bench, index: 0 | 1) => Promise<T>): Promise<[T, T]> {
  return Promise.all([work(twins[0], 0), work(twins[1], 1)]);
}

async function compare(twins: Twins, name: FeatureId, options: OverheadOptions): Promise<Turns> {
  const turned = [turn(twins[0], name), turn(twins[1], name)] as const;
  const turnAll = (sides: readonly [Side, Side]): Promise<unknown> =>
    both(twins, (_, index) => turned[index][sides[index]]());
  const withToken = (side: Side): boolean => side === 'on' && turned[0].withToken === true;
  const ratios: number[] = [];
  const differences: number[] = [];
  const latencies: number[] = [];
  let errors = 0;
  const seconds = Math.max(options.seconds, turned[0].leastSeconds ?? 0);
  const run = async (bench: Bench, concurrency: number, side: Side): Promise<LoadResult> => {
    const result = await window(bench, concurrency, withToken(side), seconds);
    errors += result.errors;
    return result;
  };
  /** CPU a call of both gateways at once. */
  const measured = async (sides: readonly [Side, Side]): Promise<[number, number]> => {
    await turnAll(sides);
    await settled();
    const results = await both(twins, (bench, index) => run(bench, 16, sides[index]));
    const owed = await both(twins, ({ pid }, index) => cpuWhile(pid, turned[index].pay));
    return [cpuOf(results[0], owed[0]), cpuOf(results[1], owed[1])];
  };
  await turnAll(['off', 'off']);
  const before = rssKb(twins[0].pid) / 1_024;
  await both(twins, async (_, index) => turned[index].prepare?.());
  await turnAll(['on', 'on']);
  await warmUp(twins, turned[0].withToken === true, options);
  await both(twins, async (_, index) => turned[index].warm?.());
  const memoryMb = rssKb(twins[0].pid) / 1_024 - before;
  for (let number = 0; number < options.turns; number += 1) {
    const isEven = number % 2 === 0;
    const first = await measured(isEven ? ['off', 'on'] : ['on', 'off']);
    const second = await measured(isEven ? ['on', 'off'] : ['off', 'on']);
    const [[aOff, bOn], [aOn, bOff]] = isEven ? [first, second] : [second, first];
    // By how much the one gateway is always slower than the other is not in it.
    const ratio = Math.sqrt((aOn / aOff) * (bOn / bOff));
    ratios.push(ratio);
    differences.push((aOn + bOn - aOff - bOff) / 2);
    if (number % TURNS_OF_A_LATENCY === 0) latencies.push(await latencyOf(isEven ? ['off', 'on'] : ['on', 'off']));
    options.progress(`${name} ${number + 1}/${options.turns}: CPU ${percent(ratio)} of ${aOff.toFixed(1)} µs`);
  }
  await turnAll(['off', 'off']);
  await both(twins, async (_, index) => turned[index].end?.());
  options.progress(`${name}: CPU ${percent(median(ratios))} in this pair`);
  return { ratios, differences, latencies, memoryMb, errors };

  /** By how much the median call of one client is slower: of the first gateway, while nobody calls the other. */
  async function latencyOf(order: readonly Side[]): Promise<number> {
    const seen = { off: Number.NaN, on: Number.NaN };
    for (const side of order) {
      await turnAll([side, side]);
      await settled();
      seen[side] = (await run(twins[0], 1, side)).p50Ms;
    }
    return seen.on - seen.off;
  }
}

/** A call; `owed`: what all of them left to do, microseconds. */
function cpuOf({ processes, calls }: LoadResult, owed: number): number {
  return (processes[0]?.cpuUsPerCall ?? Number.NaN) + owed / calls;
}

/** Microseconds of CPU that the process takes meanwhile. */
async function cpuWhile(pid: number, work: (() => Promise<void>) | undefined): Promise<number> {
  if (work === undefined) return 0;
  const before = cpuMicros(pid);
  await work();
  return cpuMicros(pid) - before;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

/** What is compiled when it has been called often enough is so only after a while, where one call in ten comes by. */
async function warmUp(twins: Twins, withToken: boolean, { warmup, seconds }: OverheadOptions): Promise<void> {
  const until = performance.now() + 1_000 * warmup;
  while (performance.now() < until)
    for (const concurrency of [16, 1]) await both(twins, (bench) => window(bench, concurrency, withToken, seconds));
}

function percent(ratio: number): string {
  return `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)} %`;
}
