/** Traces of what comes in by other doors: Phoenix Channels, `viable stdio`, and requests that get no further than the door. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import WebSocket from 'ws';
import { JwtAuthenticator } from '#src/auth/jwt-authenticator.js';
import { EventLog } from '../../support/event-log.js';
import { within } from '../../support/eventually.js';
import { type Gateway, ROOT, startGateway } from '../../support/gateway.js';
import { onLines } from '../../support/lines.js';
import { Collector, type ReceivedSpan } from '../../support/otlp.js';
import { PhoenixPeer } from '../../support/phoenix-peer.js';
import { fetchRaw, initializeRequest, type Json, POST_HEADERS, type Wire } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

const FAST = { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_METRICS_EXPORTER: 'none' };

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

describe('traces by other doors', () => {
  let collector: Collector;
  let upstream: UpstreamDouble;
  let gateway: Gateway;

  before(async () => {
    collector = await Collector.start();
    upstream = await UpstreamDouble.start('legacy');
    gateway = await startGateway({
      config: {
        mcpServers: { up: { url: upstream.url } },
        gateway: settings({ telemetry: { endpoint: collector.url, samplingRate: 0 } }),
      },
      env: FAST,
    });
    await gateway.waitForTools(['up__echo']);
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
  });
  after(async () => {
    await gateway.stop();
    await upstream.close();
    await collector.close();
  });

  /** The tree of one call below `above`: the caller's span, ours, and the one that the upstream is told of. */
  async function isOneTree(above: Parent): Promise<ReceivedSpan> {
    const of = (kind: string) => (span: ReceivedSpan) => span.traceId === above.traceId && span.kind === kind;
    const server = await collector.waitForSpan(of('SERVER'), 'the SERVER span');
    const client = await collector.waitForSpan(of('CLIENT'), 'the CLIENT span');
    assert.deepEqual([server.parentSpanId, client.parentSpanId], [above.spanId, server.spanId]);
    assert.equal(server.name, 'tools/call up__echo');
    const seen = upstream.seen.items.findLast(({ message }) => message.method === 'tools/call');
    const meta = (seen?.message.params?.['_meta'] ?? {}) as Json;
    const context = `00-${client.traceId}-${client.spanId}-01`;
    assert.deepEqual([meta['traceparent'], seen?.headers['traceparent']], [context, context]);
    assert.deepEqual([meta['tracestate'], meta['baggage']], ['a=1', 'user=7']);
    return server;
  }

  const call = ({ traceparent }: Parent): Json => ({
    name: 'up__echo',
    arguments: { text: 'x' },
    _meta: { traceparent, tracestate: 'a=1', baggage: 'user=7' },
  });

  it('Phoenix Channels: event mcp with _meta is the parent', async () => {
    const peer = await PhoenixPeer.open(gateway.url);
    const above = parent();
    const answer = await peer.request('tools/call', call(above));
    assert.ok(answer.result, JSON.stringify(answer));
    const server = await isOneTree(above);
    assert.equal(server.attributes['network.protocol.name'], 'websocket');
    assert.equal(server.attributes['url.path'], '/mcp/ws/websocket');
    await peer.close();
  });

  it('viable stdio: _meta of a client that started a process is the parent', async () => {
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), 'stdio', '--socket', gateway.socketPath], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const messages = new EventLog<Wire>();
    onLines(child.stdout, (line) => messages.push(JSON.parse(line) as Wire));
    const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
    const answered = (id: string): Promise<Wire> => messages.waitFor((wire) => wire.id === id, `answer ${id}`);
    say(initializeRequest('2025-11-25', 'open'));
    await answered('open');
    say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const above = parent();
    say({ jsonrpc: '2.0', id: 'traced', method: 'tools/call', params: call(above) });
    assert.ok((await answered('traced')).result);
    await isOneTree(above);
    child.stdin.end();
    await within(once(child, 'close'), 'exit');
  });
});

