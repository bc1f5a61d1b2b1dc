/**
 * `npm run bench`: the gateway against a direct call, a bare proxy and a bare MCP gateway, interleaved in one run.
 * Progress on stderr, the comparison on stdout. Exit code 1: a target did not start or gave a wrong answer; a missed bar
 * is a finding, not a failure.
 */
import { Command, InvalidArgumentError } from 'commander';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { measureCalls, type Series } from './calls.js';
import { Children } from './children.js';
import { measureIdle, idleKinds, type IdleCost } from './memory.js';
import { measureOverhead } from './overhead.js';
import { renderOverhead } from './overhead-report.js';
import { render } from './report.js';
import { isClean, type BenchResult } from './result.js';
import { medianAlarms, type AlarmFigures } from './alarm-figures.js';
import { measureAttacks } from './attacks.js';
import { medianKernel, type KernelFigures } from './kernel-figures.js';
import {
  gatewayIsBuilt,
  PEER_NAMES,
  startDirect,
  startGateway,
  startNodeMcp,
  startNodeProxy,
  startPeer,
  type Target,
} from './targets.js';

const PARTS = ['http', 'ws', 'stdio', 'memory', 'kernel', 'alarms', 'attacks'] as const;
type Part = (typeof PARTS)[number];

interface Options {
  readonly quick?: true;
  readonly only: readonly Part[];
  readonly rounds?: number;
  readonly seconds?: number;
  readonly json?: string;
  readonly withPeers?: true;
  readonly attacks?: string;
  readonly render?: string;
}

interface Plan {
  readonly parts: ReadonlySet<Part>;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly concurrencies: readonly number[];
  readonly idleCounts: readonly number[];
  readonly mixed: number;
  readonly kernelScale: number;
  readonly peers: boolean;
  /** `null`: all. */
  readonly attacks: readonly string[] | null;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('a positive number is needed');
  return value;
}

function parts(text: string): readonly Part[] {
  return text.split(',').map((name) => {
    const part = PARTS.find((candidate) => candidate === name.trim());
    if (part === undefined) throw new InvalidArgumentError(`one or more of ${PARTS.join(', ')}`);
    return part;
  });
}

