/** Phoenix Channels: the npm client as it is, and frames that it would never send. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Channel, type Payload, Socket } from 'phoenix';
import WebSocket from 'ws';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { EventLog } from '../support/event-log.js';
import { eventually, within } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway } from '../support/gateway.js';
import { PhoenixPeer, phoenixUrl, type Frame } from '../support/phoenix-peer.js';
import { initializeRequest, type Json, type Wire } from '../support/raw-http.js';
import { MAX_BODY, settings } from '../support/settings.js';
import { goodGateway, works } from './good-gateway.js';

const TOPIC = 'mcp:gateway';

function endpoint(base: string): string {
  return `${base.replace(/^http/, 'ws')}/mcp/ws`;
}

/** Resolves with the response, or rejects with it when it is an error. */
async function done(push: ReturnType<Channel['push']>, what: string): Promise<Payload> {
  const settled = new Promise<Payload>((resolve, reject) => {
    push
      .receive('ok', resolve)
      .receive('error', (response) => reject(new Error(JSON.stringify(response))))
      .receive('timeout', () => reject(new Error('timeout')));
  });
  return await within(settled, what);
}

/** The npm client with one joined and initialized channel. */
class Client {
  readonly messages = new EventLog<Wire>();
  readonly socket: Socket;
  channel: Channel;

  constructor(base: string, options: Json = {}) {
    this.socket = new Socket(endpoint(base), { transport: WebSocket, ...options });
    this.socket.connect();
    this.channel = this.#newChannel();
  }

  static async open(base: string, options: Json = {}): Promise<Client> {
    const client = new Client(base, options);
    await client.begin();
    return client;
  }

  async begin(): Promise<void> {
    await done(this.channel.join(), 'join');
    const answer = await this.ask(initializeRequest('2025-11-25', 'open'));
    assert.ok(answer.result, JSON.stringify(answer));
    await done(this.channel.push('mcp', { jsonrpc: '2.0', method: 'notifications/initialized' }), 'initialized');
  }

  async rejoin(): Promise<void> {
    this.channel = this.#newChannel();
    await this.begin();
  }

  async ask(message: Json): Promise<Wire> {
    const from = this.messages.items.length;
    await done(this.channel.push('mcp', message), String(message['method']));
    return await this.messages.waitFor((got) => got.id === message['id'] && got.method === undefined, 'answer', from);
  }

  async call(name: string, args: Json = {}, id: string | number = 1, meta: Json = {}): Promise<Wire> {
    return await this.ask({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: `good__${name}`, arguments: args, ...meta },
    });
  }

  async close(): Promise<void> {
    await within(new Promise<void>((resolve) => this.socket.disconnect(resolve)), 'disconnect');
  }

  #newChannel(): Channel {
    const channel = this.socket.channel(TOPIC, {});
    channel.on('mcp', (payload) => this.messages.push(payload));
    return channel;
  }
}

