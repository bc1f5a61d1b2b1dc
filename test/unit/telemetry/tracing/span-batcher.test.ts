import assert from 'node:assert/strict';
import { context, SpanKind } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, isTracingSuppressed } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { VirtualClock } from '#src/kernel/index.js';
import { LateContextManager } from '#src/telemetry/tracing/context-manager.js';
import { newSpanCounts, type SpanCounts } from '#src/telemetry/tracing/counts.js';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { TraceId } from '#src/telemetry/tracing/ids.js';
import { OwnSpans } from '#src/telemetry/tracing/own-spans.js';
import { RecentSpans } from '#src/telemetry/tracing/recent.js';
import { DrawnIds, RuntimeSampler } from '#src/telemetry/tracing/sampling.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { type SpanBatch, SpanBatcher } from '#src/telemetry/tracing/span-batcher.js';
import { decodeTraces } from '../../../support/otlp.js';
import { endedFixture } from '../../../support/spans.js';

const DELAY = 5_000;
const TIMEOUT = 30_000;

class Collector {
  readonly batches: SpanBatch[] = [];
  /** Of each request, as it was given. */
  readonly memory: ArrayBufferLike[] = [];
  readonly #waiting: ((result: ExportResult) => void)[] = [];
  shutdowns = 0;

  readonly exporter = {
    export: (batch: SpanBatch, done: (result: ExportResult) => void): void => {
      this.batches.push({ ...batch, request: Uint8Array.from(batch.request) });
      this.memory.push(batch.request.buffer);
      this.#waiting.push(done);
    },
    shutdown: (): Promise<void> => {
      this.shutdowns += 1;
      return Promise.resolve();
    },
  };

  /** Answers the export that has waited longest. */
  answer(error?: Error): void {
    this.#waiting.shift()?.(error ? { code: ExportResultCode.FAILED, error } : { code: ExportResultCode.SUCCESS });
  }
}

