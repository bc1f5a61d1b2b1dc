/** What is kept of tracing over the incarnations of its actor: counts, the rate, an operator's word. */
import { type RequestTracer } from './call-trace.js';
import { newSpanCounts, type SpanCounts } from './counts.js';
import { RecentSpans } from './recent.js';

/** A tracer whose rate changes while it runs. */
export interface RatedTracer extends RequestTracer {
  rate: number;
}

/** Who reads whether, and by what, requests are traced. */
export interface TracingSlot {
  tracing: RequestTracer | null;
}

export class TracingState {
  readonly counts: SpanCounts = newSpanCounts();
  /** The newest spans, for consoles. */
  readonly recent = new RecentSpans();
  readonly #slot: TracingSlot;
  #tracer: RatedTracer | null = null;
  #on = true;
  #rate: number;
  /** An operator has switched tracing on where no collector is configured. */
  forced = false;
  /** Why the last export failed; `null` when it did not. Written by the telemetry actor. */
  trouble: string | null = null;

  /** `slot`: where the data path looks. */
  constructor(slot: TracingSlot, rate: number) {
    this.#slot = slot;
    this.#rate = rate;
  }

  /** Share of the traces that begin here which is recorded, 0 to 1. Takes effect with the next request. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#rate = rate;
    if (this.#tracer) this.#tracer.rate = rate;
  }

  /** The feature is switched on. Off, requests carry no trace at all. */
  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    this.#publish();
  }

  /** Requests are traced now. */
  get running(): boolean {
    return this.#on && this.#tracer !== null;
  }

  /** The SDK's; `null` while there is none. Written by the telemetry actor. */
  set tracer(tracer: RatedTracer | null) {
    this.#tracer = tracer;
    if (tracer) tracer.rate = this.#rate;
    this.#publish();
  }

  #publish(): void {
    this.#slot.tracing = this.#on ? this.#tracer : null;
  }
}
