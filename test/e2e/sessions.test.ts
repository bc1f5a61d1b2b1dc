/** Sessions of Streamable HTTP (specification, "Transports › Session Management"), seen from the wire. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import {
  fetchRaw,
  HttpSession,
  initializeRequest,
  messagesIn,
  POST_HEADERS,
  SseStream,
  type Wire,
} from '../support/raw-http.js';
import { settings } from '../support/settings.js';

const LEGACY_REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25'];

describe('sessions', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good'), other: hub.stdio('sdk-server', 'other') },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['good__echo', 'other__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  const post = async (
    message: object,
    headers: Readonly<Record<string, string>> = {},
    route = '/mcp',
  ): ReturnType<typeof fetchRaw> =>
    await fetchRaw(`${gateway.url}${route}`, {
      method: 'POST',
      headers: { ...POST_HEADERS, ...headers },
      body: JSON.stringify(message),
    });
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  for (const revision of LEGACY_REVISIONS) {
    it(`are opened by initialize, with an id of visible ASCII (${revision})`, async () => {
      const reply = await post(initializeRequest(revision));
      assert.equal(reply.status, 200);
      const id = reply.headers['mcp-session-id'];
      assert.match(String(id), /^[\x21-\x7e]{16,}$/);
      const [answer] = messagesIn(reply);
      assert.equal(answer?.id, 0);
      assert.equal(answer.result?.['protocolVersion'], revision);
      const capabilities = answer.result['capabilities'] as Record<string, unknown>;
      for (const name of ['tools', 'prompts', 'resources', 'logging', 'completions'])
        assert.ok(capabilities[name], name);
      const headers = { 'mcp-session-id': String(id) };
      assert.equal((await fetchRaw(`${gateway.url}/mcp`, { method: 'DELETE', headers })).status < 300, true);
    });
  }

  it('answer an unknown protocol version with one that is known', async () => {
    const [answer] = messagesIn(await post(initializeRequest('1999-01-01')));
    assert.ok([...LEGACY_REVISIONS, '2024-11-05'].includes(String(answer?.result?.['protocolVersion'])));
  });

  it('have ids that nobody can guess', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await HttpSession.open(gateway.url)).id));
    assert.equal(new Set(ids).size, ids.length);
    const prefixes = new Set(ids.map((id) => id.slice(0, 8)));
    assert.equal(prefixes.size, ids.length, 'ids do not share a prefix');
  });

  it('are required: 400 without, 404 when unknown', async () => {
    assert.equal((await post(ping)).status, 400);
    assert.equal((await post(ping, { 'mcp-session-id': randomUUID() })).status, 404);
    assert.equal((await post(ping, { 'mcp-session-id': 'no such session' })).status, 404);
  });

  it('end with DELETE, and are unknown from then on', async () => {
    const session = await HttpSession.open(gateway.url);
    assert.deepEqual((await session.request('ping')).result, {});
    const ended = await session.end();
    assert.ok(ended.status === 200 || ended.status === 204, String(ended.status));
    assert.equal((await session.post(ping)).status, 404);
    assert.equal((await session.end()).status, 404);
    assert.equal((await fetchRaw(session.url, { method: 'DELETE' })).status, 400, 'DELETE names no session');
  });

  it('end with DELETE while a call is in flight and a stream is open: both end, the upstream is told', async () => {
    const session = await HttpSession.open(gateway.url);
    const stream = await session.listen();
    const gate = randomUUID();
    const call = session.post({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'good__slow', arguments: { gate } },
    });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    await session.end();
    await stream.ended;
    await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
    await call.catch(() => undefined);
    await eventually(async () => assert.equal((await gateway.status()).requests.inFlight, 0));
  });

  it('have one GET stream: 200 with events, the second is 409, A undisturbed', async () => {
    const session = await HttpSession.open(gateway.url);
    const stream = await session.listen();
    assert.equal(stream.status, 200);
    assert.match(String(stream.headers['content-type']), /^text\/event-stream/);
    const second = await session.listen();
    assert.equal(second.status, 409);
    second.close();
    const tool = `extra-${randomUUID()}`;
    hub.tell('good', 'add-tool', { tool });
    const changed = await stream.events.waitFor((event) => event.data.includes('list_changed'), 'list_changed');
    assert.equal((JSON.parse(changed.data) as Wire).method, 'notifications/tools/list_changed');
    hub.tell('good', 'remove-tool', { tool });
    stream.close();
    await stream.ended;
    await eventually(async () => {
      const again = await session.listen();
      again.close();
      assert.equal(again.status, 200, 'a closed stream makes room for the next');
    });
    await session.end();
  });

  it('a GET stream without a session is 400, with an unknown one 404', async () => {
    for (const [headers, status] of [
      [{}, 400],
      [{ 'mcp-session-id': randomUUID() }, 404],
    ] as const) {
      const stream = await SseStream.open(`${gateway.url}/mcp`, headers);
      stream.close();
      assert.equal(stream.status, status);
    }
  });

  it('a disconnect does not cancel in the legacy era', async () => {
    const session = await HttpSession.open(gateway.url);
    const gate = randomUUID();
    const abort = new AbortController();
    const params = { name: 'good__slow', arguments: { gate } };
    const call = fetch(session.url, {
      method: 'POST',
      headers: { ...POST_HEADERS, ...session.headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      signal: abort.signal,
    }).then(async (response) => await response.text());
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const { sockets } = (await gateway.status()).connections;
    abort.abort();
    await assert.rejects(call);
    await eventually(async () => assert.ok((await gateway.status()).connections.sockets < sockets));
    hub.tell('good', 'release', { gate });
    await eventually(async () => assert.equal((await gateway.status()).requests.inFlight, 0));
    const fates = hub.log.items.filter((event) => event['gate'] === gate).map((event) => event.event);
    assert.deepEqual(fates, ['held', 'released']);
    await session.end();
  });

  it('a bad MCP-Protocol-Version header is 400', async () => {
    const session = await HttpSession.open(gateway.url);
    for (const version of ['1999-01-01', 'latest', '2025-11-25, 2025-06-18']) {
      assert.equal((await session.post(ping, { 'mcp-protocol-version': version })).status, 400, version);
    }
    assert.equal((await session.post(ping)).status, 200);
    await session.end();
  });

  it('without the header the session goes on (2025-03-26 has none)', async () => {
    const session = await HttpSession.open(gateway.url, { protocolVersion: '2025-03-26' });
    assert.equal((await post(ping, { 'mcp-session-id': session.id })).status, 200);
    await session.end();
  });

  it('belong to their route', async () => {
    const session = await HttpSession.open(gateway.url, { route: '/mcp/s/good' });
    assert.equal((await post(ping, session.headers)).status, 404, 'not at /mcp');
    assert.equal((await post(ping, session.headers, '/mcp/s/other')).status, 404, 'not at another upstream');
    const answer = await session.request('tools/call', { name: 'echo', arguments: { text: 'mine' } });
    assert.equal(textOf(answer.result), 'mine');
    await session.end();
  });

  it('an upstream that does not exist has no route', async () => {
    assert.equal((await post(initializeRequest('2025-11-25'), {}, '/mcp/s/nobody')).status, 404);
  });

  it('take responses and notifications with 202 and no body', async () => {
    const session = await HttpSession.open(gateway.url);
    for (const message of [
      { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
      { jsonrpc: '2.0', id: 'nobody asked', result: {} },
    ]) {
      const reply = await session.post(message);
      assert.deepEqual([reply.status, reply.body], [202, '']);
    }
    await session.end();
  });
});
