import assert from 'node:assert/strict';
import { drain, type DrainMessage, type DrainOutcome, type DrainProgress, drainSnapshot } from '#src/actors/drain.js';
import { type ShutdownNotice } from '#src/actors/client-message.js';
import { DRAIN, REGISTRY } from '#src/actors/names.js';
import { type RegistryMessage } from '#src/actors/session-registry.js';
import { ask } from '#src/kernel/index.js';
import { configOf, live, World } from '../../support/actors/world.js';

const INTERVAL = 1_000;
const TIMEOUT = 3_500;

describe('drain', () => {
  let world: World;
  const outcomes: DrainOutcome[] = [];
  const progress: { current: DrainProgress | null } = { current: null };
  let random = 0;

  async function boot(draining: object = {}): Promise<void> {
    const block = { defaultTimeout: TIMEOUT, notificationInterval: INTERVAL, ...draining };
    world = new World(configOf({ gateway: { draining: block } }));
    world.plane.admission = { state: 'running' };
    outcomes.length = 0;
    progress.current = null;
    const { system, plane, log } = world;
    await world.boot({
      [REGISTRY.path]: 'recorder',
      [DRAIN.path]: live(
        drain({
          system,
          plane,
          log,
          random: () => (random = (random + 0.37) % 1),
          progress,
          onDrained: (outcome) => outcomes.push(outcome),
        }),
      ),
    });
  }

  afterEach(() => world.system.shutdown());

  async function tell(message: DrainMessage): Promise<void> {
    assert.equal(world.system.urgent(DRAIN, message), 'ok');
    await world.settle();
  }

  /** Notices since the last look, one for each of two clients. */
  function notices(): [ShutdownNotice, ShutdownNotice][] {
    return world
      .take<RegistryMessage>(REGISTRY.path)
      .flatMap((message) => (message.type === 'registry/shutdown-pending' ? [message.notice] : []))
      .map((notice) => [notice(), notice()]);
  }

  it('completes at once when nothing is in flight', async () => {
    await boot();
    await tell({ type: 'drain/begin', reason: 'test' });
    assert.deepEqual(outcomes, ['completed']);
    assert.equal(world.plane.admission.state, 'draining');
    assert.equal(notices().length, 1);
  });

  it('waits for what is in flight', async () => {
    await boot();
    world.plane.counters.inFlight = 1;
    await tell({ type: 'drain/begin', reason: 'test' });
    await world.advance(2_000, 50);
    assert.deepEqual(outcomes, []);
    world.plane.counters.inFlight = 0;
    await world.advance(50);
    assert.deepEqual(outcomes, ['completed']);
    await world.advance(TIMEOUT, 500);
    assert.deepEqual(outcomes, ['completed']);
  });

  it('is over when its time is, with work left', async () => {
    await boot();
    world.plane.counters.inFlight = 2;
    await tell({ type: 'drain/begin', reason: 'test', timeoutMs: 200 });
    assert.deepEqual(world.plane.admission, { state: 'draining', deadlineAt: world.clock.now() + 200 });
    await world.advance(199, 50);
    assert.deepEqual(outcomes, []);
    await world.advance(51, 25);
    assert.deepEqual(outcomes, ['timed_out']);
  });

  it('does not wait where draining is switched off', async () => {
    await boot({ enabled: false });
    world.plane.counters.inFlight = 2;
    await tell({ type: 'drain/begin', reason: 'test', timeoutMs: 200 });
    assert.deepEqual(outcomes, ['timed_out']);
  });

  it('tells the clients every interval what really remains, each another time to come back', async () => {
    await boot();
    world.plane.counters.inFlight = 1;
    await tell({ type: 'drain/begin', reason: 'test' });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      for (const [one, other] of notices()) {
        seen.push(one.remaining);
        assert.notEqual(one.reconnect_after, other.reconnect_after);
        for (const { reconnect_after: ms } of [one, other]) assert.ok(ms >= 1_000 && ms <= 2_000, String(ms));
      }
      await world.advance(INTERVAL, 50);
    }
    assert.deepEqual(seen, [3_500, 2_500, 1_500, 500]);
    assert.deepEqual(outcomes, ['timed_out']);
    assert.deepEqual(notices(), []);
  });

  it('joins a second request to the first, whose deadline holds', async () => {
    await boot();
    world.plane.counters.inFlight = 1;
    await tell({ type: 'drain/begin', reason: 'first', timeoutMs: 1_000 });
    const deadlineAt = world.clock.now() + 1_000;
    const answer = ask<DrainMessage, unknown>(
      world.system.wheel,
      world.system.whereis(DRAIN),
      (replyTo) => ({ type: 'drain/begin', reason: 'second', timeoutMs: 9_000, replyTo }),
      100,
    );
    await world.settle();
    const { startedAt } = progress.current ?? {};
    assert.deepEqual(await answer, {
      startedAt,
      deadlineAt,
      reason: 'first',
      connectionsAtStart: 0,
      connectionsLeft: 0,
      inFlight: 1,
    });
  });

  for (const when of ['running', 'draining']) {
    it(`can be forced while ${when}, once`, async () => {
      await boot();
      world.plane.counters.inFlight = 1;
      if (when === 'draining') await tell({ type: 'drain/begin', reason: 'test' });
      await tell({ type: 'drain/force', reason: 'now' });
      await tell({ type: 'drain/force', reason: 'now' });
      await tell({ type: 'drain/begin', reason: 'late' });
      assert.deepEqual(outcomes, ['forced']);
      assert.equal(world.plane.admission.state, 'draining');
    });
  }

  it('goes on after a crash in the middle: same deadline, notices in the same rhythm', async () => {
    await boot();
    world.plane.counters.inFlight = 1;
    await tell({ type: 'drain/begin', reason: 'test' });
    await world.advance(1_400, 100);
    assert.equal(notices().length, 2);
    assert.ok(world.system.kill(DRAIN.path));
    await world.settle();
    await world.advance(600, 50);
    assert.deepEqual(
      notices().map(([one]) => one.remaining),
      [1_500],
    );
    assert.deepEqual(outcomes, []);
    await world.advance(1_500, 50);
    assert.deepEqual(
      notices().map(([one]) => one.remaining),
      [500],
    );
    assert.deepEqual(outcomes, ['timed_out']);
  });

  it('shows itself as nothing while nothing drains', async () => {
    await boot();
    assert.deepEqual(drainSnapshot(null, world.plane, 5), {
      startedAt: 5,
      deadlineAt: 5,
      reason: '',
      connectionsAtStart: 0,
      connectionsLeft: 0,
      inFlight: 0,
    });
  });
});
