/** Threat rows of hostile clients that no other test has: deflate bombs, tiny fragments, slowloris, a flood of calls that wait. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';
import { eventually, within } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { fetchRaw, HttpSession } from '../../support/raw-http.js';
import { WebSocketPeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

const MAX_IN_FLIGHT = 8;
const OVERLOADED = -31014;

describe('hostile clients', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: { ...hub.stdio('sdk-server', 'good'), viable: { maxInFlight: MAX_IN_FLIGHT } } },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it('compression is not negotiated, so there is nothing to inflate; a compressed frame ends the connection', async () => {
    const socket = new WebSocket(`${gateway.url.replace(/^http/, 'ws')}/mcp/ws`, 'mcp', { perMessageDeflate: true });
    await within(once(socket, 'open'), 'open');
    assert.equal(socket.extensions, '');
    const raw = (socket as unknown as { _socket: Socket })._socket;
    raw.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])); // RSV1: "compressed"
    const [code] = (await within(once(socket, 'close'), 'close')) as [number];
    assert.equal(code, 1002);
  });

  it('2,000 tiny fragments end the connection with 1008', async () => {
    const { socket, closed } = await WebSocketPeer.open(gateway.url);
    for (let i = 0; i < 2_000 && socket.readyState === socket.OPEN; i += 1) socket.send('x', { fin: false });
    assert.equal(await within(closed, 'closed'), 1008);
  });

  it('slowloris: 200 connections that never finish their head keep nobody out, and are closed', async function () {
    this.timeout(40_000);
    const { hostname, port } = new URL(gateway.url);
    const slow = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write('POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ');
      return { socket, ended: once(socket, 'close') };
    });
    for (let i = 0; i < 10; i += 1) assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200);
    const session = await HttpSession.open(gateway.url);
    const answer = await session.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
    assert.equal(answer.error, undefined);
    let said = '';
    slow[0]?.socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (const { socket } of slow.slice(1)) socket.resume();
    await within(Promise.all(slow.map(({ ended }) => ended)), 'all closed', 35_000);
    assert.match(said, /^HTTP\/1\.1 408 /);
  });

  it('a call more than may wait is refused at once, and the count returns to nothing', async () => {
    const session = await HttpSession.open(gateway.url);
    const from = hub.position;
    const waiting = Array.from({ length: MAX_IN_FLIGHT }, (_, i) =>
      session.request('tools/call', { name: 'good__slow', arguments: { gate: 'flood' } }, `slow ${i}`),
    );
    await eventually(() =>
      assert.equal(hub.log.items.slice(from).filter(({ event }) => event === 'held').length, MAX_IN_FLIGHT),
    );
    for (let i = 0; i < 5; i += 1) {
      const refused = await session.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
      assert.equal(refused.error?.code, OVERLOADED);
    }
    hub.tell('good', 'release', { gate: 'flood' });
    for (const answer of await Promise.all(waiting)) assert.equal(answer.error, undefined);
    await eventually(async () => assert.equal((await gateway.status()).requests.inFlight, 0));
  });

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
