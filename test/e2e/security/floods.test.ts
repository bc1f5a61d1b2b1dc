/** One client that sends as much as it can, at once: others are answered between its messages. */
import assert from 'node:assert/strict';
import { RAW_PEERS, WebSocketPeer } from '../../support/raw-peers.js';
import { PhoenixPeer } from '../../support/phoenix-peer.js';
import { type Json } from '../../support/raw-http.js';
import { goodGateway, works } from '../good-gateway.js';

const FLOOD = 20_000;

/** Distinct names and values in the arguments of a call. */
function call(args: string): string {
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":${args}}}`;
}
const TOO_MANY: Readonly<Record<string, string>> = {
  values: call(`{"text":"t","more":[${'1,'.repeat(100_000)}1]}`),
  names: call(`{"text":"t",${Array.from({ length: 10_001 }, (_, n) => `"n${n}":1`).join(',')}}`),
};

describe('floods', () => {
  const world = goodGateway();

  it('WebSocket: of 20,000 requests in one write one is read in each turn, so another client is answered in between', async () => {
    const flood = await WebSocketPeer.open(world.gateway.url);
    const other = await WebSocketPeer.open(world.gateway.url);
    const from = flood.messages.items.length;
    for (let id = 1; id <= FLOOD; id += 1) flood.socket.send(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    await flood.messages.waitFor(({ id }) => id === 1, 'the first answer', from);
    await other.request('ping');
    const before = flood.messages.items.length - from;
    await flood.messages.waitFor(({ id }) => id === FLOOD, 'the last answer', from);
    assert.ok(before < FLOOD / 2, `${before} of ${FLOOD} were answered before the other client`);
    await flood.close();
    await other.close();
  });

  for (const { name, open } of [...RAW_PEERS, { name: 'Phoenix', open: (base: string) => PhoenixPeer.open(base) }]) {
    it(`${name}: a message with too many values or names is refused by name, and the connection goes on`, async () => {
      const peer = await open(world.gateway.url);
      for (const [what, text] of Object.entries(TOO_MANY)) {
        const { messages, status } = await peer.send(text);
        const { error } = messages[0] ?? {};
        assert.deepEqual([what, error?.code, (error?.data as Json)['reason']], [what, -32600, 'too_many_values']);
        if (status !== undefined) assert.equal(status, 400);
        await works(peer);
      }
      // Below the limits the same shapes pass.
      const { result } = await peer.request('tools/call', {
        name: 'good__echo',
        arguments: { text: 'large', more: Array.from({ length: 50_000 }, () => 1) },
      });
      assert.ok(result !== undefined);
      await works(peer);
      await peer.close();
    });
  }
});
