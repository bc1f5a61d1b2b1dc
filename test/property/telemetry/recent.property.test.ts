/** Consoles are shown the newest spans, however batches fill, go, fail and are looked at. */
import assert from 'node:assert/strict';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { VirtualClock } from '#src/kernel/index.js';
import { newSpanCounts } from '#src/telemetry/tracing/counts.js';
import { Descriptions } from '#src/telemetry/tracing/descriptions.js';
import { SpanId, TraceId } from '#src/telemetry/tracing/ids.js';
import { OwnSpans } from '#src/telemetry/tracing/own-spans.js';
import { MOST_SPANS, RecentSpans } from '#src/telemetry/tracing/recent.js';
import { DrawnIds, RuntimeSampler } from '#src/telemetry/tracing/sampling.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { SpanBatcher } from '#src/telemetry/tracing/span-batcher.js';
import { endedFixture } from '../../support/spans.js';

const DELAY = 5_000;
/** An attribute of the resource that a detector does not find. */
const NEVER = new Promise<string>(() => undefined);
const ALL = 1_000_000;
/** More than a round of writing, fewer and more than consoles keep. */
const size = fc.constantFrom(3, 300, 600, 1_400);
const ended = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 700 }), fc.nat({ max: 1_600 }));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ end: ended }) },
  { weight: 4, arbitrary: fc.record({ endCalls: ended }) },
  { weight: 1, arbitrary: fc.record({ endOther: fc.nat({ max: 3 }) }) },
  ...(['look', 'take', 'refuse', 'wait'] as const).map((what) => ({ weight: 1, arbitrary: fc.constant(what) })),
);

const UPSTREAM = { upstream: 'up', network: 'tcp', described: null } as const;
const START = {
  kind: SpanKind.SERVER,
  description: new SharedFields('tools/call up__echo', {}),
  around: null,
  requestId: 7,
  parent: null,
  links: [],
};

describe('telemetry/tracing/recent (property)', () => {
  const realNow = performance.now.bind(performance);
  const realDate = Date.now.bind(Date);

  beforeEach(() => {
    performance.now = () => 0;
    Date.now = () => 0;
  });

  afterEach(() => {
    performance.now = realNow;
    Date.now = realDate;
  });

  it('are the last that ended, each once, whatever has become of their batches', () => {
    fc.assert(
      fc.property(
        size,
        fc.constantFrom(2_000, 100_000),
        fc.boolean(),
        fc.array(step, { maxLength: 25 }),
        (batchSize, maxQueue, looked, steps) => {
          const clock = new VirtualClock();
          const recent = new RecentSpans();
          const counts = newSpanCounts();
          const asked: ((result: ExportResult) => void)[] = [];
          const batcher = new SpanBatcher({
            exporter: {
              export: (batch, done) => {
                assert.ok(batch.spans <= batchSize, `${batch.spans} in one batch`);
                asked.push(done);
              },
              shutdown: () => Promise.resolve(),
            },
            resource: resourceFromAttributes(looked ? { 'host.name': NEVER } : {}, { schemaUrl: 'urn:resource' }),
            scope: { name: 'viable', schemaUrl: 'urn:scope' },
            counts,
            recent,
            clock,
            batchSize,
            maxQueue,
            scheduleDelayMs: DELAY,
            exportTimeoutMs: 10 * DELAY,
            onExport: () => undefined,
          });
          const ids = new DrawnIds(Math.random);
          ids.rate = 1;
          const spans = new OwnSpans(batcher, ids, new RuntimeSampler(1, true));
          let count = 0;
          const look = (): void => {
            const shown = recent.traces(ALL).flatMap(({ spans }) => spans.map(({ startedAt }) => startedAt));
            const last = Array.from({ length: Math.min(count, MOST_SPANS) }, (_, back) => count - back);
            assert.deepEqual(
              shown.toSorted((a, b) => b - a),
              last,
            );
          };
          for (const each of steps) {
            if (each === 'look') look();
            else if (each === 'take') asked.shift()?.({ code: ExportResultCode.SUCCESS });
            else if (each === 'refuse') asked.shift()?.({ code: ExportResultCode.FAILED });
            else if (each === 'wait') clock.advance(DELAY);
            else if ('end' in each)
              for (let n = 0; n < each.end; n += 1) {
                count += 1;
                batcher.spanStarted();
                batcher.spanEnded(endedFixture({ traceId: new TraceId(1, 2, 3, count), spanId: new SpanId(4, count), startedAt: count })); // prettier-ignore
              }
            else if ('endCalls' in each)
              for (let n = 0; n < each.endCalls; n += 1) {
                // The time of a span says its place; the CLIENT span is the first of two.
                const trace = spans.call({ ...START, at: count + 2 }, new Descriptions(), undefined);
                trace?.sent({ method: 'ping', params: {}, upstreamId: n, sentAt: count + 1 }, { ...UPSTREAM });
                trace?.received(count + 1, null);
                trace?.ended(count + 2, null);
                count += 2;
              }
            else
              for (let n = 0; n < each.endOther; n += 1) {
                count += 1;
                batcher.onStart();
                batcher.onEnd(other(count));
              }
          }
          look();
          assert.equal(counts.started, count);
          const { exported, failed, dropped, queued } = counts;
          const underWay = count - (exported + failed + dropped + queued);
          assert.ok(underWay >= 0 && underWay <= batchSize, `${underWay} are nowhere`);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** A span of somebody else's. */
function other(count: number): ReadableSpan {
  const ids = { traceId: count.toString(16).padStart(32, '0'), spanId: count.toString(16).padStart(16, '0') };
  return {
    name: 'other',
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ ...ids, traceFlags: 1 }),
    startTime: [Math.floor(count / 1_000), (count % 1_000) * 1_000_000],
    endTime: [Math.floor(count / 1_000), (count % 1_000) * 1_000_000],
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
    duration: [0, 0],
    ended: true,
    resource: resourceFromAttributes({}),
    instrumentationScope: OTHERS,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const OTHERS = { name: 'others' };
