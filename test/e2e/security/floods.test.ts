/** One client that sends as much as it can, at once: others are answered between its messages. */
import assert from 'node:assert/strict';
import { type Socket } from 'node:net';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { eventually } from '../../support/eventually.js';
import { RAW_PEERS, WebSocketPeer } from '../../support/raw-peers.js';
import { PhoenixPeer } from '../../support/phoenix-peer.js';
import { type Json } from '../../support/raw-http.js';
import { goodGateway, works } from '../good-gateway.js';

const FLOOD = 100_000;

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

  it('WebSocket: 100,000 messages in one write are read in turn with others, who are answered in between', async () => {
    const flood = await WebSocketPeer.open(world.gateway.url);
    const other = await WebSocketPeer.open(world.gateway.url);
    const read = async (): Promise<number> => {
      const connections = await world.gateway.admin<ConnectionSnapshot[]>('connections');
      return Math.max(...connections.map(({ messagesIn }) => messagesIn));
    };
    // Notifications: nobody answers them, so nothing but the gateway's reading takes time.
    const text = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"none","progress":1}}';
    const { _socket: raw } = flood.socket as unknown as { _socket: Socket };
    raw.cork();
    for (let sent = 0; sent < FLOOD; sent += 1) flood.socket.send(text);
    raw.uncork();
    await other.request('ping');
    const before = await read();
    assert.ok(before < FLOOD, 'the other client was answered after the flood');
    await eventually(async () => assert.ok((await read()) >= FLOOD), { what: 'all of the flood is read' });
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
