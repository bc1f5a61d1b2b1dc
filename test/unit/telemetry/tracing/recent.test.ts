import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProtoWriter } from '#src/telemetry/otlp/proto-writer.js';
import { writeSpan } from '#src/telemetry/otlp/span-encoding.js';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { SpanId, TraceId } from '#src/telemetry/tracing/ids.js';
import { RecentSpans } from '#src/telemetry/tracing/recent.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { endedFixture } from '../../../support/spans.js';

const traceId = (digit: number): string => digit.toString(16).padStart(32, '0');
const spanId = (digit: number): string => digit.toString(16).padStart(16, '0');

function span(trace: number, id: number, over: Partial<EndedSpan> = {}): EndedSpan {
  const startedAt = 1_000 + id;
  const ids = { traceId: new TraceId(0, 0, 0, trace), spanId: new SpanId(0, id) };
  return endedFixture({
    ...ids,
    description: new SharedFields(`span ${id}`, {}),
    startedAt,
    endedAt: startedAt + 2.5,
    ...over,
  });
}

function add(recent: RecentSpans, each: EndedSpan): void {
  const out = new ProtoWriter();
  out.varint(8, 1); // as behind another one
  const start = out.length;
  writeSpan(out, each);
  recent.add(out, start);
}

describe('recent spans', () => {
  it('are put together by trace, the newest trace first, its spans as they began', () => {
    const recent = new RecentSpans();
    // A span of a call upstream ends before the one that caused it.
    add(recent, span(1, 2, { kind: 2, parentId: new SpanId(0, 1) }));
    add(recent, span(1, 1));
    add(recent, span(2, 3, { kind: 0, statusCode: 2, statusMessage: 'late', more: ['error.type', 'timeout'] }));
    const traces = recent.traces(10);
    assert.deepEqual(
      traces.map((trace) => [trace.traceId, trace.spans.map((each) => each.spanId)]),
      [
        [traceId(2), [spanId(3)]],
        [traceId(1), [spanId(1), spanId(2)]],
      ],
    );
    const [failed] = traces[0]?.spans ?? [];
    assert.deepEqual([failed?.kind, failed?.error, failed?.durationMs], ['internal', 'timeout', 2.5]);
    const [, client] = traces[1]?.spans ?? [];
    assert.deepEqual([client?.kind, client?.parentId, client?.error], ['client', spanId(1), null]);
  });

  it('are no more than 512, and no more traces than were asked for', () => {
    const recent = new RecentSpans();
    for (let id = 0; id < 2_000; id += 1) add(recent, span(id, id));
    assert.equal(recent.traces(10_000).length, 512);
    assert.deepEqual(
      recent.traces(2).map((trace) => trace.traceId),
      [traceId(1_999), traceId(1_998)],
    );
  });

  it('of a batch that they are added by, the newest are kept, in their order', () => {
    const recent = new RecentSpans();
    for (const [first, last] of [
      [0, 100],
      [100, 2_148],
      [2_148, 2_150],
    ] as const) {
      const batch = new ProtoWriter(16, 100);
      for (let id = first; id < last; id += 1) writeSpan(batch, span(id, id));
      recent.add(batch, 0);
    }
    const expected = Array.from({ length: 512 }, (_, back) => traceId(2_149 - back));
    assert.deepEqual(
      recent.traces(1_000).map((trace) => trace.traceId),
      expected,
    );
  });

  it('whatever their lengths, the newest are kept, whole and without a gap', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.nat({ max: 70_000 }).filter((length) => length < 65_000 || length > 65_500),
          { maxLength: 120 },
        ),
        (lengths) => {
          const recent = new RecentSpans();
          lengths.forEach((length, id) => {
            add(recent, span(id, id, { statusCode: 2, statusMessage: 'x'.repeat(length) }));
          });
          const kept = recent.traces(1_000).map(({ traceId: trace, spans }) => [trace, spans[0]?.error?.length]);
          const short = lengths.map((length, id) => [traceId(id), length || 'error'.length] as const);
          const fits = short.filter(([, length]) => length < 65_000).reverse();
          assert.deepEqual(kept, fits.slice(0, kept.length));
          if (fits.length > 0) assert.ok(kept.length >= Math.min(fits.length, 6));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('long ones drive out older ones, and one that is too long is not kept', () => {
    const recent = new RecentSpans();
    for (let id = 0; id < 300; id += 1) add(recent, span(id, id, { statusMessage: 'x'.repeat(5_000 + (id % 7)) }));
    const kept = recent.traces(1_000);
    assert.ok(kept.length > 90 && kept.length < 110, `${kept.length}`);
    assert.deepEqual(
      kept.map((trace) => trace.traceId),
      kept.map((_, back) => traceId(299 - back)),
    );
    add(recent, span(999, 999, { statusMessage: 'x'.repeat(100_000) }));
    assert.equal(recent.traces(1)[0]?.traceId, traceId(299));
  });
});
