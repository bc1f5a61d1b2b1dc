import assert from 'node:assert/strict';
import { getShortestPaths } from 'xstate/graph';
import {
  BREAKER_PHASES,
  type BreakerEvent,
  type BreakerInput,
  breakerMachine,
  type BreakerRules,
  BreakerStepper,
  samplesOf,
} from '#src/machines/breaker.js';
import { BreakerModel } from '../../support/breaker-model.js';

const RULES: BreakerRules = {
  enabled: true,
  consecutiveFailures: 3,
  failureRatio: 0.5,
  minimumSamples: 10,
  window: 10_000,
  openFor: 1_000,
  maxOpenFor: 8_000,
};
const NOW = 1_700_000_000_000;

const INPUTS: readonly BreakerInput[] = [
  { type: 'observed', succeeded: 1, failed: 1, consecutive: 1 },
  { type: 'observed', succeeded: 0, failed: 3, consecutive: 3 },
  { type: 'observed', succeeded: 5, failed: 5, consecutive: 1 },
  { type: 'probe_sent' },
  { type: 'probe_succeeded' },
  { type: 'probe_failed' },
  { type: 'probe_lost' },
  { type: 'unreachable' },
  { type: 'reachable' },
  { type: 'expired' },
  { type: 'held', forMs: 60_000 },
  { type: 'force_open' },
  { type: 'try' },
  { type: 'reset' },
  { type: 'configured', rules: { ...RULES, enabled: false } },
];
/** Each at once, and after every hold that can be. */
const EVENTS: readonly BreakerEvent[] = INPUTS.flatMap((event) => [
  { ...event, now: NOW },
  { ...event, now: NOW + 1_000_000 },
]);

describe('breaker machine', () => {
  const paths = getShortestPaths(breakerMachine, {
    input: RULES,
    events: [...EVENTS],
    // Counts and times go on for ever; what decides is the phase, and these.
    serializeState: ({ value, context }) =>
      JSON.stringify([value, context.cause, context.reachable, context.until !== null, context.rules.enabled]),
    limit: 20_000,
  });

  it('reaches every phase', () => {
    const reached = new Set(
      paths.map(({ state }) => BREAKER_PHASES.find((phase) => state.matches(valueOf(phase))) ?? 'nowhere'),
    );
    assert.deepEqual(reached, new Set(BREAKER_PHASES));
    assert.ok(paths.length > 20, `only ${paths.length} states`);
  });

  it('takes every event in every state that it can be in as the model does', () => {
    for (const path of paths) {
      const walk = path.steps.slice(1).map(({ event }) => event);
      for (const last of EVENTS) {
        const stepper = new BreakerStepper(RULES);
        const model = new BreakerModel(RULES);
        let now = NOW;
        for (const event of [...walk, last]) {
          now = Math.max(now, event.now); // time never goes back
          assert.equal(stepper.send({ ...event, now }), model.phase);
          model.send(event, now);
          const { cause, opens, until } = stepper.context;
          assert.deepEqual(
            { phase: stepper.phase, cause, opens, until },
            { phase: model.phase, cause: model.cause, opens: model.opens, until: model.until },
            `${walk.map(({ type }) => type).join(' → ')} → ${last.type}`,
          );
        }
      }
    }
  });

  describe('opens', () => {
    const observed = (succeeded: number, failed: number, consecutive: number, now = NOW): BreakerEvent => ({
      type: 'observed',
      succeeded,
      failed,
      consecutive,
      now,
    });

    it('at enough failures in a row, however few calls there were', () => {
      const stepper = new BreakerStepper(RULES);
      stepper.send(observed(0, 2, 2));
      assert.equal(stepper.phase, 'closed');
      stepper.send(observed(0, 1, 3));
      assert.equal(stepper.phase, 'open');
      assert.equal(stepper.context.until, NOW + 1_000);
    });

    it('at the ratio, once there are calls enough to speak of one', () => {
      const stepper = new BreakerStepper(RULES);
      stepper.send(observed(4, 4, 1));
      assert.equal(stepper.phase, 'closed', '8 calls say nothing');
      stepper.send(observed(1, 1, 1));
      assert.equal(stepper.phase, 'open');
    });

    it('not by failures that have left the window', () => {
      const stepper = new BreakerStepper(RULES);
      stepper.send(observed(3, 5, 1));
      stepper.send(observed(2, 0, 0, NOW + 10_000));
      assert.equal(stepper.phase, 'closed');
      assert.deepEqual(samplesOf(stepper.context, NOW + 10_000), { samples: 2, failures: 0 });
    });

    it('longer each time that the probe fails, up to the most, and not after it has closed', () => {
      const stepper = new BreakerStepper(RULES);
      stepper.send(observed(0, 3, 3));
      const holds: number[] = [];
      let now = NOW;
      for (let i = 0; i < 5; i++) {
        holds.push((stepper.context.until ?? 0) - now);
        now = stepper.context.until ?? now;
        for (const type of ['expired', 'probe_sent', 'probe_failed'] as const) stepper.send({ type, now });
      }
      assert.deepEqual(holds, [1_000, 2_000, 4_000, 8_000, 8_000]);
    });

    it('for longer when it is held, however it was opened, and not shorter', () => {
      const stepper = new BreakerStepper(RULES);
      stepper.send(observed(0, 3, 3));
      stepper.send({ type: 'held', forMs: 60_000, now: NOW });
      assert.equal(stepper.context.until, NOW + 60_000);
      stepper.send({ type: 'held', forMs: 500, now: NOW });
      assert.equal(stepper.context.until, NOW + 60_000);
      const away = new BreakerStepper(RULES);
      away.send({ type: 'unreachable', now: NOW });
      away.send({ type: 'held', forMs: 60_000, now: NOW });
      away.send({ type: 'reachable', now: NOW + 1_000 });
      assert.equal(away.phase, 'open', 'the handshake does not end it');
      away.send({ type: 'expired', now: NOW + 60_000 });
      assert.equal(away.phase, 'free');
    });
  });

  it('of a server that cannot be reached closes when it can: the handshake was the probe', () => {
    const stepper = new BreakerStepper(RULES);
    stepper.send({ type: 'unreachable', now: NOW });
    assert.deepEqual([stepper.phase, stepper.context.cause], ['open', 'unreachable']);
    stepper.send({ type: 'expired', now: NOW + 60_000 });
    assert.equal(stepper.phase, 'open', 'there is nobody to probe');
    stepper.send({ type: 'reachable', now: NOW + 60_000 });
    assert.equal(stepper.phase, 'closed');
  });

  it('opened by failures stays open over a reconnect, until its hold is over', () => {
    const stepper = new BreakerStepper(RULES);
    stepper.send({ type: 'observed', succeeded: 0, failed: 3, consecutive: 3, now: NOW });
    stepper.send({ type: 'unreachable', now: NOW + 10 });
    stepper.send({ type: 'reachable', now: NOW + 20 });
    assert.equal(stepper.phase, 'open');
    stepper.send({ type: 'expired', now: NOW + 1_000 });
    assert.equal(stepper.phase, 'free');
  });
});

function valueOf(phase: (typeof BREAKER_PHASES)[number]) {
  return phase === 'free' || phase === 'probing' ? ({ half_open: phase } as const) : phase;
}
