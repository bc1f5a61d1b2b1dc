/** Clients never see each other's answers, even when all of them use the same ids. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { RAW_PEERS, WebSocketPeer, type RawPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CLIENTS = 100;
const ROUNDS = 3;

describe('isolation', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings() },
    });
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it(`${CLIENTS} clients on three transports use equal ids and get their own answers only`, async () => {
    const peers = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => await RAW_PEERS[index % RAW_PEERS.length]!.open(gateway.url)),
    );
    const foreign: string[] = [];
    const exchange = async (peer: RawPeer, id: string | number): Promise<void> => {
      const nonce = `${typeof id}-${randomUUID()}`;
      const answer = await peer.request('tools/call', { name: 'good__echo', arguments: { text: nonce } }, id);
      assert.strictEqual(answer.id, id);
      const text = textOf(answer.result);
      if (text !== nonce) foreign.push(text);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(peers.flatMap((peer) => [exchange(peer, 1), exchange(peer, '1'), exchange(peer, 2)]));
    }
    assert.deepEqual(foreign, []);
    await Promise.all(peers.map(async (peer) => await peer.close()));
    await eventually(async () => {
      const { connections, requests } = await gateway.status();
      assert.deepEqual([connections.total, requests.inFlight], [0, 0]);
    });
  });

  it('number 1 and string "1" are different requests, answered out of order', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const gates = { number: randomUUID(), string: randomUUID() };
    const held = (gate: string): Promise<unknown> => hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const call = (id: string | number, gate: string): ReturnType<RawPeer['request']> =>
      peer.request('tools/call', { name: 'good__slow', arguments: { gate } }, id);
    const number = call(1, gates.number);
    const string = call('1', gates.string);
    await Promise.all([held(gates.number), held(gates.string)]);
    hub.tell('good', 'release', { gate: gates.string });
    assert.equal(textOf((await string).result), `released ${gates.string}`);
    hub.tell('good', 'release', { gate: gates.number });
    assert.equal(textOf((await number).result), `released ${gates.number}`);
    await peer.close();
  });

  it('cancels the request of that id type only', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const gates = { number: randomUUID(), string: randomUUID() };
    const call = (id: string | number, gate: string): ReturnType<RawPeer['request']> =>
      peer.request('tools/call', { name: 'good__slow', arguments: { gate } }, id);
    const cancelled = call(1, gates.number);
    cancelled.catch(() => undefined);
    const kept = call('1', gates.string);
    for (const gate of Object.values(gates)) await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    await peer.notify('notifications/cancelled', { requestId: 1 });
    await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gates.number);
    hub.tell('good', 'release', { gate: gates.string });
    assert.equal(textOf((await kept).result), `released ${gates.string}`);
    await peer.close();
  });

  it('one client cannot cancel the request of another', async () => {
    const [victim, attacker] = await Promise.all([WebSocketPeer.open(gateway.url), WebSocketPeer.open(gateway.url)]);
    const gate = randomUUID();
    const call = victim.request('tools/call', { name: 'good__slow', arguments: { gate } }, 7);
    const { requestId } = await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    // By the victim's id, and by the id that the gateway uses upstream.
    for (const id of [7, '7', requestId]) await attacker.notify('notifications/cancelled', { requestId: id });
    await attacker.request('ping');
    hub.tell('good', 'release', { gate });
    assert.equal(textOf((await call).result), `released ${gate}`);
    await Promise.all([victim.close(), attacker.close()]);
  });

  it('progress and logs of one client do not reach another by token', async () => {
    const [mine, other] = await Promise.all([WebSocketPeer.open(gateway.url), WebSocketPeer.open(gateway.url)]);
    const call = async (peer: RawPeer): Promise<string> =>
      textOf(
        (
          await peer.request('tools/call', {
            name: 'good__progress',
            arguments: { steps: 5 },
            _meta: { progressToken: 1 },
          })
        ).result,
      );
    await Promise.all([call(mine), call(other), call(mine)]);
    await Promise.all([mine.request('ping'), other.request('ping')]);
    const seen = (peer: WebSocketPeer): number =>
      peer.messages.items.filter((message) => message.method === 'notifications/progress').length;
    assert.deepEqual([seen(mine), seen(other)], [10, 5]);
    await Promise.all([mine.close(), other.close()]);
  });
});
