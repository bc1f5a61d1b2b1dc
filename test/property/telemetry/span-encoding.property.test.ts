/** What is written for the collector is what the SDK's own serializer would have written. */
import assert from 'node:assert/strict';
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { lengthKey, ProtoWriter } from '#src/telemetry/otlp/proto-writer.js';
import { readSpan, traceIdOf } from '#src/telemetry/otlp/span-decoding.js';
import { resourceSpans, writeSpan } from '#src/telemetry/otlp/span-encoding.js';
import { type EndedSpan, endedSpan } from '#src/telemetry/tracing/ended-span.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { decodeTraces } from '../../support/otlp.js';
import { endedFixture } from '../../support/spans.js';

const resource = resourceFromAttributes(
  { 'service.name': 'x', 'service.tags': ['a', 'b'] },
  { schemaUrl: 'urn:schema' },
);
const instrumentationScope = { name: 'viable', version: '1.2.3', schemaUrl: 'urn:scope' };

const hex = (digits: number) =>
  fc.string({ unit: fc.nat({ max: 15 }).map((digit) => digit.toString(16)), minLength: digits, maxLength: digits });
const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.constant('\ud800'),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.constantFrom(
    0,
    -1,
    127,
    128,
    2 ** 31,
    2 ** 32,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 62,
    -(2 ** 63),
    2 ** 63,
    0.5,
    Infinity,
  ),
);
const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
);
const attributes = fc.dictionary(text, value, { maxKeys: 6, noNullPrototype: true });
const count = fc.nat({ max: 300 });
/** Eighths of a millisecond, so that a number of milliseconds holds them exactly. */
const time: fc.Arbitrary<HrTime> = fc.tuple(
  fc.nat({ max: 4_294_967_296 }),
  fc.nat({ max: 7_999 }).map((part) => part * 125_000),
);
const context: fc.Arbitrary<SpanContext> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.constant(TraceFlags.SAMPLED),
    traceState: fc.constantFrom(new TraceState('a=1,b=2'), new TraceState('')),
    isRemote: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);
const link = fc.record({ context, attributes, droppedAttributesCount: count }, { requiredKeys: ['context'] });
const event = fc.record(
  { name: text, time, attributes, droppedAttributesCount: count },
  { requiredKeys: ['name', 'time'] },
);
const span: fc.Arbitrary<ReadableSpan> = fc
  .record({
    name: text,
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
    own: context,
    parentSpanContext: fc.option(context, { nil: undefined }),
    startTime: time,
    endTime: time,
    status: fc.record(
      { code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR), message: text },
      { requiredKeys: ['code'] },
    ),
    attributes,
    links: fc.array(link, { maxLength: 3 }),
    events: fc.array(event, { maxLength: 3 }),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
  })
  .map(({ own, ...rest }) => ({
    ...rest,
    spanContext: () => own,
    duration: [0, 0] as HrTime,
    ended: true,
    resource,
    instrumentationScope,
  })) as fc.Arbitrary<ReadableSpan>;

