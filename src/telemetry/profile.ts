/**
 * What parts of the program cost, measured by V8's own sampling profilers and told apart by the scripts on the stack. A
 * sample belongs to the innermost script that somebody claims, so that what a feature calls in libraries is its cost too.
 *
 * The CPU profiler runs within the window alone; the heap profiler from the first measurement on, so that what is held is
 * known. Garbage collection and native work outside JavaScript are nobody's.
 */
import { Session } from 'node:inspector/promises';

/** Name → parts of the paths of its scripts. */
export type Claims = ReadonlyMap<string, readonly string[]>;

export interface Cost {
  /** Of one core, over the window. */
  readonly cpuPercent: number;
  /** Allocated since measuring began, and still held. */
  readonly heapBytes: number;
}

export interface Profile {
  readonly seconds: number;
  readonly costs: ReadonlyMap<string, Cost>;
}

export interface ProfileSource {
  measure(windowMs: number, claims: Claims): Promise<Profile>;
}

const CPU_INTERVAL_US = 1_000;
const HEAP_INTERVAL_BYTES = 64 * 1024;

export interface CpuNode {
  readonly id: number;
  readonly callFrame: { readonly url: string };
  readonly children?: readonly number[] | undefined;
}

export interface CpuProfile {
  readonly nodes: readonly CpuNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface HeapNode {
  readonly callFrame: { readonly url: string };
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

export class V8Profile implements ProfileSource {
  readonly #wait: (ms: number) => Promise<void>;
  #session: Session | null = null;
  /** One at a time: V8 has one profiler. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(wait: (ms: number) => Promise<void>) {
    this.#wait = wait;
  }

  measure(windowMs: number, claims: Claims): Promise<Profile> {
    const next = this.#turn.then(() => this.#measure(windowMs, claims));
    this.#turn = next.catch(() => undefined);
    return next;
  }

  /** Ends the heap profiler. */
  close(): void {
    this.#session?.disconnect();
    this.#session = null;
  }

  async #measure(windowMs: number, claims: Claims): Promise<Profile> {
    const session = this.#session ?? (await this.#open());
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US });
    await session.post('Profiler.start');
    await this.#wait(windowMs);
    const { profile } = await session.post('Profiler.stop');
    await session.post('Profiler.disable');
    const heap = await session.post('HeapProfiler.getSamplingProfile');
    const cpu = cpuByClaim(profile, claims);
    const bytes = heapByClaim(heap.profile.head, claims);
    const window = profile.endTime - profile.startTime;
    const costs = [...claims.keys()].map((name): [string, Cost] => [
      name,
      { cpuPercent: (100 * (cpu.get(name) ?? 0)) / window, heapBytes: bytes.get(name) ?? 0 },
    ]);
    return { seconds: window / 1e6, costs: new Map(costs) };
  }

  async #open(): Promise<Session> {
    const session = new Session();
    session.connect();
    this.#session = session;
    await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
    return session;
  }
}

/** Microseconds of each claimant. */
export function cpuByClaim({ nodes, samples = [], timeDeltas = [] }: CpuProfile, claims: Claims): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string | null>();
  const mark = (node: CpuNode, above: string | null): void => {
    const owner = claimant(node.callFrame.url, claims) ?? above;
    owners.set(node.id, owner);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) mark(child, owner);
    }
  };
  const root = nodes[0];
  if (root) mark(root, null);
  const total = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id) ?? null;
    // The time up to the next sample was spent where this one was taken.
    if (owner !== null) total.set(owner, (total.get(owner) ?? 0) + (timeDeltas[index + 1] ?? 0));
  }
  return total;
}

/** Bytes of each claimant. */
export function heapByClaim(head: HeapNode, claims: Claims): Map<string, number> {
  const total = new Map<string, number>();
  const add = (node: HeapNode, above: string | null): void => {
    const owner = claimant(node.callFrame.url, claims) ?? above;
    if (owner !== null) total.set(owner, (total.get(owner) ?? 0) + node.selfSize);
    for (const child of node.children) add(child, owner);
  };
  add(head, null);
  return total;
}

function claimant(url: string, claims: Claims): string | null {
  if (url === '') return null;
  for (const [name, parts] of claims) if (parts.some((part) => url.includes(part))) return name;
  return null;
}
