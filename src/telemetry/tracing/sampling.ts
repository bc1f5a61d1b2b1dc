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
import { random32, SpanId, TraceId } from './ids.js';

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

/** Draws trace ids: for a root that is to be recorded one that the sampler lets through. */
export class DrawnIds {
  readonly #random: () => number;
  #next: TraceId | null = null;
  #bound = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  set rate(rate: number) {
    this.#bound = rate >= 1 ? 0x1_0000_0000 : Math.floor(rate * 0xffff_ffff);
  }

  /** Whether a root that begins now is recorded; the id of the next root span is then the one that was drawn. */
  draw(): boolean {
    const word = random32(this.#random);
    if (word >= this.#bound) return false;
    this.#next = this.#write(word);
    return true;
  }

  /** The next root span is recorded, unless nothing is. */
  force(): boolean {
    if (this.#bound === 0) return false;
    this.#next = this.#write(Math.floor(this.#random() * Math.min(this.#bound, 0xffff_ffff)));
    return true;
  }

  /** The one that was drawn, once; after that any. */
  traceId(): TraceId {
    const next = this.#next ?? this.#write(random32(this.#random));
    this.#next = null;
    return next;
  }

  spanId(): SpanId {
    return new SpanId(random32(this.#random) | 1, random32(this.#random) | 0); // never all zeros
  }

  #write(word: number): TraceId {
    const a = random32(this.#random) | 1; // never all zeros
    const b = random32(this.#random);
    const c = random32(this.#random);
    return new TraceId(a, b | 0, c | 0, word ^ a ^ b ^ c);
  }
}
