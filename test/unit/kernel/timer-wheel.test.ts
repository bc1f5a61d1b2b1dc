import assert from 'node:assert/strict';
import { Deadline, TimerWheel, VirtualClock } from '#src/kernel/index.js';

class Probe extends Deadline {
  readonly fired: number[] = [];
  constructor(
    readonly clock: VirtualClock,
    readonly also: () => void = () => undefined,
  ) {
    super();
  }
  override fire(): void {
    this.fired.push(this.clock.now());
    this.also();
  }
}

/** A clock whose timers are late: time passes first, then they fire, as after a blocked event loop. */
class LateClock extends VirtualClock {
  skipped = 0;
  override now(): number {
    return super.now() + this.skipped;
  }
}

const TICK = 20;

describe('TimerWheel', () => {
  let clock: VirtualClock;
  let wheel: TimerWheel;

  beforeEach(() => {
    clock = new VirtualClock(12_345);
    wheel = new TimerWheel(clock, TICK, 8);
  });

  it('fires up to one tick late, never early', () => {
    for (const ms of [0, 1, 19, 20, 21, 159, 160, 161, 1_000]) {
      const start = clock.now();
      const probe = new Probe(clock);
      wheel.schedule(probe, ms);
      clock.advance(2_000);
      assert.equal(probe.fired.length, 1, `${ms} ms`);
      const took = (probe.fired[0] ?? 0) - start;
      assert.ok(took >= ms && took <= ms + TICK, `${ms} ms took ${took} ms`);
    }
  });

  it('holds one timer of the clock at most, and none while it is empty', () => {
    assert.equal(clock.pending, 0);
    const handles = [10, 500, 90].map((ms) => wheel.after(ms, () => undefined));
    assert.equal(clock.pending, 1);
    assert.equal(wheel.size, 3);
    for (const handle of handles) handle.cancel();
    assert.equal(clock.pending, 0);
    assert.equal(wheel.size, 0);
    wheel.after(10, () => undefined);
    clock.advance(100);
    assert.equal(clock.pending, 0);
  });

  it('fires a deadline many turns of the wheel away once, at its time', () => {
    const probe = new Probe(clock);
    const start = clock.now();
    wheel.schedule(probe, 10_000);
    clock.advance(9_999);
    assert.deepEqual(probe.fired, []);
    clock.advance(TICK + 1);
    assert.deepEqual(
      probe.fired.map((at) => at - start),
      [10_000],
    );
  });

  it('fires everything that came due in a pause longer than one turn of the wheel, and nothing else', () => {
    const late = new LateClock();
    const paused = new TimerWheel(late, TICK, 8);
    const due = [5, 100, 170, 400, 999].map((ms) => {
      const probe = new Probe(late);
      paused.schedule(probe, ms);
      return probe;
    });
    const later = new Probe(late);
    paused.schedule(later, 1_500);
    late.skipped = 1_000;
    late.advance(TICK);
    assert.deepEqual(
      due.map((probe) => probe.fired.length),
      [1, 1, 1, 1, 1],
    );
    assert.deepEqual(later.fired, []);
    late.advance(500);
    assert.equal(later.fired.length, 1);
  });

  it('takes a deadline set during a pause, before the late turn, no earlier than asked', () => {
    const late = new LateClock();
    const paused = new TimerWheel(late, TICK, 8);
    paused.schedule(new Probe(late), 30);
    late.skipped = 5_000;
    const start = late.now();
    const probe = new Probe(late);
    paused.schedule(probe, 45);
    late.advance(500);
    const took = (probe.fired[0] ?? 0) - start;
    assert.ok(took >= 45 && took <= 45 + 2 * TICK, String(took));
  });

  it('moves a deadline that waits', () => {
    const probe = new Probe(clock);
    wheel.schedule(probe, 40);
    clock.advance(20);
    wheel.schedule(probe, 400);
    assert.equal(wheel.size, 1);
    clock.advance(300);
    assert.deepEqual(probe.fired, []);
    clock.advance(200);
    assert.equal(probe.fired.length, 1);
  });

  it('lets one deadline cancel another that is due in the same tick', () => {
    const second = new Probe(clock);
    wheel.schedule(new Probe(clock, () => wheel.cancel(second)), 10);
    wheel.schedule(second, 10);
    clock.advance(1_000);
    assert.deepEqual(second.fired, []);
    assert.equal(wheel.size, 0);
  });

  it('does not fire early a deadline that another one due in the same tick has moved', () => {
    const second = new Probe(clock);
    wheel.schedule(new Probe(clock, () => wheel.schedule(second, 500)), 10);
    wheel.schedule(second, 10);
    const start = clock.now();
    clock.advance(1_000);
    assert.equal(second.fired.length, 1);
    assert.ok((second.fired[0] ?? 0) - start >= 500);
  });

  it('lets a deadline set itself again', () => {
    let rounds = 0;
    const probe: Probe = new Probe(clock, () => {
      if (++rounds < 3) wheel.schedule(probe, 0);
    });
    wheel.schedule(probe, 0);
    clock.advance(1_000);
    assert.equal(probe.fired.length, 3);
    assert.equal(wheel.size, 0);
    assert.equal(clock.pending, 0);
  });

  it('takes new deadlines after it was empty for long', () => {
    wheel.after(10, () => undefined);
    clock.advance(100_000);
    const probe = new Probe(clock);
    const start = clock.now();
    wheel.schedule(probe, 30);
    clock.advance(49);
    assert.ok((probe.fired[0] ?? 0) - start >= 30);
  });

  it('does nothing on cancelling what is not on it', () => {
    const probe = new Probe(clock);
    wheel.cancel(probe);
    const handle = wheel.after(10, () => undefined);
    clock.advance(100);
    handle.cancel();
    handle.cancel();
    assert.equal(wheel.size, 0);
  });

  it('counts a negative delay as 0 and never fires one of Infinity', () => {
    const soon = new Probe(clock);
    const never = new Probe(clock);
    wheel.schedule(soon, -50);
    wheel.schedule(never, Infinity);
    clock.advance(60_000);
    assert.equal(soon.fired.length, 1);
    assert.deepEqual(never.fired, []);
    assert.equal(wheel.size, 1);
    wheel.cancel(never);
    assert.equal(clock.pending, 0);
  });
});
