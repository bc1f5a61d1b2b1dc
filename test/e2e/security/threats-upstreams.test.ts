/**
 * What hostile servers do, on each transport of upstreams: answers that nobody asked for, twice, or under the ids of another
 * server's calls; JSON that nests, pollutes or is too large; addresses that lead inside.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { reasonOf } from '../../support/doors.js';
import { eventually } from '../../support/eventually.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { LIARS, type Liar, MAX_IN_FLIGHT } from '../../support/liars.js';
import { type Wire } from '../../support/raw-http.js';
import { WebSocketPeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

/** `viable.maxMessageBytes` of liars. */
const MAX_MESSAGE = 1024 * 1024;

describe('hostile servers on each transport', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;
  const liars = new Map<string, Liar>();
  /** Where nobody may be led. */
  let inside: Server;
  let visits = 0;

  before(async () => {
    inside = createServer((_, response) => {
      visits += 1;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    hub = await FixtureHub.start();
    for (const [transport, start] of Object.entries(LIARS))
      for (const name of [transport, `${transport}-other`]) liars.set(name, await start(hub, name));
    const mcpServers = Object.fromEntries([...liars].map(([name, { entry }]) => [name, entry]));
    // The audit looks at one of them several times a second: nothing here may mistake it for the session that serves.
    const gatewaySettings = settings({ vsm: { audit: { meanInterval: 100 } } });
    gateway = await startGateway({ config: { mcpServers, gateway: gatewaySettings } });
    await gateway.waitForTools([...liars.keys()].map((name) => `${name}__hold`));
    client = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    for (const liar of liars.values()) await liar.close();
    await hub.close();
    inside.close();
  });

  const liarOf = (name: string): Liar => {
    const liar = liars.get(name);
    assert.ok(liar);
    return liar;
  };

  /** A call that the server holds: the id that it came under, and the answer. */
  async function held(name: string): Promise<{ id: string | number; answer: Promise<Wire> }> {
    const nonce = randomUUID();
    const answer = client.request('tools/call', { name: `${name}__hold`, arguments: { nonce } });
    answer.catch(() => undefined);
    return { id: await liarOf(name).held(nonce), answer };
  }

  const dropped = async (): Promise<number> =>
    (await gateway.status()).drops
      .filter(({ reason }) => /unknown|duplicate|late/.test(reason))
      .reduce((sum, { count }) => sum + count, 0);

  const text = (value: string): object => ({ content: [{ type: 'text', text: value }] });
  const result = (id: unknown, value: string): string => JSON.stringify({ jsonrpc: '2.0', id, result: text(value) });

  /** It and the others are well. */
  async function works(name: string): Promise<void> {
    for (const each of liars.has(`${name}-other`) ? [name, `${name}-other`] : [name]) {
      await gateway.waitForUpstream(each, ({ state }) => state === 'ready', 'is ready');
      const call = await held(each);
      liarOf(each).write(result(call.id, 'well'));
      assert.equal(textOf((await call.answer).result), 'well');
    }
  }

  for (const name of Object.keys(LIARS)) {
    describe(name, () => {
      it('answers under unknown ids, twice, or under those of another server’s call: dropped, counted, one answer', async () => {
        const [mine, other] = [await held(name), await held(`${name}-other`)];
        const liar = liarOf(name);
        const before = await dropped();
        const from = client.messages.items.length;
        const spoofs = [999_999_999, 'never-asked', String(mine.id), typeof other.id === 'number' ? other.id : -1];
        // The id of the other's call is one of this connection too when they happen to be equal.
        const unknown = spoofs.filter((id) => id !== mine.id);
        for (const id of unknown) liar.write(result(id, 'spoofed'));
        liar.write(result(mine.id, 'mine'));
        assert.equal(textOf((await mine.answer).result), 'mine');
        liarOf(`${name}-other`).write(result(other.id, 'other'));
        assert.equal(textOf((await other.answer).result), 'other');
        for (const id of [mine.id, mine.id]) liar.write(result(id, 'again'));
        liar.write(JSON.stringify({ jsonrpc: '2.0', id: mine.id, error: { code: -32603, message: 'third' } }));
        await eventually(async () => assert.ok((await dropped()) >= before + unknown.length + 3));
        await works(name);
        const answers = client.messages.items.slice(from).filter(({ method }) => method === undefined);
        assert.equal(answers.length, 4, JSON.stringify(answers));
      });

      it('deep JSON, names that mean something in JavaScript, what is no message: skipped, or passed on as data', async () => {
        const one = await held(name);
        const liar = liarOf(name);
        for (const junk of ['['.repeat(100_000), '{"a":'.repeat(100_000), '{"jsonrpc":"2.0"}', 'hello', '[]', 'null'])
          liar.write(junk);
        // An answer but for its depth: it is none, and what comes after it is.
        const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
        liar.write(`{"jsonrpc":"2.0","id":${JSON.stringify(one.id)},"result":${deep}}`);
        liar.write('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
        const evil = `{"jsonrpc":"2.0","id":${JSON.stringify(one.id)},"result":{"__proto__":{"polluted":1},"content":[{"type":"text","text":"data","constructor":{}}]}}`;
        liar.write(evil);
        const { result: got } = await one.answer;
        assert.equal(textOf(got), 'data');
        assert.ok(Object.hasOwn(got ?? {}, '__proto__'), 'passed on as it is');
        await works(name);
      });

      it('one that answers nothing has no more calls than it may; the next is refused at once, and none is left', async () => {
        const waiting = [];
        for (let i = 0; i < MAX_IN_FLIGHT; i += 1) waiting.push(await held(name));
        const refused = await client.request('tools/call', { name: `${name}__hold`, arguments: { nonce: 'more' } });
        assert.equal(reasonOf(refused), 'overloaded');
        await works(`${name}-other`);
        // Of Streamable HTTP each has a stream of its own: the last one came last.
        for (const { id, answer } of waiting.reverse()) {
          liarOf(name).write(result(id, 'late'));
          assert.equal(textOf((await answer).result), 'late');
        }
        await gateway.waitForUpstream(name, ({ inFlight }) => inFlight === 0, 'has nothing in flight');
        await works(name);
      });

      it('an answer past the limit: one typed error, and it is served again', async () => {
        const one = await held(name);
        liarOf(name).write(result(one.id, 'x'.repeat(MAX_MESSAGE)));
        const { error } = await one.answer;
        assert.ok(error, 'an error');
        assert.ok(Number.isInteger(error.code) && error.message.length > 0);
        await works(name);
      });
    });
  }

  describe('addresses that lead inside', () => {
    const target = (path: string): string => `http://127.0.0.1:${(inside.address() as AddressInfo).port}${path}`;

    /** A gateway whose server is answered for by `answer`: how it fails. */
    async function failure(type: 'http' | 'sse' | 'ws', answer: Parameters<typeof createServer>[1]): Promise<string> {
      const server = createServer(answer).listen(0, '127.0.0.1');
      await once(server, 'listening');
      if (type === 'ws') server.on('upgrade', (_, socket) => void socket.end(MOVED(target('/ws'))));
      const { port } = server.address() as AddressInfo;
      const url = `${type === 'ws' ? 'ws' : 'http'}://127.0.0.1:${port}/mcp`;
      const other = await startGateway({ config: { mcpServers: { led: { url, type } }, gateway: settings() } });
      const { lastError } = await other.waitForUpstream('led', ({ lastError: error }) => error !== null, 'has failed');
      await other.stop();
      server.closeAllConnections();
      server.close();
      return lastError?.message ?? '';
    }
    const MOVED = (location: string): string =>
      `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

    for (const type of ['http', 'sse', 'ws'] as const) {
      it(`${type}: no redirect is followed`, async () => {
        const why = await failure(type, (_, response) =>
          response.writeHead(307, { location: target('/redirected') }).end(),
        );
        assert.match(why, /redirects are not followed/);
        assert.equal(visits, 0);
      });
    }

    it('sse: messages are sent to no other origin than that of the stream', async () => {
      const why = await failure('sse', (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: endpoint\ndata: ${target('/messages')}\n\n`);
      });
      assert.match(why, /origin|endpoint/);
      assert.equal(visits, 0);
    });

    it('http: an answer that is compressed is inflated by nobody', async () => {
      const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 9 });
      const why = await failure('http', (_, response) =>
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb),
      );
      assert.match(why, /no JSON-RPC/);
    });
  });
});
