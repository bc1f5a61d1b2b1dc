/**
 * `npm run bench -- overhead`: what each feature costs a gateway that works. Two gateways at once on one CPU, the feature on in one of
 * them and off in the other, and then the other way round: whatever makes the machine slower for a while does so to both. In several
 * such pairs one after the other: how a process happens to be compiled changes what a feature costs in it.
 *
 * Source: Bulej, Horký, Tůma, Farquet, Prokopec, "Duet Benchmarking: Improving Measurement Accuracy in the Cloud" (ICPE 2020).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminClient, type AdminSubscription, connectAdmin } from '#src/admin/client.js';
import { JwtAuthenticator } from '#src/auth/jwt-authenticator.js';
import { type Children, type Program } from './children.js';
import { type LoadResult, windowEvent, type WindowRequest } from './load-result.js';
import { leaveOneCpu, moveTo } from './own-cpu.js';
import { waitForTool } from './probe.js';
import { rssKb } from './proc.js';
import { mean, median, spreadOfMedians } from './stats.js';
import { GATEWAY_MAIN, startDirect } from './targets.js';

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

export const FEATURE_IDS = ['dashboard', 'draining', 'tracing 1 %', 'tracing 10 %', 'jwt', 'audit', 'vsm'] as const;
export type FeatureId = (typeof FEATURE_IDS)[number];

/** A gateway and its loads. */
interface Bench {
  readonly pid: number;
  readonly cpu: number | null;
  readonly loads: Loads;
  readonly admin: AdminClient;
  readonly options: OverheadOptions;
  /** Writes its configuration anew and has it read. */
  configureTelemetry(enabled: boolean): Promise<void>;
}

/** How a feature is turned; `withToken`: its turns on are those with a token. */
interface Turned {
  /** What it needs to be turned on at once, and what is a cost of having it in memory. */
  prepare?(): Promise<void>;
  /** After the warm-up, which runs more of it than its turns do: one call in a hundred would take an hour to have its code compiled. */
  warm?(): Promise<void>;
  on(): Promise<void>;
  off(): Promise<void>;
  /** Undoes `prepare`. */
  end?(): Promise<void>;
  readonly withToken?: true;
}

/** Loads that wait for their turn, each with its sessions open. */
class Loads {
  readonly #programs = new Map<string, Program>();
  #windows = 0;

  /** Two of them, with 16 clients and with one; `token`: what they show. */
  async start(children: Children, url: string, pid: number, token: string | null): Promise<void> {
    for (const concurrency of [16, 1]) {
      const name = loadName(concurrency, token !== null);
      const args = ['--on-demand', '--url', url, '--tool', 'bench__echo', '-c', String(concurrency)];
      args.push(
        '--warmup',
        String(WARMUP_SECONDS),
        '--pid',
        String(pid),
        ...(token === null ? [] : ['--token', token]),
      );
      const load = children.start(`load of ${name}`, 'load', args);
      await load.waitFor('open', READY_MS);
      this.#programs.set(name, load);
    }
  }

