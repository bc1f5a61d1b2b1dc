import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readContext, withContext } from '#src/telemetry/tracing/call-trace.js';

const context = fc.record(
  {
    traceparent: fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom('0', '1', 'a', '-') }),
    tracestate: fc.string({ maxLength: 20, unit: fc.constantFrom('a', '=', ',') }),
    baggage: fc.string({ maxLength: 20, unit: fc.constantFrom('b', '=', ',') }),
  },
  { requiredKeys: ['traceparent'] },
);
const meta = fc.dictionary(fc.constantFrom('progressToken', 'traceparent', 'tracestate', 'x', 'baggage'), fc.string());

describe('telemetry/tracing/call-trace', () => {
  it('what is written into _meta is read out of it, and nothing else of the parameters changes', () => {
    fc.assert(
      fc.property(
        context,
        meta,
        fc.dictionary(fc.constantFrom('name', 'arguments'), fc.jsonValue()),
        (given, old, rest) => {
          const params = { ...rest, _meta: old };
          const before = JSON.stringify(params);
          const sent = JSON.parse(JSON.stringify(withContext(params, given))) as typeof params;
          assert.equal(JSON.stringify(params), before);
          const { _meta: after, ...others } = sent;
          assert.deepEqual(others, JSON.parse(JSON.stringify(rest)));
          assert.equal(after['traceparent'], given.traceparent);
          if (old['traceparent'] !== given.traceparent) {
            assert.equal(after['tracestate'], given.tracestate);
            assert.equal(after['baggage'], given.baggage ?? old['baggage']);
          }
          assert.equal(after['progressToken'], old['progressToken']);
          assert.equal(after['x'], old['x']);
        },
      ),
    );
  });

  it('parameters without _meta get one, and keep all else that they have', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('name', 'arguments', 'x'), fc.jsonValue()), (params) => {
        const before = JSON.stringify(params);
        const sent: unknown = JSON.parse(JSON.stringify(withContext(params, { traceparent: '00-a' })));
        assert.deepEqual(sent, { ...(JSON.parse(before) as object), _meta: { traceparent: '00-a' } });
        assert.equal(JSON.stringify(params), before);
      }),
    );
  });

  it('no context that could break out of a header is read, whatever the carrier holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('traceparent', 'tracestate', 'baggage'), fc.anything()), (carrier) => {
        const read = readContext(carrier);
        for (const value of Object.values(read ?? {})) assert.match(value as string, /^[\x20-\x7e]*$/);
      }),
    );
    assert.deepEqual(readContext({ traceparent: '00-a', tracestate: 'a=1\r\nx: y', baggage: 'é' }), {
      traceparent: '00-a',
    });
    assert.equal(readContext({ tracestate: 'a=1' }), null);
    assert.equal(readContext(undefined), null);
    assert.equal(readContext({ traceparent: 'x'.repeat(300) }), null);
  });
});
