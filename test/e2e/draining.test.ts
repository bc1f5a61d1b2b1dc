/** SIGTERM: clients are told in their transport's own way, newcomers are refused, what is in flight is answered. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';
import { eventually, within } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import {
  fetchRaw,
  HttpSession,
  initializeRequest,
  POST_HEADERS,
  type SseStream,
  type HttpReply,
  type Json,
  type Wire,
} from '../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const FORCED = 130;

describe('draining', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let websocket: WebSocketPeer;
  let sse: SsePeer;
  let http: HttpSession;
  let stream: SseStream;

  async function start(draining: Record<string, unknown>): Promise<void> {
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings({ draining }) },
    });
    await gateway.waitForTools(['good__echo']);
    websocket = await WebSocketPeer.open(gateway.url);
    sse = await SsePeer.open(gateway.url);
    http = await HttpSession.open(gateway.url);
    stream = await http.listen();
  }

  beforeEach(async () => {
    hub = await FixtureHub.start();
  });
  afterEach(async () => {
    gateway.kill('SIGKILL');
    await gateway.exited;
    await hub.close();
  });

  /** A call on each transport that the upstream holds until `gate` is released. */
  async function hold(gate: string): Promise<Promise<Wire>[]> {
    const params = { name: 'good__slow', arguments: { gate } };
    const calls = [websocket, sse, http].map((peer) => peer.request('tools/call', params));
    for (const call of calls) call.catch(() => undefined);
    await eventually(() => {
      const held = hub.events('good', 'held').filter((event) => event['gate'] === gate);
      assert.equal(held.length, calls.length);
    });
    return calls;
  }

  const isNotice = (message: object): boolean => (message as Json)['type'] === 'shutdown_pending';
  const websocketNotice = async (from = 0): Promise<Json> =>
    (await websocket.messages.waitFor(isNotice, 'shutdown_pending', from)) as Json;
  async function streamNotice(events: SseStream['events']): Promise<Json> {
    const event = await events.waitFor((candidate) => candidate.event === 'shutdown_pending', 'shutdown_pending');
    return JSON.parse(event.data) as Json;
  }

  function refused(reply: Pick<HttpReply, 'status' | 'headers'>): void {
    assert.equal(reply.status, 503);
    const seconds = Number(reply.headers['retry-after']);
    assert.ok(Number.isInteger(seconds) && seconds >= 1, `Retry-After: ${reply.headers['retry-after']}`);
  }

  describe('SIGTERM with calls in flight', () => {
    const gate = randomUUID();
    let calls: Promise<Wire>[];

    beforeEach(async () => {
      await start({ defaultTimeout: 20_000, notificationInterval: 100 });
      calls = await hold(gate);
      gateway.kill('SIGTERM');
    });

    it('tells every client when to come back', async () => {
      const notices = [
        await websocketNotice(),
        await streamNotice(sse.stream.events),
        await streamNotice(stream.events),
      ];
      for (const notice of notices) {
        assert.equal(notice['type'], 'shutdown_pending');
        assert.equal(typeof notice['message'], 'string');
        assert.ok(Number.isInteger(notice['reconnect_after']), JSON.stringify(notice));
        assert.ok(Number(notice['reconnect_after']) >= 0 && Number(notice['reconnect_after']) <= 1_000);
        assert.ok(Number(notice['remaining']) > 0 && Number(notice['remaining']) <= 20_000, JSON.stringify(notice));
      }
      const again = await websocketNotice(websocket.messages.items.findIndex(isNotice) + 1);
      assert.ok(Number(again['remaining']) < Number(notices[0]?.['remaining']), 'told again, with less time left');
    });

    it('refuses newcomers on every transport, goes on serving those who are here', async () => {
      await websocketNotice();
      const body = JSON.stringify(initializeRequest('2025-11-25'));
      refused(await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: POST_HEADERS, body }));
      refused(await fetchRaw(`${gateway.url}/mcp/s/good`, { method: 'POST', headers: POST_HEADERS, body }));
      refused(await fetchRaw(`${gateway.url}/mcp/sse`, { headers: { accept: 'text/event-stream' } }));
      const late = new WebSocket(`${gateway.url.replace('http', 'ws')}/mcp/ws`, 'mcp');
      const [code, reason] = (await within(once(late, 'close'), 'the refusal')) as [number, Buffer];
      assert.equal(code, 1013);
      assert.match(reason.toString(), /^draining, retry after \d+ s$/);
      for (const peer of [websocket, sse, http]) assert.deepEqual((await peer.request('ping')).result, {});
      const { headers } = await http.post({ jsonrpc: '2.0', id: 'x', method: 'ping' });
      assert.equal(headers['connection'], 'close', 'whoever kept the connection would lose a request on it');
      assert.equal((await fetchRaw(`${gateway.url}/readyz`)).status, 503);
      assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200);
      assert.equal((await gateway.status()).phase, 'draining');
    });

    it('answers what is in flight, then closes: 1001 on WebSockets, the end of streams, exit code 0', async () => {
      await websocketNotice();
      hub.tell('good', 'release', { gate });
      for (const call of calls) assert.equal(textOf((await call).result), `released ${gate}`);
      assert.equal(await within(websocket.closed, 'the close'), 1001);
      await Promise.all([stream.ended, sse.stream.ended]);
      assert.deepEqual(await gateway.exited, { code: 0, signal: null });
      assert.equal(hub.events('good', 'cancelled').length, 0);
    });

    it('a second SIGTERM forces: a typed error for what is in flight, an exit code of its own', async () => {
      await websocketNotice();
      gateway.kill('SIGTERM');
      for (const call of calls) assert.ok((await call).error);
      assert.equal(await within(websocket.closed, 'the close'), 1001);
      assert.deepEqual(await gateway.exited, { code: FORCED, signal: null });
    });
  });

  it('ends when its time is over: a typed error for what did not finish, exit code 0', async () => {
    await start({ defaultTimeout: 200 });
    const calls = await hold(randomUUID());
    gateway.kill('SIGTERM');
    for (const call of calls) assert.ok((await call).error);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    const closing = gateway.logs.items.find((line) => line.event === 'closing');
    assert.equal(closing?.['outcome'], 'timed_out');
  });

  it('with nothing in flight it is over at once, clients told', async () => {
    await start({ defaultTimeout: 600_000 });
    gateway.kill('SIGTERM');
    await websocketNotice();
    assert.equal(await within(websocket.closed, 'the close'), 1001);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  });

  it('`viable send /drain begin` drains as well, with a time of its own', async () => {
    await start({ defaultTimeout: 600_000 });
    const calls = await hold(randomUUID());
    await gateway.admin('send', { actor: '/drain', message: 'begin', args: { timeoutMs: 200 } });
    for (const call of calls) assert.ok((await call).error);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  });
});
