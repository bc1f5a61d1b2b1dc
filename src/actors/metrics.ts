/**
 * Metrics: turns the data path's counters into windows once a second, and watches the process itself.
 *
 * Parent: vitals. Restart: permanent; the totals are the counters', so a restart loses at most the windows.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type ProcessFigures } from '../admin/protocol.js';
import { type ActorContext, type Behavior } from '../kernel/index.js';
import { type Windows } from '../telemetry/windows.js';

export type MetricsMessage = { readonly type: 'metrics/tick' };

/** Figures of the process. Written by the metrics actor, read by consoles. */
export interface ProcessView {
  cpuPercent: number | null;
  loopDelayP99: number | null;
}

export interface MetricsDeps {
  readonly windows: Windows;
  readonly process: ProcessView;
}

const TICK_MS = 1_000;
const LOOP_RESOLUTION_MS = 10;

export function metrics(deps: MetricsDeps) {
  return (context: ActorContext<MetricsMessage>): Behavior<MetricsMessage> => new Metrics(deps, context);
}

class Metrics implements Behavior<MetricsMessage> {
  readonly #deps: MetricsDeps;
  readonly #context: ActorContext<MetricsMessage>;
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #at: number;

  constructor(deps: MetricsDeps, context: ActorContext<MetricsMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#at = context.clock.now();
    this.#loop.enable();
    context.after(TICK_MS, { type: 'metrics/tick' });
  }

  handle(): void {
    this.#deps.windows.tick();
    this.#sampleProcess();
    this.#context.after(TICK_MS, { type: 'metrics/tick' });
  }

  terminate(): void {
    this.#loop.disable();
  }

  #sampleProcess(): void {
    const now = this.#context.clock.now();
    const used = process.cpuUsage(this.#cpu);
    this.#deps.process.cpuPercent = (100 * (used.user + used.system)) / 1_000 / Math.max(1, now - this.#at);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    // The histogram measures the time between its own ticks, which includes its resolution.
    const p99 = this.#loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS;
    this.#deps.process.loopDelayP99 = this.#loop.count === 0 ? null : Math.max(0, p99);
    this.#loop.reset();
  }
}

export function processFigures(view: ProcessView): ProcessFigures {
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed, cpuPercent: view.cpuPercent, loopDelayP99: view.loopDelayP99 };
}