  /** One window of one of them. */
  async run(concurrency: number, withToken: boolean, seconds: number): Promise<LoadResult> {
    const load = this.#programs.get(loadName(concurrency, withToken));
    if (load === undefined) throw new Error(`no load of ${concurrency}`);
    const request: WindowRequest = { window: (this.#windows += 1), seconds };
    load.tell({ ...request });
    return (await load.waitFor(windowEvent(request.window), EXTRA_MS)) as unknown as LoadResult;
  }
}

function loadName(concurrency: number, withToken: boolean): string {
  return `${concurrency}${withToken ? ' with a token' : ''}`;
}

const READY_MS = 20_000;
const WARMUP_SECONDS = 0.1;
/** As the seed's production configuration refreshes its dashboard by default. */
const REFRESH_MS = 1_000;
/** Before the first turn: code that is not compiled yet costs several times more. */
const WARM_WINDOWS = 4;
const EXTRA_MS = 60_000;
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
      const twins: Twins = [
        await startBench(children, collector, free, options),
        await startBench(children, collector, free, options),
      ];
      cpu = twins[0].cpu;
      options.progress(`pair ${number}/${options.twins}: warming up`);
      for (let round = 0; round < WARM_WINDOWS; round += 1)
        for (const withToken of [false, true])
          for (const concurrency of [16, 1]) await both(twins, (bench) => window(bench, concurrency, withToken));
      for (const [name, turns] of seen) turns.push(await compare(twins, name));
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

async function compare(twins: Twins, name: FeatureId): Promise<Turns> {
  const { options } = twins[0];
  const turned = [turn(twins[0], name), turn(twins[1], name)] as const;
  const turnAll = (sides: readonly [Side, Side]): Promise<unknown> =>
    both(twins, (_, index) => turned[index][sides[index]]());
  const withToken = (side: Side): boolean => side === 'on' && turned[0].withToken === true;
  const ratios: number[] = [];
  const differences: number[] = [];
  const latencies: number[] = [];
  let errors = 0;
  const run = async (bench: Bench, concurrency: number, side: Side): Promise<LoadResult> => {
    const result = await window(bench, concurrency, withToken(side));
    errors += result.errors;
    return result;
  };
  /** CPU a call of both gateways at once. */
  const measured = async (sides: readonly [Side, Side]): Promise<[number, number]> => {
    await turnAll(sides);
    await settled();
    const results = await both(twins, (bench, index) => run(bench, 16, sides[index]));
    return [cpuOf(results[0]), cpuOf(results[1])];
  };
  await turnAll(['off', 'off']);
  const before = rssKb(twins[0].pid) / 1_024;
  await both(twins, async (_, index) => turned[index].prepare?.());
  await turnAll(['on', 'on']);
  await warmUp(twins, turned[0].withToken === true);
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

function cpuOf({ processes }: LoadResult): number {
  return processes[0]?.cpuUsPerCall ?? Number.NaN;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

/** What is compiled when it has been called often enough is so only after a while, where one call in ten comes by. */
async function warmUp(twins: Twins, withToken: boolean): Promise<void> {
  const until = performance.now() + 1_000 * twins[0].options.warmup;
  while (performance.now() < until)
    for (const concurrency of [16, 1]) await both(twins, (bench) => window(bench, concurrency, withToken));
}

function turn(bench: Bench, name: FeatureId): Turned {
  const { admin } = bench;
  const feature = async (which: string, on: boolean): Promise<void> => {
    await admin.request('features', { action: on ? 'enable' : 'disable', name: which });
  };
  switch (name) {
    case 'dashboard':
      return dashboard(bench);
    case 'draining':
    case 'audit':
    case 'vsm':
      return { on: () => feature(name, true), off: () => feature(name, false) };
    case 'jwt':
      return { on: () => Promise.resolve(), off: () => Promise.resolve(), withToken: true };
    case 'tracing 1 %':
    case 'tracing 10 %': {
      const sampled = async (rate: number): Promise<void> => {
        await admin.request('sampling', { rate });
      };
      // Configured, the SDK stays while the feature is off: no turn has to start it. It is loaded beside what goes on.
      const prepare = async (): Promise<void> => {
        await sampled(1);
        await bench.configureTelemetry(true);
        await feature('tracing', true);
        for (
          let state = await admin.request('sampling', {});
          !state.tracing;
          state = await admin.request('sampling', {})
        )
          await new Promise((resolve) => setTimeout(resolve, 50));
      };
      return {
        prepare,
        warm: () => sampled(name === 'tracing 1 %' ? 0.01 : 0.1),
        on: () => feature('tracing', true),
        off: () => feature('tracing', false),
        end: () => bench.configureTelemetry(false),
      };
    }
  }
}

/** A dashboard that is watched. */
function dashboard({ admin }: Bench): Turned {
  let watching: AdminSubscription | null = null;
  return {
    on: async () => {
      watching ??= await admin.watch(REFRESH_MS, () => undefined);
    },
    off: () => {
      watching?.cancel();
      watching = null;
      return Promise.resolve();
    },
  };
}

/** One window; of a single client's only a median is wanted, for which thousands of calls are enough. */
function window({ loads, options }: Bench, concurrency: number, withToken: boolean): Promise<LoadResult> {
  return loads.run(concurrency, withToken, concurrency === 1 ? Math.min(options.seconds / 2, 0.5) : options.seconds);
}

/** `free`: a CPU that nothing else runs on. */
async function startBench(
  children: Children,
  collector: Server,
  free: number | null,
  options: OverheadOptions,
): Promise<Bench> {
  const direct = await startDirect(children);
  const folder = mkdtempSync(join(tmpdir(), 'viable-overhead-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const secret = randomBytes(48).toString('base64url');
  const plenty = 1_000_000;
  const configWith = (enabled: boolean): object => ({
    mcpServers: { bench: { type: 'http', url: direct.url } },
    gateway: {
      auth: { mode: 'optional', secrets: [{ kid: 'bench', secret }] },
      limits: { roles: { admin: plenty, premium: plenty, user: plenty, guest: plenty } },
      audit: { path: join(folder, 'audit.jsonl') },
      telemetry: { enabled, endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` },
    },
  });
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(configWith(false)));
  const socket = join(folder, 'admin.sock');
  const args = ['--config', file, '--port', '0', '--no-dashboard', '--log-level', 'warn'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(VIABLE_|JWT_|OTEL_)/.test(key)));
  const program: Program = children.keep('gateway', [GATEWAY_MAIN, ...args, '--admin-socket', socket], {
    ...env,
    OTEL_METRICS_EXPORTER: 'none',
  });
  const ready = await program.waitFor('ready', READY_MS);
  const url = `${new URL(String(ready['url'])).origin}/mcp`;
  await waitForTool(url, 'bench__echo', READY_MS);
  const admin = await connectAdmin(socket);
  for (const name of ['audit', 'vsm', 'draining']) await admin.request('features', { action: 'disable', name });
  const token = await new JwtAuthenticator({ secrets: [{ kid: 'bench', secret }] }).generateToken('bench', {
    role: 'admin',
  });
  const loads = new Loads();
  for (const shown of [null, token]) await loads.start(children, url, program.pid, shown);
  const cpu = free !== null && moveTo(free, program.pid) ? free : null;
  const configureTelemetry = async (enabled: boolean): Promise<void> => {
    writeFileSync(file, JSON.stringify(configWith(enabled)));
    await admin.request('send', { actor: 'configuration', message: 'reload' });
  };
  return { pid: program.pid, cpu, loads, admin, options, configureTelemetry };
}

/** Takes whatever is sent, as a collector nearby would. */
async function startCollector(): Promise<Server> {
  const server = createServer((req, res) => {
    req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function percent(ratio: number): string {
  return `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)} %`;
}
