import assert from 'node:assert/strict';
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import {
  DRAIN_PHASES,
  type DrainEvent,
  drainMachine,
  type DrainOutcome,
  type DrainPhase,
  DrainStepper,
} from '#src/machines/drain.js';

const EVENTS: readonly DrainEvent[] = [
  { type: 'drain', grace: false },
  { type: 'drain', grace: true },
  { type: 'grace_over' },
  { type: 'settled' },
  { type: 'expired' },
  { type: 'force' },
  { type: 'cancel' },
  { type: 'closed' },
];
const nameOf = (event: DrainEvent): string => (event.type === 'drain' && event.grace ? 'drain with grace' : event.type);

interface Step {
  readonly to: DrainPhase;
  readonly outcome?: DrainOutcome;
}

const FORCE: Step = { to: 'closing', outcome: 'forced' };
const CANCEL: Step = { to: 'running', outcome: 'cancelled' };

/** Phase → event → what follows; what is missing changes nothing. */
const TABLE: Readonly<Record<DrainPhase, Readonly<Record<string, Step>>>> = {
  running: { drain: { to: 'draining' }, 'drain with grace': { to: 'lame_duck' }, force: FORCE },
  lame_duck: { grace_over: { to: 'draining' }, force: FORCE, cancel: CANCEL },
  draining: {
    settled: { to: 'closing', outcome: 'completed' },
    expired: { to: 'closing', outcome: 'timed_out' },
    force: FORCE,
    cancel: CANCEL,
  },
  closing: { closed: { to: 'stopped' } },
  stopped: {},
};

describe('drain machine', () => {
  const paths = getShortestPaths(drainMachine, { events: EVENTS });

  it('reaches every phase', () => {
    assert.deepEqual(new Set(paths.map((path) => path.state.value)), new Set(DRAIN_PHASES));
  });

  for (const path of paths) {
    for (const event of EVENTS) {
      it(`takes "${nameOf(event)}" in ${path.state.value} (${path.state.context.outcome ?? 'undecided'}) as the table says`, () => {
        const stepper = new DrainStepper();
        for (const step of path.steps.slice(1)) stepper.send(step.event); // the first is the machine's own start
        const { phase, outcome } = stepper;
        assert.equal(phase, path.state.value);
        const next = TABLE[phase][nameOf(event)];
        const changed = stepper.send(event);
        assert.equal(changed, next !== undefined);
        assert.equal(stepper.phase, next?.to ?? phase);
        const begun = phase === 'running' && event.type === 'drain';
        assert.equal(stepper.outcome, next?.outcome ?? (begun ? null : outcome));
      });
    }
  }

  it('every way to the end passes through closing once, with an outcome that stays', () => {
    const ways = getSimplePaths(drainMachine, { events: EVENTS }).filter((path) => path.state.value === 'stopped');
    assert.ok(ways.length > 5);
    for (const way of ways) {
      const stepper = new DrainStepper();
      let closings = 0;
      for (const { event } of way.steps.slice(1)) if (stepper.send(event) && stepper.phase === 'closing') closings += 1;
      assert.equal(closings, 1);
      const { outcome } = stepper;
      assert.ok(outcome !== null && outcome !== 'cancelled');
      for (const event of EVENTS) assert.equal(stepper.send(event), false);
      assert.equal(stepper.outcome, outcome);
    }
  });

  it('goes on where one that was interrupted stood', () => {
    for (const phase of DRAIN_PHASES) {
      const stepper = new DrainStepper(phase, phase === 'closing' ? 'forced' : null);
      assert.equal(stepper.phase, phase);
      for (const event of EVENTS) {
        const again = new DrainStepper(phase);
        again.send(event);
        assert.equal(again.phase, TABLE[phase][nameOf(event)]?.to ?? phase);
      }
    }
    assert.equal(new DrainStepper('closing', 'forced').outcome, 'forced');
  });
});