describe('requests that are refused before there is a session', () => {
  const SECRET = { kid: 'one', secret: 'a secret that is long enough to be taken for one' };
  let collector: Collector;
  let gateway: Gateway;
  let token: string;

  before(async () => {
    collector = await Collector.start();
    const gatewayBlock = settings({
      telemetry: { endpoint: collector.url, samplingRate: 0 },
      auth: { mode: 'required', secrets: [SECRET] },
      limits: { failedLogins: 1_000 },
    });
    gateway = await startGateway({ config: { mcpServers: {}, gateway: gatewayBlock }, env: FAST });
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
    token = await new JwtAuthenticator({ secrets: [SECRET] }).generateToken('ada');
  });
  after(async () => {
    await gateway.stop();
    await collector.close();
  });

  async function refused(above: Parent): Promise<ReceivedSpan> {
    const span = await collector.waitForSpan(({ traceId }) => traceId === above.traceId, 'the span of the refusal');
    assert.equal(collector.spansOf(above.traceId).length, 1);
    assert.deepEqual([span.kind, span.parentSpanId, span.status.code], ['SERVER', above.spanId, 'ERROR']);
    const told = span.events.filter(({ name }) => name === 'exception');
    assert.deepEqual(
      told.map(({ attributes }) => attributes['exception.type']),
      [span.attributes['error.type']],
    );
    return span;
  }

  const post = (body: string, { traceparent }: Parent, headers: Readonly<Record<string, string>> = {}) =>
    fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: { ...POST_HEADERS, ...headers, traceparent }, body });
  const list = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list' });
  const known = (): Record<string, string> => ({ authorization: `Bearer ${token}` });

  const cases: readonly {
    readonly what: string;
    readonly error: string;
    readonly status: number;
    readonly send: (above: Parent) => Promise<{ readonly status: number }>;
  }[] = [
    { what: 'no credential', error: 'unauthenticated', status: 401, send: (above) => post(list, above) },
    {
      what: 'a token that is none',
      error: 'unauthenticated',
      status: 401,
      send: (above) => post(list, above, { authorization: 'Bearer x.y.z' }),
    },
    { what: 'no JSON', error: 'parse_error', status: 400, send: (above) => post('{"jsonrpc"', above, known()) },
    {
      what: 'a session that is unknown',
      error: 'session_not_found',
      status: 404,
      send: (above) => post(list, above, { ...known(), 'mcp-session-id': 'nobody' }),
    },
    { what: 'no session', error: 'session_required', status: 400, send: (above) => post(list, above, known()) },
  ];

  for (const { what, error, status, send } of cases) {
    it(`${what}: one SERVER span with the error, told once`, async () => {
      const above = parent();
      assert.equal((await send(above)).status, status);
      const span = await refused(above);
      assert.equal(span.name, 'POST /mcp');
      assert.equal(span.attributes['error.type'], error);
      assert.equal(span.attributes['http.response.status_code'], status);
      assert.equal(span.attributes['client.address'], '127.0.0.1');
    });
  }

  it('a WebSocket that may not be opened: the same', async () => {
    const above = parent();
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/mcp/ws`, 'mcp', {
      headers: { traceparent: above.traceparent },
    });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    assert.equal(response.statusCode, 401);
    const span = await refused(above);
    assert.deepEqual([span.name, span.attributes['error.type']], ['GET /mcp/ws', 'unauthenticated']);
    socket.terminate();
  });

  it('is sampled as any other request: not where the caller records nothing, nor at rate 0', async () => {
    const silent = parent('00');
    await post(list, silent);
    await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: POST_HEADERS, body: list });
    const recorded = parent();
    await post(list, recorded);
    await refused(recorded); // behind the others in the queue
    assert.deepEqual(collector.spansOf(silent.traceId), []);
    assert.ok(collector.spansOf().every(({ parentSpanId }) => parentSpanId !== ''));
  });

  it('with tracing off there is none', async () => {
    await gateway.admin('features', { action: 'disable', name: 'tracing' });
    const untold = parent();
    await post(list, untold);
    await gateway.admin('features', { action: 'enable', name: 'tracing' });
    const told = parent();
    await post(list, told);
    await refused(told);
    assert.deepEqual(collector.spansOf(untold.traceId), []);
  });
});
