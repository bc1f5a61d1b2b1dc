/** A collector that is slow, gone or full costs no request anything; what is lost is counted. Settings by file and variables. */
import assert from 'node:assert/strict';
import { type Flushed } from '#src/actors/telemetry.js';
import { type AlarmsSnapshot } from '#src/admin/snapshot/vsm.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway, type GatewayOptions } from '../../support/gateway.js';
import { Collector } from '../../support/otlp.js';
import { HttpSession } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const CALLS = 200;

describe('collector', () => {
  let collector: Collector;
  let upstream: UpstreamDouble;
  let gateway: Gateway;

  beforeEach(async () => {
    collector = await Collector.start();
    upstream = await UpstreamDouble.start('legacy');
  });
  afterEach(async () => {
    await gateway.stop();
    await upstream.close();
    await collector.close();
  });

  async function start(telemetry: object, env: GatewayOptions['env'] = {}): Promise<HttpSession> {
    const config = { mcpServers: { up: { url: upstream.url } }, gateway: settings({ telemetry: { ...telemetry } }) };
    gateway = await startGateway({ config, env: { OTEL_BSP_SCHEDULE_DELAY: '50', ...env } });
    await gateway.waitForTools(['up__echo']);
    return await HttpSession.open(gateway.url);
  }

  const started = async (): Promise<unknown> =>
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');

  async function callMany(session: HttpSession, count = CALLS): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const answer = await session.request('tools/call', { name: 'up__echo', arguments: { text: 'x' } });
      assert.ok(answer.result, JSON.stringify(answer));
    }
  }

  it('one that never answers: every request is answered, what does not fit the queue is dropped and counted', async () => {
    collector.mood = 'silent';
    const session = await start(
      { endpoint: collector.url, samplingRate: 1, batchSize: 10 },
      { OTEL_BSP_MAX_QUEUE_SIZE: '50' },
    );
    await started();
    await callMany(session);
    const { telemetry, requests } = await gateway.status();
    assert.equal(requests.failed, 0);
    const { spans } = telemetry;
    assert.ok(spans.dropped > 0);
    assert.ok(spans.queued <= 50);
    assert.equal(spans.exported, 0);
  });

  it('one that refuses: lost spans are counted and said once, and an alarm; it is told when the collector takes them again', async () => {
    collector.mood = 'refusing';
    const session = await start({ endpoint: collector.url, samplingRate: 1 });
    await started();
    await callMany(session, 40);
    const failed = await gateway.waitForLog(({ event }) => event === 'telemetry_export_failed', 'the failure');
    assert.match(String(failed['error']), /./);
    await eventually(async () => {
      const { telemetry } = await gateway.status();
      assert.ok(telemetry.spans.failed > 0);
      assert.notEqual(telemetry.trouble, null);
      const { active } = await gateway.admin<AlarmsSnapshot>('alarms');
      assert.deepEqual(
        active.filter(({ source }) => source === 'telemetry').map(({ index }) => index),
        ['lost_spans'],
      );
    });
    collector.mood = 'well';
    await callMany(session, 5);
    await gateway.waitForLog(({ event }) => event === 'telemetry_export_recovered', 'the recovery');
    assert.equal(gateway.logs.items.filter(({ event }) => event === 'telemetry_export_failed').length, 1);
    assert.equal((await gateway.status()).telemetry.trouble, null);
  });

  it('one that is not there: every request is answered', async () => {
    const { url } = collector;
    await collector.close();
    const session = await start({ endpoint: url, samplingRate: 1 });
    await started();
    await callMany(session, 50);
    assert.equal((await gateway.status()).requests.failed, 0);
    collector = await Collector.start();
  });

  it('the first request is traced', async () => {
    const config = { mcpServers: {}, gateway: settings({ telemetry: { endpoint: collector.url, samplingRate: 1 } }) };
    gateway = await startGateway({ config, env: { OTEL_BSP_SCHEDULE_DELAY: '50' } });
    await HttpSession.open(gateway.url);
    await collector.waitForSpan(({ name, kind }) => name === 'initialize' && kind === 'SERVER', 'its span');
  });

  it('what waits is sent before the gateway ends', async () => {
    const session = await start({ endpoint: collector.url, samplingRate: 1 }, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
    await started();
    await callMany(session, 3);
    await gateway.stop();
    const calls = collector.spansOf().filter(({ kind, name }) => kind === 'SERVER' && name.startsWith('tools/call'));
    assert.equal(calls.length, 3);
  });

  describe('viable send telemetry flush', () => {
    const flush = async (): Promise<Flushed> => await gateway.admin('send', { actor: 'telemetry', message: 'flush' });

    it('what waits is sent, and the collector has it when it answers', async () => {
      const session = await start({ endpoint: collector.url, samplingRate: 1 }, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
      await started();
      await callMany(session, 3);
      const { exported, ...rest } = await flush();
      assert.equal(collector.spansOf().length, exported);
      assert.equal(collector.spansOf().filter(({ name }) => name === 'tools/call up__echo').length, 3);
      assert.deepEqual(rest, { failed: 0, complete: true });
      assert.ok(collector.metrics.items.length > 0);
      assert.deepEqual(await flush(), { exported: 0, failed: 0, complete: true });
    });

    it('a collector that never answers: it answers all the same', async () => {
      collector.mood = 'silent';
      const session = await start({ endpoint: collector.url, samplingRate: 1 }, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
      await started();
      await callMany(session, 1);
      assert.deepEqual(await flush(), { exported: 0, failed: 0, complete: false });
      assert.equal((await gateway.status()).requests.failed, 0);
    });

    it('without tracing there is nothing to send', async () => {
      await start({});
      assert.deepEqual(await flush(), { exported: 0, failed: 0, complete: true });
    });
  });

  it('the variables of OpenTelemetry hold where the file says nothing', async () => {
    const session = await start(
      {},
      {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=blue',
        OTEL_TRACES_SAMPLER: 'parentbased_always_on',
        OTEL_SERVICE_NAME: 'my-gateway',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,service.namespace=mine',
      },
    );
    await started();
    await callMany(session, 1);
    const span = await collector.waitForSpan(({ name }) => name === 'tools/call up__echo', 'the span');
    assert.equal(span.resource['service.name'], 'my-gateway');
    assert.equal(span.resource['service.namespace'], 'mine');
    assert.equal(span.resource['deployment.environment.name'], 'staging');
    assert.equal(collector.headers.at(-1)?.['x-tenant'], 'blue');
    assert.deepEqual(collector.metrics.items, []);
  });

  it('without a collector nothing is traced, and requests carry no context', async () => {
    const session = await start({});
    await callMany(session, 1);
    const { telemetry } = await gateway.status();
    assert.equal(telemetry.tracing, false);
    const seen = upstream.seen.items.findLast(({ message }) => message.method === 'tools/call');
    assert.equal(seen?.headers['traceparent'], undefined);
    assert.equal(seen?.message.params?.['_meta'], undefined);
  });

  it('the rate and the collector change with the file, without a lost request', async () => {
    const session = await start({ endpoint: collector.url, samplingRate: 0 });
    await started();
    await callMany(session, 3);
    const config = (telemetry: object): object => ({
      mcpServers: { up: { url: upstream.url } },
      gateway: settings({ telemetry: { ...telemetry } }),
    });
    await gateway.reconfigure(config({ endpoint: collector.url, samplingRate: 1 }));
    await eventually(async () => assert.equal((await gateway.status()).telemetry.samplingRate, 1));
    await callMany(session, 1);
    await collector.waitForSpan(({ name }) => name === 'tools/call up__echo', 'a span at the new rate');
    const calls = collector.spansOf().filter(({ name, kind }) => kind === 'SERVER' && name === 'tools/call up__echo');
    assert.equal(calls.length, 1);
    await gateway.reconfigure(config({ enabled: false }));
    await eventually(async () => assert.equal((await gateway.status()).telemetry.tracing, false));
    await callMany(session, 1);
  });

  it('metrics go to the collector, under their OpenTelemetry names', async () => {
    const session = await start(
      { endpoint: collector.url },
      { OTEL_METRIC_EXPORT_INTERVAL: '100', OTEL_METRIC_EXPORT_TIMEOUT: '50' },
    );
    await started();
    await callMany(session, 4);
    const metric = await collector.metrics.waitFor(
      ({ name, points }) =>
        name === 'mcp.server.operation.duration' &&
        points.some(({ attributes, value }) => attributes['gen_ai.tool.name'] === 'up__echo' && value === 4),
      'the histogram',
    );
    assert.equal(metric.unit, 's');
    assert.equal(metric.resource['service.name'], 'mcp-gateway');
    const names = new Set(collector.metrics.items.map(({ name }) => name));
    for (const name of ['viable.connections', 'viable.upstream.state', 'process.memory.usage'])
      assert.ok(names.has(name));
  });
});
