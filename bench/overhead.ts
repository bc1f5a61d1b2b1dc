/**
 * `npm run bench -- overhead`: what each feature costs a gateway that works, by switching it off and on in one process, in
 * turns, so that the machine's slow minutes are not taken for a cost. In several gateways one after the other: how a process happens to be
 * compiled changes what a feature costs in it.
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
import { mean, median } from './stats.js';
import { GATEWAY_MAIN, startDirect } from './targets.js';

export interface OverheadOptions {
  readonly gateways: number;
  /** Turns of off and on in each gateway. */
  readonly pairs: number;
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
  /** Median of the turns' ratios less one, per cent of the gateway's CPU a call at C=16; of several gateways, the mean of theirs. */
  readonly cpuPercent: number;
  /** How sure that is, per cent: it lies within it with about 95 %. See `spreadOf`. */
  readonly cpuSpread: number;
  /** Median of the turns' differences of CPU a call at C=16. */
  readonly cpuUs: number;
  /** Resident memory when it has been on for the warm-up, less before it. */
  readonly memoryMb: number;
  /** Median of the turns' differences of the median latency at C=1. */
  readonly latencyMs: number;
  /** Of each gateway, per cent of its CPU. */
  readonly byGateway: readonly number[];
  readonly pairs: number;
  readonly errors: number;
}

/** The turns of one feature in one gateway. */
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
  /** The CPU that the gateway had for itself; `null`: it had none. */
  readonly cpu: number | null;
  readonly features: readonly Overhead[];
}

export const FEATURE_IDS = ['dashboard', 'draining', 'tracing 1 %', 'tracing 10 %', 'jwt', 'audit', 'vsm'] as const;
export type FeatureId = (typeof FEATURE_IDS)[number];

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
/** After each turn: what starting and stopping a feature takes is no cost of having it. */
const SETTLE_MS = 200;

export async function measureOverhead(children: Children, options: OverheadOptions): Promise<OverheadFigures> {
  const collector = await startCollector();
  const free = leaveOneCpu();
  const wanted = FEATURE_IDS.filter((name) => options.only?.some((part) => name.includes(part)) ?? true);
  const seen = new Map<FeatureId, Turns[]>(wanted.map((name) => [name, []]));
  let cpu: number | null = null;
  try {
    for (let gateway = 1; gateway <= options.gateways; gateway += 1) {
      const bench = await startBench(children, collector, free, options);
      cpu = bench.cpu;
      options.progress(`gateway ${gateway}/${options.gateways}: warming up`);
      for (let round = 0; round < WARM_WINDOWS; round += 1)
        for (const withToken of [false, true])
          for (const concurrency of [16, 1]) await window(bench, concurrency, withToken);
      for (const [name, turns] of seen) turns.push(await compare(bench, name));
      bench.admin.close();
      await children.stop();
    }
    return { node: process.version, cpu, features: [...seen].map(([name, turns]) => overheadOf(name, turns)) };
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
}

/** `turns`: those of each gateway. */
function overheadOf(name: FeatureId, turns: readonly Turns[]): Overhead {
  const percents = turns.map(({ ratios }) => 100 * (median(ratios) - 1));
  const all = <T>(of: (each: Turns) => readonly T[]): T[] => turns.flatMap(of);
  return {
    name,
    cpuPercent: mean(percents),
    cpuSpread: spreadOf(percents, turns),
    cpuUs: median(all(({ differences }) => differences)),
    memoryMb: median(turns.map(({ memoryMb }) => memoryMb)),
    latencyMs: median(all(({ latencies }) => latencies)),
    byGateway: percents,
    pairs: all(({ ratios }) => ratios).length,
    errors: turns.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** Of Student's t, 97.5 %, by the degrees of freedom from 1 on. */
const T_975 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26] as const;
const T_975_OF_MORE = 2.2;

/**
 * Of one gateway: the median of so many turns. Source: McGill, Tukey, Larsen, "Variations of Box Plots" (1978): 1.57 times the distance
 * between the quartiles by the root of the number of turns. Of several: the mean of theirs, by Student's t.
 */
function spreadOf(percents: readonly number[], turns: readonly Turns[]): number {
  if (turns.length <= 1) {
    const sorted = (turns[0]?.ratios ?? []).toSorted((a, b) => a - b);
    const quartile = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
    return (157 * (quartile(0.75) - quartile(0.25))) / Math.sqrt(sorted.length);
  }
  const middle = mean(percents);
  const variance = percents.reduce((sum, each) => sum + (each - middle) ** 2, 0) / (percents.length - 1);
  return (T_975[percents.length - 2] ?? T_975_OF_MORE) * Math.sqrt(variance / percents.length);
}

async function compare(bench: Bench, name: FeatureId): Promise<Turns> {
  const { options, pid } = bench;
  const turned = await turn(bench, name);
  const ratios: number[] = [];
  const differences: number[] = [];
  const latencies: number[] = [];
  let errors = 0;
  await turned.off();
  const before = rssKb(pid) / 1_024;
  await turned.prepare?.();
  await turned.on();
  await warmUp(bench, turned.withToken === true);
  const memoryMb = rssKb(pid) / 1_024 - before;
  for (let pair = 0; pair < options.pairs; pair += 1) {
    // Off first and on first in turn, so that what drifts drifts for both.
    const order = pair % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const);
    const seen = new Map<'off' | 'on', { cpu: number; p50: number }>();
    for (const side of order) {
      await turned[side]();
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const withToken = side === 'on' && turned.withToken === true;
      const many = await window(bench, 16, withToken);
      const one = await window(bench, 1, withToken);
      errors += many.errors + one.errors;
      seen.set(side, { cpu: many.processes[0]?.cpuUsPerCall ?? Number.NaN, p50: one.p50Ms });
    }
    const [off, on] = [seen.get('off'), seen.get('on')];
    if (!off || !on) continue;
    ratios.push(on.cpu / off.cpu);
    differences.push(on.cpu - off.cpu);
    latencies.push(on.p50 - off.p50);
    options.progress(`${name} ${pair + 1}/${options.pairs}: CPU ${percent(on.cpu / off.cpu)}`);
  }
  await turned.off();
  await turned.end?.();
  options.progress(`${name}: CPU ${percent(median(ratios))} in this gateway`);
  return { ratios, differences, latencies, memoryMb, errors };
}

/** What is compiled when it has been called often enough is so only after a while, where one call in ten comes by. */
async function warmUp(bench: Bench, withToken: boolean): Promise<void> {
  const until = performance.now() + 1_000 * bench.options.warmup;
  while (performance.now() < until) for (const concurrency of [16, 1]) await window(bench, concurrency, withToken);
}

async function turn(bench: Bench, name: FeatureId): Promise<Turned> {
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
      await admin.request('sampling', { rate: name === 'tracing 1 %' ? 0.01 : 0.1 });
      const on = async (): Promise<void> => {
        await feature('tracing', true);
        // The SDK is loaded beside what goes on: the first turn waits for it.
        for (
          let state = await admin.request('sampling', {});
          !state.tracing;
          state = await admin.request('sampling', {})
        )
          await new Promise((resolve) => setTimeout(resolve, 50));
      };
      return {
        // Configured, the SDK stays while the feature is off: no turn has to start it.
        prepare: () => bench.configureTelemetry(true),
        on,
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
