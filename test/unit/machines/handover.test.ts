import assert from 'node:assert/strict';
import { getShortestPaths } from 'xstate/graph';
import {
  HANDOVER_PHASES,
  type HandoverEvent,
  handoverMachine,
  type HandoverPhase,
  HandoverStepper,
} from '#src/machines/handover.js';

const EVENTS: readonly HandoverEvent['type'][] = ['start', 'prepared', 'serving', 'failed', 'drained'];

/** Phase → event → next phase; what is missing changes nothing. */
const NEXT: Readonly<Record<HandoverPhase, Partial<Record<HandoverEvent['type'], HandoverPhase>>>> = {
  idle: { start: 'starting' },
  starting: { prepared: 'switching', failed: 'failed' },
  switching: { serving: 'draining', failed: 'failed' },
  draining: { drained: 'done' },
  failed: { start: 'starting' },
  done: {},
};

describe('hand-over machine', () => {
  const paths = getShortestPaths(handoverMachine, { events: EVENTS.map((type) => ({ type })) });

  it('reaches every phase', () => {
    assert.deepEqual(new Set(paths.map((path) => path.state.value)), new Set(HANDOVER_PHASES));
  });

  for (const path of paths) {
    for (const type of EVENTS) {
      it(`takes "${type}" in ${path.state.value} as the table says`, () => {
        const stepper = new HandoverStepper();
        for (const { event } of path.steps.slice(1)) stepper.send(event);
        const before = stepper.phase;
        assert.equal(before, path.state.value);
        assert.equal(stepper.send({ type }), NEXT[before][type] !== undefined);
        assert.equal(stepper.phase, NEXT[before][type] ?? before);
        assert.equal(new HandoverStepper(before).phase, before);
      });
    }
  }
});
