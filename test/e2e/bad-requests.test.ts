/**
 * HTTP requests and WebSocket handshakes that no client should send: statuses of the specification and of
 * `docs/errors.md`, and the gateway goes on serving a good client (checked after each).
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import WebSocket from 'ws';
import { within } from '../support/eventually.js';
import { fetchRaw, HttpSession, initializeRequest, messagesIn, POST_HEADERS, SseStream } from '../support/raw-http.js';
import { SsePeer, WebSocketPeer } from '../support/raw-peers.js';
import { MAX_BODY } from '../support/settings.js';
import { goodGateway, works } from './good-gateway.js';

const PARSE_ERROR = -32700;
/** `not_initialized` of docs/errors.md, the code that the official SDKs use. */
const NOT_INITIALIZED = -32000;

describe('bad requests', () => {
  const world = goodGateway();

  describe('oversize', () => {
    const oversize = (): string =>
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'good__echo', text: 'x'.repeat(MAX_BODY) },
      });
    function* chunks(): Generator<string> {
      const text = oversize();
      for (let at = 0; at < text.length; at += 16_384) yield text.slice(at, at + 16_384);
    }

    it('POST with Content-Length: 413', async () => {
      const session = await HttpSession.open(world.gateway.url);
      assert.equal((await session.post(oversize())).status, 413);
      assert.equal((await session.request('ping')).error, undefined);
      await session.end();
    });

    it('POST in chunks without Content-Length: 413', async () => {
      const session = await HttpSession.open(world.gateway.url);
      const headers = { ...POST_HEADERS, ...session.headers };
      assert.equal((await fetchRaw(session.url, { method: 'POST', headers, body: chunks() })).status, 413);
      await session.end();
    });

    it('POST of HTTP+SSE, both ways: 413', async () => {
      const peer = await SsePeer.open(world.gateway.url);
      assert.equal((await peer.post(oversize())).status, 413);
      const headers = { 'content-type': 'application/json' };
      assert.equal((await fetchRaw(peer.endpoint, { method: 'POST', headers, body: chunks() })).status, 413);
      await works(peer);
      await peer.close();
    });

    it('WebSocket: closed with 1009', async () => {
      const peer = await WebSocketPeer.open(world.gateway.url);
      assert.equal((await peer.send(oversize())).closed, 1009);
    });

    it('WebSocket in fragments: closed with 1009', async () => {
      const peer = await WebSocketPeer.open(world.gateway.url);
      for (const part of chunks()) peer.socket.send(part, { fin: false });
      assert.equal(await within(peer.closed, 'close'), 1009);
    });

    it('a Content-Length that lies does not hang the connection for others', async () => {
      const session = await HttpSession.open(world.gateway.url);
      const socket = connect(Number(new URL(world.gateway.url).port), '127.0.0.1');
      await once(socket, 'connect');
      const head = `POST /mcp HTTP/1.1\r\nHost: ${world.gateway.host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMcp-Session-Id: ${session.id}\r\nContent-Length: 1000\r\n\r\n{`;
      socket.write(head);
      assert.equal((await session.request('ping')).error, undefined);
      socket.destroy();
      await session.end();
    });
  });

  describe('HTTP', () => {
    let session: HttpSession;
    before(async () => {
      session = await HttpSession.open(world.gateway.url);
    });
    after(async () => {
      await session.end();
    });
    const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const port = (): string => new URL(world.gateway.url).port;

    it('wrong Accept: 406', async () => {
      for (const accept of ['text/html', 'image/*', 'application/json;q=0']) {
        assert.equal((await session.post(ping, { accept })).status, 406, accept);
      }
      for (const path of ['/mcp', '/mcp/sse']) {
        const stream = await SseStream.open(`${world.gateway.url}${path}`, {
          ...session.headers,
          accept: 'application/json',
        });
        stream.close();
        assert.equal(stream.status, 406, path);
      }
    });

    it('wildcards in Accept are taken', async () => {
      assert.equal((await session.post(ping, { accept: '*/*' })).status, 200);
      assert.equal((await session.post(ping, { accept: 'text/*, application/*;q=0.5' })).status, 200);
    });

    it('wrong Content-Type: 415', async () => {
      const peer = await SsePeer.open(world.gateway.url);
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
        assert.equal((await session.post(ping, { 'content-type': type })).status, 415, type);
        assert.equal((await peer.post(ping, { 'content-type': type })).status, 415, `${type} on HTTP+SSE`);
      }
      await peer.close();
      const charset = await session.post(ping, { 'content-type': 'application/json; charset=utf-8' });
      assert.equal(charset.status, 200);
    });

    it('bytes that are no UTF-8: 400', async () => {
      const body = [Buffer.from('{"jsonrpc":"2.0","id":1,"method":"pi\xffng"}', 'latin1')];
      const headers = { ...POST_HEADERS, ...session.headers };
      const reply = await fetchRaw(session.url, { method: 'POST', headers, body });
      assert.equal(reply.status, 400);
      assert.equal(messagesIn(reply)[0]?.error?.code, PARSE_ERROR);
    });

    it('unknown session: 404, on HTTP+SSE as well', async () => {
      const reply = await session.post(ping, { 'mcp-session-id': randomUUID() });
      assert.equal(reply.status, 404);
      for (const query of ['', `?sessionId=${randomUUID()}`]) {
        const headers = { 'content-type': 'application/json' };
        const post = await fetchRaw(`${world.gateway.url}/mcp/messages${query}`, {
          method: 'POST',
          headers,
          body: ping,
        });
        assert.ok(post.status === 404 || (query === '' && post.status === 400), `${query} ${post.status}`);
      }
    });

    it('a session of another transport is unknown', async () => {
      const peer = await SsePeer.open(world.gateway.url);
      const id = new URL(peer.endpoint).searchParams.get('sessionId') ?? '';
      assert.equal((await session.post(ping, { 'mcp-session-id': id })).status, 404);
      const headers = { 'content-type': 'application/json' };
      const url = `${world.gateway.url}/mcp/messages?sessionId=${session.id}`;
      assert.equal((await fetchRaw(url, { method: 'POST', headers, body: ping })).status, 404);
      await peer.close();
    });

    const ORIGINS = [
      'https://evil.example',
      'null',
      'http://127.0.0.1.evil.example',
      'http://localhost@evil.example',
      '',
    ];
    it('bad Origin: 403, whatever the method and path', async () => {
      const peer = await SsePeer.open(world.gateway.url);
      for (const origin of ORIGINS) {
        assert.equal((await session.post(ping, { origin })).status, 403, `POST ${origin}`);
        assert.equal((await peer.post(ping, { origin })).status, 403, `POST messages ${origin}`);
        for (const path of ['/mcp', '/mcp/sse', '/mcp/s/good', '/metrics', '/readyz']) {
          const reply = await SseStream.open(`${world.gateway.url}${path}`, { ...session.headers, origin });
          reply.close();
          assert.equal(reply.status, 403, `GET ${path} ${origin}`);
        }
        const ended = await fetchRaw(session.url, { method: 'DELETE', headers: { ...session.headers, origin } });
        assert.equal(ended.status, 403);
      }
      await peer.close();
      assert.equal((await session.post(ping, { origin: `http://127.0.0.1:${port()}` })).status, 200);
      assert.equal((await session.post(ping, { origin: 'http://localhost:6274' })).status, 200);
    });

    it('bad Host: 403', async () => {
      for (const host of ['evil.example', `evil.example:${port()}`, '127.0.0.1.evil.example', '169.254.169.254']) {
        assert.equal((await session.post(ping, { host })).status, 403, host);
        const reply = await fetchRaw(`${world.gateway.url}/mcp/sse`, {
          headers: { host, accept: 'text/event-stream' },
        });
        assert.equal(reply.status, 403, host);
      }
      assert.equal((await session.post(ping, { host: `localhost:${port()}` })).status, 200);
    });

    it('unknown path: 404', async () => {
      for (const path of [
        '/',
        '/nothing',
        '/mcp//',
        '/mcp/nothing',
        '/mcp/s/',
        '/mcp/s/good/more',
        '/..%2fmcp',
        '//mcp',
      ]) {
        const reply = await fetchRaw(`${world.gateway.url}${path}`, {
          method: 'POST',
          headers: { ...POST_HEADERS, ...session.headers },
          body: ping,
        });
        assert.equal(reply.status, 404, path);
      }
    });

    it('wrong method: 405 with Allow', async () => {
      const cases: [string, string, RegExp][] = [
        ['/mcp', 'PUT', /POST/],
        ['/mcp', 'PATCH', /POST/],
        ['/mcp/s/good', 'PUT', /POST/],
        ['/mcp/sse', 'POST', /GET/],
        ['/mcp/messages', 'GET', /POST/],
        ['/healthz', 'POST', /GET/],
        ['/readyz', 'DELETE', /GET/],
      ];
      for (const [path, method, allow] of cases) {
        const reply = await fetchRaw(`${world.gateway.url}${path}`, { method, headers: session.headers });
        assert.equal(reply.status, 405, `${method} ${path}`);
        assert.match(String(reply.headers.allow), allow);
      }
    });

    it('initialize within a session or twice is refused or answered, never a hang', async () => {
      const reply = await session.post(initializeRequest('2025-11-25', 'again'));
      assert.ok(reply.status >= 200 && reply.status < 500, String(reply.status));
      assert.equal((await session.request('ping')).error, undefined);
    });

    it('a request before initialize has no session: 400', async () => {
      const reply = await fetchRaw(`${world.gateway.url}/mcp`, { method: 'POST', headers: POST_HEADERS, body: ping });
      assert.equal(reply.status, 400);
    });

    it('broken HTTP: 400 and closed', async () => {
      const socket = connect(Number(port()), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.write('THIS IS NO HTTP\r\n\r\n');
      await within(once(socket, 'close'), 'close');
      assert.match(answer, /^HTTP\/1\.1 400 /);
    });

    it('both Content-Length and Transfer-Encoding: refused', async () => {
      const socket = connect(Number(port()), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.write(
        `POST /mcp HTTP/1.1\r\nHost: ${world.gateway.host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      );
      await within(once(socket, 'close'), 'close');
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    });
  });

  describe('WebSocket handshake', () => {
    const url = (path = '/mcp/ws'): string => `${world.gateway.url.replace(/^http/, 'ws')}${path}`;

    /** The HTTP status with which the upgrade is refused; 101 when it is done, 0 when the client ends it. */
    async function upgrade(target: string, protocols: string[], headers: Record<string, string> = {}): Promise<number> {
      const socket = new WebSocket(target, protocols, { headers });
      try {
        return await within(
          new Promise<number>((resolve) => {
            socket.once('open', () => resolve(101));
            socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
            socket.once('error', () => resolve(0));
          }),
          'the answer to the upgrade',
        );
      } finally {
        socket.on('error', () => undefined);
        socket.terminate();
      }
    }

    it('bad Origin or Host: 403', async () => {
      for (const origin of ['https://evil.example', 'null'])
        assert.equal(await upgrade(url(), ['mcp'], { origin }), 403);
      assert.equal(await upgrade(url(), ['mcp'], { host: 'evil.example' }), 403);
      assert.equal(await upgrade(url(), ['mcp'], { origin: world.gateway.url }), 101);
    });

    it('unknown path: 404', async () => {
      assert.equal(await upgrade(url('/mcp/nothing'), ['mcp']), 404);
    });

    it('a plain GET is refused', async () => {
      const reply = await fetchRaw(`${world.gateway.url}/mcp/ws`);
      assert.ok([404, 426].includes(reply.status), String(reply.status));
    });

    it('a subprotocol that nobody speaks is not accepted', async () => {
      assert.notEqual(await upgrade(url(), ['soap', 'graphql-ws']), 101);
    });

    it('binary frames: closed with 1003', async () => {
      const peer = await WebSocketPeer.open(world.gateway.url);
      assert.equal((await peer.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'))).closed, 1003);
    });

    it('a text frame that is no UTF-8: closed with 1007', async () => {
      const peer = await WebSocketPeer.open(world.gateway.url);
      peer.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
      assert.equal(await within(peer.closed, 'close'), 1007);
    });

    it('requests before initialize are refused', async () => {
      const socket = new WebSocket(url(), 'mcp');
      await within(once(socket, 'open'), 'open');
      socket.send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
      const [data] = (await within(once(socket, 'message'), 'the refusal')) as [Buffer];
      const answer = JSON.parse(data.toString('utf8')) as { error?: { code: number } };
      assert.equal(answer.error?.code, NOT_INITIALIZED);
      socket.terminate();
    });
  });
});
