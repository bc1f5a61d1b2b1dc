/**
 * Vital signs: looks once a second at what every gateway can hurt by, and reports it to the algedonic channel: the event
 * loop, the heap, errors of each client transport, upstreams that are away, drops, supervisors near their intensity, and
 * whether the viable system itself is alive.
 *
 * Parent: vitals, apart from viability: whatever dies there, somebody notices. Restart: permanent.
 *
 * Invariant: no samples, no pain. An idle gateway reports that all is well.
 */
import { getHeapStatistics } from 'node:v8';
import { type ActorContext, type ActorSystem, type Behavior, type Report } from '../kernel/index.js';
import { type Windows } from '../telemetry/windows.js';
import { type DataPlane } from './data-plane.js';
import { type ProcessView } from './metrics.js';
import { outPercent } from './service-share.js';
import { type UpstreamView } from './upstream-view.js';

export type VitalSignsMessage =
  { readonly type: 'vital-signs/look' } | { readonly type: 'vital-signs/report'; readonly report: Report };

export interface VitalSignsDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly windows: Windows;
  readonly process: ProcessView;
  readonly views: ReadonlyMap<string, UpstreamView>;
  /** Bytes of the heap in use, and the most that it may have. */
  readonly heap?: () => { readonly used: number; readonly limit: number };
}

const LOOK_MS = 1_000;
/** A level counts when it was there in the middle of this many looks: one long turn is no condition. */
const SUSTAINED_LOOKS = 5;
/** Seconds over which drops are averaged. */
const DROP_LOOKS = 10;
/** Below this many samples an error rate says nothing. */
const MIN_SAMPLES = 20;
/** A part of the viable system that is away this long was not just restarted. */
const MISSING_MS = 5_000;
export const VIABILITY = '/viability';
/** Kinds of sources that are an upstream's. */
const OF_UPSTREAMS: readonly string[] = ['upstream', 'breaker', 'pool'];

export function vitalSigns(deps: VitalSignsDeps) {
  return (context: ActorContext<VitalSignsMessage>): Behavior<VitalSignsMessage> => new VitalSigns(deps, context);
}

