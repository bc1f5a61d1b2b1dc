/**
 * What hostile clients send, on each transport of clients: messages that smuggle, nest, pollute or are too large, ids that
 * collide, pages that come from elsewhere. The matrix of docs/security.md names this file where no other test has the cell.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { upgradeStatus } from '../../support/auth/peers.js';
import { type Door, DOORS, ModernPeer, reasonOf, welcome } from '../../support/doors.js';
import { EventLog } from '../../support/event-log.js';
import { eventually, within } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { onLines } from '../../support/lines.js';
import { fetchRaw, type Json, POST_HEADERS, type Wire } from '../../support/raw-http.js';
import { type RawPeer, SsePeer } from '../../support/raw-peers.js';
import { MAX_BODY } from '../../support/settings.js';
import { modernMessage } from '../eras/modern-http.js';
import { goodGateway, works } from '../good-gateway.js';

const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
/** Of the five transports; 1,000 together. */
const CLIENTS_OF_EACH = 200;
/** Calls on their way at once, below what one server may have outstanding. */
const BATCH = 50;

/** Members that stand twice: whoever reads the first calls another tool than whoever reads the last. */
const SMUGGLED: Readonly<Record<string, string>> = {
  'a method twice': '"method":"tools/call","method":"ping","params":{"name":"good__env"}',
  'a method twice, escaped': '"method":"ping","meth\\u006fd":"tools/call","params":{"name":"good__env"}',
  'an id twice': '"id":2,"method":"tools/call","params":{"name":"good__env"}',
  'a name twice': '"method":"tools/call","params":{"name":"good__echo","name":"good__env","arguments":{"text":"x"}}',
  'a name twice but for case':
    '"method":"tools/call","params":{"name":"good__echo","Name":"good__env","arguments":{"text":"x"}}',
};
const NESTED: Readonly<Record<string, string>> = {
  '100,000 arrays': '['.repeat(100_000),
  'objects in the arguments': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}}`,
};

describe('hostile messages on each transport', () => {
  const world = goodGateway();
  const base = (): string => world.gateway.url;

  for (const door of DOORS) {
    describe(door.name, () => {
      let peer: RawPeer;
      beforeEach(async () => {
        peer = await door.open(base());
      });
      afterEach(async () => {
        await peer.close();
      });

      async function refused(what: string, text: string, reason?: string): Promise<void> {
        const { status, messages } = await peer.send(text);
        if (status !== undefined) assert.equal(status, 400, what);
        assert.deepEqual(
          messages.map(({ error }) => error?.code),
          [INVALID_REQUEST],
          `${what}: ${JSON.stringify(messages)}`,
        );
        if (reason !== undefined) assert.equal(reasonOf(messages[0] ?? {}), reason, what);
        await works(peer);
      }

      it('smuggled members are refused, and no call comes of them', async () => {
        const from = world.hub.position;
        for (const [what, members] of Object.entries(SMUGGLED))
          await refused(what, `{"jsonrpc":"2.0","id":1,${members}}`, 'duplicate_key');
        const called = (): unknown[] =>
          world.hub.log.items.slice(from).flatMap(({ event, tool }) => (event === 'call' ? [tool] : []));
        // A server tells of its calls in their order: when it has told of the last one, it has told of all.
        await eventually(() =>
          assert.ok(called().filter((tool) => tool === 'echo').length >= Object.keys(SMUGGLED).length),
        );
        assert.ok(!called().includes('env'), String(called()));
      });

      it('deep JSON is refused by name', async () => {
        for (const [what, text] of Object.entries(NESTED)) await refused(what, text, 'too_deep');
      });

      it('names that mean something in JavaScript are data, as members and as methods', async () => {
        const evil = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as Json;
        const params = { name: 'good__echo', arguments: { ...evil, text: 'data' } };
        const text = JSON.stringify(
          door.name === 'HTTP, modern' ? modernMessage('tools/call', params) : call(7, params),
        ).replace('"constructor"', '"__proto__":{"polluted":2},"constructor"');
        const { messages } = await peer.send(text);
        assert.equal(
          textOf(messages.find(({ result }) => result !== undefined)?.result),
          'data',
          JSON.stringify(messages),
        );
        for (const method of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
          assert.equal((await peer.request(method)).error?.code, METHOD_NOT_FOUND, method);
        for (const name of ['__proto__', 'constructor', 'good____proto__'])
          assert.equal(reasonOf(await peer.request('tools/call', { name })), 'unknown_tool', name);
        await works(peer);
      });

      it('a message past the limit is 413, or closes with 1009', async () => {
        const params = { name: 'good__echo', arguments: { text: 'x'.repeat(MAX_BODY) } };
        const { status, closed } = await peer.send(JSON.stringify(call(1, params)));
        assert.deepEqual([status, closed], door.name.startsWith('HTTP') ? [413, undefined] : [undefined, 1009]);
        await withoutLength(door);
      });

      it('a page from elsewhere, or another name for this host, is 403', async () => {
        const { host } = world.gateway;
        const port = host.split(':')[1] ?? '';
        for (const origin of ['https://evil.example', 'null', `http://127.0.0.1.evil.example:${port}`])
          assert.equal((await door.knock(base(), { origin })).status, 403, origin);
        for (const name of ['evil.example', `evil.example:${port}`, '169.254.169.254'])
          assert.equal((await door.knock(base(), { host: name })).status, 403, name);
        assert.equal((await door.knock(base(), { origin: `http://${host}` })).status, welcome(door));
      });
    });
  }

  const call = (id: string | number, params: Json): Json => ({ jsonrpc: '2.0', id, method: 'tools/call', params });

  /** The same without Content-Length, where there is one. */
  async function withoutLength(door: Door): Promise<void> {
    const chunks = Array.from({ length: 1 + MAX_BODY / 16_384 }, () => 'x'.repeat(16_384));
    if (door.name === 'HTTP, modern') {
      const params = { name: 'good__echo' };
      assert.equal((await new ModernPeer(base()).post(chunks, 'tools/call', params)).status, 413);
    }
  }

  it(`${CLIENTS_OF_EACH * DOORS.length} clients on all transports use the ids 1 and "1": nobody gets what is another’s`, async function () {
    this.timeout(120_000);
    const peers: RawPeer[] = [];
    for (const { open } of DOORS)
      for (let done = 0; done < CLIENTS_OF_EACH; done += BATCH)
        peers.push(...(await Promise.all(Array.from({ length: BATCH }, () => open(base())))));
    // In turns, so that what is on its way at once is of all transports.
    const mixed = Array.from(
      { length: peers.length },
      (_, at) => peers[(at % DOORS.length) * CLIENTS_OF_EACH + Math.floor(at / DOORS.length)]!,
    );
    const foreign: string[] = [];
    const exchange = async (peer: RawPeer, id: string | number): Promise<void> => {
      const nonce = `${typeof id}-${randomUUID()}`;
      const answer = await peer.request('tools/call', { name: 'good__echo', arguments: { text: nonce } }, id);
      assert.strictEqual(answer.id, id);
      if (textOf(answer.result) !== nonce) foreign.push(textOf(answer.result));
    };
    for (let at = 0; at < mixed.length; at += BATCH / 2)
      await Promise.all(mixed.slice(at, at + BATCH / 2).flatMap((peer) => [exchange(peer, 1), exchange(peer, '1')]));
    assert.deepEqual(foreign, []);
    await Promise.all(peers.map((peer) => peer.close()));
  });

  for (const door of DOORS) {
    it(`${door.name}: 1 and "1" of two clients are four requests, whatever comes first`, async () => {
      const [a, b] = [await door.open(base()), await door.open(base())];
      const calls = new Map<string, Promise<Wire>>();
      for (const [peer, id] of [
        [a, 1],
        [a, '1'],
        [b, 1],
        [b, '1'],
      ] as const) {
        const gate = randomUUID();
        calls.set(gate, peer.request('tools/call', { name: 'good__slow', arguments: { gate } }, id));
        await world.hub.waitFor('good', 'held', (event) => event['gate'] === gate);
      }
      const held = world.hub.events('good', 'held').filter(({ gate }) => calls.has(String(gate)));
      assert.equal(new Set(held.map(({ requestId }) => requestId)).size, 4, 'each has an id of its own upstream');
      for (const [gate, answer] of [...calls].reverse()) {
        world.hub.tell('good', 'release', { gate });
        assert.equal(textOf((await answer).result), `released ${gate}`);
      }
      for (const peer of [a, b]) await peer.close();
    });
  }

  describe('what is not MCP', () => {
    const PAGES = [
      ['GET', '/metrics'],
      ['GET', '/healthz'],
      ['GET', '/.well-known/oauth-protected-resource'],
      ['POST', '/mcp/ticket'],
      ['GET', '/mcp/dashboard'],
      ['GET', '/mcp/dashboard/events'],
      ['POST', '/mcp/dashboard/admin'],
      ['DELETE', '/mcp'],
      ['OPTIONS', '/mcp'],
      ['GET', '/nowhere'],
    ] as const;
    for (const [method, path] of PAGES) {
      it(`${method} ${path} with a bad Origin or Host: 403`, async () => {
        for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' }]) {
          const reply = await fetchRaw(`${base()}${path}`, { method, headers });
          assert.equal(reply.status, 403, JSON.stringify(headers));
          assert.match(String(reasonOf(JSON.parse(reply.body) as Wire)), /^forbidden_(origin|host)$/);
        }
      });
    }

    it('the console’s WebSocket with a bad Origin or Host: 403', async () => {
      const feed = `${base().replace(/^http/, 'ws')}/mcp/dashboard/feed`;
      for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' }])
        assert.equal(await upgradeStatus(feed, [], headers), 403, JSON.stringify(headers));
    });
  });

  describe('consoles', () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const objects = '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000);
    const LINES: readonly string[] = [
      '['.repeat(60_000),
      deep,
      `{"id":2,"method":"send","params":{"actor":"upstream:good","message":"reconnect","args":${deep}}}`,
      `{"id":3,"method":"send","params":{"actor":"/drain","message":"nothing","args":${objects}}}`,
      `{"id":4,"method":"policy-check","params":{"tool":"x","claims":{"a":${deep}}}}`,
      '{"id":5,"method":"status","__proto__":{"params":{"polluted":1}},"constructor":{"prototype":{"polluted":1}}}',
      '{"id":6,"method":"__proto__"}',
      '{"id":7,"method":"constructor"}',
      '{"id":8,"method":"actors","params":{"actor":"__proto__"}}',
    ];
    const STATUS = '{"id":99,"method":"status"}';
    const crashes = (): unknown[] => world.gateway.logs.items.filter(({ event }) => event === 'defect');

    it('the admin socket: one answer to each deep or polluting line, and the next is served', async () => {
      const socket = connect(world.gateway.socketPath);
      const answers = new EventLog<Json>();
      onLines(socket, (line) => answers.push(JSON.parse(line) as Json));
      for (const line of [...LINES, STATUS]) socket.write(`${line}\n`);
      const last = await answers.waitFor(({ id }) => id === 99, 'the status');
      assert.equal(last['ok'], true);
      assert.equal(answers.items.length, LINES.length + 1);
      assert.deepEqual(crashes(), []);
      socket.destroy();
    });

    it('the page’s POST and WebSocket: the same', async () => {
      const headers = { 'content-type': 'application/json' };
      const post = (body: string) => fetchRaw(`${base()}/mcp/dashboard/admin`, { method: 'POST', headers, body });
      for (const line of LINES) assert.ok([200, 400].includes((await post(line)).status), line.slice(0, 60));
      assert.equal((await post(STATUS)).status, 200);
      assert.equal((await post(`"${'x'.repeat(65_536)}"`)).status, 413);
      const socket = new WebSocket(`${base().replace(/^http/, 'ws')}/mcp/dashboard/feed`);
      const answers = new EventLog<Json>();
      socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString()) as Json));
      await within(once(socket, 'open'), 'open');
      for (const line of [...LINES, STATUS]) socket.send(`${line}\n`);
      assert.equal((await answers.waitFor(({ id }) => id === 99, 'the status'))['ok'], true);
      // What this console may do comes first, unasked.
      assert.equal(answers.items.length, LINES.length + 2);
      assert.deepEqual(crashes(), []);
      socket.terminate();
    });
  });

  describe('what swells', () => {
    const SOCKETS: Readonly<Record<string, string>> = {
      WebSocket: '/mcp/ws',
      Phoenix: '/mcp/ws/websocket?vsn=2.0.0',
      'the console’s': '/mcp/dashboard/feed',
    };
    async function open(path: string): Promise<{ socket: WebSocket; closed: Promise<number> }> {
      const socket = new WebSocket(`${base().replace(/^http/, 'ws')}${path}`, { perMessageDeflate: true });
      socket.on('error', () => undefined);
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      await within(once(socket, 'open'), 'open');
      return { socket, closed };
    }

    for (const [name, path] of Object.entries(SOCKETS)) {
      it(`${name}: compression is not spoken, a compressed frame closes with 1002`, async () => {
        const { socket, closed } = await open(path);
        assert.equal(socket.extensions, '');
        (socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])); // RSV1
        assert.equal(await within(closed, 'close'), 1002);
      });

      it(`${name}: 2,000 tiny fragments close with 1008`, async () => {
        const { socket, closed } = await open(path);
        for (let i = 0; i < 2_000 && socket.readyState === socket.OPEN; i += 1) socket.send('x', { fin: false });
        assert.equal(await within(closed, 'close'), 1008);
      });

      it(`${name}: a message past the limit closes with 1009`, async () => {
        const { socket, closed } = await open(path);
        socket.send('x'.repeat(MAX_BODY + 1));
        assert.equal(await within(closed, 'close'), 1009);
      });
    }

    it('a body that is compressed is inflated by nobody, on all that takes POST', async () => {
      const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 9 });
      assert.ok(bomb.length < MAX_BODY);
      const sse = await SsePeer.open(base());
      const encoded = { 'content-encoding': 'gzip' };
      const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'ping' };
      for (const [url, headers] of [
        [`${base()}/mcp`, {}],
        [`${base()}/mcp`, modern],
        [sse.endpoint, {}],
      ] as const) {
        const all = { ...POST_HEADERS, ...encoded, ...headers, 'content-length': String(bomb.length) };
        const reply = await fetchRaw(url, { method: 'POST', headers: all, body: [bomb] });
        assert.ok([400, 415].includes(reply.status), `${reply.status} ${reply.body}`);
      }
      await works(sse);
      await sse.close();
    });
  });
});