describe('telemetry/otlp/span-encoding (property)', () => {
  it('what many spans share is written as if each had it alone, the first time and every time after', () => {
    const ended = fc.record({
      name: text.map((given) => `x${given}`),
      attributes,
      around: attributes,
      requestId: fc.option(fc.oneof(text, fc.integer())),
      said: attributes,
      more: attributes,
    });
    fc.assert(
      fc.property(ended, fc.nat({ max: 4 }), ({ name, attributes: own, around, requestId, said, more }, times) => {
        const anew = () => ({
          description: new SharedFields(name, own),
          around: new SharedFields('', around),
          requestId,
          events: [{ what: new SharedFields(name, said), at: 1_001, attributes: more }],
        });
        const shared = anew();
        const out = new ProtoWriter(16);
        for (let time = 0; time < times; time += 1) {
          assert.deepEqual(bytesOf(shared), bytesOf(anew()));
          const events = shared.events.map((event) => ({ ...event, attributes: undefined }));
          const byName = { ...shared, events: [{ what: name, at: 1_001, attributes: said }] };
          assert.deepEqual(bytesOf({ ...shared, events }), bytesOf(byName));
          writeSpan(out, endedFixture(shared));
        }
        const all = { ...own, ...around, ...(requestId !== null && { 'jsonrpc.request.id': String(requestId) }) };
        const decoded = decodeTraces(resourceSpans(resource, instrumentationScope, out)) as Decoded;
        for (const { attributes: said } of decoded.resourceSpans[0]?.scopeSpans[0]?.spans ?? [])
          for (const name of Object.keys(all)) assert.ok(said.some(({ key }) => key === asUtf8(name)));
      }),
    );
  });

  it('a name is written as any text, new and known, however many there are', () => {
    const names = fc.array(fc.tuple(text, fc.nat({ max: 600 })), { maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(lengthKey(1), lengthKey(15), lengthKey(16)), names, (key, parts) => {
        const [asNames, asTexts] = [new ProtoWriter(16), new ProtoWriter(16)];
        for (let round = 0; round < 3; round += 1)
          for (const [part, count] of parts)
            for (let n = 0; n <= count; n += 97) {
              asNames.name(key, `${part}${n}`);
              asTexts.text(key, `${part}${n}`);
            }
        assert.deepEqual(asNames.written, asTexts.written);
      }),
    );
    const [asNames, asTexts] = [new ProtoWriter(16), new ProtoWriter(16)];
    for (let n = 0; n < 3_000; n += 1) {
      asNames.name(lengthKey(1), `${n % 1_100}`.padStart(n % 300, 'é'));
      asTexts.text(lengthKey(1), `${n % 1_100}`.padStart(n % 300, 'é'));
    }
    assert.deepEqual(asNames.written, asTexts.written);
  });

  it('what is read again for consoles is what was written', () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (spans) => {
        const out = new ProtoWriter(16);
        for (const each of spans) {
          const start = out.length;
          writeSpan(out, endedSpan(each));
          const { traceId, spanId } = each.spanContext();
          const bytes = Buffer.from(out.written);
          assert.equal(traceIdOf(bytes, start), traceId);
          const { startedAt, durationMs, ...rest } = readSpan(bytes, start);
          assert.equal(startedAt, milliseconds(each.startTime));
          assert.equal(durationMs, milliseconds(each.endTime) - milliseconds(each.startTime));
          const said = each.attributes['error.type'] ?? (each.status.message ? each.status.message : 'error');
          assert.deepEqual(rest, {
            spanId,
            parentId: each.parentSpanContext?.spanId ?? null,
            name: asUtf8(each.name),
            kind: each.kind === SpanKind.SERVER ? 'server' : each.kind === SpanKind.CLIENT ? 'client' : 'internal',
            error: each.status.code === SpanStatusCode.ERROR ? asUtf8(String(said)) : null,
            attributes: Object.fromEntries(
              Object.entries(each.attributes).map(([name, given]) => [asUtf8(name), asUtf8(String(given))]),
            ),
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('every field of every span is the one that the SDK writes', () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), fc.nat({ max: 400 }), (spans, headRoom) => {
        const decoded = filled(decodeTraces(sdk(spans)));
        assert.deepEqual(decodeTraces(written(spans, headRoom)), decoded);
        assert.deepEqual(decodeTraces(written(spans, HEAD_ROOM)), decoded);
      }),
      { numRuns: 500 },
    );
  });

  it('a time that a number of milliseconds does not hold is off by less than its resolution', () => {
    const nanoseconds = fc.tuple(fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }), fc.nat({ max: 999_999_999 }));
    fc.assert(
      fc.property(nanoseconds, (endTime) => {
        const [given] = fc.sample(span, 1);
        const one = { ...given, endTime } as ReadableSpan;
        const off = endOf(decodeTraces(written([one]))) - endOf(decodeTraces(sdk([one])));
        assert.ok(off >= -250n && off <= 250n, `${off} ns`);
      }),
    );
  });
});

/** More than any head takes. */
const HEAD_ROOM = 4_096;

function written(spans: readonly ReadableSpan[], headRoom = HEAD_ROOM): Uint8Array {
  const out = new ProtoWriter(16, headRoom);
  for (const each of spans) writeSpan(out, endedSpan(each));
  return resourceSpans(resource, instrumentationScope, out);
}

function bytesOf(span: Partial<EndedSpan>): Buffer {
  const out = new ProtoWriter(16);
  writeSpan(out, endedFixture(span));
  return out.written;
}

function sdk(spans: ReadableSpan[]): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
}

interface Decoded {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly DecodedSpan[] }[] }[];
}

interface DecodedSpan {
  status: unknown;
  readonly attributes: readonly { readonly key: string }[];
  readonly endTimeUnixNano: string;
}

/** A status that says nothing may be left out; the SDK writes it. */
function filled(decoded: unknown): unknown {
  for (const each of (decoded as Decoded).resourceSpans[0]?.scopeSpans[0]?.spans ?? []) {
    const status = each.status as { code: number; message: string };
    if (status.code === 0 && status.message === '') each.status = null;
  }
  return decoded;
}

function endOf(decoded: unknown): bigint {
  return BigInt((decoded as Decoded).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.endTimeUnixNano ?? '0');
}

/** As UTF-8 has it: half a pair is the replacement character. */
function asUtf8(given: string): string {
  return Buffer.from(given).toString();
}

function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
