/**
 * Clients that do not read, and servers that do not: each is bounded in bytes and cut off or refused, and the others are
 * served all the while.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { PhoenixPeer } from '../support/phoenix-peer.js';
import { HttpSession, type Json } from '../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';
import { modernHeaders, modernMessage, ModernStream } from './eras/modern-http.js';

const NAME = 'flood';
const URI = 'flood:///x';
const CAP = 256 * 1024;
/** Of one message of the flood; the frame around it is less than this. */
const MESSAGE = 32 * 1024;
const FRAMING = 1024;
/** Of each kind; there are five. */
const OF_EACH = 40;

/** A client that is there and does not read. */
interface Sleeper {
  /** Reads again. */
  readonly wake?: () => void;
  readonly closed?: Promise<number>;
}

describe('slow readers', function () {
  this.timeout(120_000);
  let hub: FixtureHub;
  let gateway: Gateway;

  async function start(listen: Json = {}, upstreams: Json = {}): Promise<void> {
    hub = await FixtureHub.start();
    const gatewayBlock = settings({
      listen: { maxBufferedBytes: CAP, ...listen },
      upstreams,
      logging: { level: 'warn' },
    });
    const entry = { ...hub.stdio('raw/flood', NAME), viable: { era: 'legacy', timeouts: { request: 30_000 } } };
    gateway = await startGateway({ config: { mcpServers: { [NAME]: entry }, gateway: gatewayBlock } });
    await gateway.waitForTools([`${NAME}__echo`]);
  }

  afterEach(async () => {
    await gateway.stop();
    await hub.close();
  });

  const drops = async (reason: string): Promise<number> =>
    (await gateway.status()).drops.find((drop) => drop.reason === reason)?.count ?? 0;

  const KINDS: Readonly<Record<string, () => Promise<Sleeper>>> = {
    WebSocket: async () => {
      const peer = await WebSocketPeer.open(gateway.url);
      peer.socket.pause();
      return { wake: () => peer.socket.resume(), closed: peer.closed };
    },
    'Phoenix channel': async () => {
      const peer = await PhoenixPeer.open(gateway.url);
      peer.socket.pause();
      return { wake: () => peer.socket.resume(), closed: peer.closed };
    },
    'HTTP+SSE': async () => {
      const peer = await SsePeer.open(gateway.url);
      peer.stream.stopReading();
      return {};
    },
    'GET stream': async () => {
      const session = await HttpSession.open(gateway.url);
      const stream = await session.listen();
      stream.stopReading();
      return {};
    },
    'listen stream': async () => {
      const params = { notifications: { resourceSubscriptions: [URI] } };
      const stream = await ModernStream.open(gateway.url, 'subscriptions/listen', params);
      await stream.messages.waitFor(() => true, 'the acknowledgement');
      stream.stopReading();
      return {};
    },
  };

  it(`${OF_EACH * 5} that never read are held to their cap and cut off; who reads is answered throughout`, async () => {
    await start();
    const sleepers = await Promise.all(
      Object.values(KINDS).flatMap((open) => Array.from({ length: OF_EACH }, async () => await open())),
    );
    const reader = await HttpSession.open(gateway.url);
    const echo = async (): Promise<void> => {
      const value = randomUUID();
      const { result } = await reader.request('tools/call', { name: `${NAME}__echo`, arguments: { text: value } });
      assert.equal(textOf(result), value);
    };
    let most = 0;
    await eventually(
      async () => {
        hub.tell(NAME, 'flood', { count: 4, bytes: MESSAGE });
        await echo();
        const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
        for (const { unread } of connections) most = Math.max(most, unread);
        assert.equal(await drops('slow_reader'), sleepers.length);
      },
      { what: 'all are cut off', deadline: 90_000 },
    );
    assert.ok(most > 0, 'something was unread');
    assert.ok(most <= CAP + MESSAGE + FRAMING, `${most} bytes waited for one client`);
    await echo();
    const left = await gateway.admin<ConnectionSnapshot[]>('connections');
    assert.ok(
      left.every(({ transport }) => transport === 'http'),
      'what is left can come back for what it missed',
    );
    // Who reads after all learns why it was closed, behind what it had missed.
    for (const { wake } of sleepers) wake?.();
    const codes = await Promise.all(sleepers.flatMap(({ closed }) => closed ?? []));
    assert.deepEqual(
      codes,
      Array.from({ length: 2 * OF_EACH }, () => 1008),
    );
  });

  it('the stream of a call whose client does not read is cut off; the call is the next client’s no burden', async () => {
    await start();
    const params = { name: `${NAME}__progress`, arguments: { count: 600, bytes: MESSAGE } };
    const stream = await ModernStream.open(gateway.url, 'tools/call', { ...params, _meta: { progressToken: 1 } });
    stream.stopReading();
    await eventually(async () => assert.equal(await drops('slow_reader'), 1), { deadline: 30_000 });
    const reader = await HttpSession.open(gateway.url);
    const { result } = await reader.request('tools/call', { name: `${NAME}__echo`, arguments: { text: 'here' } });
    assert.equal(textOf(result), 'here');
    await gateway.waitForUpstream(NAME, ({ inFlight }) => inFlight === 0, 'has nothing in flight');
  });

  it('an answer that is never read goes with its socket when nothing of it is taken for long', async () => {
    await start({ stallTimeout: 300 });
    const { hostname, port } = new URL(gateway.url);
    const params: Json = { name: `${NAME}__big`, arguments: { bytes: 12 * 1024 * 1024 } };
    const body = JSON.stringify(modernMessage('tools/call', params));
    const headers = Object.entries({ ...modernHeaders('tools/call', params), host: `${hostname}:${port}` });
    const socket: Socket = connect(Number(port), hostname);
    socket.pause();
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /mcp HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    await eventually(async () => assert.equal(await drops('slow_reader'), 1), { deadline: 20_000 });
    assert.equal((await gateway.status()).connections.sockets <= 1, true);
    socket.destroy();
  });

  it('an answer that is read slowly, but read, arrives whole', async () => {
    await start({ stallTimeout: 2_000 });
    const bytes = 12 * 1024 * 1024;
    const reader = await HttpSession.open(gateway.url);
    const { result } = await reader.request('tools/call', { name: `${NAME}__big`, arguments: { bytes } });
    assert.equal(textOf(result).length, bytes);
    assert.equal(await drops('slow_reader'), 0);
  });

  it('a server that does not read is refused more than its cap, at once and typed; it is no burden to others', async () => {
    await start({}, { maxBufferedBytes: CAP });
    hub.tell(NAME, 'deaf');
    await hub.waitFor(NAME, 'deaf');
    const peer = await WebSocketPeer.open(gateway.url);
    const filler = 'x'.repeat(64 * 1024);
    const refused = new Promise<unknown>((resolve) => {
      const ask = (): void => {
        void peer.request('tools/call', { name: `${NAME}__echo`, arguments: { text: filler } }).then(
          ({ error }) => resolve((error?.['data'] as Json | undefined)?.['reason']),
          () => undefined,
        );
      };
      for (let i = 0; i < 40; i++) ask();
    });
    assert.equal(await refused, 'overloaded');
    const other = await HttpSession.open(gateway.url);
    assert.ok((await other.request('ping')).result);
    peer.socket.terminate();
  });
});
