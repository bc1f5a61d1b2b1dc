/** The resource bargain for any claims: budget, floors, fairness; and S2's arithmetic for any herd and any flapping. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bargain, type Claim, lend, slotsNeeded } from '#src/vsm/control-model.js';
import { Pacer } from '#src/vsm/coordination-model.js';
import { Allowance } from '#src/vsm/lease.js';
import { seeded } from '../../../sim/random.js';

const claims = fc
  .array(
    fc.record({
      need: fc.integer({ min: 0, max: 500 }),
      limit: fc.integer({ min: 0, max: 400 }),
      floor: fc.integer({ min: 0, max: 40 }),
      weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list): Claim[] => list.map((claim, at) => ({ unit: `u${at}`, ...claim })));

const sum = (shares: ReadonlyMap<string, number>): number => [...shares.values()].reduce((a, b) => a + b, 0);
const get = (shares: ReadonlyMap<string, number>, { unit }: Claim): number => shares.get(unit) ?? NaN;
const cap = ({ need, limit }: Claim): number => Math.min(need, limit);

describe('the resource bargain', () => {
  it('grants no more than there is, no more than is needed, and nobody less than the lesser of floor and need', () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 2_000 }), (all, extra) => {
        const budget = extra + all.reduce((total, { floor }) => total + floor, 0);
        const shares = bargain(all, budget, true);
        assert.ok(sum(shares) <= budget);
        for (const claim of all) {
          const share = get(shares, claim);
          assert.ok(Number.isInteger(share) && share <= cap(claim), JSON.stringify([claim, share]));
          assert.ok(share >= Math.min(cap(claim), claim.floor), JSON.stringify([claim, share]));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves nothing over while somebody wants more, and who wants more has no less for its weight than others', () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 1_000 }), (all, extra) => {
        const budget = extra + all.reduce((total, { floor }) => total + floor, 0);
        const shares = bargain(all, budget, true);
        const short = all.filter((claim) => get(shares, claim) < cap(claim));
        if (short.length > 0) assert.equal(sum(shares), budget);
        for (const poor of short) {
          for (const rich of all) {
            if (get(shares, rich) <= rich.floor) continue;
            // Whole numbers: one slot either way.
            const level = (get(shares, poor) + 1) / poor.weight;
            assert.ok((get(shares, rich) - 1) / rich.weight <= level + 1e-6, JSON.stringify([poor, rich]));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('lends all that is left, up to each limit, and takes nothing from what was granted', () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 2_000 }), (all, extra) => {
        const budget = extra + all.reduce((total, { floor }) => total + floor, 0);
        const granted = bargain(all, budget, true);
        const lent = lend(all, granted, budget);
        assert.ok(sum(lent) <= budget);
        for (const claim of all) {
          assert.ok(get(lent, claim) >= get(granted, claim));
          assert.ok(get(lent, claim) <= Math.max(claim.limit, get(granted, claim)));
        }
        const room = all.reduce((total, { limit }) => total + limit, 0);
        assert.equal(sum(lent), Math.min(budget, Math.max(room, sum(granted))));
      }),
      { numRuns: 500 },
    );
  });

  it('needs by Little’s law, and no less than is in flight', () => {
    assert.equal(slotsNeeded(100, 0.5, 0, 0.3), 65);
    assert.equal(slotsNeeded(100, null, 0, 0.3), 0);
    assert.equal(slotsNeeded(10, 0.1, 40, 0), 40);
    assert.equal(slotsNeeded(0, 2, 0, 0.3), 0);
  });
});

describe('a lease', () => {
  it('bounds while it holds, falls to its floor when it has expired, and bounds nothing before the first', () => {
    const allowance = new Allowance();
    assert.equal(allowance.slots(0), Infinity);
    assert.ok(allowance.takeRate(0));
    allowance.lease = { slots: 50, rps: 10, floor: { slots: 5, rps: 1 }, expiresAt: 15_000 };
    assert.deepEqual(
      [0, 14_999, 15_000, 1e9].map((now) => allowance.slots(now)),
      [50, 50, 5, 5],
    );
    assert.deepEqual(
      [0, 15_000].map((now) => allowance.rps(now)),
      [10, 1],
    );
  });

  it('lets through its rate and a second’s burst, however calls come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 400 }),
        (rps, gaps) => {
          const allowance = new Allowance();
          allowance.lease = { slots: 1, rps, floor: { slots: 1, rps }, expiresAt: Infinity };
          let now = 0;
          let passed = 0;
          for (const gap of gaps) {
            now += gap;
            if (allowance.takeRate(now)) passed += 1;
          }
          assert.ok(passed <= (rps * now) / 1_000 + rps + 1, `${passed} at ${rps}/s in ${now} ms`);
        },
      ),
    );
  });
});

describe('turns for a herd', () => {
  it('are a burst and then so many a second, in any second, and no two late ones at one instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 100 }), fc.integer(), (n, rate, seed) => {
        const pacer = new Pacer();
        const random = seeded(seed);
        const turns = Array.from({ length: n }, () => pacer.turn(0, rate, 10, random));
        assert.equal(turns.filter((turn) => turn === 0).length, Math.min(n, 10));
        const late = turns.filter((turn) => turn > 0);
        for (const start of late) {
          const inSecond = late.filter((turn) => turn >= start && turn < start + 1_000).length;
          assert.ok(inSecond <= rate + 1, `${inSecond} in one second at ${rate}`);
        }
        if (rate > 1) assert.equal(new Set(late).size, late.length);
      }),
      { numRuns: 200 },
    );
  });
});
