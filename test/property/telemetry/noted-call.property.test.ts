/** A request of which notes are taken has the spans, to the last field, that it would have had as spans from the beginning. */
import assert from 'node:assert/strict';
import { SpanKind } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { newSpanWriter, resourceSpans } from '#src/telemetry/otlp/span-encoding.js';
import { type CallTrace, type TraceContext } from '#src/telemetry/tracing/call-trace.js';
import { Descriptions } from '#src/telemetry/tracing/descriptions.js';
import { type EndedSpan } from '#src/telemetry/tracing/ended-span.js';
import { CALLS_OF_A_PAGE, MOST_PAGES, type NotePage } from '#src/telemetry/tracing/note-page.js';
import { OwnSpans } from '#src/telemetry/tracing/own-spans.js';
import { RecordedTrace } from '#src/telemetry/tracing/recorded.js';
import { DrawnIds, RuntimeSampler } from '#src/telemetry/tracing/sampling.js';
import { SharedFields } from '#src/telemetry/tracing/shared-fields.js';
import { type OwnSpanSink } from '#src/telemetry/tracing/span-sink.js';
import { type SpanStart } from '#src/telemetry/tracing/trace-span.js';
import { UnwrittenSpans } from '#src/telemetry/tracing/unwritten-spans.js';
import { decodeTraces } from '../../support/otlp.js';

const ADMITTED = new SharedFields('viable.admitted', { 'viable.breaker': 'closed' }, 'viable.in_flight');
const FAILURE = { code: -32_000, message: 'no answer', data: { reason: 'timeout' } };
const REMOTE = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1, isRemote: true };

/** What may happen to a request after it has begun. */
type Step =
  | { readonly what: 'measured'; readonly value: number }
  | { readonly what: 'event' }
  | { readonly what: 'sent'; readonly upstreamId: number }
  | { readonly what: 'received' | 'ended'; readonly error: string | null; readonly failed: boolean };

const value = fc.oneof(fc.nat({ max: 300 }), fc.double({ min: 0, max: 9, noNaN: true }));
const end = { error: fc.constantFrom(null, null, null, 'tool_error', '-32000'), failed: fc.constantFrom(false, false, true) }; // prettier-ignore
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('measured' as const), value }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('event' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('sent' as const), upstreamId: fc.nat({ max: 2 ** 31 }) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('received' as const), ...end }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('ended' as const), ...end }) },
);
/** As nearly all requests fare, or not. */
const fate = fc.oneof(
  fc.tuple(value, fc.nat({ max: 2 ** 31 })).map(([measured, upstreamId]): Step[] => [
    { what: 'measured', value: measured },
    { what: 'sent', upstreamId },
    { what: 'received', error: null, failed: false },
    { what: 'ended', error: null, failed: false },
  ]),
  fc.array(step, { maxLength: 7 }),
);
const call = fc.record({
  requestId: fc.oneof(fc.string({ maxLength: 5 }), fc.integer()),
  parent: fc.constantFrom(null, null, REMOTE),
  baggage: fc.constantFrom(undefined, 'a=1'),
  around: fc.constantFrom(null, new SharedFields('', { 'viable.transport': 'http' })),
  fate,
});

/** Keeps what it gets. */
class Sink implements OwnSpanSink {
  readonly #unwritten = new UnwrittenSpans(1_000);
  started = 0;
  noted = 0;
  isFull = false;

  spanStarted(): void {
    this.started += 1;
  }

  spanEnded(span: EndedSpan): void {
    this.#unwritten.add(span);
  }

  hasRoom(): boolean {
    return !this.isFull;
  }

  callEnded(page: NotePage, place: number, spans: number): void {
    this.noted += 1;
    this.#unwritten.addCall(page, place, spans);
  }

  /** All spans, in the order in which they are written. */
  spans(): readonly Span[] {
    const out = newSpanWriter();
    this.#unwritten.write(out);
    const request = resourceSpans(resourceFromAttributes({}), { name: 'viable' }, out);
    const { resourceSpans: resources } = decodeTraces(request) as Traces;
    return resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  }

