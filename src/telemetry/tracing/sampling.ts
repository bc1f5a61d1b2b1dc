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

/** Drawn at once: what is run once in ten calls is never in the processor's caches (docs/adr/0010). */
const STOCK = 128;
/** Of a trace's id, and of two spans. */
const WORDS = 8;

/** Draws whether a trace that begins here is recorded, and ids: for such a trace ones that the sampler lets through. */
export class DrawnIds {
  readonly #random: () => number;
  readonly #traceparents = new TraceparentWriter();
  /** Ids of the roots that begin next, as words, and `traceparent` of the span below each. */
  readonly #words = new Int32Array(WORDS * STOCK);
  readonly #below: string[] = [];
  #bound = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  set rate(rate: number) {
    this.#bound = rate >= 1 ? 0x1_0000_0000 : Math.floor(rate * 0xffff_ffff);
    this.#below.length = 0;
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
    if (this.#below.length === 0) this.#drawStock();
    const childTraceparent = this.#below.pop() as string;
    const at = WORDS * this.#below.length;
    return {
      traceId: this.#traceIdAt(at),
      spanId: this.#spanIdAt(at + 4),
      childId: this.#spanIdAt(at + 6),
      childTraceparent,
    };
  }

  spanId(): SpanId {
    return new SpanId(random32(this.#random) | 1, random32(this.#random) | 0); // never all zeros
  }

  /** What is sent on of a span that is recorded. */
  traceparent(traceId: TraceId, spanId: SpanId): string {
    return this.#traceparents.write(traceId, spanId);
  }

  #drawStock(): void {
    const words = this.#words;
    for (let at = 0; at < words.length; at += WORDS) {
      for (let word = 0; word < WORDS; word += 1) words[at + word] = random32(this.#random) | 0;
      // Never all zeros.
      for (const word of [0, 4, 6]) words[at + word] = (words[at + word] as number) | 1;
      const deciding = Math.floor(this.#random() * Math.min(this.#bound, 0xffff_ffff));
      words[at + 3] = deciding ^ (words[at] as number) ^ (words[at + 1] as number) ^ (words[at + 2] as number);
      this.#below.push(this.traceparent(this.#traceIdAt(at), this.#spanIdAt(at + 6)));
    }
  }

  #traceIdAt(at: number): TraceId {
    const words = this.#words;
    return new TraceId(words[at] as number, words[at + 1] as number, words[at + 2] as number, words[at + 3] as number);
  }

  #spanIdAt(at: number): SpanId {
    return new SpanId(this.#words[at] as number, this.#words[at + 1] as number);
  }
}
