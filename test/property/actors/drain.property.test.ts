/** Whatever clients are there and whenever their work ends: told the truth, closed at the pace, exactly one end. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DrainWorld } from '../../support/actors/drain-world.js';

const STEP = 25;
const LOOK = 50;

const client = fc.record({
  /** When its work is done, after the begin; 0: it has none. */
  doneAt: fc.integer({ min: 0, max: 6_000 }),
  quietSince: fc.integer({ min: 0, max: 999_999 }),
});

const scenario = fc.record({
  clients: fc.array(client, { maxLength: 30 }),
  timeout: fc.integer({ min: 0, max: 4_000 }),
  grace: fc.constantFrom(0, 0, 300, 1_000),
  interval: fc.integer({ min: 100, max: 2_000 }),
  closeRate: fc.integer({ min: 1, max: 100 }),
  reconnectRate: fc.integer({ min: 1, max: 50 }),
  crashAt: fc.option(fc.integer({ min: 0, max: 4_000 }), { nil: undefined }),
});

describe('drain, properties', () => {
  it('remaining times are true, everybody is told, the pace holds, the end comes once and in time', async () => {
    await fc.assert(
      fc.asyncProperty(
        scenario,
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 50 }),
        async (s, randoms) => {
          const { timeout, grace, interval, closeRate, reconnectRate } = s;
          let drawn = 0;
          const d = new DrainWorld(
            { defaultTimeout: timeout, lameDuck: grace, notificationInterval: interval, closeRate, reconnectRate },
            () => randoms[(drawn += 1) % randoms.length] ?? 0,
          );
          await d.boot();
          const { clock } = d.world;
          const guests = d.guests(s.clients.length);
          const begun = clock.now();
          guests.forEach((guest, i) => {
            const { doneAt, quietSince } = s.clients[i] ?? { doneAt: 0, quietSince: 0 };
            guest.lastSeenAt = quietSince;
            guest.inFlight = doneAt > 0 ? 1 : 0;
            if (doneAt > 0) clock.after(doneAt, () => (guest.inFlight = 0));
          });
          await d.begin();
          for (let at = 0; at < grace + timeout + 1_200; at += STEP) {
            await d.world.advance(STEP);
            if (s.crashAt !== undefined && at <= s.crashAt && s.crashAt < at + STEP)
              d.world.system.kill('/drain/gateway');
          }
          const draining = begun + grace;
          const deadline = draining + timeout;
          // One end, and in time.
          assert.equal(d.outcomes.length, 1);
          const steps = d.steps('gateway');
          assert.equal(steps.filter((step) => step.startsWith('stopped')).length, 1);
          // Time moves in steps here: work that ends within one of the deadline may count either way.
          const done = s.clients.map(({ doneAt }) => doneAt - grace - timeout);
          if (done.some((late) => late > STEP)) assert.equal(d.outcomes[0], 'timed_out');
          else if (done.every((late) => late <= 0)) assert.equal(d.outcomes[0], 'completed');
          for (const [i, guest] of guests.entries()) {
            assert.ok(guest.closedAt !== null && guest.closedAt <= deadline + STEP, `closed at ${guest.closedAt}`);
            // In-flight work is never cut before the deadline.
            const doneAt = begun + (s.clients[i]?.doneAt ?? 0);
            assert.ok(guest.closedAt >= Math.min(doneAt, deadline));
            assert.ok(guest.closedAt >= draining);
            // Told at once, and truthfully each time.
            assert.ok((guest.notices[0]?.at ?? 0) - draining < STEP);
            const spread = Math.max(1_000, (guests.length / reconnectRate) * 1_000);
            for (const { at, notice } of guest.notices) {
              assert.equal(notice.remaining, deadline - at);
              assert.ok((at - draining) % interval < STEP, `told ${at - draining} ms after the first time`);
              assert.ok(notice.reconnect_after >= 0 && notice.reconnect_after <= spread);
            }
          }
          // Never faster than the pace before the deadline; a crash forgets at most what one look allows.
          const rate = Math.max(closeRate, timeout > 0 ? guests.length / ((timeout * 0.8) / 1_000) : 0);
          const shed = guests.map(({ closedAt }) => closedAt ?? 0).filter((at) => at < deadline);
          shed.sort((a, b) => a - b);
          for (let i = 0; i < shed.length; i++) {
            for (let j = i; j < shed.length; j++) {
              const seconds = ((shed[j] ?? 0) - (shed[i] ?? 0) + 2 * LOOK) / 1_000;
              assert.ok(j - i + 1 <= rate * seconds + 2, `${j - i + 1} clients in ${seconds} s at ${rate}`);
            }
          }
          await d.world.system.shutdown();
        },
      ),
      { numRuns: 60 },
    );
  }).timeout(120_000);
});
