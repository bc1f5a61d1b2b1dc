/** `Tracing` on a real SDK that sends to a real collector. */
import assert from 'node:assert/strict';
import { Tracing } from '#src/index.js';
import { SystemClock } from '#src/kernel/index.js';
import { Durations } from '#src/telemetry/metrics/operations.js';
import { newSpanCounts } from '#src/telemetry/tracing/counts.js';
import { RecentSpans } from '#src/telemetry/tracing/recent.js';
import { type RunningSdk, startSdk } from '#src/telemetry/tracing/sdk.js';
import { telemetrySettings } from '#src/telemetry/tracing/settings.js';
import { fakeSnapshot } from '../../../support/admin/fixtures.js';
import { Collector } from '../../../support/otlp.js';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('telemetry/tracing/library', () => {
  let collector: Collector;
  let sdk: RunningSdk;

  function start(counts = newSpanCounts()): RunningSdk {
    const options = { enabled: true, endpoint: collector.url, samplingRate: 1, parentBased: null, batchSize: null };
    return startSdk({
      settings: { ...telemetrySettings(options, {}), scheduleDelayMs: 10, metrics: false },
      version: '1.2.3',
      instanceId: 'one',
      counts,
      recent: new RecentSpans(),
      metrics: { snapshot: () => fakeSnapshot(), durations: new Durations(), version: '1' },
      random: Math.random,
      clock: new SystemClock(),
      onExport: () => undefined,
    });
  }

  beforeEach(async () => {
    collector = await Collector.start();
    sdk = start();
  });
  afterEach(async () => {
    await sdk.stop(1_000);
    await collector.close();
  });

  it('spans nest over awaits; attributes and events go to the one that is active', async () => {
    const result = await Tracing.withSpan('outer', { kind: 'client', attributes: { a: 1 } }, async () => {
      await Promise.resolve();
      return await Tracing.withSpan('inner', {}, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        Tracing.addAttributes({ user: 'u' });
        Tracing.addEvent('processing.started', { 'item.count': 100 });
        return 42;
      });
    });
    assert.equal(result, 42);
    const outer = await collector.waitForSpan(({ name }) => name === 'outer', 'outer');
    const inner = await collector.waitForSpan(({ name }) => name === 'inner', 'inner');
    assert.equal(inner.parentSpanId, outer.spanId);
    assert.equal(inner.traceId, outer.traceId);
    assert.deepEqual([outer.kind, inner.kind], ['CLIENT', 'INTERNAL']);
    assert.equal(outer.attributes['a'], 1);
    assert.equal(inner.attributes['user'], 'u');
    assert.deepEqual(inner.events, [{ name: 'processing.started', attributes: { 'item.count': 100 } }]);
  });

  it('an exception and a rejection are recorded once and go on', async () => {
    assert.throws(() => Tracing.withSpan('throws', {}, () => { throw new RangeError('bad'); }), /bad/); // prettier-ignore
    await assert.rejects(
      Tracing.withSpan('rejects', {}, () => Promise.reject(new RangeError('worse'))),
      /worse/,
    );
    for (const [name, message] of [
      ['throws', 'bad'],
      ['rejects', 'worse'],
    ] as const) {
      // prettier-ignore
      const span = await collector.waitForSpan((each) => each.name === name, name);
      assert.equal(span.status.code, 'ERROR');
      assert.equal(span.status.message, message);
      assert.equal(span.attributes['error.type'], 'RangeError');
      assert.equal(span.events.filter((event) => event.name === 'exception').length, 1);
    }
  });

  it('a request of the program itself came over no network', async () => {
    const request = { id: 1, method: 'tools/call', params: { name: 'up__echo' } };
    sdk.tracer?.begin(request, undefined, null, performance.now())?.ended(performance.now(), null);
    const { attributes } = await collector.waitForSpan(({ name }) => name === 'tools/call up__echo', 'its span');
    assert.equal(attributes['viable.transport'], 'in-process');
    assert.deepEqual(
      Object.keys(attributes).filter((name) => /^(?:network|client|url)\./.test(name)),
      [],
    );
  });

  it('a context goes out in headers and comes back in as the parent', async () => {
    const headers = Tracing.withSpan('sender', {}, () => Tracing.injectTraceContext({ 'content-type': 'text/plain' }));
    assert.equal(headers['content-type'], 'text/plain');
    Tracing.withSpan('receiver', { parent: Tracing.extractTraceContext(headers) }, () => undefined);
    const sender = await collector.waitForSpan(({ name }) => name === 'sender', 'sender');
    const receiver = await collector.waitForSpan(({ name }) => name === 'receiver', 'receiver');
    assert.equal(headers.traceparent, `00-${sender.traceId}-${sender.spanId}-01`);
    assert.equal(receiver.parentSpanId, sender.spanId);
  });

  it('without an SDK everything runs and nothing is added', async () => {
    await sdk.stop(1_000);
    assert.equal(
      Tracing.withSpan('x', {}, () => 7),
      7,
    );
    Tracing.addAttributes({ a: 1 });
    assert.deepEqual(Tracing.injectTraceContext({ a: 'b' }), { a: 'b' });
    sdk = start();
  });

  it('the gateway’s own spans go to the SDK that the application has registered', async () => {
    const counts = newSpanCounts();
    const second = start(counts);
    const request = { id: 1, method: 'tools/call', params: { name: 'up__echo', _meta: { traceparent: PARENT } } };
    const call = second.tracer?.begin(request, undefined, null, performance.now());
    const sent = { method: 'tools/call', upstreamId: 7, params: { name: 'echo' }, sentAt: performance.now() };
    const onward = call?.sent(sent, { upstream: 'up', network: 'pipe', described: null });
    call?.received(performance.now(), '-32001', { code: -32_001, message: 'gone' });
    call?.ended(performance.now(), '-32001');
    const client = await collector.waitForSpan(({ kind }) => kind === 'CLIENT', 'the span of the call');
    const server = await collector.waitForSpan(({ kind }) => kind === 'SERVER', 'the span of the request');
    await second.stop(1_000);
    assert.equal(counts.started, 0);
    assert.equal(onward?.traceparent, `00-${client.traceId}-${client.spanId}-01`);
    assert.deepEqual([client.parentSpanId, server.parentSpanId], [server.spanId, PARENT.split('-')[2]]);
    assert.deepEqual([client.status.code, client.attributes['viable.upstream']], ['ERROR', 'up']);
    assert.deepEqual(
      [...server.events, ...client.events].map(({ name }) => name),
      ['viable.queue_wait', 'exception'],
    );
    assert.ok(Number(server.events[0]?.attributes['viable.wait_ms']) >= 0);
  });

  it('an SDK of the application’s own stays registered', async () => {
    const second = start();
    await second.stop(1_000);
    Tracing.withSpan('still there', {}, () => undefined);
    await collector.waitForSpan(({ name }) => name === 'still there', 'the span of the first SDK');
  });
});
