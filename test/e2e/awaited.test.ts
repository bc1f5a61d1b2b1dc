/**
 * Calls for servers that have listed nothing yet: one that is starting, one that has been down since the gateway started.
 * Their clients are told to try again, on every transport and in both eras; whoever may not see a server is told that
 * there is no such tool.
 */
import assert from 'node:assert/strict';
import { CLIENTS } from '../support/clients.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { RAW_PEERS, WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';
import { modernMessage, modernRequest } from './eras/modern-http.js';

interface Said {
  readonly code?: number;
  readonly data?: { readonly reason?: string; readonly server?: string; readonly retryAfter?: number };
}

const UNAVAILABLE = -31010;

function tryAgain(said: Said | undefined, server: string): void {
  assert.deepEqual([said?.code, said?.data?.reason, said?.data?.server], [UNAVAILABLE, 'upstream_unavailable', server]);
  const { retryAfter } = said?.data ?? {};
  assert.ok(Number.isInteger(retryAfter) && Number(retryAfter) >= 1, String(retryAfter));
}

const reasonOf = (wire: Wire): unknown => (wire.error?.data as Json | undefined)?.['reason'];

describe('servers that have listed nothing yet', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    const slow = { ...hub.stdio('raw/slow-start', 'starting'), viable: { timeouts: { connect: 600_000 } } };
    const down = { url: 'http://127.0.0.1:1/mcp' };
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          starting: slow,
          down: { ...down, viable: { deny: ['purge'] } },
          hidden: down,
          off: { ...down, disabled: true },
        },
        gateway: settings({ policy: { rules: [{ effect: 'deny', servers: ['hidden'] }] } }),
      },
    });
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  for (const { name, connect, singleUpstream } of CLIENTS) {
    it(`${name}: the client hears that it may try again`, async () => {
      const client = await connect(gateway.url);
      try {
        for (const server of ['starting', 'down']) {
          const heard = (error: Said): boolean => {
            tryAgain(error, server);
            return true;
          };
          await assert.rejects(client.callTool(`${server}__anything`, { of: 'it' }), heard);
          await assert.rejects(client.getPrompt(`${server}__anything`), heard);
          await assert.rejects(client.readResource(`viable://${server}/any:thing`), heard);
        }
        const unknown = ['hidden__anything', 'down__purge', 'off__anything', 'nobody__anything', 'good__nothing'];
        for (const tool of unknown)
          await assert.rejects(client.callTool(tool), (error: Said) => error.data?.reason === 'unknown_tool', tool);
        // SDK v2 makes an error of its own of it.
        const hidden = client.readResource('viable://hidden/any:thing');
        await assert.rejects(hidden, ({ code }: Said) => code === -32002 || code === -32602);
      } finally {
        await client.close();
      }
      if (!singleUpstream) return;
      const alone = await connect(gateway.url, '/mcp/s/down');
      await assert.rejects(alone.callTool('anything'), (error: Said) => {
        tryAgain(error, 'down');
        return true;
      });
      await assert.rejects(alone.callTool('purge'), (error: Said) => error.data?.reason === 'unknown_tool');
      await alone.close();
    });
  }

  for (const { name, open } of RAW_PEERS) {
    it(`${name}: a subscription, too`, async () => {
      const peer = await open(gateway.url);
      tryAgain((await peer.request('resources/subscribe', { uri: 'viable://down/any:thing' })).error as Said, 'down');
      const hidden = await peer.request('resources/subscribe', { uri: 'viable://hidden/any:thing' });
      assert.equal(reasonOf(hidden), 'resource_not_found');
      await peer.close();
    });
  }

  it('the modern era on a WebSocket, and with headers that speak of arguments', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const call = (name: string): Json => modernMessage('tools/call', { name, arguments: {} }, { id: name });
    tryAgain((await peer.exchange(call('down__anything'))).error as Said, 'down');
    assert.equal(reasonOf(await peer.exchange(call('hidden__anything'))), 'unknown_tool');
    await peer.close();
    const headers = { 'mcp-param-region': 'eu' };
    const params = { name: 'down__anything', arguments: { region: 'eu' } };
    tryAgain((await modernRequest(gateway.url, 'tools/call', params, { headers })).error as Said, 'down');
  });

  it('counts on the account of the server', async () => {
    const { failures } = await gateway.upstream('starting');
    await modernRequest(gateway.url, 'tools/call', { name: 'starting__anything', arguments: {} });
    assert.equal((await gateway.upstream('starting')).failures, failures + 1);
  });
});
