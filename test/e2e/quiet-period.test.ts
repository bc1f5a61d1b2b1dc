/**
 * The quiet period of drains of parts: at the end of the wait their clients begin nothing new, so that what runs can
 * finish. What is refused is told so; everybody else is served as ever.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ConnectionSnapshot, type DrainSnapshot, type DrainTarget } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { KeepAliveClient } from '../support/keep-alive.js';
import { HttpSession, messagesIn, POST_HEADERS, type Json, type Wire } from '../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';
import { modernHeaders, modernMessage } from './eras/modern-http.js';

/** A quarter of it is the quiet period. Milliseconds. */
const TIMEOUT = 8_000;
const DRAINING = -31015;

interface Peer {
  request(method: string, params?: Json): Promise<Wire>;
}

describe('quiet period of a part', function () {
  this.timeout(60_000);
  let hub: FixtureHub;
  let gateway: Gateway;

  beforeEach(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good') },
        gateway: settings({ draining: { quietPeriod: TIMEOUT } }),
      },
    });
    await gateway.waitForTools(['good__echo']);
  });
  afterEach(async () => {
    await gateway.stop();
    await hub.close();
  });

  const drain = async (target: DrainTarget): Promise<void> => {
    await gateway.admin('drain', { target, timeoutMs: TIMEOUT });
  };

  async function hold(peer: Peer): Promise<{ call: Promise<Wire>; release: () => void }> {
    const gate = randomUUID();
    const call = peer.request('tools/call', { name: 'good__slow', arguments: { gate } });
    call.catch(() => undefined);
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    return { call, release: () => hub.tell('good', 'release', { gate }) };
  }

  async function echo(peer: Peer): Promise<Wire> {
    return await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
  }

  /** Asks until it is told that it comes too late; every request before is answered as ever. */
  async function untilQuiet(peer: Peer): Promise<void> {
    await eventually(
      async () => {
        const { result, error } = await echo(peer);
        if (result !== undefined) assert.equal(textOf(result), 'x');
        assert.equal(error?.code, DRAINING);
        const data = error.data as Json;
        assert.deepEqual([data['reason'], Number(data['retryAfter']) >= 1], ['draining', true]);
      },
      { what: 'the quiet period', deadline: 2 * TIMEOUT },
    );
  }

  function kept(headers: Readonly<Record<string, string>>, message: Json) {
    const client = new KeepAliveClient(gateway.url);
    return {
      get connections() {
        return client.connections;
      },
      close: () => client.close(),
      request: async (): Promise<Wire> => {
        const reply = await client.post('/mcp', { ...POST_HEADERS, ...headers }, JSON.stringify(message));
        const [answer] = messagesIn({ headers: Object.fromEntries(reply.headers), body: reply.body });
        assert.ok(answer, `${reply.status} ${reply.body}`);
        if (answer.error) assert.deepEqual([reply.status, reply.headers.has('retry-after')], [503, true]);
        return answer;
      },
    };
  }

  async function outcomeOf(id: string): Promise<void> {
    await eventually(async () => {
      const drains: readonly DrainSnapshot[] = (await gateway.status()).drains;
      assert.equal(drains.find((one) => one.id === id)?.outcome, 'completed');
    });
  }

  it('of sessions: what runs finishes, what comes is refused, others are served', async () => {
    const peers = [
      await WebSocketPeer.open(gateway.url),
      await SsePeer.open(gateway.url),
      await HttpSession.open(gateway.url),
    ];
    const sessions = (await gateway.admin<ConnectionSnapshot[]>('connections')).map(({ sessionId }) => sessionId ?? '');
    assert.equal(sessions.length, peers.length);
    const other = await WebSocketPeer.open(gateway.url);
    const held = await Promise.all(peers.map(hold));
    for (const id of sessions) await drain({ kind: 'session', id });
    await Promise.all(peers.map(untilQuiet));
    const [websocket, , http] = peers;
    assert.ok(websocket instanceof WebSocketPeer && http instanceof HttpSession);
    const modern = modernMessage('tools/call', { name: 'good__echo', arguments: { text: 'x' } }, { id: 'modern' });
    assert.equal((await websocket.exchange(modern)).error?.code, DRAINING);
    const refused = await http.post({ jsonrpc: '2.0', id: 7, method: 'ping' });
    assert.deepEqual([refused.status, messagesIn(refused)[0]?.id], [503, 7]);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal(textOf((await echo(other)).result), 'x');
    for (const { call, release } of held) {
      release();
      assert.ok((await call).result);
    }
    for (const id of sessions) await outcomeOf(`session:${id}`);
    assert.equal(await websocket.closed, 1001);
    await other.close();
  });

  it('of a listener: so are requests over HTTP, in both eras', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const { call, release } = await hold(peer);
    const session = await HttpSession.open(gateway.url);
    const params = { name: 'good__echo', arguments: { text: 'x' } };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    // On connections that they keep: there are no others any more.
    const legacy = kept(session.headers, message);
    const modern = kept(modernHeaders('tools/call', params), modernMessage('tools/call', params));
    await Promise.all([legacy, modern].map(echo));
    await drain({ kind: 'listener', id: 'http' });
    await Promise.all([peer, legacy, modern].map(untilQuiet));
    assert.deepEqual([legacy.connections, modern.connections], [1, 1]);
    for (const one of [legacy, modern]) one.close();
    release();
    assert.ok((await call).result);
    await outcomeOf('listener:http');
    assert.equal(await peer.closed, 1001);
  });
});
