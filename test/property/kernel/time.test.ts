/** Random deadlines and random restarts: the wheel and the window against the obvious way to do it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Deadline, RestartWindow, TimerWheel, VirtualClock } from '#src/kernel/index.js';

const IDS = 6;
const TICK = 20;

/** Often the same few, so that many fall due in one tick. */
const delay = fc.oneof(fc.constantFrom(10, 30, 200), fc.nat(700));

const op = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('schedule'), id: fc.nat(IDS - 1), ms: delay }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel'), id: fc.nat(IDS - 1), ms: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('advance'), id: fc.constant(0), ms: fc.nat(400) }) },
);

/** What a deadline does when it fires: moves or cancels another, or nothing. */
const reaction = fc.option(fc.record({ id: fc.nat(IDS - 1), ms: fc.option(fc.nat(300)) }), { freq: 2 });

describe('the timer wheel, compared with a list of due times', () => {
  it('fires each deadline once, never early, at most one tick late', () => {
    fc.assert(
      fc.property(
        fc.array(op, { maxLength: 60 }),
        fc.array(reaction, { minLength: IDS, maxLength: IDS }),
        fc.integer({ min: 1, max: 16 }),
        (ops, reactions, slots) => {
          const clock = new VirtualClock(777);
          const wheel = new TimerWheel(clock, TICK, slots);
          const due = new Map<number, number>();
          const schedule = (id: number, ms: number): void => {
            wheel.schedule(deadlines[id]!, ms);
            due.set(id, clock.now() + ms);
          };
          const cancel = (id: number): void => {
            wheel.cancel(deadlines[id]!);
            due.delete(id);
          };
          class Probe extends Deadline {
            constructor(readonly id: number) {
              super();
            }
            override fire(): void {
              const at = due.get(this.id);
              assert.ok(at !== undefined, `${this.id} fired though it does not wait`);
              assert.ok(clock.now() >= at, `${this.id} fired ${at - clock.now()} ms early`);
              assert.ok(clock.now() <= at + TICK, `${this.id} fired ${clock.now() - at} ms late`);
              due.delete(this.id);
              const then = reactions[this.id];
              if (!then) return;
              if (then.ms === null) cancel(then.id);
              else schedule(then.id, then.ms);
            }
          }
          const deadlines = Array.from({ length: IDS }, (_, id) => new Probe(id));
          for (const { type, id, ms } of ops) {
            if (type === 'schedule') schedule(id, ms);
            else if (type === 'cancel') cancel(id);
            else clock.advance(ms);
            assert.equal(wheel.size, due.size);
            assert.equal(clock.pending, due.size > 0 ? 1 : 0);
            for (const [late, at] of due) assert.ok(at + TICK >= clock.now(), `${late} is overdue`);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the restart window, compared with a count of all restarts', () => {
  it('is exceeded exactly when more than max lie within the last withinMs', () => {
    fc.assert(
      fc.property(
        fc.nat(4),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.nat(40), { maxLength: 50 }),
        (max, withinMs, gaps) => {
          const window = new RestartWindow({ max, withinMs });
          const times: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            times.push(now);
            const within = times.filter((time) => now - time < withinMs).length;
            assert.equal(window.exceeds(now), within > max);
            assert.equal(window.count(now), within);
          }
        },
      ),
    );
  });
});
