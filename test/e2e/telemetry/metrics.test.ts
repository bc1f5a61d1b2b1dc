/** `/metrics` of a gateway that works: what clients did is what it says, in legal text. */
import assert from 'node:assert/strict';
import { METRICS } from '#src/telemetry/metrics/catalogue.js';
import { prometheusName } from '#src/telemetry/metrics/definition.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { type PrometheusPage, readPrometheus } from '../../support/prometheus.js';
import { fetchRaw, HttpSession } from '../../support/raw-http.js';
import { RAW_PEERS } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

describe('metrics', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings() },
    });
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  async function scrape(): Promise<PrometheusPage> {
    const { status, headers, body } = await fetchRaw(`${gateway.url}/metrics`);
    assert.equal(status, 200);
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    return readPrometheus(body);
  }

  it('what clients do on each transport is counted once, by method, tool and how it ended', async () => {
    const before = await scrape();
    const echo = { mcp_method_name: 'tools/call', gen_ai_tool_name: 'good__echo' };
    for (const kind of RAW_PEERS) {
      const peer = await kind.open(gateway.url);
      await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } }, 7);
      await peer.request('tools/call', { name: 'good__nothing' }, 8);
      await peer.request('nonsense/method', {}, 9);
      await peer.close();
    }
    const page = await eventually(async () => {
      const page = await scrape();
      assert.equal(page.value('mcp_server_operation_duration_seconds_count', echo), RAW_PEERS.length);
      for (const transport of ['http', 'sse', 'websocket'])
        assert.equal(page.value('viable_connections', { viable_transport: transport }), 0);
      return page;
    });
    const own = { mcp_method_name: 'tools/call', gen_ai_tool_name: 'echo', viable_upstream: 'good' };
    assert.equal(page.value('mcp_client_operation_duration_seconds_count', own), RAW_PEERS.length);
    assert.equal(
      page.value('mcp_server_operation_duration_seconds_count', {
        mcp_method_name: 'tools/call',
        error_type: '-32602',
      }),
      RAW_PEERS.length,
    );
    assert.equal(
      page.value('mcp_server_operation_duration_seconds_count', { mcp_method_name: '_OTHER', error_type: '-32601' }),
      RAW_PEERS.length,
    );
    assert.ok(!page.samples.some(({ labels }) => Object.values(labels).includes('good__nothing')));
    assert.equal(page.value('viable_upstream_calls_total', { viable_upstream: 'good' }), RAW_PEERS.length);
    assert.ok(page.value('viable_messages_total') > before.value('viable_messages_total'));
    const sessions = page.samples.filter(({ name }) => name === 'mcp_server_session_duration_seconds_count');
    assert.deepEqual(sessions.map(({ labels }) => labels['viable_transport']).sort(), ['http', 'sse', 'websocket']);
  });

  it('buckets of a histogram add up, and the last one holds all', async () => {
    const page = await scrape();
    const name = 'mcp_server_operation_duration_seconds';
    const labels = { mcp_method_name: 'tools/call', gen_ai_tool_name: 'good__echo' };
    const buckets = page.samples.filter(
      (sample) => sample.name === `${name}_bucket` && sample.labels['gen_ai_tool_name'] === 'good__echo',
    );
    for (const [index, { value }] of buckets.entries())
      assert.ok(index === 0 || value >= (buckets[index - 1]?.value ?? 0));
    assert.equal(buckets.at(-1)?.labels['le'], '+Inf');
    assert.equal(buckets.at(-1)?.value, page.value(`${name}_count`, labels));
  });

  it('what the page says is what the status says', async () => {
    const session = await HttpSession.open(gateway.url);
    const status = await gateway.status();
    const page = await scrape();
    assert.equal(page.value('viable_connections', { viable_transport: 'http' }), status.connections.byTransport.http);
    assert.equal(page.value('viable_upstream_tools', { viable_upstream: 'good' }), status.upstreams[0]?.tools);
    assert.equal(page.value('viable_phase', { phase: 'running' }), 1);
    assert.equal(page.value('viable_upstream_breaker', { viable_upstream: 'good', state: 'closed' }), 1);
    await session.end();
  });

  it('every family is in the catalogue, under its type', async () => {
    const kinds = new Map(METRICS.map((metric) => [prometheusName(metric), metric.kind]));
    const { types, samples } = await scrape();
    assert.ok(types.size > 20);
    for (const [name, type] of types) assert.equal(type, kinds.get(name), name);
    for (const { name } of samples)
      assert.ok(types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, '')), name);
  });

  it('it stands behind the checks of host and origin, and takes GET and HEAD alone', async () => {
    const foreign = await fetchRaw(`${gateway.url}/metrics`, { headers: { host: 'evil.example' } });
    assert.equal(foreign.status, 403);
    const page = await fetchRaw(`${gateway.url}/metrics`, { headers: { origin: 'https://evil.example' } });
    assert.equal(page.status, 403);
    assert.equal((await fetchRaw(`${gateway.url}/metrics`, { method: 'POST', body: '' })).status, 405);
    assert.equal((await fetchRaw(`${gateway.url}/metrics`, { method: 'HEAD' })).status, 200);
  });
});
