/** The adaptive limit and the retry budget: bounds that hold whatever comes, and a model of a server that queues. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clipped, gradientOf, type GradientRules, nextLimit, paceOf, usual } from '#src/machines/gradient.js';
import { RetryBudget } from '#src/machines/retry-budget.js';

const RULES: GradientRules = { min: 16, max: 256, tolerance: 2, minimumSamples: 20, halfLife: 60_000 };

const ms = fc.double({ min: 0, max: 100_000, noNaN: true });
const bounds = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(300)).map(([min, more]) => ({ min, max: min + more }));

/** A server that works on `capacity` calls at a time, each for `service` ms, and queues the rest. */
function roundTrip(inFlight: number, capacity: number, service: number): number {
  return service * Math.max(1, inFlight / capacity);
}

/** Looks once a second at a server that is always given as many calls as the limit lets through. */
function settle(capacity: number, service: number, looks: number, demand = Infinity): number {
  let limit = RULES.max;
  let long = service; // it was quick before the load came
  for (let i = 0; i < looks; i++) {
    const inFlight = Math.min(limit, demand);
    const short = roundTrip(inFlight, capacity, service);
    const gradient = gradientOf(100, 100 * paceOf(short, long, RULES.tolerance), RULES) ?? 1;
    long = usual(long, clipped(short, long), 1_000, RULES);
    limit = nextLimit(limit, gradient, inFlight, RULES);
  }
  return limit;
}

describe('the adaptive limit, properties', () => {
  it('is never outside its bounds, and moves by less than half down and a root up', () => {
    fc.assert(
      fc.property(
        bounds,
        fc.array(fc.tuple(ms, ms), { minLength: 20 }),
        fc.nat(400),
        fc.nat(400),
        (range, times, at, peak) => {
          const rules = { ...RULES, ...range };
          const limit = Math.min(rules.max, Math.max(rules.min, at));
          const paces = times.reduce((sum, [short, long]) => sum + paceOf(short, long, rules.tolerance), 0);
          const gradient = gradientOf(times.length, paces, rules) ?? assert.fail();
          assert.ok(gradient >= 0.5 && gradient <= 1);
          const next = nextLimit(limit, gradient, peak, rules);
          assert.ok(next >= rules.min && next <= rules.max);
          assert.ok(next <= limit + Math.sqrt(limit) && next >= Math.min(rules.min, limit / 2));
        },
      ),
    );
  });

  it('does not grow where less than half of it is used, nor shrink below twice what is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 256 }),
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        fc.nat(19),
        (limit, gradient, peak) => {
          const next = nextLimit(limit, gradient, peak, RULES);
          assert.ok(next <= limit && next >= Math.min(limit, 2 * peak));
        },
      ),
    );
  });

  it('falls to about what a server that queues can bear, and well below what it is given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 5, max: 500 }), (capacity, service) => {
        const limit = settle(capacity, service, 20);
        assert.ok(limit >= RULES.min && limit < 4 * capacity, `${limit} for ${capacity}`);
      }),
    );
  });

  it('leaves a server alone that does not queue, however slow it is and however few calls it gets', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 256 }), (service, demand) => {
        assert.equal(settle(Infinity, service, 50, demand), RULES.max);
      }),
    );
  });

  it('one slow call among many changes little, whatever it took', () => {
    const paces = 99 * paceOf(2, 2, 2) + paceOf(600_000, 2, 2);
    const once = gradientOf(100, paces, RULES) ?? assert.fail();
    assert.ok(once > 0.99);
    assert.equal(nextLimit(RULES.max, once, RULES.max, RULES), RULES.max);
    assert.ok(usual(2, (99 * 2 + clipped(600_000, 2)) / 100, 1_000, RULES) < 2.1);
  });

  it('too few answers say nothing, and what nothing is known of is taken as it is', () => {
    assert.equal(gradientOf(19, 10, RULES), null);
    assert.equal(gradientOf(0, 0, { ...RULES, minimumSamples: 0 }), null);
    assert.equal(usual(0, clipped(700, 0), 1_000, RULES), 700);
  });

  it('what is usual lies between what was and what is, and gets quicker sooner than slower', () => {
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 1, max: 600_000 }), (long, short, time) => {
        fc.pre(long > 0);
        const next = usual(long, short, time, RULES);
        assert.ok(next >= Math.min(long, short) - 1e-6 && next <= Math.max(long, short) + 1e-6);
      }),
    );
    assert.equal(usual(100, 200, RULES.halfLife, RULES), 150);
    assert.ok(usual(200, 100, RULES.halfLife, RULES) < 110);
  });
});

describe('the retry budget, properties', () => {
  it('lets no more through than its part of the calls, a rate, and what it held at the beginning', () => {
    const step = fc.record({ calls: fc.nat(50), ms: fc.nat(5_000), wanted: fc.nat(10) });
    const rules = fc.record({
      ratio: fc.double({ min: 0, max: 1, noNaN: true }),
      perSecond: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 50 }), ({ ratio, perSecond }, steps) => {
        const budget = new RetryBudget();
        let now = 1_000;
        let calls = 0;
        let retries = 0;
        for (const { calls: more, ms: waited, wanted } of steps) {
          now += waited;
          calls += more;
          for (let i = 0; i < wanted; i++) if (budget.take(calls, now, { ratio, perSecond })) retries += 1;
          const most = Math.max(1, 10 * perSecond) + ratio * calls + (perSecond * (now - 1_000)) / 1_000;
          assert.ok(retries <= most + 1e-6, `${retries} of ${most}`);
        }
      }),
    );
  });

  it('has some for a quiet server, and a part of the calls for a busy one', () => {
    const rules = { ratio: 0.2, perSecond: 1 };
    const budget = new RetryBudget();
    const taken = (calls: number, now: number): number => {
      let count = 0;
      while (budget.take(calls, now, rules)) count += 1;
      return count;
    };
    assert.equal(taken(0, 0), 10);
    assert.equal(taken(100, 0), 20);
    assert.equal(taken(100, 3_000), 3);
    assert.equal(taken(100, 3_000), 0);
  });

  it('asking what is left takes nothing', () => {
    const rules = { ratio: 0.5, perSecond: 1 };
    const budget = new RetryBudget();
    for (let i = 0; i < 5; i++) assert.equal(budget.left(4, 0, rules), 12);
    assert.equal(budget.take(4, 0, rules), true);
    assert.equal(budget.left(4, 0, rules), 11);
  });
});
