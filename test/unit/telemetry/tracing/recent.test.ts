import assert from 'node:assert/strict';
import { RecentSpans, type EndedSpan } from '#src/telemetry/tracing/recent.js';

function span(trace: number, id: number, over: Partial<EndedSpan> = {}): EndedSpan {
  return {
    name: `span ${id}`,
    kind: 1,
    spanContext: () => ({ traceId: `trace-${trace}`, spanId: `span-${id}` }),
    startTime: [1_000 + id, 500_000],
    duration: [0, 2_500_000],
    status: { code: 0 },
    attributes: {},
    ...over,
  };
}

describe('recent spans', () => {
  it('are put together by trace, the newest trace first, its spans as they began', () => {
    const recent = new RecentSpans();
    // A span of a call upstream ends before the one that caused it.
    recent.add(span(1, 2, { kind: 2, parentSpanContext: { spanId: 'span-1' } }));
    recent.add(span(1, 1));
    recent.add(span(2, 3, { kind: 0, status: { code: 2, message: 'late' }, attributes: { 'error.type': 'timeout' } }));
    const traces = recent.traces(10);
    assert.deepEqual(
      traces.map(({ traceId, spans }) => [traceId, spans.map(({ spanId }) => spanId)]),
      [
        ['trace-2', ['span-3']],
        ['trace-1', ['span-1', 'span-2']],
      ],
    );
    const [failed] = traces[0]?.spans ?? [];
    assert.deepEqual([failed?.kind, failed?.error, failed?.durationMs], ['internal', 'timeout', 2.5]);
    const [, client] = traces[1]?.spans ?? [];
    assert.deepEqual([client?.kind, client?.parentId, client?.error], ['client', 'span-1', null]);
  });

  it('are no more than 512, and no more traces than were asked for', () => {
    const recent = new RecentSpans();
    for (let id = 0; id < 2_000; id += 1) recent.add(span(id, id));
    assert.equal(recent.traces(10_000).length, 512);
    assert.deepEqual(
      recent.traces(2).map(({ traceId }) => traceId),
      ['trace-1999', 'trace-1998'],
    );
  });
});
