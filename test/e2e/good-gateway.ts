/** One gateway with one good upstream for a suite, and a client that checks after each test that it still serves. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { WebSocketPeer, type RawPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

/** `peer` gets its own answer from the upstream. */
export async function works(peer: RawPeer): Promise<void> {
  const text = randomUUID();
  const { result } = await peer.request('tools/call', { name: 'good__echo', arguments: { text } });
  assert.equal(textOf(result), text);
}

/** Registers the hooks of the suite that it is called in. The answer is filled before its first test. */
export function goodGateway(): { gateway: Gateway; hub: FixtureHub } {
  const world = {} as { gateway: Gateway; hub: FixtureHub };
  let witness: WebSocketPeer;
  before(async () => {
    world.hub = await FixtureHub.start();
    world.gateway = await startGateway({
      config: { mcpServers: { good: world.hub.stdio('sdk-server', 'good') }, gateway: settings() },
    });
    await world.gateway.waitForTools(['good__echo']);
    witness = await WebSocketPeer.open(world.gateway.url);
  });
  after(async () => {
    await witness.close();
    await world.gateway.stop();
    await world.hub.close();
  });
  afterEach('a good client is still served', async () => {
    await works(witness);
  });
  return world;
}
