/**
 * Spans on their way to the collector, counted: the SDK's batch processor drops what does not fit its queue and tells
 * nobody, and a failed export is lost.
 */
import { type Context } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type ReadableSpan, type Span, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { type SpanCounts } from './counts.js';
import { type RecentSpans } from './recent.js';

/** In front of the batch processor: never gives it more than its queue holds, and keeps the newest for consoles. */
export class CountedProcessor implements SpanProcessor {
  readonly #inner: SpanProcessor;
  readonly #counts: SpanCounts;
  readonly #maxQueue: number;
  readonly #recent: RecentSpans;

  constructor(inner: SpanProcessor, counts: SpanCounts, maxQueue: number, recent: RecentSpans) {
    this.#recent = recent;
    this.#inner = inner;
    this.#counts = counts;
    this.#maxQueue = maxQueue;
  }

  onStart(span: Span, context: Context): void {
    this.#counts.started += 1;
    this.#inner.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    this.#recent.add(span);
    if (this.#counts.queued >= this.#maxQueue) {
      this.#counts.dropped += 1;
      return;
    }
    this.#counts.queued += 1;
    this.#inner.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}

/** Behind the batch processor. */
export class CountedExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #counts: SpanCounts;
  readonly #onResult: (error: Error | null) => void;

  /** `onResult`: told of every batch; `null` when the collector has it. */
  constructor(inner: SpanExporter, counts: SpanCounts, onResult: (error: Error | null) => void) {
    this.#inner = inner;
    this.#counts = counts;
    this.#onResult = onResult;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const { length } = spans;
    this.#counts.queued = Math.max(0, this.#counts.queued - length);
    this.#inner.export(spans, (result) => {
      const good = result.code === ExportResultCode.SUCCESS;
      if (good) this.#counts.exported += length;
      else this.#counts.failed += length;
      this.#onResult(good ? null : (result.error ?? new Error('the export failed')));
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}
