import assert from 'node:assert/strict';
import { getShortestPaths } from 'xstate/graph';
import { backoffDelay, UPSTREAM_PHASES, upstreamMachine, UpstreamStepper } from '#src/machines/upstream.js';
import { UPSTREAM_EVENTS, UpstreamModel } from '../../support/actors/upstream-model.js';

describe('upstream machine', () => {
  const paths = getShortestPaths(upstreamMachine, {
    events: [...UPSTREAM_EVENTS],
    serializeState: (state) => state.value, // failures go on for ever
  });

  it('reaches every phase', () => {
    assert.deepEqual(new Set(paths.map((path) => path.state.value)), new Set(UPSTREAM_PHASES));
  });

  for (const path of paths) {
    for (const event of UPSTREAM_EVENTS) {
      it(`takes ${JSON.stringify(event)} in ${path.state.value} as the model does`, () => {
        const stepper = new UpstreamStepper(false);
        const model = new UpstreamModel(false);
        for (const { event: done } of path.steps.slice(1)) {
          stepper.send(done);
          model.send(done);
        }
        const before = stepper.phase;
        assert.equal(stepper.send(event), before);
        model.send(event);
        assert.deepEqual({ phase: stepper.phase, failures: stepper.failures }, model.state);
      });
    }
  }

  it('begins disabled where the configuration says so', () => {
    assert.equal(new UpstreamStepper(true).phase, 'disabled');
  });
});

describe('backoff', () => {
  it('is drawn from zero to a bound that doubles with each failure up to the most', () => {
    const bounds = [1, 2, 3, 4, 5, 60].map((n) => backoffDelay(n, 100, 1_000, () => 1));
    assert.deepEqual(bounds, [100, 200, 400, 800, 1_000, 1_000]);
    assert.equal(
      backoffDelay(0, 100, 1_000, () => 0.5),
      50,
    );
    assert.equal(
      backoffDelay(9, 100, 1_000, () => 0),
      0,
    );
  });
});
