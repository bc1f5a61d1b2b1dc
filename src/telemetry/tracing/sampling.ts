/**
 * The sampler whose rate changes while it runs, and the same decision taken before anything is made: a root's trace id is
 * drawn by its deciding word alone, and written out only when the trace is recorded.
 *
 * Source: OpenTelemetry specification, "TraceIdRatioBased" as the JavaScript SDK has it (XOR of the id's four words).
 */
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { random32, SpanId, TraceId, TraceparentWriter } from './ids.js';

/** Of all that begins a trace here, the share that is recorded, 0 to 1; changed by assignment. */
export class RuntimeSampler implements Sampler {
  readonly #parentBased: boolean;
  #rate = 0;
  #inner: Sampler = new TraceIdRatioBasedSampler(0);

  /** `parentBased`: a caller that has decided for its trace has decided for ours. */
  constructor(rate: number, parentBased: boolean) {
    this.#parentBased = parentBased;
    this.rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#rate = Math.min(1, Math.max(0, rate));
    const root = new TraceIdRatioBasedSampler(this.#rate);
    this.#inner = this.#parentBased ? new ParentBasedSampler({ root }) : root;
  }

  /** A trace that began elsewhere is recorded here. */
  goesOn(parent: SpanContext): boolean {
    const around = trace.setSpanContext(ROOT_CONTEXT, parent);
    const { decision } = this.#inner.shouldSample(around, parent.traceId, '', SpanKind.SERVER, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    return this.#inner.shouldSample(context, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `RuntimeSampler{${this.#inner.toString()}}`;
  }
}

/** Of a trace that begins here: its id, that of the first span, and that of the first span below, with what is sent on of it. */
export interface RootIds {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly childId: SpanId;
  readonly childTraceparent: string;
}

/** Made at once: what is run once in ten calls is never in the processor's caches (docs/adr/0010). */
const STOCK = 32;

/** Draws whether a trace that begins here is recorded, and ids: for such a trace ones that the sampler lets through. */
export class DrawnIds {
  readonly #random: () => number;
  readonly #traceparents = new TraceparentWriter();
  readonly #stock: RootIds[] = [];
  #bound = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  set rate(rate: number) {
    this.#bound = rate >= 1 ? 0x1_0000_0000 : Math.floor(rate * 0xffff_ffff);
    this.#stock.length = 0;
  }

  /** Whether a root that begins now is recorded. */
  draw(): boolean {
    return random32(this.#random) < this.#bound;
  }

  /** Whether a root is recorded that must be if anything is. */
  get any(): boolean {
    return this.#bound > 0;
  }

  /** Of a root that is recorded. */
  root(): RootIds {
    const stock = this.#stock;
    if (stock.length === 0) for (let i = 0; i < STOCK; i += 1) stock.push(this.#rootIds());
    return stock.pop() as RootIds;
  }

  spanId(): SpanId {
    return new SpanId(random32(this.#random) | 1, random32(this.#random) | 0); // never all zeros
  }

  /** What is sent on of a span that is recorded. */
  traceparent(traceId: TraceId, spanId: SpanId): string {
    return this.#traceparents.write(traceId, spanId);
  }

  #rootIds(): RootIds {
    const a = random32(this.#random) | 1; // never all zeros
    const b = random32(this.#random);
    const c = random32(this.#random);
    const deciding = Math.floor(this.#random() * Math.min(this.#bound, 0xffff_ffff));
    const traceId = new TraceId(a, b | 0, c | 0, deciding ^ a ^ b ^ c);
    const childId = this.spanId();
    return { traceId, spanId: this.spanId(), childId, childTraceparent: this.traceparent(traceId, childId) };
  }
}
