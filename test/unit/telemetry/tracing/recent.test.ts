import assert from 'node:assert/strict';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { RecentSpans } from '#src/telemetry/tracing/recent.js';
import { endedFixture } from '../../../support/spans.js';

function span(trace: number, id: number, over: Partial<EndedSpan> = {}): EndedSpan {
  const startedAt = 1_000 + id;
  const ids = { traceId: `trace-${trace}`, spanId: `span-${id}` };
  return endedFixture({ ...ids, name: `span ${id}`, startedAt, endedAt: startedAt + 2.5, ...over });
}

describe('recent spans', () => {
  it('are put together by trace, the newest trace first, its spans as they began', () => {
    const recent = new RecentSpans();
    // A span of a call upstream ends before the one that caused it.
    recent.add(span(1, 2, { kind: 2, parentId: 'span-1' }));
    recent.add(span(1, 1));
    recent.add(span(2, 3, { kind: 0, statusCode: 2, statusMessage: 'late', more: ['error.type', 'timeout'] }));
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