function planOf(options: Options): Plan {
  const quick = options.quick === true;
  return {
    parts: new Set(options.only),
    rounds: Math.ceil(options.rounds ?? (quick ? 1 : 3)),
    seconds: options.seconds ?? (quick ? 1 : 5),
    warmupSeconds: quick ? 0.5 : 1.5,
    concurrencies: quick ? [1, 16] : [1, 16, 64],
    idleCounts: quick ? [1_000] : [1_000, 5_000],
    mixed: quick ? 0 : 10_000,
    kernelScale: quick ? 0.3 : 1,
    peers: options.withPeers === true,
    attacks: options.attacks?.split(',') ?? null,
  };
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What could not be measured, and whether that is a failure. */
class Skipped {
  readonly reasons: string[] = [];
  failed = false;

  add(reason: string): void {
    const lines = reason.trim().split('\n');
    const last = lines.length > 1 ? ` (${(lines.at(-1) ?? '').trim()})` : '';
    this.reasons.push(`${lines[0] ?? ''}${last}`);
    progress(`left out: ${reason}`);
  }

  /** Runs `start`; a target that cannot start is left out and makes the run fail. */
  async attempt<T>(what: string, start: () => Promise<T>): Promise<T | undefined> {
    try {
      return await start();
    } catch (error) {
      this.fail(`${what}: ${(error as Error).message}`);
      return undefined;
    }
  }

  fail(reason: string): void {
    this.failed = true;
    this.add(reason);
  }
}

async function gatewayFor(children: Children, skipped: Skipped, upstreamUrl?: string): Promise<Target | undefined> {
  return gatewayIsBuilt() ? skipped.attempt('gateway', () => startGateway(children, upstreamUrl)) : undefined;
}

/** Every target of every scenario asked for, all running, in the order in which they take turns. */
async function startSeries(children: Children, plan: Plan, skipped: Skipped): Promise<Series[]> {
  const series: Series[] = [];
  const { parts: wanted } = plan;
  if (wanted.has('http') || wanted.has('ws')) {
    const direct = await startDirect(children);
    const nodeMcp = await startNodeMcp(children, direct.url);
    const gateway = await gatewayFor(children, skipped, direct.url);
    if (wanted.has('http')) {
      const proxy = await startNodeProxy(children, direct.url);
      for (const target of [direct, proxy, nodeMcp, gateway]) {
        if (target !== undefined) series.push({ scenario: 'http', target });
      }
    }
    if (wanted.has('ws')) {
      for (const target of [nodeMcp, gateway]) if (target !== undefined) series.push({ scenario: 'ws', target });
    }
  }
  if (wanted.has('stdio')) {
    const targets = [await startNodeMcp(children), await gatewayFor(children, skipped)];
    if (plan.peers) targets.push(...(await startPeers(children, skipped)));
    for (const target of targets) if (target !== undefined) series.push({ scenario: 'stdio', target });
  }
  return series;
}

async function startPeers(children: Children, skipped: Skipped): Promise<Target[]> {
  const targets: Target[] = [];
  for (const name of PEER_NAMES) {
    const target = await skipped.attempt(name, async () => {
      const started = await startPeer(children, name);
      if (started === undefined) skipped.add(`${name}: not installed`);
      return started;
    });
    if (target !== undefined) targets.push(target);
  }
  return targets;
}

/** Idle memory: a fresh target for each kind. */
async function measureMemory(children: Children, plan: Plan, skipped: Skipped): Promise<IdleCost[]> {
  const direct = await startDirect(children);
  const makers = [() => startNodeMcp(children, direct.url), () => gatewayFor(children, skipped, direct.url)];
  const costs: IdleCost[] = [];
  for (const make of makers) {
    const first = await make();
    if (first?.program === undefined) continue;
    const kinds = idleKinds(first);
    await first.program.stop();
    if (plan.mixed > 0 && first.name === 'gateway') kinds.push('mixed');
    for (const kind of kinds) {
      const target = await make();
      if (target?.program === undefined) continue;
      const { program } = target;
      const counts = kind === 'mixed' ? [plan.mixed] : plan.idleCounts;
      const measured = await skipped.attempt(`${target.name}, idle ${kind}`, () =>
        measureIdle(children, { ...target, program }, kind, counts),
      );
      for (const cost of measured ?? []) {
        costs.push(cost);
        progress(`${cost.target}, ${cost.count} idle ${cost.kind}: ${cost.kbEach.toFixed(1)} kB each`);
      }
      await program.stop();
    }
  }
  return costs;
}

async function measureKernel(children: Children, plan: Plan): Promise<KernelFigures> {
  const rounds: KernelFigures[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const program = children.start('kernel', 'kernel', ['--scale', `${plan.kernelScale}`], ['--expose-gc']);
    const done = await program.waitFor('done', 300_000);
    await program.stop();
    const figures = done as unknown as KernelFigures;
    rounds.push(figures);
    progress(`kernel round ${round}/${plan.rounds}: ${figures.tell.cpuMps.toFixed(2)} M messages a CPU second`);
  }
  return medianKernel(rounds);
}

async function measureAlarms(children: Children, plan: Plan): Promise<AlarmFigures> {
  const rounds: AlarmFigures[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const program = children.start('alarms', 'alarms', ['--alarms', `${Math.round(2_000 * plan.kernelScale)}`]);
    const figures = (await program.waitFor('done', 300_000)) as unknown as AlarmFigures;
    await program.stop();
    rounds.push(figures);
    progress(`alarms round ${round}/${plan.rounds}: p99 to S5 ${figures.decidedP99Ms.toFixed(3)} ms`);
  }
  return medianAlarms(rounds);
}

async function measure(children: Children, plan: Plan): Promise<{ result: BenchResult; failed: boolean }> {
  const skipped = new Skipped();
  const has = (part: Part): boolean => plan.parts.has(part);
  const needsGateway = has('http') || has('ws') || has('stdio') || has('memory') || has('attacks');
  if (needsGateway && !gatewayIsBuilt()) skipped.add('gateway: dist/main.js has not been built');
  const series = await startSeries(children, plan, skipped);
  const calls =
    series.length === 0
      ? []
      : await measureCalls(children, series, { ...plan, progress, fail: (text) => skipped.fail(text) });
  await children.stop();
  const idle = has('memory') ? await measureMemory(children, plan, skipped) : [];
  await children.stop();
  const kernel = has('kernel') ? await measureKernel(children, plan) : null;
  const alarms = has('alarms') ? await measureAlarms(children, plan) : null;
  const attacks = has('attacks')
    ? await measureAttacks(children, { rounds: plan.rounds, seconds: plan.seconds, only: plan.attacks, progress })
    : [];
  const all = cpus();
  const result: BenchResult = {
    machine: { node: process.version, cpus: all.length, model: all[0]?.model.trim() ?? 'CPU' },
    rounds: plan.rounds,
    seconds: plan.seconds,
    skipped: skipped.reasons,
    calls,
    idle,
    kernel,
    alarms,
    attacks,
  };
  return { result, failed: skipped.failed };
}

async function run(options: Options): Promise<void> {
  if (options.render !== undefined) {
    process.stdout.write(`${render(JSON.parse(readFileSync(options.render, 'utf8')) as BenchResult)}\n`);
    return;
  }
  const children = new Children();
  const end = (): void => void children.stop().finally(() => process.exit(130));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    const { result, failed } = await measure(children, planOf(options));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
    process.stdout.write(`${render(result)}\n`);
    if (failed || !isClean(result)) process.exitCode = 1;
  } finally {
    await children.stop();
  }
}

