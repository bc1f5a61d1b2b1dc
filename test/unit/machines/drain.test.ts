import assert from 'node:assert/strict';
import { getShortestPaths } from 'xstate/graph';
import { DRAIN_PHASES, type DrainEvent, drainMachine, type DrainPhase, DrainStepper } from '#src/machines/drain.js';

const EVENTS: readonly DrainEvent['type'][] = ['drain', 'settled', 'expired', 'force'];

/** Phase → event → next phase; what is missing changes nothing. */
const NEXT: Readonly<Record<DrainPhase, Partial<Record<DrainEvent['type'], DrainPhase>>>> = {
  running: { drain: 'draining', force: 'closing' },
  draining: { settled: 'closing', expired: 'closing', force: 'closing' },
  closing: {},
};

describe('drain machine', () => {
  const paths = getShortestPaths(drainMachine, { events: EVENTS.map((type) => ({ type })) });

  it('reaches every phase', () => {
    assert.deepEqual(new Set(paths.map((path) => path.state.value)), new Set(DRAIN_PHASES));
  });

  for (const path of paths) {
    for (const type of EVENTS) {
      it(`takes "${type}" in ${path.state.value} as the table says`, () => {
        const stepper = new DrainStepper();
        for (const { event } of path.steps.slice(1)) stepper.send(event); // the first is the machine's own start
        const before = stepper.phase;
        assert.equal(before, path.state.value);
        const changed = stepper.send({ type });
        assert.equal(stepper.phase, NEXT[before][type] ?? before);
        assert.equal(changed, stepper.phase !== before);
      });
    }
  }
});
