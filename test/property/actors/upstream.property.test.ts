/**
 * The life of an upstream under random events: its gate is open exactly while it is ready, it has at most one session,
 * every call is answered once, and it always comes back.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CallEvent } from '#src/actors/call.js';
import { upstreamLifecycle } from '#src/actors/names.js';
import { CLOSED } from '../../support/actors/fake-transport.js';
import { BACKOFF, NAME, UpstreamWorld } from '../../support/actors/upstream-world.js';
import { type FakeRef } from '../../support/actors/world.js';

type Step =
  | 'call'
  | 'close'
  | 'forget'
  | 'disable'
  | 'enable'
  | 'reconnect'
  | 'kill-session'
  | 'kill-lifecycle'
  | 'list-changed'
  | 'wait'
  | 'settle';

const step = fc.constantFrom<Step>(
  'call',
  'call',
  'close',
  'forget',
  'disable',
  'enable',
  'reconnect',
  'kill-session',
  'kill-lifecycle',
  'list-changed',
  'wait',
  'settle',
  'settle',
);

async function run(steps: readonly Step[]): Promise<void> {
  const world = new UpstreamWorld();
  const clients: FakeRef<CallEvent>[] = [];
  world.transports.length = 0;
  await world.start();
  const command = (name: 'disable' | 'enable' | 'reconnect'): void =>
    void world.system.urgent(upstreamLifecycle(NAME), { type: `upstream/${name}` });
  try {
    for (const next of steps) {
      if (next === 'call') {
        if (world.gate.session?.alive) clients.push(world.call(clients.length).client);
      } else if (next === 'close') world.transport.handlers.onClosed(CLOSED);
      else if (next === 'forget') world.transport.forget();
      else if (next === 'kill-session') for (const session of world.sessions()) world.system.kill(session.path);
      else if (next === 'kill-lifecycle') world.system.kill(upstreamLifecycle(NAME).path);
      else if (next === 'list-changed') world.transport.notify('notifications/tools/list_changed');
      else if (next === 'wait') await world.advance(60);
      else if (next === 'settle') {
        await world.settle();
        assert.equal(world.gate.session !== null, world.phase === 'ready', world.phase);
        assert.ok(world.sessions().length <= 1);
        if (world.phase === 'ready') assert.equal(world.gate.session, world.sessions()[0]);
      } else command(next);
    }
    await world.settle();
    command('enable');
    await world.settle();
    await world.advance(BACKOFF.max * 3, 100);
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.session, world.sessions()[0]);
    for (const id of world.transport.requests('tools/call').map((request) => request.id)) world.transport.answer(id);
    await world.settle();
    for (const client of clients) assert.equal(client.messages.length, 1);
  } finally {
    await world.system.shutdown();
  }
}

describe('upstream, properties', () => {
  it('always comes back, loses no call, and keeps its gate open exactly while it is ready', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), run), {
      numRuns: 150,
      examples: [[['call', 'kill-lifecycle', 'forget']]],
    });
  });
});
