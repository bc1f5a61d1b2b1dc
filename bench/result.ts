/** What one run measured, as written by --json, and the figures that bars are set on. Pure. */
import { type AlarmFigures } from './alarm-figures.js';
import { type AttackFigures, NO_ATTACK } from './attack-figures.js';
import { STILL_READERS } from './attack-list.js';
import { type BarValues } from './bars.js';
import { type CallFigures, type Scenario } from './calls.js';
import { type KernelFigures } from './kernel-figures.js';
import { type IdleCost, type IdleKind } from './memory.js';

export interface BenchResult {
  readonly machine: { readonly node: string; readonly cpus: number; readonly model: string };
  readonly rounds: number;
  readonly seconds: number;
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  readonly calls: readonly CallFigures[];
  readonly idle: readonly IdleCost[];
  /** Medians of the rounds. */
  readonly kernel: KernelFigures | null;
  readonly alarms: AlarmFigures | null;
  readonly attacks: readonly AttackFigures[];
}

/** The target that bars are set for, and the one they are set by. */
export const PRODUCT = 'gateway';
export const YARDSTICK = 'node-mcp';
const NOT_PEERS = new Set(['direct', 'node-proxy', YARDSTICK, PRODUCT]);
const IDLE_COUNT = 5_000;

export function find(
  result: BenchResult,
  scenario: Scenario,
  target: string,
  concurrency: number,
): CallFigures | undefined {
  return result.calls.find(
    (one) => one.scenario === scenario && one.target === target && one.concurrency === concurrency,
  );
}

/** A ratio of two figures; absent when one of them is. */
export function ratio(figure: number | null | undefined, by: number | null | undefined): number | undefined {
  return typeof figure === 'number' && typeof by === 'number' && by > 0 ? figure / by : undefined;
}

/** What a target adds to the median call, ms, one client: its p50 less the direct call's. */
export function addedP50(result: BenchResult, target: string): number | undefined {
  const direct = find(result, 'http', 'direct', 1)?.p50Ms;
  const through = find(result, 'http', target, 1)?.p50Ms;
  return direct === undefined || through === undefined ? undefined : through - direct;
}

function idleOf(result: BenchResult, kind: IdleKind): IdleCost | undefined {
  const costs = result.idle.filter((cost) => cost.target === PRODUCT && cost.kind === kind);
  return kind === 'mixed' ? costs[0] : costs.find((cost) => cost.count === IDLE_COUNT);
}

function bestPeerRate(result: BenchResult): number | undefined {
  const rates = result.calls
    .filter((one) => one.scenario === 'stdio' && one.concurrency === 64 && !NOT_PEERS.has(one.target))
    .map((one) => one.callsPerSecond);
  return rates.length === 0 ? undefined : Math.max(...rates);
}

/** What readers that sit still do to the median latency of honest clients. */
function besideStillReaders(attacks: readonly AttackFigures[]): number | undefined {
  const p50 = (id: string): number | undefined => attacks.find(({ attack }) => attack === id)?.p50Ms;
  return ratio(p50(STILL_READERS), p50(NO_ATTACK));
}

/** The figures of the product that bars are set on. */
export function barValues(result: BenchResult): BarValues {
  const cpu = (scenario: Scenario, target: string, c: number): number | undefined =>
    find(result, scenario, target, c)?.cpuUsPerCall ?? undefined;
  const rate = (scenario: Scenario, target: string): number | undefined =>
    find(result, scenario, target, 64)?.callsPerSecond;
  const found: Record<keyof BarValues, number | undefined> = {
    cpuHttp16: ratio(cpu('http', PRODUCT, 16), cpu('http', YARDSTICK, 16)),
    cpuHttp64: ratio(cpu('http', PRODUCT, 64), cpu('http', YARDSTICK, 64)),
    rateByPeer: ratio(rate('stdio', PRODUCT), bestPeerRate(result)),
    rateByNodeMcp: ratio(rate('http', PRODUCT), rate('http', YARDSTICK)),
    addedP50: ratio(addedP50(result, PRODUCT), addedP50(result, YARDSTICK)),
    cpuWs16: ratio(cpu('ws', PRODUCT, 16), cpu('http', PRODUCT, 16)),
    cpuWs64: ratio(cpu('ws', PRODUCT, 64), cpu('http', PRODUCT, 64)),
    cpuStdio16: cpu('stdio', PRODUCT, 16),
    cpuStdio64: cpu('stdio', PRODUCT, 64),
    idleWs: idleOf(result, 'ws')?.kbEach,
    idleStream: idleOf(result, 'stream')?.kbEach,
    idleSse: idleOf(result, 'sse')?.kbEach,
    idleSession: idleOf(result, 'session')?.kbEach,
    idleMixed: idleOf(result, 'mixed')?.totalMb,
    actorMessages: result.kernel?.tell.cpuMps,
    alarmP99: result.kernel?.alarmP99Ms,
    alarmToPolicy: result.alarms?.decidedP99Ms,
    stillReaders: besideStillReaders(result.attacks),
    attackDelay: result.attacks.length === 0 ? undefined : Math.max(...result.attacks.map(({ delayMs }) => delayMs)),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** Whether every call of the run got its right answer. */
export function isClean(result: BenchResult): boolean {
  return result.calls.every((one) => one.errors === 0 && one.calls > 0);
}
