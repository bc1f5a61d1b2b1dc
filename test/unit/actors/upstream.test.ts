import assert from 'node:assert/strict';
import { CATALOGUE, upstreamLifecycle } from '#src/actors/names.js';
import { type CatalogueMessage } from '#src/actors/catalogue.js';
import { upstreamSnapshot } from '#src/actors/upstream-view.js';
import { CLOSED, server } from '../../support/actors/fake-transport.js';
import { BACKOFF, NAME, story, UpstreamWorld } from '../../support/actors/upstream-world.js';
import { configOf } from '../../support/actors/world.js';

const STABLE_MS = 10_000;

describe('upstream', () => {
  let world: UpstreamWorld;

  beforeEach(() => {
    world = new UpstreamWorld();
  });

  afterEach(() => world.system.shutdown());

  const catalogued = (): string[] => world.take<CatalogueMessage>(CATALOGUE.path).map((message) => message.type);

  async function hangUp(): Promise<void> {
    world.transport.handlers.onClosed(CLOSED);
    await world.settle();
  }

  it('connects, offers its listing and takes calls', async () => {
    await world.start();
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.session, world.sessions()[0]);
    assert.deepEqual(catalogued(), ['catalogue/offered']);
    assert.equal(world.view.listing?.tools.length, 1);
  });

  it('is away at once when its session is lost, and comes back after the delay that was drawn', async () => {
    await world.start();
    catalogued();
    world.random = 0.5;
    await hangUp();
    assert.equal(world.phase, 'backoff');
    assert.equal(world.gate.session, null);
    assert.equal(world.gate.trouble, CLOSED.message);
    assert.equal(world.gate.retryAt, world.clock.now() + BACKOFF.base / 2);
    assert.deepEqual(catalogued(), ['catalogue/unavailable']);
    await world.advance(BACKOFF.base / 2 - 1);
    assert.equal(world.transports.length, 1);
    await world.advance(1);
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.retryAt, null);
    assert.equal(world.view.reconnects, 1);
    assert.deepEqual(catalogued(), ['catalogue/offered']);
  });

  it('waits longer after each failure, up to the most, and little again once it was stable', async () => {
    await world.start();
    const delays: number[] = [];
    const lose = async (): Promise<void> => {
      await hangUp();
      assert.equal(world.phase, 'backoff');
      delays.push((world.gate.retryAt ?? 0) - world.clock.now());
      await world.advance(delays.at(-1) ?? 0);
      assert.equal(world.phase, 'ready');
    };
    for (let i = 0; i < 6; i++) await lose();
    await world.advance(STABLE_MS);
    await lose();
    assert.deepEqual(delays, [100, 200, 400, 800, 1_000, 1_000, 100]);
  });

  it('answers calls that came in between with why', async () => {
    await world.start();
    await hangUp();
    assert.throws(() => world.call(1), /no session/);
    const snapshot = upstreamSnapshot(
      configOf({ mcpServers: { [NAME]: { command: 'none' } } }).servers.get(NAME) ?? assert.fail(),
      world.gate,
      world.view,
      world.clock.now(),
      world.plane.options.retries,
    );
    assert.equal(snapshot.state, 'backoff');
    assert.equal(snapshot.breaker, 'closed', 'one session lost is no pattern');
    assert.equal(snapshot.retryAt, world.gate.retryAt);
    assert.equal(snapshot.tools, 1);
  });

  it('starts the next session only when the last has let go', async () => {
    await world.start();
    let letGo = (): void => undefined;
    world.transport.closing = new Promise((resolve) => (letGo = resolve));
    await hangUp();
    await world.advance(BACKOFF.base);
    assert.equal(world.phase, 'connecting');
    assert.equal(world.transports.length, 1);
    letGo();
    await world.settle();
    assert.equal(world.transports.length, 2);
    assert.equal(world.phase, 'ready');
  });

  it('does not connect where it is disabled, until it is enabled', async () => {
    world = new UpstreamWorld({ disabled: true, viable: { era: 'legacy' } });
    await world.start();
    assert.equal(world.phase, 'disabled');
    assert.equal(world.transports.length, 0);
    assert.equal(await world.operate('reconnect'), 'disabled');
    assert.equal(await world.operate('enable'), 'connecting');
    assert.equal(world.phase, 'ready');
  });

  it('gives up calls that were handed over when the next session cannot be had', async () => {
    await world.start();
    const { client } = world.call(1);
    await world.settle();
    world.is = null;
    world.opens = false;
    world.transport.forget();
    await world.settle();
    await world.advance(1);
    assert.equal(world.transports.length, 2);
    assert.deepEqual(story(client), []);
    world.transport.opening.resolve({ kind: 'connect_failed', message: 'refused' });
    await world.settle();
    assert.deepEqual(story(client), ['call/failed upstream_unavailable']);
  });

  it('does not send a call again that was cancelled while it was handed over', async () => {
    await world.start();
    const { call, client } = world.call(1);
    await world.settle();
    world.opens = false;
    world.transport.forget();
    await world.settle();
    await world.advance(1);
    call.cancelled = true;
    world.transport.opening.resolve(undefined);
    await world.settle();
    assert.equal(world.phase, 'ready');
    assert.deepEqual(world.transport.requests('tools/call'), []);
    assert.deepEqual(story(client), []);
  });

  it('adopts the session that runs when its lifecycle crashes: no call is lost', async () => {
    await world.start();
    const { client } = world.call(1);
    await world.settle();
    const [session] = world.sessions();
    assert.ok(world.system.kill(upstreamLifecycle(NAME).path));
    await world.settle();
    assert.equal(world.phase, 'ready');
    assert.equal(world.transports.length, 1);
    assert.equal(world.gate.session, session);
    const [request] = world.transport.requests('tools/call');
    assert.ok(request);
    world.transport.answer(request.id, {});
    await world.settle();
    assert.deepEqual(story(client), ['call/answered']);
    await hangUp();
    assert.equal(world.phase, 'backoff');
  });

  it('adopts a session that is still in its handshake', async () => {
    world.is = null;
    await world.start();
    assert.equal(world.phase, 'initializing');
    assert.ok(world.system.kill(upstreamLifecycle(NAME).path));
    await world.settle();
    assert.equal(world.transports.length, 1);
    const [request] = world.transport.requests('initialize');
    assert.ok(request);
    const { protocolVersion } = server();
    world.transport.answer(request.id, { protocolVersion, capabilities: {} });
    await world.settle();
    assert.equal(world.phase, 'ready');
    assert.notEqual(world.gate.session, null);
  });

  it('offers again when the catalogue asks, but only what it can serve', async () => {
    await world.start();
    catalogued();
    world.lifecycle.tell({ type: 'upstream/offer-again' });
    await world.settle();
    assert.deepEqual(catalogued(), ['catalogue/offered']);
    await hangUp();
    catalogued();
    world.lifecycle.tell({ type: 'upstream/offer-again' });
    await world.settle();
    assert.deepEqual(catalogued(), []);
  });

  it('leaves the gate closed when it is stopped', async () => {
    await world.start();
    assert.notEqual(world.gate.session, null);
    await world.system.shutdown();
    assert.equal(world.gate.session, null);
    assert.equal(world.phase, 'stopped');
  });

  for (const phase of ['connecting', 'initializing', 'ready', 'backoff', 'disabled'] as const) {
    for (const commands of [
      ['disable', 'enable'],
      ['reconnect'],
      ['enable'],
      ['disable', 'disable', 'enable'],
    ] as const) {
      it(`comes back after ${commands.join(', ')} while ${phase}`, async () => {
        world.opens = phase !== 'connecting';
        world.is = phase === 'initializing' ? null : server();
        await world.start();
        if (phase === 'backoff') await hangUp();
        if (phase === 'disabled') await world.operate('disable');
        assert.equal(world.phase, phase);
        world.opens = true;
        world.is = server();
        for (const command of commands) {
          await world.operate(command);
          assert.equal(world.gate.session !== null, world.phase === 'ready');
        }
        await world.advance(BACKOFF.max, 100);
        if (phase === 'disabled' && commands.join() === 'reconnect') await world.operate('enable');
        // What was there and was not told to go is as it was: it waits for its server.
        const first = world.transports[0];
        const untouched = world.transports.length === 1 && phase !== 'ready';
        if (untouched && phase === 'connecting') first?.opening.resolve(undefined);
        if (untouched && phase === 'initializing') return assert.equal(world.phase, phase);
        await world.settle();
        assert.equal(world.phase, 'ready');
        assert.equal(world.sessions().length, 1);
        assert.equal(world.gate.session, world.sessions()[0]);
        for (const old of world.transports.slice(0, -1)) assert.notEqual(old.closedWith, null);
      });
    }
  }
});
