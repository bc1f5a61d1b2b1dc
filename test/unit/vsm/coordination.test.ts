/** S2 and the breakers: tokens for probes, and a status that says what the breakers do. */
import assert from 'node:assert/strict';
import { suppressedHold } from '#src/vsm/flap.js';
import { ViableWorld } from '../../support/viability.js';

const FLAP = { halfLife: 30_000, suppress: 3, release: 1, hold: 60_000, maxHold: 300_000 };

function world(enabled: boolean) {
  const made = new ViableWorld({ coordination: { enabled, probes: 2 } });
  const { coordination } = made.state;
  const rules = made.plane.options.vsm.coordination;
  const take = (name: string): boolean => coordination.takeProbe(name, made.clock.now(), rules);
  return { clock: made.clock, rules, coordination, take };
}

describe('S2 and the breakers', () => {
  it('so many probe at a time; one that gives its token back makes room', () => {
    const { coordination, take } = world(true);
    assert.deepEqual(['a', 'b', 'c', 'a'].map(take), [true, true, false, true]);
    assert.equal(coordination.tokensRefused, 1);
    coordination.giveProbe('a');
    assert.deepEqual(['d', 'c'].map(take), [true, false]);
  });

  it('without S2 all of them probe at once', () => {
    assert.deepEqual(['a', 'b', 'c', 'd'].map(world(false).take), [true, true, true, true]);
  });

  it('is idle, and coordinating when it has refused something in the last minute', () => {
    const { coordination, take, clock } = world(true);
    assert.equal(coordination.status(clock.now()).status, 'idle');
    ['a', 'b', 'c'].map(take);
    assert.equal(coordination.status(clock.now()).status, 'coordinating');
    clock.advance(60_000);
    assert.equal(coordination.status(clock.now()).status, 'idle');
  });

  it('is damping while a breaker that flaps is held, and shows the highest penalty', () => {
    const { coordination, rules, clock } = world(true);
    for (let turns = 0; turns < 3; turns++) coordination.turned('a', clock.now(), FLAP, rules);
    coordination.turned('b', clock.now(), FLAP, rules);
    assert.deepEqual(coordination.status(clock.now()), { status: 'damping', maxPenalty: 3 });
    assert.deepEqual(
      ['a', 'b'].map((route) => coordination.holdFor(route, clock.now(), rules)),
      [120_000, 0],
    );
    clock.advance(120_000);
    coordination.tidy(clock.now(), rules);
    assert.equal(coordination.status(clock.now()).status, 'idle');
    assert.ok(coordination.penaltyOf('a', clock.now()).penalty > 0);
    clock.advance(600_000);
    coordination.tidy(clock.now(), rules);
    assert.deepEqual(coordination.penaltyOf('a', clock.now()), { penalty: 0, suppressed: false });
  });

  it('the hold doubles with each whole point of penalty, up to the most', () => {
    const holds = [2, 3, 3.9, 4, 5, 50].map((penalty) => suppressedHold(penalty, FLAP));
    assert.deepEqual(holds, [60_000, 120_000, 120_000, 240_000, 300_000, 300_000]);
  });
});
