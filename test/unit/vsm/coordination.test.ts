/** S2 and the breakers: tokens for probes, and a status that says what the breakers do. */
import assert from 'node:assert/strict';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { tieCoordination } from '#src/gateway/coordination.js';
import { ViableWorld } from '../../support/viability.js';

function world(enabled: boolean): ViableWorld {
  const made = new ViableWorld({ coordination: { enabled, probes: 2 } });
  for (const name of ['a', 'b', 'c', 'd']) {
    const gate = new UpstreamGate(name, 10, 1_000);
    gate.breaker.state = 'half_open';
    made.plane.gates.set(name, gate);
  }
  tieCoordination(made.plane, made.clock);
  return made;
}

describe('S2 and the breakers', () => {
  it('so many half-open breakers probe at a time; one that is half-open no more has given its token back', () => {
    const { plane, state } = world(true);
    assert.deepEqual(['a', 'b', 'c', 'a'].map(plane.mayProbe), [true, true, false, true]);
    assert.equal(state.coordination.tokensRefused, 1);
    const gate = plane.gates.get('a');
    assert.ok(gate);
    gate.breaker.state = 'closed';
    assert.deepEqual(['d', 'c'].map(plane.mayProbe), [true, false]);
  });

  it('without S2 all of them probe at once', () => {
    const { plane } = world(false);
    assert.deepEqual(['a', 'b', 'c', 'd'].map(plane.mayProbe), [true, true, true, true]);
  });

  it('is idle, coordinating when it has refused or delayed something lately, damping while a breaker is suppressed', () => {
    const { plane, state, clock } = world(true);
    const status = () => state.coordination.status(clock.now()).status;
    assert.equal(status(), 'idle');
    for (const name of ['a', 'b', 'c']) plane.mayProbe(name);
    assert.equal(status(), 'coordinating');
    clock.advance(60_000);
    assert.equal(status(), 'idle');
    state.coordination.penalties = () => [{ penalty: 3.2, suppressed: true }];
    assert.deepEqual(state.coordination.status(clock.now()), { status: 'damping', maxPenalty: 3.2 });
  });
});
