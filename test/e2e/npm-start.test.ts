/** `npm start` stands between who stops the gateway and the gateway: npm sends signals on, and ends when its script has. */
import assert from 'node:assert/strict';
import { type Gateway, startGateway } from '../support/gateway.js';
import { settings } from '../support/settings.js';

/** Longer than npm takes to send on a signal, for a drain that ends by itself. */
const LAME_DUCK_MS = 300;

describe('npm start', () => {
  let gateway: Gateway;

  async function start(lameDuck = LAME_DUCK_MS): Promise<void> {
    const config = { mcpServers: {}, gateway: settings({ draining: { lameDuck } }) };
    gateway = await startGateway({ npm: true, config });
  }
  afterEach(async () => {
    await gateway.stop();
  });

  const told = (): unknown[] =>
    gateway.logs.items.filter(({ event }) => event === 'signal').map(({ signal, msg }) => `${String(signal)} ${msg}`);

  it('a SIGTERM to npm drains the gateway, and npm ends with it', async () => {
    await start();
    gateway.kill('SIGTERM');
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    assert.deepEqual(told(), ['SIGTERM SIGTERM: draining']);
    assert.equal(gateway.logs.items.at(-1)?.event, 'stopped');
  });

  it('Ctrl-C on a terminal, which is sent to npm and to the gateway, and by npm once more, is one word: it drains', async () => {
    await start();
    process.kill(-gateway.pid, 'SIGINT');
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    assert.deepEqual(told(), ['SIGINT SIGINT: draining']);
  });

  it('another signal meanwhile is a second word: it stops at once', async () => {
    await start(600_000);
    process.kill(-gateway.pid, 'SIGINT');
    await gateway.waitForLog(({ event }) => event === 'signal', 'the first');
    gateway.kill('SIGTERM');
    assert.equal((await gateway.exited).code, 130);
    assert.deepEqual(told(), ['SIGINT SIGINT: draining', 'SIGTERM SIGTERM again: stopping at once']);
  });
});
