/** What the browser dashboard serves, and what it refuses, without a browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type AdminEvent, type AdminResponse, type GatewaySnapshot } from '#src/admin/protocol.js';
import { EventLog } from '../../support/event-log.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { fetchRaw, SseStream, type HttpReply, type Json } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';

const BASE = '/mcp/dashboard';

async function ask(gateway: Gateway, request: Json, headers: Record<string, string> = {}): Promise<HttpReply> {
  return fetchRaw(`${gateway.url}${BASE}/admin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
}

function answerOf(reply: HttpReply): AdminResponse {
  return JSON.parse(reply.body) as AdminResponse;
}

describe('web dashboard, what it serves', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  async function start(dashboard: Json): Promise<void> {
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings({ dashboard }) },
    });
  }

  before(async () => {
    hub = await FixtureHub.start();
    await start({});
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it('a page with a policy that lets nothing in from elsewhere', async () => {
    const { status, headers, body } = await fetchRaw(`${gateway.url}${BASE}`);
    assert.equal(status, 200);
    assert.match(headers['content-type'] ?? '', /^text\/html/);
    const policy = headers['content-security-policy'] as string;
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      assert.ok(policy.includes(rule), rule);
    assert.ok(!policy.includes('unsafe-inline') && !policy.includes('unsafe-eval') && !policy.includes('*'));
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.ok(!/\b(src|href)="(https?:)?\/\//.test(body), 'the page names another host');
    const again = await fetchRaw(`${gateway.url}${BASE}/`, { headers: { 'if-none-match': headers.etag ?? '' } });
    assert.equal(again.status, 304);
  });

  it('its own files and no others, however they are spelt', async () => {
    const good = await fetchRaw(`${gateway.url}${BASE}/assets/web/app.js`);
    assert.equal(good.status, 200);
    assert.match(good.headers['content-type'] ?? '', /^text\/javascript/);
    const bad = [
      'web/../../package.json',
      '../gateway.js',
      '%2e%2e/gateway.js',
      'src/gateway.js',
      'src/auth/principal.js',
      '/etc/passwd',
      'web/app.js.map',
      '',
    ];
    for (const name of bad) {
      const { status } = await fetchRaw(`${gateway.url}${BASE}/assets/${name}`);
      assert.equal(status, 404, name);
    }
    assert.equal((await fetchRaw(`${gateway.url}${BASE}`, { method: 'DELETE' })).status, 405);
  });

  it('figures by POST, and no more than that to those who may only look', async () => {
    const status = answerOf(await ask(gateway, { id: 7, method: 'status' }));
    assert.ok(status.ok && status.id === 7);
    assert.equal((status.result as GatewaySnapshot).upstreams[0]?.name, 'good');
    for (const [method, params] of [
      ['kill', { actor: 'catalogue' }],
      ['drain', {}],
      ['force-shutdown', {}],
      ['send', { actor: 'upstream:good', message: 'disable' }],
    ] as const) {
      const refused = answerOf(await ask(gateway, { id: 1, method, params }));
      assert.ok(!refused.ok && refused.error.code === 'read_only', method);
    }
    assert.notEqual((await gateway.upstream('good')).state, 'disabled');
  });

  it('nothing to pages of other origins', async () => {
    const origin = { origin: 'https://evil.example' };
    assert.equal((await ask(gateway, { id: 1, method: 'status' }, origin)).status, 403);
    assert.equal((await fetchRaw(`${gateway.url}${BASE}/events`, { headers: origin })).status, 403);
    // What a form could send without asking first.
    const plain = await ask(gateway, { id: 1, method: 'status' }, { 'content-type': 'text/plain' });
    assert.equal(plain.status, 415);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${BASE}/feed`, origin);
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, /403/);
  });

  it('errors for what is no request, and goes on', async () => {
    for (const body of ['', '{', '[]', '{"id":1}', '{"id":1,"method":"nope"}', 'x'.repeat(100_000)]) {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetchRaw(`${gateway.url}${BASE}/admin`, { method: 'POST', headers, body });
      assert.ok([400, 413].includes(status), `${body.slice(0, 20)}: ${status}`);
    }
    assert.equal((await ask(gateway, { id: 1, method: 'status' })).status, 200);
  });

  it('the admin protocol over a WebSocket', async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${BASE}/feed`);
    const log = new EventLog<AdminResponse | AdminEvent>();
    socket.on('message', (data: Buffer, binary) => {
      assert.ok(!binary);
      for (const line of data.toString().split('\n')) if (line !== '') log.push(JSON.parse(line) as AdminEvent);
    });
    await once(socket, 'open');
    const first = await log.waitFor(() => true, 'what the console may do');
    assert.deepEqual(first, { id: 0, event: { access: 'look' } });
    socket.send(
      '{"id":1,"method":"watch","params":{"intervalMs":50}}\n{"id":2,"method":"kill","params":{"actor":"/drain"}}\n',
    );
    const refused = await log.waitFor((line) => line.id === 2, 'the refusal');
    assert.ok('ok' in refused && !refused.ok && refused.error.code === 'read_only');
    await log.waitFor((line) => line.id === 1 && 'event' in line, 'a snapshot');
    socket.send('this is no JSON\n');
    const wrong = await log.waitFor((line) => line.id === 0 && 'ok' in line, 'the error');
    assert.ok('ok' in wrong && !wrong.ok && wrong.error.code === 'invalid_json');
    const console = (await gateway.status()).tree.children
      .find(({ id }) => id === 'consoles')
      ?.children.find(({ id }) => id === 'web');
    assert.equal(console?.children.length, 1);
    socket.terminate();
  });

  it('an event stream of snapshots and log lines', async () => {
    const stream = await SseStream.open(`${gateway.url}${BASE}/events?interval=50`);
    await stream.events.waitFor(({ event, data }) => event === 'access' && data === '"look"', 'the access');
    const { data } = await stream.events.waitFor(({ event }) => event === 'snapshot', 'a snapshot');
    assert.equal((JSON.parse(data) as GatewaySnapshot).name, 'viable');
    await stream.events.waitFor(({ event }) => event === 'log', 'the log');
    stream.close();
  });

  it('actions where the configuration allows them, and nothing where it is off', async () => {
    await gateway.stop();
    await start({ webActions: true });
    await gateway.waitForTools(['good__echo']);
    const params = { actor: 'upstream:good', message: 'disable' };
    assert.ok(answerOf(await ask(gateway, { id: 1, method: 'send', params })).ok);
    assert.equal((await gateway.upstream('good')).state, 'disabled');
    await gateway.stop();
    await start({ web: false });
    for (const path of ['', '/assets/web/app.js', '/events', '/feed'])
      assert.equal((await fetchRaw(`${gateway.url}${BASE}${path}`)).status, 404, path);
    assert.equal((await ask(gateway, { id: 1, method: 'status' })).status, 404);
  });
});
