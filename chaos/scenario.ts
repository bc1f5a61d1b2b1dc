/** What a chaos scenario is, and what comes out of it. */
import { check, recoveries, slope, type Verdict } from './check.js';
import { type World } from './world.js';

export interface Size {
  /** Kills of an upstream on each transport. */
  readonly kills: number;
  /** Gateways that are told to stop. */
  readonly terms: number;
  /** Seconds of scenarios that go by time. */
  readonly seconds: number;
  /** Connections that are drained at once. */
  readonly connections: number;
  /** Clients that do not read. */
  readonly readers: number;
  /** Whether times are judged. Where others use the machine as well they are only shown. */
  readonly timed: boolean;
}

export const FULL: Size = { kills: 1_000, terms: 100, seconds: 30, connections: 5_000, readers: 200, timed: true };
export const SHORT: Size = { kills: 15, terms: 4, seconds: 3, connections: 400, readers: 45, timed: false };
/** For mutants: what is broken on purpose shows soon. */
export const PROOF: Size = { kills: 8, terms: 2, seconds: 2, connections: 200, readers: 30, timed: false };

/** `factor` times as many faults. */
export function scaled(size: Size, factor: number): Size {
  const times = (count: number): number => Math.max(1, Math.round(count * factor));
  return {
    kills: times(size.kills),
    terms: times(size.terms),
    seconds: times(size.seconds),
    connections: times(size.connections),
    readers: times(size.readers),
    timed: size.timed,
  };
}

export interface Context {
  readonly size: Size;
  /** 0 ≤ random < 1, from the run's seed. */
  readonly random: () => number;
  readonly newWorld: () => World;
  /** One line of progress. */
  readonly progress: (text: string) => void;
}

/** One row of the scoreboard. */
export interface Result {
  readonly verdict: Verdict;
  /** How many faults there were. */
  readonly faults: number;
  /** Milliseconds from each kill to the first result afterwards. */
  readonly recoveries: readonly number[];
  /** kB a minute; `null` when the gateway lived too short. */
  readonly memorySlope: number | null;
  /** Bars of this scenario beside those of the verdict; each a sentence when missed. */
  readonly missed: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** What is broken. */
  readonly about: string;
  run(context: Context): Promise<Result>;
}

/** Lets the load come to its end and reads the journals. */
export async function judge(world: World, missed: readonly string[] = []): Promise<Result> {
  await world.settle();
  const clients = world.clients();
  const faults = world.faults();
  return {
    verdict: check(clients, world.upstreams()),
    faults: faults.length,
    recoveries: recoveries(clients, faults),
    memorySlope: slope(world.memory),
    missed,
  };
}

/** The bars that hold for every scenario, as sentences for those that are missed. */
export function missedBars({ verdict, missed }: Result): string[] {
  const { lost, duplicate, foreign, twice, phantom, ok } = verdict;
  const counts = { lost, duplicate, foreign, 'run twice': twice, 'never run but answered': phantom };
  return [
    ...Object.entries(counts)
      .filter(([, nonces]) => nonces.length > 0)
      .map(([what, nonces]) => `${nonces.length} ${what} (${nonces.slice(0, 3).join(', ')})`),
    ...(ok === 0 ? ['no call was answered by a result'] : []),
    ...missed,
  ];
}

/** Waits until `fits`, looking again now and then; throws when it takes too long. */
export async function until(what: string, fits: () => boolean, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!fits()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(20);
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