describe('Phoenix Channels', () => {
  const world = goodGateway();

  describe('the npm client', () => {
    it('runs the snippet of the documentation', async () => {
      const joined = await within(
        new Promise((resolve, reject) => {
          const socket = new Socket(endpoint(world.gateway.url), {
            params: {
              token: 'eyJhbGciOiJIUzI1NiIs...',
            },
            transport: WebSocket,
          });

          socket.connect();

          const channel = socket.channel('mcp:gateway', {});
          channel
            .join()
            .receive('ok', (resp) => {
              resolve([resp['user_id'], resp['role']]);
              socket.disconnect();
            })
            .receive('error', (resp) => {
              reject(new Error(`Auth failed: ${String(resp['reason'])}`));
            });
        }),
        'join',
      );
      assert.deepEqual(joined, ['anonymous', 'guest']);
    });

    it('lists and calls tools, gets errors', async () => {
      const client = await Client.open(world.gateway.url);
      const list = await client.ask({ jsonrpc: '2.0', id: 'l', method: 'tools/list' });
      assert.ok((list.result?.['tools'] as Json[]).some((tool) => tool['name'] === 'good__echo'));
      assert.equal(textOf((await client.call('echo', { text: 'grüße 🌍' })).result), 'grüße 🌍');
      assert.equal(textOf((await client.call('big', { bytes: 1 << 20 })).result).length, 1 << 20);
      const unknown = await client.ask({ jsonrpc: '2.0', id: 'u', method: 'no/such' });
      assert.equal(unknown.error?.code, -32601);
      assert.equal((await client.call('throws')).error?.code, -31999);
      await client.close();
    });

    it('gets progress in order, before the answer', async () => {
      const client = await Client.open(world.gateway.url);
      const from = client.messages.items.length;
      await client.call('progress', { steps: 5 }, 9, { _meta: { progressToken: 'p' } });
      const got = client.messages.items.slice(from).map(({ method, params }) => [method, params?.['progress']]);
      const steps = [1, 2, 3, 4, 5].map((step) => ['notifications/progress', step]);
      assert.deepEqual(got, [...steps, [undefined, undefined]]);
      await client.close();
    });

    it('leaves, which ends its work upstream, and joins again as a new session', async () => {
      const client = await Client.open(world.gateway.url);
      const gate = randomUUID();
      client.channel.push('mcp', {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'good__slow', arguments: { gate } },
      });
      await world.hub.waitFor('good', 'held', (event) => event['gate'] === gate);
      await done(client.channel.leave(), 'leave');
      await world.hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
      await client.rejoin();
      assert.equal(textOf((await client.call('echo', { text: 'again' })).result), 'again');
      await client.close();
    });

    it('keeps its connection by heartbeats', async () => {
      const client = await Client.open(world.gateway.url, { heartbeatIntervalMs: 20 });
      const beats = new EventLog<string | null>();
      client.socket.onMessage(({ topic, ref, payload }) => {
        if (topic === 'phoenix' && payload['status'] === 'ok') beats.push(ref);
      });
      await beats.waitFor(() => beats.items.length >= 5, 'five heartbeats');
      assert.ok(client.socket.isConnected());
      assert.equal(textOf((await client.call('echo', { text: 'alive' })).result), 'alive');
      await client.close();
    });

    it('20 sockets with equal refs and ids get their own answers', async () => {
      const clients = await Promise.all(Array.from({ length: 20 }, async () => await Client.open(world.gateway.url)));
      for (let round = 0; round < 3; round += 1) {
        const nonces = clients.map(() => randomUUID());
        const texts = clients.map(async (client, i) => textOf((await client.call('echo', { text: nonces[i] })).result));
        assert.deepEqual(await Promise.all(texts), nonces);
      }
      await Promise.all(clients.map(async (client) => await client.close()));
    });

    it('is told of another topic that it is unmatched', async () => {
      const client = await Client.open(world.gateway.url);
      const other = client.socket.channel('mcp:other', {});
      await assert.rejects(done(other.join(), 'join'), /unmatched topic/);
      await client.close();
    });

    it('is shown to operators, who can close it', async () => {
      const client = await Client.open(world.gateway.url, { reconnectAfterMs: () => 60_000 });
      const connections = await world.gateway.admin<ConnectionSnapshot[]>('connections');
      const own = connections.find(({ actor }) => /\/phx-\d+$/.test(actor));
      assert.equal(own?.route, '/mcp/ws/websocket');
      assert.equal(own.client, 'raw-client/1.0.0');
      const errored = new Promise<void>((resolve) => client.channel.onError(resolve));
      const closed = new Promise<number>((resolve) => client.socket.onClose(({ code }) => resolve(code)));
      await world.gateway.admin('send', { actor: own.actor, message: 'close' });
      await within(errored, 'phx_error');
      assert.equal(await within(closed, 'close'), 1001);
      await client.close();
    });
  });

  describe('raw frames', () => {
    let peer: PhoenixPeer;
    beforeEach(async () => {
      peer = await PhoenixPeer.open(world.gateway.url);
    });
    afterEach(async () => {
      await peer.close();
    });

    const invalid: readonly (readonly [string, string, number])[] = [
      ['an empty object', '{}', -32600],
      ['a scalar', '42', -32600],
      ['no JSON', 'hello', -32700],
      ['two values', '{},{}', -32700],
      ['another JSON-RPC version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
      ['id null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
      ['a duplicate method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', -32600],
      ['10,000 nested arrays', '['.repeat(10_000), -32600],
      ['a batch in a revision without', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ];
    for (const [what, text, code] of invalid) {
      it(`${what} as message: the reply is ${code}, and the channel goes on`, async () => {
        const { messages } = await peer.send(text);
        assert.equal(messages[0]?.error?.code, code, JSON.stringify(messages));
        await works(peer);
      });
    }

    const malformed: readonly (readonly [string, string])[] = [
      ['no JSON', 'hello'],
      ['an empty frame', ''],
      ['an object', '{"topic":"mcp:gateway"}'],
      ['four elements', '["1","2","mcp:gateway","mcp"]'],
      ['a number as ref', '["1",2,"mcp:gateway","mcp",{}]'],
      ['a topic of 200,000 characters', `["1","2","${'t'.repeat(200_000)}","mcp",{}]`],
      ['an array as join parameters', '["3","3","mcp:gateway","phx_join",[]]'],
      ['a heartbeat with a broken payload', '[null,"3","phoenix","heartbeat",{]'],
    ];
    for (const [what, text] of malformed) {
      it(`${what}: the socket is closed with 1007`, async () => {
        peer.socket.send(text);
        assert.equal(await within(peer.closed, 'close'), 1007);
      });
    }

    it('a binary frame closes with 1003, a frame that is too large with 1009', async () => {
      const other = await PhoenixPeer.connect(world.gateway.url);
      other.socket.send(Buffer.from([0, 1, 1, 1, 1]));
      assert.equal(await within(other.closed, 'close'), 1003);
      peer.socket.send(`["1","2","mcp:gateway","mcp",{"x":"${'y'.repeat(MAX_BODY)}"}]`);
      assert.equal(await within(peer.closed, 'close'), 1009);
    });

    it('before a join and after a leave a message is an error', async () => {
      const fresh = await PhoenixPeer.connect(world.gateway.url);
      const ping: Frame = ['1', '5', TOPIC, 'mcp', { jsonrpc: '2.0', id: 1, method: 'ping' }];
      const refused = { status: 'error', response: { reason: 'unmatched topic' } };
      assert.deepEqual((await fresh.exchange(ping))[4], refused);
      assert.equal((await fresh.exchange(['1', '1', TOPIC, 'phx_join', {}]))[4]['status'], 'ok');
      assert.equal((await fresh.exchange(ping))[4]['status'], 'ok');
      assert.equal((await fresh.exchange(['1', '6', TOPIC, 'phx_leave', {}]))[4]['status'], 'ok');
      assert.deepEqual(await fresh.frames.waitFor(([, , , event]) => event === 'phx_close', 'phx_close'), [
        '1',
        '1',
        TOPIC,
        'phx_close',
        {},
      ]);
      assert.deepEqual((await fresh.exchange(['1', '7', TOPIC, 'mcp', ping[4]]))[4], refused);
      await fresh.close();
    });

    it('a second join closes the first channel, whose late pushes are refused', async () => {
      const joined = await peer.exchange(['9', '9', TOPIC, 'phx_join', {}]);
      assert.deepEqual(joined, [
        '9',
        '9',
        TOPIC,
        'phx_reply',
        { status: 'ok', response: { user_id: 'anonymous', role: 'guest' } },
      ]);
      const events = peer.frames.items.filter(([, , , event]) => event === 'phx_close');
      assert.deepEqual(events, [['1', '1', TOPIC, 'phx_close', {}]]);
      const late = await peer.exchange(['1', '10', TOPIC, 'mcp', { jsonrpc: '2.0', id: 1, method: 'ping' }]);
      assert.equal(late[4]['status'], 'error');
      const fresh = await peer.exchange(['9', '11', TOPIC, 'mcp', { jsonrpc: '2.0', id: 2, method: 'ping' }]);
      assert.equal(fresh[4]['status'], 'ok');
    });

    it('an unknown event is an error, the channel goes on', async () => {
      const reply = await peer.exchange(['1', '10', TOPIC, 'chat', {}]);
      assert.deepEqual(reply[4], { status: 'error', response: { reason: 'unknown event' } });
      await works(peer);
    });

    it('other versions of the serializer are refused with 403', async () => {
      for (const query of ['', '?vsn=1.0.0', '?vsn=3.0.0', '?vsn=']) {
        const socket = new WebSocket(phoenixUrl(world.gateway.url, query));
        const refused = once(socket, 'unexpected-response') as Promise<[unknown, { statusCode: number }]>;
        socket.on('error', () => undefined);
        const [, response] = await within(refused, 'refusal');
        assert.equal(response.statusCode, 403, query);
        socket.terminate();
      }
    });
  });

  it('a client that drains is told on its channel, then closed with 1001', async () => {
    const gateway = await startGateway({
      config: { mcpServers: { good: world.hub.stdio('sdk-server', 'draining') }, gateway: settings() },
    });
    await gateway.waitForTools(['good__slow']);
    const peer = await PhoenixPeer.open(gateway.url);
    const gate = randomUUID();
    const held = peer.request('tools/call', { name: 'good__slow', arguments: { gate } });
    await world.hub.waitFor('draining', 'held', (event) => event['gate'] === gate);
    gateway.kill('SIGTERM');
    const [joinRef, ref, , , notice] = await peer.frames.waitFor(
      ([, , , event]) => event === 'shutdown_pending',
      'shutdown_pending',
    );
    assert.deepEqual([joinRef, ref, notice['type']], ['1', null, 'shutdown_pending']);
    assert.ok(Number(notice['reconnect_after']) > 0);
    world.hub.tell('draining', 'release', { gate });
    assert.equal(textOf((await held).result), `released ${gate}`);
    assert.equal(await within(peer.closed, 'close'), 1001);
    assert.equal(peer.frames.items.at(-1)?.[3], 'phx_error');
    await gateway.stop();
    await eventually(() => assert.equal(gateway.logs.items.filter(({ event }) => event === 'defect').length, 0));
  });
});
