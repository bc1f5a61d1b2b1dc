/** Threat rows of load on each transport: slowloris, a flood of calls that wait. And arguments of servers that look like a shell’s. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { DOORS, reasonOf } from '../../support/doors.js';
import { eventually, within } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { fetchRaw } from '../../support/raw-http.js';
import { type RawPeer, SsePeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

const MAX_IN_FLIGHT = 8;
/** Time enough for others to be served meanwhile. */
const TIMEOUTS = { headersTimeout: 3_000, requestTimeout: 5_000 };
const OVERLOADED = -31014;

describe('hostile clients', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: { ...hub.stdio('sdk-server', 'good'), viable: { maxInFlight: MAX_IN_FLIGHT } } },
        gateway: settings({ listen: TIMEOUTS }),
      },
    });
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it('slowloris: 220 connections that never finish their head or body, for any transport, keep nobody out and are closed', async function () {
    this.timeout(60_000);
    const { hostname, port } = new URL(gateway.url);
    const sse = await SsePeer.open(gateway.url);
    const { pathname, search } = new URL(sse.endpoint);
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}`;
    const post = (path: string, more = ''): string =>
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${more}`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const modern = 'MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: ping\r\n';
    const half = 'X-A: ';
    const body = 'Content-Length: 1000\r\n\r\n{';
    const begun: Readonly<Record<string, string>> = {
      HTTP: post('/mcp', half),
      'HTTP, modern': post('/mcp', modern + half),
      'HTTP+SSE': get('/mcp/sse', half),
      'a message of HTTP+SSE': post(pathname + search, half),
      WebSocket: get('/mcp/ws', upgrade + half),
      Phoenix: get('/mcp/ws/websocket?vsn=2.0.0', upgrade + half),
      console: get('/mcp/dashboard/feed', upgrade + half),
      'HTTP, its body': post('/mcp', body),
      'HTTP, modern, its body': post('/mcp', modern + body),
      'HTTP+SSE, its body': post(pathname + search, body),
      'console, its body': post('/mcp/dashboard/admin', body),
    };
    const slow = Object.entries(begun).flatMap(([what, text]) =>
      Array.from({ length: 20 }, () => {
        const socket = connect(Number(port), hostname);
        let said = '';
        socket.on('error', () => undefined);
        socket.setEncoding('utf8').on('data', (part: string) => (said += part));
        socket.write(text);
        return { what, said: () => said, ended: once(socket, 'close') };
      }),
    );
    for (let i = 0; i < 10; i += 1) assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200);
    for (const door of DOORS) {
      const peer = await door.open(gateway.url);
      const answer = await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
      assert.equal(answer.error, undefined, door.name);
      await peer.close();
    }
    await within(Promise.all(slow.map(({ ended }) => ended)), 'all closed', 45_000);
    for (const { what, said } of slow) assert.match(said(), /^HTTP\/1\.1 408 /, what);
    assert.ok((await sse.request('ping')).result, 'who had been there before');
    await sse.close();
  });

  for (const door of DOORS) {
    it(`${door.name}: a call more than may wait is refused at once, and the count returns to nothing`, async () => {
      const peer = await door.open(gateway.url);
      const from = hub.position;
      const gate = randomUUID();
      const waiting = Array.from({ length: MAX_IN_FLIGHT }, (_, i) =>
        peer.request('tools/call', { name: 'good__slow', arguments: { gate } }, `slow ${i}`),
      );
      await eventually(() =>
        assert.equal(hub.log.items.slice(from).filter(({ event }) => event === 'held').length, MAX_IN_FLIGHT),
      );
      for (let i = 0; i < 5; i += 1) await overloaded(peer);
      hub.tell('good', 'release', { gate });
      for (const answer of await Promise.all(waiting)) assert.equal(answer.error, undefined);
      await idle();
      await peer.close();
    });

    it(`${door.name}: the same while the server is stopped and answers nothing`, async () => {
      const peer = await door.open(gateway.url);
      const [pid] = hub.pids('good');
      assert.ok(pid);
      process.kill(pid, 'SIGSTOP');
      try {
        const texts = Array.from({ length: MAX_IN_FLIGHT }, () => randomUUID());
        const waiting = texts.map((text) =>
          peer.request('tools/call', { name: 'good__echo', arguments: { text } }, text),
        );
        await eventually(async () => assert.equal((await gateway.upstream('good')).inFlight, MAX_IN_FLIGHT));
        await overloaded(peer);
        process.kill(pid, 'SIGCONT');
        assert.deepEqual(
          (await Promise.all(waiting)).map(({ result }) => textOf(result)),
          texts,
        );
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await idle();
      await peer.close();
    });
  }

  async function overloaded(peer: RawPeer): Promise<void> {
    const refused = await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
    assert.deepEqual([refused.error?.code, reasonOf(refused)], [OVERLOADED, 'overloaded']);
  }

  const idle = (): Promise<void> => eventually(async () => assert.equal((await gateway.status()).requests.inFlight, 0));

  it('arguments of a server’s command reach no shell', async () => {
    const marker = `/tmp/viable-injected-${process.pid}`;
    const entry = hub.stdio(
      'sdk-server',
      'inject',
      '--resources',
      `;touch ${marker};$(touch ${marker});\`touch ${marker}\``,
    );
    const other = await startGateway({ config: { mcpServers: { inject: entry }, gateway: settings() } });
    await other.waitForTools(['inject__echo']);
    assert.equal(existsSync(marker), false);
    await other.stop();
  });
});
