/**
 * What no client should send, on every client transport: the answer of the specification, and the gateway goes on
 * serving a good client afterwards (checked after each).
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import WebSocket from 'ws';
import { textOf } from '../support/fixture-names.js';
import { within } from '../support/eventually.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { fetchRaw, HttpSession, initializeRequest, messagesIn, POST_HEADERS, SseStream } from '../support/raw-http.js';
import { RAW_PEERS, SsePeer, WebSocketPeer, type RawPeer } from '../support/raw-peers.js';
import { MAX_BODY, settings } from '../support/settings.js';

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
/** `not_initialized` of docs/errors.md, the code that the official SDKs use. */
const NOT_INITIALIZED = -32000;

/** Text that is no acceptable message, and the error that it gets. */
const MALFORMED: readonly { readonly what: string; readonly text: string; readonly code: number }[] = [
  { what: 'malformed JSON', text: '{"jsonrpc":"2.0","id":1,"method":"ping"', code: PARSE_ERROR },
  { what: 'text that is no JSON', text: 'hello', code: PARSE_ERROR },
  { what: 'an empty body', text: '', code: PARSE_ERROR },
  { what: 'white space', text: ' \n ', code: PARSE_ERROR },
  { what: 'a scalar', text: '42', code: INVALID_REQUEST },
  { what: 'an empty object', text: '{}', code: INVALID_REQUEST },
  { what: 'another JSON-RPC version', text: '{"jsonrpc":"1.0","id":1,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'id null', text: '{"jsonrpc":"2.0","id":null,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a fractional id', text: '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'an object as id', text: '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a boolean as id', text: '{"jsonrpc":"2.0","id":true,"method":"ping"}', code: INVALID_REQUEST },
  { what: 'a number as method', text: '{"jsonrpc":"2.0","id":1,"method":7}', code: INVALID_REQUEST },
  { what: 'an array as params', text: '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', code: INVALID_REQUEST },
  { what: 'result and error at once', text: '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', code: INVALID_REQUEST },
  {
    what: 'a duplicate id',
    text: '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate method',
    text: '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate method, escaped',
    text: '{"jsonrpc":"2.0","id":1,"method":"ping","meth\\u006fd":"tools/list"}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a duplicate tool name',
    text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","name":"good__env"}}',
    code: INVALID_REQUEST,
  },
  {
    what: 'a tool name that stands twice but for case',
    text: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","Name":"good__env"}}',
    code: INVALID_REQUEST,
  },
  { what: '100,000 nested arrays', text: '['.repeat(100_000), code: INVALID_REQUEST },
  {
    what: '20,000 nested objects in the arguments',
    text: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}`,
    code: INVALID_REQUEST,
  },
];

describe('bad input', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let witness: WebSocketPeer;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings() },
    });
    await gateway.waitForTools(['good__echo']);
    witness = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await witness.close();
    await gateway.stop();
    await hub.close();
  });

  async function works(peer: RawPeer): Promise<void> {
    const text = randomUUID();
    const { result } = await peer.request('tools/call', { name: 'good__echo', arguments: { text } });
    assert.equal(textOf(result), text);
  }
  afterEach('a good client is still served', async () => {
    await works(witness);
  });

  for (const { name, open } of RAW_PEERS) {
    describe(name, () => {
      let peer: RawPeer;
      beforeEach(async () => {
        peer = await open(gateway.url);
      });
      afterEach(async () => {
        await peer.close();
      });

      for (const { what, text, code } of MALFORMED) {
        it(`${what}: ${code}, and the connection goes on`, async () => {
          const { status, messages } = await peer.send(text);
          if (status !== undefined) assert.equal(status, 400);
          assert.equal(messages.length, 1, JSON.stringify(messages));
          assert.equal(messages[0]?.error?.code, code, JSON.stringify(messages[0]));
          await works(peer);
        });
      }

      it('an unknown method is -32601', async () => {
        for (const method of ['no/such/method', 'constructor', '__proto__', '']) {
          assert.equal((await peer.request(method)).error?.code, METHOD_NOT_FOUND, method);
        }
      });

      it('an unknown tool, prompt or argument shape is -32602', async () => {
        const cases: [string, Record<string, unknown>][] = [
          ['tools/call', { name: 'good__no-such-tool', arguments: {} }],
          ['tools/call', { name: 'nobody__echo', arguments: {} }],
          ['tools/call', { name: 'echo', arguments: {} }],
          ['tools/call', { name: '__proto__' }],
          ['tools/call', { name: 'constructor' }],
          ['tools/call', { name: 7 }],
          ['tools/call', {}],
          ['prompts/get', { name: 'good__no-such-prompt' }],
          ['prompts/get', {}],
          ['resources/read', {}],
          ['tools/list', { cursor: 'made up' }],
          ['logging/setLevel', { level: 'loud' }],
          ['completion/complete', { ref: { type: 'ref/nothing' }, argument: {} }],
        ];
        for (const [method, params] of cases) {
          const { error } = await peer.request(method, params);
          assert.equal(error?.code, INVALID_PARAMS, `${method} ${JSON.stringify(params)}`);
        }
      });

      it('an unknown resource is the error of this era, -32002', async () => {
        assert.equal((await peer.request('resources/read', { uri: 'nobody://serves/this' })).error?.code, -32002);
      });

      it('an id in use is refused, the first request undisturbed', async () => {
        const gate = randomUUID();
        const params = { name: 'good__slow', arguments: { gate } };
        const first = peer.request('tools/call', params, 'same');
        await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
        first.catch(() => undefined);
        const again = { name: 'good__echo', arguments: { text: 'again' } };
        const message = { jsonrpc: '2.0', id: 'same', method: 'tools/call', params: again };
        const { messages } = await peer.send(JSON.stringify(message));
        assert.equal(messages[0]?.error?.code, INVALID_REQUEST, JSON.stringify(messages));
        hub.tell('good', 'release', { gate });
        await hub.waitFor('good', 'released', (event) => event['gate'] === gate);
        await works(peer);
      });

      it('unknown notifications and answers to nothing are dropped', async () => {
        await peer.notify('notifications/no-such-thing');
        await peer.notify('notifications/cancelled', { requestId: 'never sent' });
        await peer.notify('notifications/progress', { progressToken: 'never given', progress: 1 });
        await works(peer);
      });

      it('dangerous keys in arguments pass through and change nothing', async () => {
        const text =
          '{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"good__echo","arguments":{"text":"t","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}';
        const { messages } = await peer.send(text);
        assert.equal(textOf(messages.find((message) => message.id === 'p')?.result), 't');
      });

      it('a batch is answered in the revision that has it', async () => {
        const old = await open(gateway.url, '2025-03-26');
        const batch = [
          { jsonrpc: '2.0', id: 'a', method: 'ping' },
          { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } },
          { jsonrpc: '2.0', id: 'b', method: 'tools/call', params: { name: 'good__echo', arguments: { text: 'in' } } },
          { jsonrpc: '2.0', id: 'c', method: 'no/such/method' },
        ];
        const { messages } = await old.send(JSON.stringify(batch), 3);
        const by = new Map(messages.map((message) => [message.id, message]));
        assert.deepEqual([...by.keys()].sort(), ['a', 'b', 'c']);
        assert.equal(textOf(by.get('b')?.result), 'in');
        assert.equal(by.get('c')?.error?.code, METHOD_NOT_FOUND);
        const empty = await old.send('[]');
        assert.equal(empty.messages[0]?.error?.code, INVALID_REQUEST);
        await old.close();
      });

      it('a batch is refused in later revisions', async () => {
        for (const revision of ['2025-06-18', '2025-11-25']) {
          const late = await open(gateway.url, revision);
          const { status, messages } = await late.send('[{"jsonrpc":"2.0","id":1,"method":"ping"}]');
          if (name === 'Streamable HTTP') assert.equal(status, 400);
          assert.equal(messages[0]?.error?.code, INVALID_REQUEST);
          await works(late);
          await late.close();
        }
      });

      it('a message just under the limit passes', async () => {
        const text = 'x'.repeat(MAX_BODY - 1024);
        const { result } = await peer.request('tools/call', { name: 'good__echo', arguments: { text } });
        assert.equal(textOf(result).length, text.length);
      });
    });
  }

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
      const session = await HttpSession.open(gateway.url);
      assert.equal((await session.post(oversize())).status, 413);
      assert.equal((await session.request('ping')).error, undefined);
      await session.end();
    });

    it('POST in chunks without Content-Length: 413', async () => {
      const session = await HttpSession.open(gateway.url);
      const headers = { ...POST_HEADERS, ...session.headers };
      assert.equal((await fetchRaw(session.url, { method: 'POST', headers, body: chunks() })).status, 413);
      await session.end();
    });

    it('POST of HTTP+SSE, both ways: 413', async () => {
      const peer = await SsePeer.open(gateway.url);
      assert.equal((await peer.post(oversize())).status, 413);
      const headers = { 'content-type': 'application/json' };
      assert.equal((await fetchRaw(peer.endpoint, { method: 'POST', headers, body: chunks() })).status, 413);
      await works(peer);
      await peer.close();
    });

    it('WebSocket: closed with 1009', async () => {
      const peer = await WebSocketPeer.open(gateway.url);
      assert.equal((await peer.send(oversize())).closed, 1009);
    });

    it('WebSocket in fragments: closed with 1009', async () => {
      const peer = await WebSocketPeer.open(gateway.url);
      for (const part of chunks()) peer.socket.send(part, { fin: false });
      assert.equal(await within(peer.closed, 'close'), 1009);
    });

    it('a Content-Length that lies does not hang the connection for others', async () => {
      const session = await HttpSession.open(gateway.url);
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      await once(socket, 'connect');
      const head = `POST /mcp HTTP/1.1\r\nHost: ${gateway.host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMcp-Session-Id: ${session.id}\r\nContent-Length: 1000\r\n\r\n{`;
      socket.write(head);
      assert.equal((await session.request('ping')).error, undefined);
      socket.destroy();
      await session.end();
    });
  });

  describe('HTTP', () => {
    let session: HttpSession;
    before(async () => {
      session = await HttpSession.open(gateway.url);
    });
    after(async () => {
      await session.end();
    });
    const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const port = (): string => new URL(gateway.url).port;

    it('wrong Accept: 406', async () => {
      for (const accept of ['text/html', 'image/*', 'application/json;q=0']) {
        assert.equal((await session.post(ping, { accept })).status, 406, accept);
      }
      for (const path of ['/mcp', '/mcp/sse']) {
        const stream = await SseStream.open(`${gateway.url}${path}`, {
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
      const peer = await SsePeer.open(gateway.url);
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
        const post = await fetchRaw(`${gateway.url}/mcp/messages${query}`, { method: 'POST', headers, body: ping });
        assert.ok(post.status === 404 || (query === '' && post.status === 400), `${query} ${post.status}`);
      }
    });

    it('a session of another transport is unknown', async () => {
      const peer = await SsePeer.open(gateway.url);
      const id = new URL(peer.endpoint).searchParams.get('sessionId') ?? '';
      assert.equal((await session.post(ping, { 'mcp-session-id': id })).status, 404);
      const headers = { 'content-type': 'application/json' };
      const url = `${gateway.url}/mcp/messages?sessionId=${session.id}`;
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
      const peer = await SsePeer.open(gateway.url);
      for (const origin of ORIGINS) {
        assert.equal((await session.post(ping, { origin })).status, 403, `POST ${origin}`);
        assert.equal((await peer.post(ping, { origin })).status, 403, `POST messages ${origin}`);
        for (const path of ['/mcp', '/mcp/sse', '/mcp/s/good', '/metrics', '/readyz']) {
          const reply = await SseStream.open(`${gateway.url}${path}`, { ...session.headers, origin });
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
        const reply = await fetchRaw(`${gateway.url}/mcp/sse`, { headers: { host, accept: 'text/event-stream' } });
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
        const reply = await fetchRaw(`${gateway.url}${path}`, {
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
        const reply = await fetchRaw(`${gateway.url}${path}`, { method, headers: session.headers });
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
      const reply = await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: POST_HEADERS, body: ping });
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
        `POST /mcp HTTP/1.1\r\nHost: ${gateway.host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      );
      await within(once(socket, 'close'), 'close');
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    });
  });

  describe('WebSocket handshake', () => {
    const url = (path = '/mcp/ws'): string => `${gateway.url.replace(/^http/, 'ws')}${path}`;

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
      assert.equal(await upgrade(url(), ['mcp'], { origin: gateway.url }), 101);
    });

    it('unknown path: 404', async () => {
      assert.equal(await upgrade(url('/mcp/nothing'), ['mcp']), 404);
    });

    it('a plain GET is refused', async () => {
      const reply = await fetchRaw(`${gateway.url}/mcp/ws`);
      assert.ok([404, 426].includes(reply.status), String(reply.status));
    });

    it('a subprotocol that nobody speaks is not accepted', async () => {
      assert.notEqual(await upgrade(url(), ['soap', 'graphql-ws']), 101);
    });

    it('binary frames: closed with 1003', async () => {
      const peer = await WebSocketPeer.open(gateway.url);
      assert.equal((await peer.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'))).closed, 1003);
    });

    it('a text frame that is no UTF-8: closed with 1007', async () => {
      const peer = await WebSocketPeer.open(gateway.url);
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
