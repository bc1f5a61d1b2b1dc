import assert from 'node:assert/strict';
import { breaker, type BreakerMessage } from '#src/actors/breaker.js';
import { BreakerGate, HISTORY, NO_TOKEN, type Outcome } from '#src/actors/breaker-gate.js';
import { breakerSnapshot, breakerSource, upstreamUnit } from '#src/actors/breaker-view.js';
import { type BreakerSnapshot } from '#src/admin/protocol.js';
import { ask } from '#src/kernel/index.js';
import { type Reading } from '#src/vsm/reading.js';
import { live, World } from '../../support/actors/world.js';

const PATH = '/breaker';

class BreakerWorld extends World {
  readonly gate = new BreakerGate();
  readonly unit = upstreamUnit('up');
  readonly readings: Reading[] = [];
  /** How the unit answers when it is asked; `null`: it cannot be asked. */
  answers: Outcome | 'later' | null = null;
  asked = 0;
  changes = 0;
  reachable = true;
  rules = {
    enabled: true,
    consecutiveFailures: 3,
    failureRatio: 0.5,
    minimumSamples: 10,
    window: 10_000,
    openFor: 1_000,
    maxOpenFor: 8_000,
  };
  readonly flap = { halfLife: 30_000, suppress: 3, release: 1, hold: 60_000, maxHold: 300_000 };

  async start(): Promise<void> {
    const { plane, unit, gate, log } = this;
    plane.algedonic = { report: (reading) => void this.readings.push(reading) };
    await this.boot({
      [PATH]: live(
        breaker({
          plane,
          unit,
          gate,
          log,
          rules: () => this.rules,
          flap: () => this.flap,
          probeAfter: () => 500,
          probeTimeout: () => 5_000,
          reachable: () => this.reachable,
          probe: (ended) => {
            this.asked += 1;
            if (this.answers === null) return false;
            if (this.answers !== 'later') ended(this.answers);
            return true;
          },
          changed: () => (this.changes += 1),
        }),
      ),
    });
  }

  /** Calls that end like this, as the data path counts them. */
  async calls(...outcomes: Outcome[]): Promise<void> {
    for (const outcome of outcomes) this.gate.count(outcome, NO_TOKEN);
    await this.settle();
  }

  async tell(message: BreakerMessage): Promise<void> {
    this.ref<BreakerMessage>(PATH).tell(message);
    await this.settle();
  }

  async operate(type: 'breaker/force-open' | 'breaker/half-open' | 'breaker/reset'): Promise<BreakerSnapshot> {
    const answer = ask<BreakerMessage, BreakerSnapshot>(
      this.system.wheel,
      this.ref(PATH),
      (replyTo) => ({ type, replyTo }),
      1_000,
    );
    await this.settle();
    return answer;
  }

  get snapshot(): BreakerSnapshot {
    const now = this.clock.now();
    const flap = this.plane.viability.coordination.penaltyOf(breakerSource(this.unit), now);
    return breakerSnapshot(this.unit, this.gate, flap, now);
  }
}

