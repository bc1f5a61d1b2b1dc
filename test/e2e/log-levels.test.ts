/** A server is asked for the log messages that clients want: more when one wants more, less when that one is gone. */
import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { RAW_PEERS } from '../support/raw-peers.js';
import { goodGateway } from './good-gateway.js';

describe('log levels', () => {
  const world = goodGateway();

  /** What the server was asked for since then, until it is what it should be. */
  async function asked(from: number, levels: readonly string[]): Promise<void> {
    await eventually(() =>
      assert.deepEqual(
        world.hub.log.items.slice(from).flatMap((event) => (event.event === 'set-level' ? [event['level']] : [])),
        levels,
      ),
    );
  }

  for (const { name, open } of RAW_PEERS) {
    it(`${name}: lowered when who wanted more is gone, or wants less`, async () => {
      const from = world.hub.position;
      const [quiet, verbose] = [await open(world.gateway.url), await open(world.gateway.url)];
      await quiet.request('logging/setLevel', { level: 'error' });
      await asked(from, ['error']);
      await verbose.request('logging/setLevel', { level: 'debug' });
      await asked(from, ['error', 'debug']);
      await verbose.close();
      await asked(from, ['error', 'debug', 'error']);
      await quiet.request('logging/setLevel', { level: 'alert' });
      await asked(from, ['error', 'debug', 'error', 'alert']);
      await quiet.close();
      await asked(from, ['error', 'debug', 'error', 'alert', 'info']);
    });
  }
});
