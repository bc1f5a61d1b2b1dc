/**
 * Params that no request may have: answered by the gateway on every transport, in both eras, with `invalid_params`; no
 * server ever sees them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { EventLog } from '../support/event-log.js';
import { within } from '../support/eventually.js';
import { ROOT } from '../support/gateway.js';
import { onLines } from '../support/lines.js';
import { PhoenixPeer } from '../support/phoenix-peer.js';
import { fetchRaw, initializeRequest, messagesIn, type Json, type Wire } from '../support/raw-http.js';
import { RAW_PEERS, type RawPeerKind } from '../support/raw-peers.js';
import { modernHeaders, modernMessage } from './eras/modern-http.js';
import { goodGateway, works } from './good-gateway.js';

const INVALID_PARAMS = -32602;

/** A call that would be forwarded, were its params as they should be. */
const call = (params: unknown): Json => ({ jsonrpc: '2.0', id: 'bad', method: 'tools/call', params });
const good = { name: 'good__echo', arguments: { text: 'must not arrive' } };

const BAD: Readonly<Record<string, unknown>> = {
  '_meta null': { ...good, _meta: null },
  'an array as _meta': { ...good, _meta: [{ progressToken: 1 }] },
  'a string as _meta': { ...good, _meta: 'x' },
  'a number as _meta': { ...good, _meta: 0 },
  'an array as params': ['good__echo', { text: 'must not arrive' }],
  'null as params': null,
  'a string as params': 'good__echo',
};

const KINDS: readonly RawPeerKind[] = [
  ...RAW_PEERS,
  { name: 'Phoenix Channels', open: async (base) => await PhoenixPeer.open(base) },
];

describe('bad params', () => {
  const world = goodGateway();

  function refused(answer: Wire | undefined, what: string): void {
    assert.equal(answer?.error?.code, INVALID_PARAMS, `${what}: ${JSON.stringify(answer)}`);
    const calls = world.hub.events('good', 'call');
    assert.ok(!JSON.stringify(calls).includes('must not arrive'));
  }

  for (const { name, open } of KINDS) {
    it(`${name}: answered with ${INVALID_PARAMS}, the connection goes on`, async () => {
      const peer = await open(world.gateway.url);
      for (const [what, params] of Object.entries(BAD)) {
        const { messages } = await peer.send(JSON.stringify(call(params)));
        assert.equal(messages.length, 1, what);
        refused(messages[0], what);
      }
      await works(peer);
      await peer.close();
    });
  }

  it('the modern era, over HTTP and on a WebSocket', async () => {
    const whole = modernMessage('tools/call', good);
    const [, , websocket] = RAW_PEERS;
    const peer = await websocket!.open(world.gateway.url);
    for (const [what, params] of Object.entries(BAD)) {
      const body = JSON.stringify({ ...whole, params });
      const headers = modernHeaders('tools/call', good);
      const reply = await fetchRaw(`${world.gateway.url}/mcp`, { method: 'POST', headers, body });
      assert.equal(reply.status, 400, what);
      refused(messagesIn(reply)[0], what);
      const { messages } = await peer.send(body);
      refused(messages[0], what);
    }
    await peer.close();
  });

  it('viable stdio: the client is answered in its place', async () => {
    const cli = path.join(ROOT, 'dist/cli.js');
    const child = spawn(process.execPath, [cli, 'stdio', '--url', `${world.gateway.url}/mcp`], { stdio: 'pipe' });
    child.stderr.resume();
    const lines = new EventLog<Wire>();
    onLines(child.stdout, (line) => lines.push(JSON.parse(line) as Wire));
    const exited = new Promise((resolve) => child.once('close', resolve));
    const ask = async (message: Json): Promise<Wire> => {
      const from = lines.items.length;
      child.stdin.write(`${JSON.stringify(message)}\n`);
      return await lines.waitFor(({ id }) => id === message['id'], `answer ${String(message['id'])}`, from);
    };
    assert.ok((await ask(initializeRequest('2025-11-25', 'open'))).result);
    for (const [what, params] of Object.entries(BAD)) refused(await ask(call(params)), what);
    child.stdin.end();
    await within(exited, 'exit');
  });
});
