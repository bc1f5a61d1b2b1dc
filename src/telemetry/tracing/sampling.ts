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

/** Of a trace that begins here: its id, and that of its first span. */
export interface RootIds {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
}

/** Of a trace's id, and of two spans. */
const WORDS = 8;
const SPAN_ID = 4;
const CHILD_ID = 6;

/** Draws whether a trace that begins here is recorded, and ids: for such a trace ones that the sampler lets through. */
export class DrawnIds {
  readonly #random: () => number;
  readonly #traceparents = new TraceparentWriter();
  readonly #words = new Int32Array(WORDS);
  #bound = 0;
  #generation = 0;

  /** `random`: as `Math.random`. */
  constructor(random: () => number) {
    this.#random = random;
  }

  set rate(rate: number) {
    this.#bound = rate >= 1 ? 0x1_0000_0000 : Math.floor(rate * 0xffff_ffff);
    this.#generation += 1;
  }

  /** Changes with the rate: roots that were drawn before are good no more. */
  get generation(): number {
    return this.#generation;
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
    const words = this.#words;
    this.drawRoots(words, WORDS);
    const [a, b, c, d, high, low] = words as unknown as readonly [number, number, number, number, number, number];
    return { traceId: new TraceId(a, b, c, d), spanId: new SpanId(high, low) };
  }

  /** Of a span of a trace that goes on. */
  spanId(): SpanId {
    return this.root().spanId;
  }

  /** What is sent on of a span that is recorded. */
  traceparent(traceId: TraceId, spanId: SpanId): string {
    return this.#traceparents.write(traceId, spanId);
  }

  /** Fills `words` with roots that are recorded, one each `stride`: the trace's id, that of its first span, that of one below. */
  drawRoots(words: Int32Array, stride: number): void {
    const bound = Math.min(this.#bound, 0xffff_ffff);
    for (let at = 0; at < words.length; at += stride) {
      for (let word = at; word < at + WORDS; word += 1) words[word] = random32(this.#random) | 0;
      // Never all zeros.
      words[at] = (words[at] as number) | 1;
      words[at + SPAN_ID] = (words[at + SPAN_ID] as number) | 1;
      words[at + CHILD_ID] = (words[at + CHILD_ID] as number) | 1;
      const deciding = Math.floor(this.#random() * bound);
      words[at + 3] = deciding ^ (words[at] as number) ^ (words[at + 1] as number) ^ (words[at + 2] as number);
    }
  }
}
