/** Ids are kept as words; the digits of them are the ones they came from. */
import assert from 'node:assert/strict';
import { parseTraceParent } from '@opentelemetry/core';
import fc from 'fast-check';
import { ProtoWriter } from '#src/telemetry/otlp/proto-writer.js';
import { SpanId, TraceId, TraceparentWriter } from '#src/telemetry/tracing/ids.js';

const hex = (digits: number) =>
  fc.string({ unit: fc.nat({ max: 15 }).map((digit) => digit.toString(16)), minLength: digits, maxLength: digits });

describe('telemetry/tracing/ids (property)', () => {
  it('digits, words, `traceparent` and bytes are of one id', () => {
    const writer = new TraceparentWriter();
    fc.assert(
      fc.property(hex(32), hex(16), (trace, span) => {
        const [traceId, spanId] = [TraceId.of(trace), SpanId.of(span)];
        const traceparent = writer.write(traceId, spanId);
        assert.equal(traceparent, `00-${trace}-${span}-01`);
        if (!/^0+$/.test(trace) && !/^0+$/.test(span))
          assert.deepEqual(parseTraceParent(traceparent), { traceId: trace, spanId: span, traceFlags: 1 });
        const out = new ProtoWriter(16);
        out.words4(10, traceId.a, traceId.b, traceId.c, traceId.d);
        out.words2(18, spanId.high, spanId.low);
        assert.equal(out.written.toString('hex'), `0a10${trace}1208${span}`);
      }),
    );
  });
});
