/** S2 and the breakers: tokens for probes, and a status that says what the breakers do. */
import assert from 'node:assert/strict';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { tieCoordination } from '#src/gateway/coordination.js';
import { type BreakerRules, BreakerStepper } from '#src/machines/breaker.js';
import { ViableWorld } from '../../support/viability.js';

const RULES: BreakerRules = {
  enabled: true,
  consecutiveFailures: 1,
  failureRatio: 1,
  minimumSamples: 100,
  window: 10_000,
  openFor: 1_000,
  maxOpenFor: 60_000,
  flap: { halfLife: 30_000, suppress: 3, release: 1, hold: 60_000, maxHold: 300_000 },
};

function world(enabled: boolean) {
  const made = new ViableWorld({ coordination: { enabled, probes: 2 } });
  const { coordination } = made.state;
  const rules = made.plane.options.vsm.coordination;
  const take = (name: string): boolean => coordination.takeProbe(name, made.clock.now(), rules);
  return { clock: made.clock, plane: made.plane, coordination, take };
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
    const { coordination, plane, clock } = world(true);
    const gate = new UpstreamGate('a', 10, 1_000);
    plane.gates.set('a', gate);
    tieCoordination(plane);
    const machine = new BreakerStepper(RULES);
    const now = clock.now();
    gate.breaker.memory = {
      ...machine.memory,
      context: { ...machine.memory.context, flap: { penalty: 3.2, at: now, suppressed: true } },
    };
    assert.deepEqual(coordination.status(now), { status: 'damping', maxPenalty: 3.2 });
    clock.advance(120_000);
    assert.equal(coordination.status(clock.now()).status, 'idle');
  });
});
