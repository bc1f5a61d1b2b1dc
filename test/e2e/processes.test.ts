/** No process outlives the gateway, however it ends. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { startGateway, type Gateway } from '../support/gateway.js';
import { eventually } from '../support/eventually.js';
import { FixtureHub } from '../support/hub.js';
import { isAlive } from '../support/processes.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { textOf } from '../support/fixture-names.js';
import { settings } from '../support/settings.js';

describe('processes', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  /** Every upstream process and the grandchild. */
  let pids: number[];

  beforeEach(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          stubborn: hub.stdio('sdk-server', 'stubborn', '--stubborn'),
          grandchild: hub.stdio('raw/grandchild', 'grandchild', '--stubborn'),
          // As npx and shell wrappers do: the server is a grandchild of the gateway.
          wrapped: {
            command: 'sh',
            args: ['-c', '"$@"; exit', 'sh', process.execPath, ...hub.args('raw/many-tools', 'wrapped')],
          },
        },
        gateway: settings(),
      },
    });
    const { child } = await hub.waitFor('grandchild', 'grandchild');
    await hub.waitFor('wrapped', 'hello');
    await gateway.waitForTools(['good__echo', 'stubborn__echo', 'grandchild__echo']);
    pids = [...hub.pids(), child as number];
    assert.equal(pids.length, 5);
    assert.ok(pids.every(isAlive));
  });
  afterEach(async () => {
    gateway.kill('SIGKILL');
    await gateway.exited;
    await hub.close();
  });

  async function allGone(): Promise<void> {
    await eventually(() => assert.deepEqual(pids.filter(isAlive), []), { what: 'all upstream processes gone' });
  }

  it('SIGKILL of the gateway: every child and grandchild disappears', async () => {
    gateway.kill('SIGKILL');
    assert.equal((await gateway.exited).signal, 'SIGKILL');
    await allGone();
  });

  it('SIGTERM: exits 0, children and grandchildren gone', async () => {
    gateway.kill('SIGTERM');
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    await allGone();
  });

  it('SIGINT: the same', async () => {
    gateway.kill('SIGINT');
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    await allGone();
  });

  it('SIGTERM lets a call in flight finish', async () => {
    const client = await WebSocketPeer.open(gateway.url);
    const gate = randomUUID();
    const held = client.request('tools/call', { name: 'good__slow', arguments: { gate } });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    gateway.kill('SIGTERM');
    await eventually(async () => assert.equal((await gateway.status()).phase, 'draining'));
    hub.tell('good', 'release', { gate });
    assert.equal(textOf((await held).result), `released ${gate}`);
    assert.equal((await gateway.exited).code, 0);
    await allGone();
  });

  it('a second SIGTERM forces, and still leaves nothing', async () => {
    const client = await WebSocketPeer.open(gateway.url);
    const gate = randomUUID();
    const held = client.request('tools/call', { name: 'good__slow', arguments: { gate } });
    held.catch(() => undefined);
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    gateway.kill('SIGTERM');
    await eventually(async () => assert.equal((await gateway.status()).phase, 'draining'));
    gateway.kill('SIGTERM');
    await gateway.exited;
    await allGone();
  });
});
