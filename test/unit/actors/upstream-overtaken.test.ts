/** What happens when an operator's word, which is urgent, overtakes what a session says. */
import assert from 'node:assert/strict';
import { upstreamLifecycle } from '#src/actors/names.js';
import { CLOSED } from '../../support/actors/fake-transport.js';
import { BACKOFF, NAME, story, UpstreamWorld } from '../../support/actors/upstream-world.js';

describe('upstream, overtaken', () => {
  let world: UpstreamWorld;

  beforeEach(() => {
    world = new UpstreamWorld();
  });

  afterEach(() => world.system.shutdown());

  it('keeps the gate closed when its session becomes ready after it was disabled', async () => {
    await world.start();
    const { facts, listing } = world.view;
    const [ref] = world.sessions();
    assert.ok(facts && listing && ref);
    world.lifecycle.tell({ type: 'session/ready', ref, facts, listing });
    world.lifecycle.tell({ type: 'session/listed', ref, listing });
    world.lifecycle.urgent({ type: 'upstream/disable' });
    await world.settle();
    assert.equal(world.phase, 'disabled');
    assert.equal(world.gate.session, null);
  });

  it('comes back when a session that it sent away says late that it is open', async () => {
    world.opens = false;
    await world.start();
    const first = world.transport;
    let letGo = (): void => undefined;
    first.closing = new Promise((resolve) => (letGo = resolve));
    first.opening.resolve(undefined);
    const [session] = world.sessions();
    assert.ok(session);
    world.lifecycle.tell({ type: 'session/opened', ref: session, pid: 1 });
    world.lifecycle.urgent({ type: 'upstream/disable' });
    world.lifecycle.urgent({ type: 'upstream/enable' });
    world.opens = true;
    await world.settle();
    letGo();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.phase, 'ready');
    assert.equal(world.transports.length, 2);
  });

  it('connects anew when the session that it adopts ends before it hears of it', async () => {
    await world.start();
    world.onConfig = () => {
      world.onConfig = null;
      world.transport.handlers.onClosed(CLOSED);
    };
    assert.ok(world.system.kill(upstreamLifecycle(NAME).path));
    await world.settle();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.phase, 'ready');
    assert.equal(world.transports.length, 2);
  });

  it('answers calls that wait for the next session when it is disabled instead', async () => {
    await world.start();
    const { client } = world.call(1);
    await world.settle();
    world.opens = false;
    let letGo = (): void => undefined;
    world.transport.closing = new Promise((resolve) => (letGo = resolve));
    world.transport.forget();
    await world.settle();
    await world.operate('disable');
    letGo();
    await world.advance(BACKOFF.max, 100);
    assert.deepEqual(story(client), ['call/failed upstream_unavailable']);
  });

  it('goes on taking calls while its lifecycle is between two incarnations', async () => {
    await world.start();
    const seen: boolean[] = [];
    const stop = world.system.onReport((report) => {
      if (report.path === upstreamLifecycle(NAME).path) seen.push(world.gate.session !== null);
    });
    assert.ok(world.system.kill(upstreamLifecycle(NAME).path));
    await world.settle();
    stop();
    assert.ok(seen.length > 0 && seen.every((open) => open), String(seen));
  });
});
