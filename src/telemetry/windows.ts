/**
 * Sliding windows over what the data path counts: messages of each second, errors of the last minute, latency of the
 * last minute. Pure: fed once a second with the counters' totals. Formulas: each figure's comment.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { REQUEST_TRANSPORTS, type RequestTransport, type TransportErrorRate } from '../admin/protocol.js';
import { type Counters, newLatencyHistogram } from './counters.js';

/** Seconds over which error rates and latencies are taken. */
export const WINDOW_SECONDS = 60;
/** Latencies are kept in slices, so that old ones can leave. */
const SLICE_SECONDS = 10;

interface Totals {
  readonly messages: number;
  readonly outcomes: Readonly<Record<RequestTransport, { readonly succeeded: number; readonly failed: number }>>;
}

export class Windows {
  readonly #counters: Counters;
  readonly #totals: Totals[] = [];
  #history: number;
  #perSecond: number[] = [];
  #slices: RecordableHistogram[] = [];
  #ticks = 0;

  /** `history`: seconds of throughput that are kept. */
  constructor(counters: Counters, history: number) {
    this.#counters = counters;
    this.#history = history;
    this.#totals.push(this.#read());
  }

  set history(seconds: number) {
    this.#history = seconds;
    this.#perSecond = this.#perSecond.slice(-seconds);
  }

  /** Once a second. */
  tick(): void {
    const before = this.#totals.at(-1);
    const now = this.#read();
    this.#totals.push(now);
    if (this.#totals.length > WINDOW_SECONDS + 1) this.#totals.shift();
    this.#perSecond.push(now.messages - (before?.messages ?? 0));
    if (this.#perSecond.length > this.#history) this.#perSecond.shift();
    this.#ticks += 1;
    if (this.#ticks % SLICE_SECONDS === 0) this.#closeSlice();
  }

  /** Messages in each whole second, oldest first. */
  get perSecond(): readonly number[] {
    return [...this.#perSecond];
  }

  /** 100·F/(S+F) over the window, by transport; `null` without samples. */
  errorRates(): TransportErrorRate[] {
    const oldest = this.#totals[0];
    const newest = this.#read();
    return this.#counters.shown.map((transport) => {
      const then = oldest?.outcomes[transport] ?? { succeeded: 0, failed: 0 };
      const failed = newest.outcomes[transport].failed - then.failed;
      const samples = newest.outcomes[transport].succeeded - then.succeeded + failed;
      return { transport, samples, percent: samples === 0 ? null : (100 * failed) / samples };
    });
  }

  /** Latency of answered calls over the last minute, milliseconds; `null` without samples. */
  latency(): { p50: number | null; p99: number | null } {
    const merged = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });
    for (const slice of [...this.#slices, this.#counters.latency]) merged.add(slice);
    if (merged.count === 0) return { p50: null, p99: null };
    return { p50: merged.percentile(50) / 1_000, p99: merged.percentile(99) / 1_000 };
  }

  #closeSlice(): void {
    this.#slices.push(this.#counters.latency);
    this.#slices = this.#slices.slice(-(WINDOW_SECONDS / SLICE_SECONDS - 1));
    this.#counters.latency = newLatencyHistogram();
  }

  #read(): Totals {
    const { transports, messages } = this.#counters;
    const outcomes = Object.fromEntries(
      REQUEST_TRANSPORTS.map((name) => [
        name,
        { succeeded: transports[name].succeeded, failed: transports[name].failed },
      ]),
    ) as Totals['outcomes'];
    return { messages, outcomes };
  }
}