  /** Of each call its SERVER span and those below it, without their ids, which are checked. */
  written(): unknown {
    const spans = this.spans();
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
    const servers = spans.filter(({ kind }) => kind === 2);
    const below = spans.filter(({ kind }) => kind === 3);
    assert.equal(servers.length + below.length, spans.length);
    return servers
      .map((server) => {
        const children = below.filter(({ parentSpanId }) => parentSpanId === server.spanId);
        assert.ok(children.every(({ traceId }) => traceId === server.traceId));
        const isContinued = server.parentSpanId !== '';
        if (isContinued) {
          assert.equal(Buffer.from(server.traceId, 'base64').toString('hex'), REMOTE.traceId);
          assert.equal(Buffer.from(server.parentSpanId, 'base64').toString('hex'), REMOTE.spanId);
        }
        return { isContinued, server: withoutIds(server), children: children.map(withoutIds).sort() };
      })
      .sort((a, b) => (a.server < b.server ? -1 : 1));
  }
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
}
interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

function withoutIds(span: Span): string {
  return JSON.stringify({ ...span, traceId: '', spanId: '', parentSpanId: '' });
}

describe('telemetry/tracing/noted-call (property)', () => {
  const realNow = performance.now.bind(performance);
  const realDate = Date.now.bind(Date);
  let now = 0;

  beforeEach(() => {
    performance.now = () => now;
    Date.now = () => 1_764_000_000_000;
  });

  afterEach(() => {
    performance.now = realNow;
    Date.now = realDate;
  });

  function make(): { readonly spans: OwnSpans; readonly sink: Sink } {
    const sink = new Sink();
    const ids = new DrawnIds(Math.random);
    ids.rate = 1;
    return { sink, spans: new OwnSpans(sink, ids, new RuntimeSampler(1, true)) };
  }

  function tell(trace: CallTrace, told: Step): TraceContext | null {
    const failure = 'failed' in told && told.failed ? FAILURE : undefined;
    const upstream = { upstream: 'up', network: 'tcp', described: null } as const;
    if (told.what === 'measured') trace.measured(ADMITTED, told.value);
    else if (told.what === 'event') trace.event('viable.refused', { 'viable.reason': 'full' });
    else if ('upstreamId' in told)
      return trace.sent({ method: 'tools/call', params: { name: 'echo' }, upstreamId: told.upstreamId, sentAt: now }, { ...upstream }); // prettier-ignore
    else if (told.what === 'received') trace.received(now, told.error, failure);
    else trace.ended(now, told.error, failure);
    return null;
  }

  it('however it fares, and whatever goes on beside it', () => {
    let noted = 0;
    let all = 0;
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 6 }), fc.boolean(), fc.infiniteStream(fc.nat({ max: 99 })), (calls, isFull, picks) => {
        const [ours, reference] = [make(), make()];
        ours.sink.isFull = isFull;
        now = 10;
        const running = calls.map(({ requestId, parent, baggage, around, fate: steps }, index) => {
          const description = new SharedFields(`tools/call ${index}`, { 'gen_ai.tool.name': 'up__echo' });
          const start: SpanStart = { kind: SpanKind.SERVER, description, around, requestId, parent, links: [], at: now };
          const span = reference.spans.start(start);
          const trace = ours.spans.call(start, new Descriptions(), baggage);
          assert.ok(span && trace);
          // Whoever is answered is sent nowhere any more.
          const over = steps.findIndex(({ what }) => what === 'ended');
          const left: Step[] = steps.filter(({ what }, at) => over === -1 || at <= over || what !== 'sent');
          if (over === -1) left.push({ what: 'ended', error: null, failed: false });
          return { trace, direct: new RecordedTrace(span, new Descriptions(), now, baggage), left };
        });
        for (;;) {
          const waiting = running.filter(({ left }) => left.length > 0);
          const one = waiting[(picks.next().value as number) % waiting.length];
          const told = one?.left.shift();
          if (one === undefined || told === undefined) break;
          now += 0.3;
          const [given, expected] = [tell(one.trace, told), tell(one.direct, told)];
          assert.deepEqual([given?.traceparent.length, given?.baggage], [expected?.traceparent.length, expected?.baggage]);
        }
        all += calls.length;
        noted += ours.sink.noted;
        assert.equal(ours.sink.started, reference.sink.started);
        assert.equal(reference.sink.noted, 0);
        assert.deepEqual(ours.sink.written(), reference.sink.written());
      }),
      { numRuns: 1_000 },
    );
    assert.ok(noted > all / 10 && noted < all, `${noted} of ${all} by notes`);
  }); // prettier-ignore

  it('what is sent on says the ids that are written, when the trace begins here, goes on, and is spelled out', () => {
    for (const parent of [null, REMOTE])
      for (const error of [null, 'tool_error']) {
        const { spans, sink } = make();
        const description = new SharedFields('tools/call up__echo', {});
        const start: SpanStart = { kind: SpanKind.SERVER, description, around: null, requestId: 1, parent, links: [], at: 5 }; // prettier-ignore
        // More than a page of them.
        const sent = Array.from({ length: 300 }, (_, upstreamId) => {
          const trace = spans.call(start, new Descriptions(), undefined);
          assert.ok(trace);
          const context = tell(trace, { what: 'sent', upstreamId });
          trace.received(6, error);
          trace.ended(7, error);
          return context?.traceparent;
        });
        const hex = (id: string): string => Buffer.from(id, 'base64').toString('hex');
        const clients = sink.spans().filter(({ kind }) => kind === 3);
        assert.deepEqual(
          sent,
          clients.map(({ traceId, spanId }) => `00-${hex(traceId)}-${hex(spanId)}-01`),
        );
        assert.equal(new Set(sent).size, 300);
        assert.equal(sink.noted, error === null ? 300 : 0);
      }
  });

  it('calls that take long keep no more pages than there may be; those that come then have spans, and notes again later', () => {
    const { spans, sink } = make();
    const start: SpanStart = { kind: SpanKind.SERVER, description: new SharedFields('ping', {}), around: null, requestId: 1, parent: null, links: [], at: 5 }; // prettier-ignore
    const begin = (): CallTrace => {
      const trace = spans.call(start, new Descriptions(), undefined);
      assert.ok(trace);
      return trace;
    };
    const long: CallTrace[] = [];
    for (let page = 0; page < MOST_PAGES; page += 1) {
      long.push(begin());
      for (let n = 1; n < CALLS_OF_A_PAGE; n += 1) begin().ended(6, null);
      sink.spans();
    }
    const before = sink.noted;
    begin().ended(7, null);
    assert.equal(sink.noted, before);
    assert.equal(sink.spans().length, 1);
    for (const trace of long) trace.ended(8, null);
    assert.equal(sink.spans().length, MOST_PAGES);
    begin().ended(9, null);
    assert.equal(sink.noted, before + MOST_PAGES + 1);
    assert.equal(sink.spans().length, 1);
  });

  it('when the rate changes, calls that have begun keep what is noted of them, and new ones have ids of that rate', () => {
    const sink = new Sink();
    const ids = new DrawnIds(Math.random);
    ids.rate = 1;
    const spans = new OwnSpans(sink, ids, new RuntimeSampler(1, true));
    const begin = (name: string): CallTrace => {
      const start: SpanStart = { kind: SpanKind.SERVER, description: new SharedFields(name, {}), around: null, requestId: 1, parent: null, links: [], at: 5 }; // prettier-ignore
      const trace = spans.call(start, new Descriptions(), undefined);
      assert.ok(trace);
      return trace;
    };
    const before = begin('before');
    ids.rate = 0.001;
    const after = begin('after');
    for (const trace of [after, before]) trace.ended(9, null);
    const names = JSON.stringify(sink.written());
    assert.ok(names.includes('before') && names.includes('after'));
  });
});
