import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { OutboundTransport } from '#src/transports/outbound/transport.js';
import { closeError, createWebSocketTransport, type WebSocketOptions } from '#src/transports/outbound/websocket.js';
import { ManualClock } from '../../support/outbound/manual-clock.js';
import { patient, Recorder, request } from '../../support/outbound/recorder.js';
import { startWsFixture, type WsFixture } from '../../support/outbound/ws-fixture.js';

describe('WebSocket transport', () => {
  let recorder: Recorder;
  let clock: ManualClock;
  let fixture: WsFixture;
  let transport: OutboundTransport | undefined;

  beforeEach(async () => {
    recorder = new Recorder();
    clock = new ManualClock();
    fixture = await startWsFixture({ autoPong: false });
  });

  afterEach(async () => {
    await transport?.close(0);
    await fixture.stop();
    assert.deepEqual(recorder.violations, []);
  });

  /** Opens, and gives the server's end of the connection too. */
  async function open(
    options: Partial<WebSocketOptions> = {},
  ): Promise<[OutboundTransport, WebSocket, IncomingMessage]> {
    const accepted = new Promise<[WebSocket, IncomingMessage]>((resolve) => {
      fixture.server.once('connection', (socket: WebSocket, upgrade: IncomingMessage) => resolve([socket, upgrade]));
    });
    const created = recorder.watch(createWebSocketTransport({ url: fixture.url, clock, ...options }, recorder));
    transport = created;
    assert.equal(await created.open(patient), undefined);
    return [created, ...(await accepted)];
  }

  it('asks for the subprotocol mcp, without compression, with the configured headers', async () => {
    const [, socket, upgrade] = await open({ headers: { authorization: 'Bearer S3CRET' } });
    assert.equal(socket.protocol, 'mcp');
    assert.equal(socket.extensions, '');
    assert.equal(upgrade.headers['sec-websocket-extensions'], undefined);
    assert.equal(upgrade.headers.authorization, 'Bearer S3CRET');
  });

  it('pings every interval, and gives up after an interval of silence', async () => {
    const [, socket] = await open({ pingIntervalMs: 1_000 });
    const pinged = (): Promise<void> => new Promise((resolve) => socket.once('ping', () => resolve()));
    let ping = pinged();
    clock.advance(1_000);
    await ping;
    socket.send('{"jsonrpc":"2.0","method":"notifications/message"}');
    await recorder.until(() => recorder.messages[0]);
    ping = pinged();
    clock.advance(1_000);
    await ping;
    clock.advance(1_000);
    const error = await recorder.closed();
    assert.equal(error.kind, 'timeout');
    assert.match(error.message, /silent for 1000 ms/);
    assert.deepEqual(clock.waits, []);
  });

  it('takes a pong for a sign of life', async () => {
    const [, socket] = await open({ pingIntervalMs: 1_000 });
    for (let round = 0; round < 3; round++) {
      const ping = new Promise<void>((resolve) => socket.once('ping', () => resolve()));
      clock.advance(1_000);
      await ping;
      const before = recorder.messages.length;
      socket.pong();
      socket.send('{"jsonrpc":"2.0","method":"notifications/message"}');
      await recorder.until(() => recorder.messages[before]);
    }
    assert.deepEqual(recorder.closings, []);
  });

  it('sends no pings when told so', async () => {
    await open({ pingIntervalMs: 0 });
    assert.deepEqual(clock.waits, []);
  });

  it('refuses messages while the server reads nothing', async () => {
    const [opened, socket] = await open({ maxBufferedBytes: 100_000 });
    socket.pause();
    const message = request(1, 'silent', { text: 'x'.repeat(1_000_000) });
    let accepted = 0;
    while (opened.send(message)) assert.ok(++accepted < 100, 'never refused');
    assert.ok(accepted >= 1);
    socket.resume();
  });

  it('passes on the meaning of a close code', async () => {
    const [, socket] = await open();
    socket.close(3000, 'who are\u0007 you');
    assert.deepEqual(await recorder.closed(), {
      kind: 'unauthorized',
      message: 'the server closed the WebSocket with code 3000: who are you',
    });
  });

  it('maps close codes to kinds', () => {
    const kinds = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1013, 3003, 3008, 4000].map(
      (code) => closeError(code, Buffer.alloc(0), 1).kind,
    );
    const c = 'closed';
    const p = 'protocol';
    assert.deepEqual(kinds, [c, c, p, p, c, c, p, c, 'too_large', p, c, c, 'unauthorized', 'timeout', c]);
  });

  it('ends when the framing is broken, and on too many fragments', async () => {
    const [, socket] = await open();
    for (let i = 0; i < 2_000; i++) socket.send('x', { fin: false });
    assert.equal((await recorder.closed()).kind, 'too_large');
  });

  it('does not wait for a server that never closes its side', async () => {
    const [opened, socket] = await open();
    socket.pause();
    const closing = opened.close(1_000);
    clock.advance(1_000);
    await closing;
    assert.equal(recorder.closings.length, 1);
    socket.resume();
  });

  async function refusedBy(
    status: number,
    headers: Record<string, string> = {},
  ): Promise<{ kind: string; message: string }> {
    const server = createServer();
    server.on('upgrade', (_, socket) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}Content-Length: 0\r\n\r\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `ws://me:S3CRET@127.0.0.1:${(server.address() as AddressInfo).port}/?token=S3CRET`;
    const error = await recorder.watch(createWebSocketTransport({ url }, recorder)).open(patient);
    await new Promise((resolve) => server.close(resolve));
    assert.ok(error !== undefined);
    assert.doesNotMatch(error.message, /S3CRET/);
    return error;
  }

  it('reports a refused handshake by its status, and follows no redirect', async () => {
    assert.equal((await refusedBy(401)).kind, 'unauthorized');
    assert.equal((await refusedBy(503)).kind, 'http_status');
    assert.match((await refusedBy(302, { Location: '/x?token=S3CRET' })).message, /redirects are not followed/);
  });

  it('reports a server without the subprotocol', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => false });
    await new Promise<void>((resolve) => server.once('listening', () => resolve()));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await createWebSocketTransport({ url }, recorder).open(patient);
    assert.equal(error?.kind, 'protocol');
    assert.match(error.message, /subprotocol/);
    await new Promise((resolve) => server.close(resolve));
  });

  for (const [what, options] of [
    ['a scheme', { url: 'gopher://S3CRET@host/' }],
    ['a URL', { url: 'S3CRET' }],
    ['a header', { headers: { a: 'S3CRET\r\n' } }],
  ] as const) {
    it(`reports ${what} that cannot be, without its content`, async () => {
      const error = await createWebSocketTransport({ url: fixture.url, ...options }, recorder).open(patient);
      assert.equal(error?.kind, 'connect_failed');
      assert.doesNotMatch(error.message, /S3CRET/);
    });
  }
});
