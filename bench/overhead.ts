/**
 * `npm run bench -- overhead`: what each feature costs a gateway that works, by switching it off and on in one process, in
 * turns. So neither the machine's slow minutes nor the luck of a compiled process is taken for a cost.
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
import { median } from './stats.js';
import { GATEWAY_MAIN, startDirect } from './targets.js';

export interface OverheadOptions {
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
  /** Median of the turns' ratios less one, per cent of the gateway's CPU a call at C=16. */
  readonly cpuPercent: number;
  /**
   * How sure that is, per cent: the median of so many turns lies within it with about 95 %. Source: McGill, Tukey, Larsen,
   * "Variations of Box Plots" (1978): 1.57 times the distance between the quartiles by the root of the number of turns.
   */
  readonly cpuSpread: number;
  /** Median of the turns' differences of CPU a call at C=16. */
  readonly cpuUs: number;
  /** Resident memory when it has been on for the warm-up, less before it. */
  readonly memoryMb: number;
  /** Median of the turns' differences of the median latency at C=1. */
  readonly latencyMs: number;
  readonly pairs: number;
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
}

/** How a feature is turned; `withToken`: its turns on are those with a token. */
interface Turned {
  on(): Promise<void>;
  off(): Promise<void>;
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
  const bench = await startBench(children, collector, options);
  try {
    const wanted = FEATURE_IDS.filter((name) => options.only?.some((part) => name.includes(part)) ?? true);
    options.progress('warming up');
    for (let round = 0; round < WARM_WINDOWS; round += 1)
      for (const withToken of [false, true])
        for (const concurrency of [16, 1]) await window(bench, concurrency, withToken);
    const features: Overhead[] = [];
    for (const name of wanted) features.push(await compare(bench, name));
    return { node: process.version, cpu: bench.cpu, features };
  } finally {
    bench.admin.close();
    collector.closeAllConnections();
    collector.close();
  }
}

async function compare(bench: Bench, name: FeatureId): Promise<Overhead> {
  const { options, pid } = bench;
  const turned = await turn(bench, name);
  const ratios: number[] = [];
  const differences: number[] = [];
  const latencies: number[] = [];
  let errors = 0;
  await turned.off();
  const before = rssKb(pid) / 1_024;
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
  const sorted = ratios.toSorted((a, b) => a - b);
  const quartile = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return {
    name,
    cpuPercent: 100 * (median(ratios) - 1),
    cpuSpread: (157 * (quartile(0.75) - quartile(0.25))) / Math.sqrt(sorted.length),
    cpuUs: median(differences),
    memoryMb,
    latencyMs: median(latencies),
    pairs: ratios.length,
    errors,
  };
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
      return { on, off: () => feature('tracing', false) };
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

async function startBench(children: Children, collector: Server, options: OverheadOptions): Promise<Bench> {
  const free = leaveOneCpu();
  const direct = await startDirect(children);
  const folder = mkdtempSync(join(tmpdir(), 'viable-overhead-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const secret = randomBytes(48).toString('base64url');
  const plenty = 1_000_000;
  const config = {
    mcpServers: { bench: { type: 'http', url: direct.url } },
    gateway: {
      auth: { mode: 'optional', secrets: [{ kid: 'bench', secret }] },
      limits: { roles: { admin: plenty, premium: plenty, user: plenty, guest: plenty } },
      audit: { path: join(folder, 'audit.jsonl') },
      telemetry: { enabled: false, endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` },
    },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const socket = join(folder, 'admin.sock');
  const args = ['--config', join(folder, 'config.json'), '--port', '0', '--no-dashboard', '--log-level', 'warn'];
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
  return { pid: program.pid, cpu, loads, admin, options };
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