class VitalSigns implements Behavior<VitalSignsMessage> {
  readonly #deps: VitalSignsDeps;
  readonly #context: ActorContext<VitalSignsMessage>;
  readonly #delays: number[] = [];
  readonly #drops: number[] = [];
  /** Supervisors that have restarted somebody lately, by path. */
  readonly #pressed = new Set<string>();
  /** Parts of the viable system that are expected, and since when they are missing. */
  readonly #missing = new Map<string, number>();
  readonly #watched = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(deps: VitalSignsDeps, context: ActorContext<VitalSignsMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#unsubscribe = deps.system.onReport((report) => {
      if (report.type === 'child/restarted' || report.type === 'supervisor/intensity-exceeded')
        context.self.urgent({ type: 'vital-signs/report', report });
    });
    context.after(LOOK_MS, { type: 'vital-signs/look' });
  }

  handle(message: VitalSignsMessage): void {
    switch (message.type) {
      case 'vital-signs/report':
        return this.#supervisorSaid(message.report);
      case 'vital-signs/look':
        this.#look();
        this.#context.after(LOOK_MS, { type: 'vital-signs/look' });
        return;
    }
  }

  terminate(): void {
    this.#unsubscribe();
  }

  #look(): void {
    if (!this.#deps.plane.options.vsm.enabled) return;
    this.#loop();
    this.#heap();
    this.#errors();
    this.#upstreams();
    this.#service();
    this.#dropped();
    for (const path of this.#pressed) this.#pressure(path);
    this.#viability();
  }

  #loop(): void {
    const { loopDelayP99 } = this.#deps.process;
    if (loopDelayP99 !== null) keep(this.#delays, loopDelayP99, SUSTAINED_LOOKS);
    const value = this.#delays.length < SUSTAINED_LOOKS ? 0 : median(this.#delays);
    const message = `the event loop is late by ${Math.round(value)} ms`;
    this.#report('process', 'loop_delay_ms', value, this.#deps.plane.options.vsm.thresholds.loopDelay, message);
  }

  #heap(): void {
    const { used, limit } = (this.#deps.heap ?? heapNow)();
    const value = (100 * used) / limit;
    const message = `the heap is at ${Math.round(value)} % of its limit`;
    this.#report('process', 'heap_percent', value, this.#deps.plane.options.vsm.thresholds.heap, message);
  }

  #errors(): void {
    for (const { transport, percent, samples } of this.#deps.windows.errorRates()) {
      const value = percent === null || samples < MIN_SAMPLES ? 0 : percent;
      const message = `${value.toFixed(1)} % of ${samples} requests over ${transport} failed in the last minute`;
      const { errorRate } = this.#deps.plane.options.vsm.thresholds;
      this.#report(`transport:${transport}`, 'error_percent', value, errorRate, message);
    }
  }

  #upstreams(): void {
    const now = this.#context.clock.now();
    const { upstreamDown } = this.#deps.plane.options.vsm.thresholds;
    for (const name of this.#watched) if (!this.#deps.views.has(name)) this.#forget(name);
    for (const [name, { phase, downSince }] of this.#deps.views) {
      this.#watched.add(name);
      const away = phase === 'ready' || phase === 'disabled' || phase === 'stopped' || downSince === null;
      const value = away ? 0 : now - downSince;
      const message = `upstream ${JSON.stringify(name)} is away since ${Math.round(value / 1_000)} s`;
      this.#report(`upstream:${name}`, 'down_ms', value, upstreamDown, message);
    }
  }

  /** How much of what clients want nobody serves: each server alone is only one of many. */
  #service(): void {
    const { plane, views } = this.#deps;
    const { upstreamsOut } = plane.options.vsm.thresholds;
    const value = outPercent(plane, views);
    const message =
      value === 100
        ? 'no upstream takes calls'
        : `${Math.round(value)} % of the demand is for upstreams that take no calls`;
    this.#report('upstreams', 'out_percent', value, upstreamsOut, message);
  }

  /** It is configured no more: whatever it hurt by is over, and nobody is left to say so. */
  #forget(name: string): void {
    this.#watched.delete(name);
    const { algedonic, viability } = this.#deps.plane;
    for (const { source, index, pain, agony } of viability.alarms.active()) {
      const colon = source.indexOf(':');
      if (source.slice(colon + 1) !== name || !OF_UPSTREAMS.includes(source.slice(0, colon))) continue;
      algedonic.report({ source, index, value: 0, pain, agony, message: 'it is configured no more' });
    }
  }

  #dropped(): void {
    const { system, plane } = this.#deps;
    let total = 0;
    for (const count of system.drops().values()) total += count;
    for (const count of plane.counters.drops.values()) total += count;
    keep(this.#drops, total, DROP_LOOKS + 1);
    const value = (total - (this.#drops[0] ?? total)) / DROP_LOOKS;
    const message = `${value.toFixed(1)} messages a second are dropped`;
    this.#report('process', 'drops_per_second', value, plane.options.vsm.thresholds.drops, message);
  }

  #supervisorSaid(report: Report): void {
    const { path } = report;
    if (report.type === 'supervisor/intensity-exceeded') {
      const { restarts, withinMs } = report;
      const message = `${path} gave up after ${restarts} restarts within ${withinMs / 1_000} s`;
      this.#pressed.add(path);
      return this.#report(`supervisor:${path}`, 'restarts', 1, { pain: 0.6, agony: 1 }, message);
    }
    const parent = path.slice(0, Math.max(1, path.lastIndexOf('/')));
    this.#pressed.add(parent);
    this.#pressure(parent);
  }

  /** Restarts within the window, as a part of the intensity. */
  #pressure(path: string): void {
    const pressure = this.#deps.system.restartPressure(path);
    const value = pressure ? pressure.restarts / Math.max(1, pressure.intensity.max) : 0;
    const message = `${path} has restarted its children ${pressure?.restarts ?? 0} times; past ${pressure?.intensity.max ?? 0} it gives up`;
    this.#report(`supervisor:${path}`, 'restarts', value, { pain: 0.6, agony: 1 }, message);
    if (value === 0) this.#pressed.delete(path);
  }

  /** Each child of the viability branch that has ever lived is expected to live. */
  #viability(): void {
    const { system } = this.#deps;
    const now = this.#context.clock.now();
    const alive = new Set(system.childrenOf(VIABILITY).map(({ path }) => path));
    for (const path of alive) this.#missing.set(path, now);
    for (const [path, seen] of this.#missing) {
      const value = now - seen >= MISSING_MS ? 1 : 0;
      const name = path.slice(VIABILITY.length + 1);
      const message = `${name} of the viable system is dead; what it decided last still holds`;
      this.#report(`vsm:${name}`, 'dead', value, { pain: 0.5, agony: 1 }, message);
    }
  }

  #report(
    source: string,
    index: string,
    value: number,
    { pain, agony }: { readonly pain: number; readonly agony: number },
    message: string,
  ): void {
    this.#deps.plane.algedonic.report({ source, index, value, pain, agony, message });
  }
}

function heapNow(): { used: number; limit: number } {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}

function keep(list: number[], value: number, bound: number): void {
  list.push(value);
  if (list.length > bound) list.shift();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