describe('breaker actor', () => {
  let world: BreakerWorld;

  beforeEach(async () => {
    world = new BreakerWorld();
    await world.start();
  });

  const openIt = async (): Promise<void> => {
    await world.calls('failure', 'failure', 'failure');
    assert.equal(world.gate.state, 'open');
  };

  it('opens at once when the failures in a row reach the threshold, without waiting for the next collection', async () => {
    await world.calls('failure', 'failure');
    assert.equal(world.gate.state, 'closed');
    assert.equal(world.gate.refuses, false);
    await world.calls('failure'); // no time has passed
    assert.equal(world.gate.state, 'open');
    assert.equal(world.gate.refuses, true);
    assert.deepEqual(
      world.snapshot.history.map(({ state }) => state),
      ['open'],
    );
  });

  it('hears of any number of outcomes once, and counts them all at the next collection', async () => {
    const handled = (): number => world.system.snapshot().children[0]?.handled ?? 0;
    const before = handled();
    await world.calls(...Array.from({ length: 50 }, (): Outcome => 'success'), 'failure', 'success');
    assert.equal(handled() - before, 1);
    assert.equal(world.snapshot.samples, 0);
    await world.advance(100);
    assert.equal(handled() - before, 2);
    assert.deepEqual([world.snapshot.samples, world.snapshot.failures], [52, 1]);
    await world.advance(10_000);
    assert.equal(handled() - before, 2, 'idle, it does nothing');
    assert.equal(world.snapshot.failureRatio, null, 'no samples are no ratio');
  });

  it('opens by the ratio at the next collection', async () => {
    await world.calls(
      'success',
      'failure',
      'failure',
      'success',
      'success',
      'failure',
      'failure',
      'success',
      'failure',
      'failure',
    );
    await world.advance(100);
    assert.equal(world.gate.state, 'open');
  });

  it('gives one token when its hold is over, and goes by how that one call ends', async () => {
    await openIt();
    await world.advance(999);
    assert.equal(world.gate.refuses, true);
    await world.advance(1);
    assert.equal(world.gate.refuses, false);
    const token = world.gate.take();
    assert.notEqual(token, NO_TOKEN);
    assert.equal(world.gate.refuses, true, 'one call, and no other');
    await world.settle();
    assert.equal(world.snapshot.probing, true);
    world.gate.count('success', token);
    await world.settle();
    assert.equal(world.gate.state, 'closed');
    assert.equal(world.gate.take(), NO_TOKEN);
  });

  it('opens again, for longer, when the probe fails', async () => {
    await openIt();
    await world.advance(1_000);
    world.gate.count('failure', world.gate.take());
    await world.settle();
    assert.equal(world.gate.state, 'open');
    assert.equal(world.snapshot.nextProbeAt, world.clock.now() + 2_000);
  });

  it('gives the token anew when the probe was cancelled, and hears nothing any more from the one before', async () => {
    await openIt();
    await world.advance(1_000);
    const first = world.gate.take();
    world.gate.count('neutral', first);
    await world.settle();
    assert.equal(world.gate.refuses, false);
    const second = world.gate.take();
    world.gate.count('success', first);
    await world.settle();
    assert.equal(world.gate.state, 'half_open');
    world.gate.count('success', second);
    await world.settle();
    assert.equal(world.gate.state, 'closed');
  });

  it('gives the token anew when its holder says nothing for too long', async () => {
    await openIt();
    await world.advance(1_000);
    world.gate.take();
    await world.settle();
    await world.advance(5_000);
    assert.equal(world.gate.state, 'half_open');
    assert.equal(world.gate.refuses, false);
  });

  it('asks the unit itself when no call comes for the token', async () => {
    world.answers = 'success';
    await openIt();
    await world.advance(1_000);
    await world.advance(499);
    assert.equal(world.asked, 0);
    await world.advance(1);
    assert.equal(world.asked, 1);
    assert.equal(world.gate.state, 'closed');
  });

  it('refuses calls while it asks, and asks again later when it could not', async () => {
    await openIt();
    await world.advance(1_000);
    await world.advance(500);
    assert.deepEqual([world.asked, world.gate.state, world.gate.refuses], [1, 'half_open', false]);
    world.answers = 'later';
    await world.advance(500);
    assert.deepEqual([world.asked, world.gate.refuses], [2, true]);
  });

  it('waits for coordination to grant the probe', async () => {
    const { coordination } = world.plane.viability;
    const rules = world.plane.options.vsm.coordination;
    for (let i = 0; i < rules.probes; i++) coordination.takeProbe(`other-${i}`, world.clock.now(), rules);
    await openIt();
    await world.advance(3_000, 100);
    assert.deepEqual([world.gate.state, world.gate.refuses], ['half_open', true]);
    coordination.giveProbe('other-0');
    await world.advance(1_000);
    assert.equal(world.gate.refuses, false);
    assert.equal(coordination.takeProbe('another', world.clock.now(), rules), false, 'its token is taken');
    world.gate.count('success', world.gate.take());
    await world.settle();
    assert.equal(coordination.takeProbe('another', world.clock.now(), rules), true, 'and given back');
    assert.ok(world.snapshot.flapPenalty > 1, 'S2 has heard of both changes');
  });

  it('neutral ends open nothing and close nothing', async () => {
    await world.calls('failure', 'failure', ...Array.from({ length: 100 }, (): Outcome => 'neutral'));
    await world.advance(100);
    assert.equal(world.gate.state, 'closed');
    await world.calls('failure');
    assert.equal(world.gate.state, 'open', 'nor do they end a row of failures');
  });

  it('is opened and closed by operators, and then by nobody else', async () => {
    assert.equal((await world.operate('breaker/force-open')).forced, true);
    await world.advance(1_000_000, 100_000);
    assert.deepEqual([world.gate.state, world.gate.refuses], ['open', true]);
    assert.equal((await world.operate('breaker/half-open')).state, 'half_open');
    assert.equal(world.gate.refuses, false);
    assert.equal((await world.operate('breaker/reset')).state, 'closed');
    assert.equal(world.gate.refuses, false);
  });

  it('goes on after a crash where it was: open for the rest of the hold', async () => {
    await openIt();
    await world.advance(400);
    const before = world.snapshot;
    world.system.kill(PATH);
    await world.settle();
    assert.deepEqual(world.snapshot, before);
    await world.advance(599);
    assert.equal(world.gate.state, 'open');
    await world.advance(1);
    assert.equal(world.gate.state, 'half_open');
  });

  it('takes what was counted while nobody lived there', async () => {
    world.system.kill(PATH);
    world.gate.count('failure', NO_TOKEN);
    world.gate.count('failure', NO_TOKEN);
    world.gate.count('failure', NO_TOKEN);
    await world.settle();
    assert.equal(world.gate.state, 'open');
  });

  it('gives a probe’s token anew after a crash, since its end may have been told to nobody', async () => {
    await openIt();
    await world.advance(1_000);
    world.gate.take();
    await world.settle();
    world.system.kill(PATH);
    await world.settle();
    assert.deepEqual([world.gate.state, world.gate.refuses], ['half_open', false]);
  });

  it('opens when the unit cannot be reached, and closes when it can', async () => {
    await world.tell({ type: 'breaker/unreachable' });
    assert.deepEqual([world.gate.state, world.gate.cause], ['open', 'unreachable']);
    await world.tell({ type: 'breaker/reachable' });
    assert.equal(world.gate.state, 'closed');
  });

  it('says what it is on the algedonic channel and to the catalogue, at each change', async () => {
    world.readings.length = 0;
    world.changes = 0;
    await openIt();
    await world.advance(1_000);
    world.gate.count('success', world.gate.take());
    await world.settle();
    assert.deepEqual(
      world.readings.map(({ source, index, value }) => [source, index, value]),
      [
        ['upstream:up', 'breaker_open', 1],
        ['upstream:up', 'breaker_open', 1],
        ['upstream:up', 'breaker_open', 0],
      ],
    );
    assert.equal(world.changes, 3);
    assert.equal(world.logged('breaker').length, 3);
  });

  it('takes new rules over at once', async () => {
    world.rules = { ...world.rules, consecutiveFailures: 1 };
    await world.tell({ type: 'breaker/reconfigured' });
    await world.calls('failure');
    assert.equal(world.gate.state, 'open');
  });

  it('keeps no more of its past than it shows', async () => {
    for (let i = 0; i < HISTORY; i++) {
      await world.operate('breaker/force-open');
      await world.operate('breaker/reset');
    }
    assert.equal(world.gate.history.length, HISTORY);
  });
});
