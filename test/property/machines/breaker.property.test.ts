import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type BreakerInput, type BreakerRules, BreakerStepper, samplesOf } from '#src/machines/breaker.js';
import { penaltyNow, reversed, suppressedHold, suppressedNow } from '#src/vsm/flap.js';
import { BreakerModel } from '../../support/breaker-model.js';

const rules: fc.Arbitrary<BreakerRules> = fc.record({
  enabled: fc.constantFrom(true, true, true, false),
  consecutiveFailures: fc.integer({ min: 0, max: 6 }),
  failureRatio: fc.constantFrom(0.1, 0.5, 0.9, 1),
  minimumSamples: fc.integer({ min: 1, max: 12 }),
  window: fc.constantFrom(1_000, 10_000, 30_000),
  openFor: fc.integer({ min: 1, max: 10_000 }),
  maxOpenFor: fc.integer({ min: 1, max: 60_000 }),
});

const input: fc.Arbitrary<BreakerInput> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ succeeded: fc.nat(5), failed: fc.nat(5), consecutive: fc.nat(6) })
      .map((counts) => ({ type: 'observed' as const, ...counts })),
  },
  {
    weight: 12,
    arbitrary: fc.constantFrom<BreakerInput>(
      { type: 'probe_sent' },
      { type: 'probe_succeeded' },
      { type: 'probe_failed' },
      { type: 'probe_lost' },
      { type: 'unreachable' },
      { type: 'reachable' },
      { type: 'expired' },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<BreakerInput>({ type: 'force_open' }, { type: 'try' }, { type: 'reset' }) },
  { weight: 3, arbitrary: fc.nat(300_000).map((forMs) => ({ type: 'held' as const, forMs })) },
  { weight: 1, arbitrary: rules.map((changed) => ({ type: 'configured' as const, rules: changed })) },
);

/** Time that passes before an event: often none, sometimes longer than any hold. */
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 5_000, max: 400_000 }));

describe('breaker machine, properties', () => {
  it('is the model', () => {
    fc.assert(
      fc.property(rules, fc.array(fc.tuple(pause, input), { maxLength: 60 }), (given, events) => {
        const stepper = new BreakerStepper(given);
        const model = new BreakerModel(given);
        let now = 1_700_000_000_000;
        for (const [waited, event] of events) {
          now += waited;
          assert.equal(stepper.send({ ...event, now }), model.phase);
          model.send(event, now);
          const { cause, opens, until } = stepper.context;
          assert.deepEqual(
            { phase: stepper.phase, cause, opens },
            { phase: model.phase, cause: model.cause, opens: model.opens },
          );
          assert.equal(until, model.until);
          if (stepper.phase === 'closed') assert.deepEqual(samplesOf(stepper.context, now), model.counted(now));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('restored from its memory goes on as if nothing had happened', () => {
    fc.assert(
      fc.property(
        rules,
        fc.array(fc.tuple(pause, input), { maxLength: 40 }),
        fc.array(fc.tuple(pause, input), { maxLength: 20 }),
        (given, before, after) => {
          let now = 1_700_000_000_000;
          const lived = new BreakerStepper(given);
          for (const [waited, event] of before) lived.send({ ...event, now: (now += waited) });
          const restored = new BreakerStepper(given, lived.memory);
          for (const [waited, event] of after) {
            now += waited;
            lived.send({ ...event, now });
            restored.send({ ...event, now });
            assert.deepEqual(restored.memory, lived.memory);
          }
        },
      ),
    );
  });

  it('keeps a bounded window and lets nothing through twice: every way out of half-open goes by a probe or an operator', () => {
    fc.assert(
      fc.property(rules, fc.array(fc.tuple(pause, input), { maxLength: 80 }), (given, events) => {
        const stepper = new BreakerStepper(given);
        let now = 1_700_000_000_000;
        for (const [waited, event] of events) {
          const before = stepper.send({ ...event, now: (now += waited) });
          assert.ok(stepper.context.window.length <= 10);
          if (before === 'free' && stepper.phase === 'closed') assert.equal(event.type, 'reset');
          if (before === 'probing' && stepper.phase === 'closed')
            assert.ok(event.type === 'probe_succeeded' || event.type === 'reset');
          if (before === 'forced' && stepper.phase !== 'forced')
            assert.ok(event.type === 'try' || event.type === 'reset');
        }
      }),
    );
  });
});

describe('flap damping, properties', () => {
  const flapRules = { halfLife: 30_000, suppress: 3, release: 1, hold: 60_000, maxHold: 300_000 };

  it('is never released above the release or suppressed below it, and holds within its bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 40 }), (pauses) => {
        let flap = { penalty: 0, at: 0, suppressed: false };
        let now = 0;
        for (const waited of pauses) {
          now += waited;
          flap = reversed(flap, now, flapRules);
          const penalty = penaltyNow(flap, now, flapRules);
          assert.ok(penalty >= 1);
          if (penalty >= 3) assert.ok(suppressedNow(flap, now, flapRules));
          assert.equal(suppressedNow(flap, now + 30_000 * 10, flapRules) && penalty < 1_000, false);
          const hold = suppressedHold(penalty, flapRules);
          assert.ok(hold > 0 && hold <= flapRules.maxHold);
        }
      }),
    );
  });
});
