import assert from 'node:assert/strict';
import fc from 'fast-check';
import { backoffDelay, UpstreamStepper } from '#src/machines/upstream.js';
import { UPSTREAM_EVENTS, UpstreamModel } from '../../support/actors/upstream-model.js';

describe('machines, properties', () => {
  it('the upstream machine is the table', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.constantFrom(...UPSTREAM_EVENTS), { maxLength: 40 }),
        (disabled, events) => {
          const stepper = new UpstreamStepper(disabled);
          const model = new UpstreamModel(disabled);
          for (const event of events) {
            assert.equal(stepper.send(event), model.phase);
            model.send(event);
            assert.deepEqual({ phase: stepper.phase, failures: stepper.failures }, model.state);
          }
        },
      ),
    );
  });

  it('a delay is never below zero or above its bound, and a finite number whatever the failures', () => {
    const ms = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(
        fc.nat(),
        ms,
        ms,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, base, max, r) => {
          const delay = backoffDelay(failures, base, max, () => r);
          assert.ok(Number.isFinite(delay) && delay >= 0 && delay <= max);
          assert.ok(delay <= base * 2 ** Math.max(0, failures - 1));
        },
      ),
    );
  });
});