describe('telemetry/tracing/span-batcher', () => {
  let clock: VirtualClock;
  let collector: Collector;
  let counts: SpanCounts;
  let recent: RecentSpans;
  let told: (string | null)[];
  let batcher: SpanBatcher;

  function make(resource = resourceFromAttributes({ 'service.name': 'x' })): SpanBatcher {
    return new SpanBatcher({
      exporter: collector.exporter,
      resource,
      scope: { name: 'viable' },
      counts,
      recent,
      clock,
      batchSize: 3,
      maxQueue: 5,
      scheduleDelayMs: DELAY,
      exportTimeoutMs: TIMEOUT,
      onExport: (error) => told.push(error?.message ?? null),
    });
  }

  function end(number: number, span: Partial<EndedSpan> = {}): void {
    for (let index = 0; index < number; index += 1) {
      batcher.spanStarted();
      batcher.spanEnded(endedFixture(span));
    }
  }

  beforeEach(() => {
    clock = new VirtualClock();
    collector = new Collector();
    counts = newSpanCounts();
    recent = new RecentSpans();
    told = [];
    batcher = make();
  });

  it('a full batch goes at once, one that is not full when its oldest span has waited', () => {
    end(2);
    clock.advance(DELAY - 1);
    assert.equal(collector.batches.length, 0);
    end(1);
    assert.deepEqual(
      collector.batches.map(({ spans }) => spans),
      [3],
    );
    collector.answer();
    assert.deepEqual([counts.started, counts.queued, counts.exported], [3, 0, 3]);
    end(1);
    clock.advance(DELAY);
    assert.deepEqual(
      collector.batches.map(({ spans }) => spans),
      [3, 1],
    );
    collector.answer();
    assert.deepEqual([counts.queued, counts.exported, clock.pending], [0, 4, 0]);
    assert.deepEqual(told, [null, null]);
  });

  it('one export at a time; what its queue does not hold is dropped and counted', () => {
    end(3);
    end(7);
    assert.equal(collector.batches.length, 1);
    assert.deepEqual([counts.queued, counts.dropped], [5, 2]);
    collector.answer();
    assert.deepEqual(
      collector.batches.map(({ spans }) => spans),
      [3, 3],
    );
    assert.equal(counts.queued, 2);
    collector.answer();
    clock.advance(DELAY);
    collector.answer();
    assert.deepEqual([counts.queued, counts.exported, counts.dropped], [0, 8, 2]);
  });

  it('a batch that is refused, or whose answer does not come, is counted as failed; the next one goes all the same', () => {
    end(3);
    collector.answer(new Error('400'));
    end(3);
    clock.advance(TIMEOUT);
    end(3);
    collector.answer(); // of the one that was given up: too late
    assert.deepEqual([counts.exported, counts.failed], [0, 6]);
    collector.answer();
    assert.deepEqual([counts.exported, counts.failed, counts.queued], [3, 6, 0]);
    assert.deepEqual(told, ['400', 'the collector did not answer in time', null]);
  });

  it('a flush sends what waits, and fails with the first failure of it', async () => {
    await batcher.forceFlush();
    end(4);
    const good = batcher.forceFlush();
    collector.answer();
    collector.answer();
    await good;
    assert.equal(counts.exported, 4);
    end(1);
    const bad = batcher.forceFlush();
    collector.answer(new Error('503'));
    await assert.rejects(bad, /503/);
    end(1);
    const again = batcher.forceFlush();
    collector.answer();
    await again;
  });

  it('the end sends what waits; a span that ends later is dropped and counted', async () => {
    end(1);
    const over = batcher.shutdown();
    end(1);
    collector.answer();
    await over;
    assert.deepEqual([counts.exported, counts.dropped, collector.shutdowns], [1, 1, 1]);
    assert.equal(recent.beforeReading, null, 'nobody keeps it');
  });

  it('the memory of a batch that the collector has is that of one after it; that of one that it may still read is not', () => {
    const named = (name: string): Partial<EndedSpan> => ({ description: new SharedFields(name, {}) });
    const names = (): unknown[] =>
      collector.batches.map(({ request }) => JSON.stringify(decodeTraces(request)).match(/"name":"(?!viable)[^"]*"/g));
    for (const name of ['a', 'b', 'c']) {
      end(3, named(name));
      collector.answer();
    }
    end(3, named('d'));
    end(3, named('e')); // behind it
    clock.advance(TIMEOUT);
    end(3, named('f'));
    collector.answer(); // of the one that was given up: too late
    collector.answer(new Error('400'));
    collector.answer();
    end(3, named('g'));
    const [a, b, c, d, e, f, g] = collector.memory;
    assert.deepEqual([c === a, d === b, e === a], [true, true, true]);
    assert.equal(new Set([a, b, f, g]).size, 4);
    assert.deepEqual(
      names(),
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => new Array<string>(3).fill(`"name":"${name}"`)),
    );
  });

  it('waits for a resource whose attributes are still looked for', async () => {
    let found: (name: string) => void = () => undefined;
    const name = new Promise<string>((resolve) => (found = resolve));
    const resource = resourceFromAttributes({ 'host.name': name });
    batcher = make(resource);
    end(4);
    assert.equal(collector.batches.length, 0);
    found('here');
    await resource.waitForAsyncAttributes?.();
    await Promise.resolve();
    assert.deepEqual(
      collector.batches.map(({ spans }) => spans),
      [4],
    );
    const request = JSON.stringify(decodeTraces(collector.batches[0]?.request ?? new Uint8Array()));
    assert.match(request, /"host\.name","value":\{"stringValue":"here"/);
  });

  it('an export is traced by nobody', () => {
    context.setGlobalContextManager(new LateContextManager().enable());
    const seen: boolean[] = [];
    collector.exporter.export = () => void seen.push(isTracingSuppressed(context.active()));
    end(3);
    seen.push(isTracingSuppressed(context.active()));
    context.disable();
    assert.deepEqual(seen, [true, false]);
  });

  it('keeps the newest for consoles, dropped or not', () => {
    end(9, { traceId: TraceId.of('aa'.repeat(16)) });
    assert.equal(recent.traces(1)[0]?.spans.length, 9);
  });

  it('a span says what it said when it ended, though it is written later', () => {
    const ids = new DrawnIds(Math.random);
    ids.rate = 1;
    const spans = new OwnSpans(batcher, ids, new RuntimeSampler(1, true));
    const description = new SharedFields('tools/call echo', { a: 1 });
    const at = performance.now();
    const start = { kind: SpanKind.SERVER, description, around: null, requestId: 7, parent: null, links: [], at };
    const [told, ended] = [spans.start(start), spans.start(start)];
    told?.event('in time');
    told?.set('b', 2);
    for (const span of [told, ended]) span?.end();
    for (const span of [told, ended]) {
      span?.event('late');
      span?.set('error.type', 'late');
      span?.failed('late');
      span?.end();
    }
    const [last, first] = recent.traces(2).map(({ spans: shown }) => shown[0]);
    assert.deepEqual([first?.error, last?.error], [null, null]);
    assert.deepEqual(first?.attributes, { a: '1', b: '2', 'jsonrpc.request.id': '7' });
    assert.deepEqual(last?.attributes, { a: '1', 'jsonrpc.request.id': '7' });
    clock.advance(DELAY);
    const [batch] = collector.batches;
    assert.equal(batch?.spans, 2);
    assert.ok(!Buffer.from(batch.request).includes('late'));
    assert.ok(Buffer.from(batch.request).includes('in time'));
  });
});
