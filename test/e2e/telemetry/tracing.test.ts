/** Traces of requests as a collector gets them: one tree from the client to the upstream, on every transport. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';
import { type TracesSnapshot } from '#src/admin/snapshot/traces.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { Collector, type ReceivedSpan } from '../../support/otlp.js';
import { HttpSession, type Json } from '../../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../../support/raw-peers.js';
import { startRemote } from '../../support/remote-fixture.js';
import { settings } from '../../support/settings.js';
import { modernPost } from '../eras/modern-http.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

interface Parent {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceparent: string;
}

/** A caller's span that is recorded. */
function parent(flags = '01'): Parent {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

/** What goes with `traceparent`; a request with a `tracestate` is recorded by spans from the beginning, others by notes. */
const BESIDE = { tracestate: 'a=1', baggage: 'user=7' };

const FAST = { OTEL_BSP_SCHEDULE_DELAY: '50' };

describe('tracing', () => {
  let hub: FixtureHub;
  let collector: Collector;
  let legacy: UpstreamDouble;
  let modern: UpstreamDouble;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    collector = await Collector.start();
    legacy = await UpstreamDouble.start('legacy');
    modern = await UpstreamDouble.start('modern');
    const sse = await startRemote(hub, 'sse', 'sse');
    const ws = await startRemote(hub, 'ws', 'ws');
    const servers = {
      legacy: { url: legacy.url },
      modern: { url: modern.url },
      pipe: hub.stdio('sdk-server', 'pipe'),
      sse: { url: sse.url, type: 'sse' },
      ws: { url: ws.url, type: 'ws' },
    };
    gateway = await startGateway({
      config: { mcpServers: servers, gateway: settings({ telemetry: { samplingRate: 0 } }) },
      env: { ...FAST, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_API_KEY: 'key-of-test' },
    });
    await gateway.waitForTools(['legacy__echo', 'modern__echo', 'pipe__echo', 'sse__echo', 'ws__echo']);
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
  });
  after(async () => {
    await gateway.stop();
    await legacy.close();
    await modern.close();
    await hub.close();
    await collector.close();
  });

  /** Both spans of a call in this trace, checked to be one under the other and under `above`. */
  async function tree(above: Parent): Promise<{ server: ReceivedSpan; client: ReceivedSpan }> {
    const of = (kind: string) => (span: ReceivedSpan) => span.traceId === above.traceId && span.kind === kind;
    const server = await collector.waitForSpan(of('SERVER'), 'the SERVER span');
    const client = await collector.waitForSpan(of('CLIENT'), 'the CLIENT span');
    assert.equal(server.parentSpanId, above.spanId);
    assert.equal(client.parentSpanId, server.spanId);
    assert.equal(collector.spansOf(above.traceId).length, 2);
    return { server, client };
  }

  function call(tool: string, above: Parent | null, args: Json = { text: 'x' }, beside: Json = BESIDE): Json {
    const params = { name: tool, arguments: args };
    return above === null ? params : { ...params, _meta: { traceparent: above.traceparent, ...beside } };
  }

  function lastCall(upstream: UpstreamDouble): { meta: Json; headers: NodeJS.Dict<string | string[]> } {
    const seen = upstream.seen.items.findLast(({ message }) => message.method === 'tools/call');
    assert.ok(seen);
    return { meta: (seen.message.params?.['_meta'] ?? {}) as Json, headers: seen.headers };
  }

  it('shows consoles the newest traces', async () => {
    const session = await HttpSession.open(gateway.url);
    const above = parent();
    await session.request('tools/call', call('legacy__echo', above));
    const { server, client } = await tree(above);
    const seen = await gateway.admin<TracesSnapshot>('traces', { limit: 1 });
    const [newest] = seen.traces;
    assert.deepEqual([seen.tracing, seen.traces.length, newest?.traceId], [true, 1, above.traceId]);
    assert.deepEqual(
      newest?.spans.map(({ name, kind, spanId, parentId, error }) => [name, kind, spanId, parentId, error]),
      [
        ['tools/call legacy__echo', 'server', server.spanId, above.spanId, null],
        ['tools/call echo', 'client', client.spanId, server.spanId, null],
      ],
    );
    assert.equal(newest.spans[1]?.attributes['viable.upstream'], 'legacy');
    await session.end();
  });

  function sendsOn(client: ReceivedSpan, meta: Json, beside: Json = BESIDE): void {
    assert.equal(meta['traceparent'], `00-${client.traceId}-${client.spanId}-01`);
    assert.equal(meta['tracestate'], beside['tracestate']);
    assert.equal(meta['baggage'], beside['baggage']);
  }

  for (const [what, beside] of [
    ['alone', {}],
    ['with baggage', { baggage: 'user=7' }],
    ['with what goes beside it', BESIDE],
  ] as const)
    it(`Streamable HTTP to HTTP: _meta is the parent, headers and _meta go on, ${what}`, async () => {
      const session = await HttpSession.open(gateway.url);
      const above = parent();
      await session.request('tools/call', call('legacy__echo', above, undefined, beside), 'id-1');
      const { server, client } = await tree(above);
      assert.equal(server.name, 'tools/call legacy__echo');
      assert.equal(client.name, 'tools/call echo');
      const { meta, headers } = lastCall(legacy);
      sendsOn(client, meta, beside);
      sendsOn(client, headers, beside);
      const expected: Json = {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'legacy__echo',
        'jsonrpc.request.id': 'id-1',
        'mcp.protocol.version': '2025-11-25',
        'mcp.session.id': session.id,
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'client.address': '127.0.0.1',
        'viable.transport': 'http',
        'url.path': '/mcp',
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(server.attributes[name], value, name);
      assert.equal(client.attributes['viable.upstream'], 'legacy');
      assert.equal(server.status.code, 'UNSET');
      assert.deepEqual(
        server.events.map(({ name }) => name),
        ['viable.admitted', 'viable.queue_wait'],
      );
      const [admitted, waited] = server.events;
      assert.deepEqual(
        [admitted?.attributes['viable.breaker'], admitted?.attributes['viable.in_flight']],
        ['closed', 0],
      );
      assert.ok(Number(admitted?.attributes['viable.in_flight_limit']) > 0);
      const waitMs = Number(waited?.attributes['viable.wait_ms']);
      assert.ok(waitMs > 0 && waitMs <= server.durationMs, `${waitMs} of ${server.durationMs} ms`);
      assert.ok(client.durationMs <= server.durationMs);
      await session.end();
    });

  it('the context of the HTTP request is the parent when _meta has none, and linked when it has', async () => {
    const session = await HttpSession.open(gateway.url);
    const alone = parent();
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call('legacy__echo', null) };
    await session.post(message, { traceparent: alone.traceparent, tracestate: 'a=1', baggage: 'user=7' });
    const { client } = await tree(alone);
    sendsOn(client, lastCall(legacy).meta);
    const inner = parent();
    const outer = parent();
    const both = { ...message, id: 2, params: call('legacy__echo', inner) };
    await session.post(both, { traceparent: outer.traceparent });
    const { server } = await tree(inner);
    assert.deepEqual(server.links, [{ traceId: outer.traceId, spanId: outer.spanId }]);
    await session.end();
  });

  for (const [name, upstream] of [
    ['legacy', () => legacy],
    ['modern', () => modern],
  ] as const) {
    it(`a modern client to a ${name} server: one tree, by headers and by _meta`, async () => {
      for (const way of ['meta', 'headers'] as const) {
        const above = parent();
        const carried = { traceparent: above.traceparent, tracestate: 'a=1', baggage: 'user=7' };
        const options = way === 'meta' ? { meta: carried } : { headers: carried };
        const reply = await modernPost(gateway.url, 'tools/call', call(`${name}__echo`, null), options);
        assert.equal(reply.status, 200);
        const { server, client } = await tree(above);
        assert.equal(server.attributes['mcp.protocol.version'], '2026-07-28');
        const { meta, headers } = lastCall(upstream());
        sendsOn(client, meta);
        sendsOn(client, headers);
      }
    });
  }

  it('HTTP+SSE: the headers of each POST, and _meta', async () => {
    const peer = await SsePeer.open(gateway.url);
    const byHeader = parent();
    const message = { jsonrpc: '2.0', id: 'h', method: 'tools/call', params: call('legacy__echo', null) };
    await peer.post(JSON.stringify(message), { traceparent: byHeader.traceparent });
    const { server } = await tree(byHeader);
    assert.equal(server.attributes['viable.transport'], 'sse');
    const byMeta = parent();
    await peer.request('tools/call', call('legacy__echo', byMeta));
    await tree(byMeta);
    await peer.close();
  });

  it('WebSocket: _meta is the parent, the context of the handshake is linked', async () => {
    const opened = parent();
    const socket = new WebSocket(`${gateway.url.replace(/^http/, 'ws')}/mcp/ws`, 'mcp', {
      headers: { traceparent: opened.traceparent },
    });
    await once(socket, 'open');
    const above = parent();
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello }));
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call('legacy__echo', above) };
    socket.send(JSON.stringify(request));
    const { server } = await tree(above);
    assert.equal(server.attributes['network.protocol.name'], 'websocket');
    assert.deepEqual(server.links, [{ traceId: opened.traceId, spanId: opened.spanId }]);
    socket.close();
  });

  for (const name of ['pipe', 'sse', 'ws']) {
    it(`an upstream over ${name === 'pipe' ? 'stdio' : name} is given the context`, async () => {
      const session = await HttpSession.open(gateway.url);
      const above = parent();
      const from = hub.log.items.length;
      await session.request('tools/call', call(`${name}__echo`, above));
      const { client } = await tree(above);
      assert.equal(client.attributes['network.transport'], name === 'pipe' ? 'pipe' : 'tcp');
      const seen = await hub.waitFor(name, 'call', undefined, from);
      sendsOn(client, seen['meta'] as Json);
      if (name === 'sse') sendsOn(client, seen['headers'] as Json);
      await session.end();
    });
  }

  it('a trace that the caller does not record is not recorded here, and its context goes on', async () => {
    const session = await HttpSession.open(gateway.url);
    const byMeta = parent('00');
    await session.request('tools/call', call('legacy__echo', byMeta));
    assert.equal(lastCall(legacy).meta['traceparent'], byMeta.traceparent);
    assert.equal(lastCall(legacy).headers['traceparent'], byMeta.traceparent);
    const byHeader = parent('00');
    const message = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: call('legacy__echo', null) };
    await session.post(message, { traceparent: byHeader.traceparent });
    assert.equal(lastCall(legacy).meta['traceparent'], byHeader.traceparent);
    await session.request('tools/call', { name: 'legacy__echo', arguments: { text: 'x' } });
    assert.equal(lastCall(legacy).meta['traceparent'], undefined);
    assert.equal(lastCall(legacy).headers['traceparent'], undefined);
    const recorded = parent();
    await session.request('tools/call', call('legacy__echo', recorded));
    await tree(recorded); // behind the others in the queue
    for (const { traceId } of [byMeta, byHeader]) assert.deepEqual(collector.spansOf(traceId), []);
    await session.end();
  });

  it('a context that is none is no parent, and cannot write headers upstream', async () => {
    const session = await HttpSession.open(gateway.url);
    for (const traceparent of ['nonsense', '00-0-0-01', `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`, 7, null]) {
      const params = { ...call('legacy__echo', null), _meta: { traceparent } };
      const answer = await session.request('tools/call', params);
      assert.ok(answer.result, String(traceparent));
      assert.equal(lastCall(legacy).headers['traceparent'], undefined);
    }
    const above = parent();
    const evil = { traceparent: above.traceparent, tracestate: 'a=1\r\nx-evil: 1', baggage: 'a=1\r\nx-evil: 1' };
    const answer = await session.request('tools/call', { ...call('legacy__echo', null), _meta: evil });
    assert.ok(answer.result);
    assert.equal(lastCall(legacy).headers['x-evil'], undefined);
    await session.end();
  });

  it('what fails is told once in its tree, with the type of the error', async () => {
    const session = await HttpSession.open(gateway.url);
    const refused = parent();
    await session.request('tools/call', call('legacy__nothing', refused, {}, {}));
    const of = (above: Parent, kind: string) => (span: ReceivedSpan) =>
      span.traceId === above.traceId && span.kind === kind;
    const only = await collector.waitForSpan(of(refused, 'SERVER'), 'the span of what was refused');
    assert.equal(only.status.code, 'ERROR');
    assert.equal(only.attributes['error.type'], '-32602');
    assert.equal(only.attributes['rpc.response.status_code'], '-32602');
    assert.deepEqual(
      only.events.map(({ name }) => name),
      ['viable.refused', 'exception'],
    );
    assert.equal(only.events[0]?.attributes['viable.reason'], 'unknown_tool');
    const lost = parent();
    const nonce = randomUUID();
    const pending = session.request('tools/call', call('legacy__hold', lost, { nonce }, {}));
    (await legacy.call(nonce)).destroy();
    await pending;
    const { server, client } = await tree(lost);
    assert.equal(server.status.code, 'ERROR');
    assert.equal(client.status.code, 'ERROR');
    const told = [...server.events, ...client.events].filter(({ name }) => name === 'exception');
    assert.equal(told.length, 1);
    assert.equal(told[0]?.attributes['exception.type'], 'upstream_lost');
    await session.end();
  });

  it('a call that the client gives up ends both spans', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const above = parent();
    const nonce = randomUUID();
    const params = call('legacy__hold', above, { nonce }, {});
    peer.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params }));
    await legacy.call(nonce);
    await peer.notify('notifications/cancelled', { requestId: 'c' });
    const { server, client } = await tree(above);
    assert.equal(server.attributes['error.type'], 'cancelled');
    assert.equal(client.attributes['error.type'], 'cancelled');
    await peer.close();
  });

  it('who sends is told in resource and headers', async () => {
    const session = await HttpSession.open(gateway.url);
    const above = parent();
    await session.request('tools/call', call('legacy__echo', above));
    const { server } = await tree(above);
    assert.equal(server.resource['service.name'], 'mcp-gateway');
    assert.equal(server.resource['service.namespace'], 'autonomous-opponent');
    assert.ok(server.resource['service.version']);
    assert.ok(!Object.keys(server.resource).some((name) => name.startsWith('process.command')));
    assert.equal(collector.headers.at(-1)?.['x-api-key'], 'key-of-test');
    await session.end();
  });

  it('the counts of spans are in the snapshot', async () => {
    await eventually(async () => {
      const { telemetry } = await gateway.status();
      assert.ok(telemetry.tracing);
      assert.equal(telemetry.spans.exported, collector.spansOf().length);
      assert.deepEqual([telemetry.spans.dropped, telemetry.spans.failed, telemetry.spans.queued], [0, 0, 0]);
    });
  });
});
