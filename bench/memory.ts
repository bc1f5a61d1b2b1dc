/**
 * What an idle connection costs: the target's resident memory with N connections held, less what it was before, by N.
 * Each kind meets a fresh process, which has first served some connections of that kind and seen them go, so that code
 * and first buffers are not counted.
 */
import { type Children, type Program } from './children.js';
import { rssKb } from './proc.js';
import { median } from './stats.js';
import { type Target } from './targets.js';

export type IdleKind = 'ws' | 'stream' | 'sse' | 'session' | 'mixed';

export interface IdleCost {
  readonly target: string;
  readonly kind: IdleKind;
  readonly count: number;
  /** Resident memory by connection, kB. */
  readonly kbEach: number;
  /** Resident memory of the whole process while it holds them, MB. */
  readonly totalMb: number;
}

const WARMUP_CONNECTIONS = 100;
const SAMPLE_MS = 200;
const CALM_SAMPLES = 8;
const MOST_SAMPLES = 75;
/** Memory is settled when the last samples lie within this share of each other. */
const CALM = 0.005;
const HOLD_MS = 120_000;

/** Samples the resident set until it rests, 15 s at most. @returns kB */
export async function settledRssKb(pid: number): Promise<number> {
  const samples: number[] = [];
  while (samples.length < MOST_SAMPLES) {
    samples.push(rssKb(pid));
    const last = samples.slice(-CALM_SAMPLES);
    if (last.length === CALM_SAMPLES && Math.max(...last) - Math.min(...last) < CALM * median(last)) break;
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
  return median(samples.slice(-CALM_SAMPLES));
}

function startHolder(children: Children, target: Target, kind: IdleKind): Program {
  const args = ['--kind', kind, '--url', target.url];
  if (target.wsUrl !== undefined) args.push('--ws-url', target.wsUrl);
  if (target.sseUrl !== undefined) args.push('--sse-url', target.sseUrl);
  return children.start(`holder of ${kind}`, 'holder', args);
}

async function hold(holder: Program, count: number): Promise<void> {
  await holder.waitFor('ready', HOLD_MS);
  holder.tell({ hold: count });
  await holder.waitFor(`held-${count}`, HOLD_MS);
}

/** Measures one kind on a target that nobody else uses; `counts` ascend. */
export async function measureIdle(
  children: Children,
  target: Target & { readonly program: Program },
  kind: IdleKind,
  counts: readonly number[],
): Promise<IdleCost[]> {
  const { pid } = target.program;
  const warmup = startHolder(children, target, kind);
  await hold(warmup, WARMUP_CONNECTIONS);
  await warmup.stop();
  const before = await settledRssKb(pid);
  const holder = startHolder(children, target, kind);
  const costs: IdleCost[] = [];
  for (const count of counts) {
    await hold(holder, count);
    const now = await settledRssKb(pid);
    costs.push({ target: target.name, kind, count, kbEach: (now - before) / count, totalMb: now / 1024 });
  }
  await holder.stop();
  return costs;
}

/** The kinds a target can be asked for. */
export function idleKinds(target: Target): IdleKind[] {
  const kinds: IdleKind[] = ['stream', 'session'];
  if (target.wsUrl !== undefined) kinds.unshift('ws');
  if (target.sseUrl !== undefined) kinds.push('sse');
  return kinds;
}
