/** A span that waited in a row is written as it would have been when it ended. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProtoWriter } from '#src/telemetry/otlp/proto-writer.js';
import { writeSpan } from '#src/telemetry/otlp/span-encoding.js';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { SpanId, TraceId } from '#src/telemetry/tracing/ids.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { SpanRows } from '#src/telemetry/tracing/span-rows.js';
import { endedFixture } from '../../support/spans.js';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const spanId = fc.tuple(word, word).map(([high, low]) => new SpanId(high, low));
const traceId = fc.tuple(word, word, word, word).map(([a, b, c, d]) => new TraceId(a, b, c, d));
const text = fc.string({ maxLength: 8 });
const attributes = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean()), {
  maxKeys: 3,
  noNullPrototype: true,
});
const time = fc.double({ min: 0, max: 2e12, noNaN: true });
/** Few, so that some are shared; what is of spans is not of events. */
const ofSpans = fc.constantFrom(new SharedFields('a', { b: 1 }), new SharedFields('', { c: 'd' }));
const ofEvents = fc.constantFrom(
  new SharedFields('happens', { b: 1 }),
  new SharedFields('measures', { e: true }, 'f'),
  new SharedFields('measures alone', {}, 'g'),
);
const event = fc.record(
  {
    what: fc.oneof(text, ofEvents),
    at: time,
    attributes,
    measured: fc.double({ noNaN: true }),
    dropped: fc.nat({ max: 3 }),
  },
  { requiredKeys: ['what', 'at'] },
);
const link = spanId.map(() => ({ context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 } }));
const often = <T>(usual: T, rare: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rare }); // prettier-ignore
const span: fc.Arbitrary<EndedSpan> = fc
  .record({
    traceId,
    spanId,
    parentId: fc.option(spanId),
    parentIsRemote: fc.boolean(),
    traceState: often('', fc.constant('a=1')),
    kind: fc.nat({ max: 4 }),
    startedAt: time,
    endedAt: time,
    description: ofSpans,
    around: fc.option(ofSpans),
    requestId: fc.option(fc.oneof(text, fc.integer())),
    more: often<EndedSpan['more']>([], fc.tuple(text, text)),
    events: fc.array(event, { maxLength: 4 }),
    links: often<EndedSpan['links']>([], fc.array(link, { maxLength: 2 })),
    statusCode: often(0, fc.constantFrom(1, 2)),
    statusMessage: often('', text),
    dropped: often({ attributes: 0, events: 0, links: 0 }, fc.record({ attributes: fc.nat({ max: 2 }), events: fc.nat({ max: 2 }), links: fc.nat({ max: 2 }) })), // prettier-ignore
  })
  .map(endedFixture);

describe('telemetry/tracing/span-rows (property)', () => {
  it('says of each span what it said when it was added, however often its row was used', () => {
    const size = 5;
    const rows = new SpanRows(size);
    fc.assert(
      fc.property(fc.array(fc.array(span, { maxLength: size }), { maxLength: 4 }), (rounds) => {
        for (const spans of rounds) {
          const [direct, waited] = [new ProtoWriter(16), new ProtoWriter(16)];
          for (const each of spans) {
            writeSpan(direct, each);
            rows.add(each);
          }
          assert.equal(rows.length, spans.length);
          for (let at = 0; at < rows.length; at += 1) writeSpan(waited, rows.take(at));
          rows.clear();
          assert.deepEqual(waited.written, direct.written);
        }
      }),
      { numRuns: 500 },
    );
  });
});