interface OverheadOptions {
  readonly twins?: number;
  readonly turns?: number;
  readonly seconds?: number;
  readonly warmup?: number;
  readonly only?: string;
}

async function runOverhead({
  twins = 3,
  turns = 20,
  seconds = 1.5,
  warmup = 60,
  only,
}: OverheadOptions): Promise<void> {
  const children = new Children();
  const end = (): void => void children.stop().finally(() => process.exit(130));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    const figures = await measureOverhead(children, {
      twins: Math.ceil(twins),
      turns: Math.ceil(turns),
      seconds,
      warmup,
      only: only?.split(',') ?? null,
      progress,
    });
    process.stdout.write(`${renderOverhead(figures)}\n`);
    if (figures.features.some(({ errors }) => errors > 0)) process.exitCode = 1;
  } finally {
    await children.stop();
  }
}

const program = new Command('bench')
  .enablePositionalOptions()
  .description('Compare the gateway with a direct call, a bare Node proxy and a bare Node MCP gateway.')
  .option('--quick', 'one round of 1 s, C = 1 and 16, 1,000 idle connections')
  .option('--only <parts>', `comma-separated: ${PARTS.join(', ')}`, parts, PARTS)
  .option('--rounds <n>', 'rounds (default 3)', positive)
  .option('--seconds <s>', 'length of a measured window (default 5)', positive)
  .option('--json <file>', 'also write everything that was measured')
  .option('--with-peers', `also measure ${PEER_NAMES.join(' and ')}, where installed`)
  .option('--attacks <ids>', 'of the attacks, these alone')
  .option('--render <file>', 'measure nothing: print the report of a file written by --json')
  .action(run);
program
  .command('overhead')
  .description(
    'What each feature costs: on in one of two gateways and off in the other, in turns; in several pairs, one after the other.',
  )
  .option('--twins <n>', 'pairs of gateways, one after the other (default 3)', positive)
  .option('--turns <n>', 'turns of each pair: on in the one, then in the other (default 20)', positive)
  .option('--seconds <s>', 'length of a measured window (default 1.5; of tracing 5 at least)', positive)
  .option('--warmup <s>', 'how long each is on before it is measured (default 60)', positive)
  .option('--only <features>', 'comma-separated parts of their names')
  .action(runOverhead);
await program.parseAsync();
