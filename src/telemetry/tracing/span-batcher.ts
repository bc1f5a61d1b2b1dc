/**
 * Spans on their way to the collector. They are written in the form they are sent in soon after they end: what waits for its batch to be
 * full, or behind a slow collector, is bytes, which no garbage collection copies. What is lost is counted: the SDK's own batch processor
 * tells nobody.
 *
 * Source: OpenTelemetry specification, "Batching processor": one export at a time, begun by a full batch or by the time.
 */
import { context } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, type InstrumentationScope, suppressTracing } from '@opentelemetry/core';
import { type Resource } from '@opentelemetry/resources';
import { type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { type Clock, type TimerHandle } from '../../kernel/index.js';
import { type ProtoWriter } from '../otlp/proto-writer.js';
import { newSpanWriter, resourceSpans, writeSpan } from '../otlp/span-encoding.js';
import { type SpanCounts } from './counts.js';
import { type EndedSpan, endedSpan } from './ended-span.js';
import { type NotePage } from './note-page.js';
import { MOST_SPANS, type RecentSpans } from './recent.js';
import { type OwnSpanSink } from './span-sink.js';
import { UnwrittenSpans } from './unwritten-spans.js';

/** `ExportTraceServiceRequest` in protocol buffers. */
export interface SpanBatch {
  readonly request: Uint8Array;
  /** How many spans are in it. */
  readonly spans: number;
}

/** Brings batches to the collector. A request is its own until it says that the collector has it: others are written there then. */
export interface SpanExport {
  export(batch: SpanBatch, done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

export interface BatcherParts {
  readonly exporter: SpanExport;
  /** Of the process; all its spans are of this resource. */
  readonly resource: Resource;
  /** Of the gateway's own spans. */
  readonly scope: InstrumentationScope;
  readonly counts: SpanCounts;
  /** Gets every span that has ended. */
  readonly recent: RecentSpans;
  readonly clock: Clock;
  /** The most spans that a batch has. */
  readonly batchSize: number;
  /** The most spans that wait; what comes then is dropped. */
  readonly maxQueue: number;
  /** How long a span waits at most for its batch to be full. */
  readonly scheduleDelayMs: number;
  readonly exportTimeoutMs: number;
  /** Told how each batch fared; `null`: the collector has it. */
  readonly onExport: (error: Error | null) => void;
}

/**
 * Of the gateway's own spans, so many are written one after the other: the code that does it is not in the processor's caches while one
 * call in ten is traced, and takes 20 µs to come (docs/adr/0010). It holds up the event loop for 0.2 ms.
 */
const WRITTEN_AT_ONCE = 256;

/** The last of them have all that consoles keep; the very last may be fewer. */
const SHOWN_OF_A_BATCH = MOST_SPANS / WRITTEN_AT_ONCE + 1;

/** A batch, and the memory that it was written into. */
interface FullBatch extends SpanBatch {
  readonly own: ProtoWriter;
}

/** Spans that consoles have not got, and that nobody has written over yet. */
interface Unshown {
  readonly writer: ProtoWriter;
  readonly start: number;
  readonly end: number;
}

export class SpanBatcher implements SpanProcessor, OwnSpanSink {
  readonly #parts: BatcherParts;
  /** The batch that is being filled: the gateway's own spans, and those of the SDK by their scope. */
  #own = newSpanWriter();
  /**
   * For the next batch: that of one that the collector has. Were there new memory for each, what it is would be looked for by a garbage
   * collection of all that there is, every few dozens of megabytes.
   */
  #spare: ProtoWriter | null = null;
  /** Those of the gateway's own that are not written yet. */
  readonly #unwritten = new UnwrittenSpans(WRITTEN_AT_ONCE);
  /** Where those in `#own` begin that consoles have not got, for each time that they were written: all but the last time, a full round. */
  readonly #written: number[] = [];
  /** Of the batch before, until somebody looks or its memory is used again. */
  #unshown: Unshown | null = null;
  readonly #others = new Map<InstrumentationScope, ProtoWriter>();
  #spans = 0;
  #due: TimerHandle | null = null;
  readonly #full: FullBatch[] = [];
  #exporting = false;
  #over = false;
  /** Detectors still look for attributes of the resource. */
  #described: Promise<void> | undefined;
  /** Since nothing waited. */
  #failure: Error | null = null;
  readonly #flushed: ((failure: Error | null) => void)[] = [];

  constructor(parts: BatcherParts) {
    this.#parts = parts;
    parts.recent.beforeReading = this.#show;
  }

  spanStarted(): void {
    this.#parts.counts.started += 1;
  }

  spanEnded(span: EndedSpan): void {
    if (!this.#fits()) return this.#lost(span);
    this.#unwritten.add(span);
    this.#waits(1);
  }

  hasRoom(spans: number): boolean {
    return this.#fits(spans) && spans <= this.#parts.batchSize;
  }

  callEnded(page: NotePage, call: number, spans: number): void {
    if (this.#spans + spans > this.#parts.batchSize) this.#close();
    this.#unwritten.addCall(page, call, spans);
    this.#waits(spans);
  }

  onStart(): void {
    this.spanStarted();
  }

  onEnd(span: ReadableSpan): void {
    const ended = endedSpan(span);
    if (!this.#fits()) return this.#lost(ended);
    const { instrumentationScope: scope } = span;
    let batch = this.#others.get(scope);
    if (batch === undefined) this.#others.set(scope, (batch = newSpanWriter()));
    this.#showAlone(batch, ended);
    this.#queued(1);
  }

  /** Sends what waits. Rejects with the first failure of it. */
  async forceFlush(): Promise<void> {
    this.#close();
    if (this.#spans === 0 && this.#full.length === 0 && !this.#exporting) return;
    const failure = await new Promise<Error | null>((resolve) => this.#flushed.push(resolve));
    if (failure) throw failure;
  }

  async shutdown(): Promise<void> {
    this.#over = true;
    const { recent, exporter } = this.#parts;
    await this.forceFlush().finally(() => {
      this.#show();
      if (recent.beforeReading === this.#show) recent.beforeReading = null;
      return exporter.shutdown();
    });
  }

  #fits(spans = 1): boolean {
    return !this.#over && this.#parts.counts.queued + spans <= this.#parts.maxQueue;
  }

  /** So many more wait to be written. */
  #waits(spans: number): void {
    if (this.#unwritten.length >= WRITTEN_AT_ONCE) this.#write();
    this.#queued(spans);
  }

  /** Consoles show it all the same. */
  #lost(span: EndedSpan): void {
    this.#parts.counts.dropped += 1;
    this.#own.rewind(this.#showAlone(this.#own, span));
  }

  #write(): void {
    if (this.#unwritten.length === 0) return;
    this.#written.push(this.#own.length);
    this.#unwritten.write(this.#own);
  }

  /** Consoles get those of the gateway's own that they have not got yet. */
  readonly #show = (): void => {
    this.#write();
    this.#showBefore();
    this.#unshown = this.#newest();
    this.#showBefore();
  };

  #showBefore(): void {
    const unshown = this.#unshown;
    if (unshown !== null) this.#parts.recent.add(unshown.writer, unshown.start, unshown.end);
    this.#unshown = null;
  }

  /** Of those in `#own` that consoles have not got, as many as consoles keep. */
  #newest(): Unshown | null {
    const start = this.#written.at(-SHOWN_OF_A_BATCH) ?? this.#written[0];
    this.#written.length = 0;
    return start === undefined ? null : { writer: this.#own, start, end: this.#own.length };
  }

  /** One span to that batch and to consoles, behind those that ended before it. Returns where it stands. */
  #showAlone(batch: ProtoWriter, span: EndedSpan): number {
    this.#show();
    const start = batch.length;
    writeSpan(batch, span);
    this.#parts.recent.add(batch, start);
    return start;
  }

  #queued(spans: number): void {
    const { counts, batchSize } = this.#parts;
    counts.queued += spans;
    this.#spans += spans;
    if (this.#spans >= batchSize) this.#close();
    else if (!this.#exporting) this.#wait();
  }

  #wait(): void {
    this.#due ??= this.#parts.clock.after(this.#parts.scheduleDelayMs, () => {
      this.#due = null;
      this.#close();
    });
  }

  /** Makes a batch of what there is. */
  #close(): void {
    if (this.#spans === 0) return;
    this.#due?.cancel();
    this.#due = null;
    const { resource, scope } = this.#parts;
    if (resource.asyncAttributesPending === true) {
      this.#described ??= resource.waitForAsyncAttributes?.().then(() => this.#close());
      return;
    }
    this.#write();
    const own = this.#own;
    // Nobody has looked since: those before are copied only if they are still among the newest.
    if (this.#spans < MOST_SPANS) this.#showBefore();
    this.#unshown = this.#newest();
    const fields = [...this.#others, [scope, own] as const]
      .filter(([, spans]) => spans.length > 0)
      .map(([of, spans]) => resourceSpans(resource, of, spans));
    const request = fields.length === 1 && fields[0] ? fields[0] : Buffer.concat(fields);
    this.#full.push({ request, spans: this.#spans, own });
    this.#own = this.#spare ?? newSpanWriter();
    this.#own.clear();
    this.#spare = null;
    this.#others.clear();
    this.#spans = 0;
    this.#send();
  }

  /** Returns whether an export is on its way. */
  #send(): boolean {
    if (this.#exporting) return true;
    const batch = this.#full.shift();
    if (batch === undefined) {
      if (this.#spans > 0) this.#wait();
      return false;
    }
    const { exporter, counts, clock, exportTimeoutMs } = this.#parts;
    this.#exporting = true;
    counts.queued -= batch.spans;
    let open = true;
    const ended = (error: Error | null): void => {
      if (!open) return;
      open = false;
      timeout.cancel();
      this.#ended(batch, error);
    };
    const timeout = clock.after(exportTimeoutMs, () => ended(new Error('the collector did not answer in time')));
    // Nobody who traces what the process sends may trace this.
    context.with(suppressTracing(context.active()), () =>
      exporter.export(batch, ({ code, error }) =>
        ended(code === ExportResultCode.SUCCESS ? null : (error ?? new Error('the export failed'))),
      ),
    );
    return true;
  }

  #ended({ spans, own }: FullBatch, error: Error | null): void {
    const { counts, onExport } = this.#parts;
    if (error === null) {
      counts.exported += spans;
      this.#spare = own;
    } else counts.failed += spans; // and may still be on its way
    this.#failure ??= error;
    onExport(error);
    this.#exporting = false;
    if (this.#send()) return;
    const failure = this.#failure;
    this.#failure = null;
    for (const told of this.#flushed.splice(0)) told(failure);
  }
}
