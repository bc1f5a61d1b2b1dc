/** The gateway's own spans: their ids, the context that is sent on, their times. */
import assert from 'node:assert/strict';
import { SpanKind } from '@opentelemetry/api';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { TraceparentWriter } from '#src/telemetry/tracing/ids.js';
import { OwnSpans } from '#src/telemetry/tracing/own-spans.js';
import { DrawnIds, RuntimeSampler } from '#src/telemetry/tracing/sampling.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { type SpanStart } from '#src/telemetry/tracing/trace-span.js';

const NONE = new SharedFields('', {});
const description = new SharedFields('tools/call echo', {});

describe('telemetry/tracing/own-spans', () => {
  let ended: EndedSpan[];
  let spans: OwnSpans;
  const begin = (over: Partial<SpanStart> = {}) => {
    const start: SpanStart = { kind: SpanKind.SERVER, description, around: null, requestId: 7, parent: null, links: [], at: 5, ...over }; // prettier-ignore
    const span = spans.start(start);
    assert.ok(span);
    return span;
  };

  beforeEach(() => {
    ended = [];
    const ids = new DrawnIds(Math.random);
    ids.rate = 1;
    const sink = {
      spanStarted: () => undefined,
      spanEnded: (span: EndedSpan) => void ended.push(span),
      hasRoom: () => false,
      callEnded: () => undefined,
    };
    spans = new OwnSpans(sink, ids, new RuntimeSampler(1, true));
  });

  const remote = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1, isRemote: true };
  for (const [what, parent] of [
    ['begins here', null],
    ['goes on', remote],
  ] as const) {
    it(`of a trace that ${what}: each span below has an id of its own, and what is sent on says it`, () => {
      const server = begin({ parent });
      const contexts = [1, 2, 3].map((requestId) => {
        const child = server.child(SpanKind.CLIENT, description, NONE, requestId, 6);
        const { traceparent } = child.context();
        child.end(7);
        return traceparent;
      });
      const own = server.context().traceparent;
      server.end(8);
      const written = ended.map(({ traceId, spanId }) => new TraceparentWriter().write(traceId, spanId));
      assert.deepEqual([...contexts, own], written);
      assert.equal(new Set(written).size, 4);
      assert.equal(new Set(ended.map(({ traceId }) => traceId)).size, 1);
      const [last] = ended.slice(-1);
      assert.ok(ended.slice(0, -1).every(({ parentId }) => parentId === last?.spanId));
      assert.equal(last?.parentIsRemote, parent !== null);
    });
  }

  it('times are those that it is told, on the wall clock', () => {
    const at = performance.now();
    const server = begin({ at });
    server.event('waited', {}, at + 2);
    server.end(at + 8);
    const [span] = ended;
    assert.ok(span);
    // Of numbers this large a quarter of a microsecond is the smallest difference.
    assert.ok(Math.abs(span.startedAt + 8 - span.endedAt) < 0.001);
    assert.ok(Math.abs(span.startedAt + 2 - (span.events[0]?.at ?? 0)) < 0.001);
    assert.ok(Math.abs(span.startedAt - (performance.timeOrigin + at)) < 60_000);
  });

  it('a wall clock that is set is noticed, but not within a trace', () => {
    const real = Date.now;
    const before = begin({ at: 0 });
    try {
      Date.now = () => real() + 3_600_000;
      begin({ at: 2_000 }).end(2_001);
    } finally {
      Date.now = real;
    }
    before.end(2_002);
    const [after, first] = ended;
    assert.ok(after && first);
    assert.ok(Math.abs(after.startedAt - first.startedAt - 3_602_000) < 100);
    assert.ok(Math.abs(first.endedAt - first.startedAt - 2_002) < 0.001);
  });
});
