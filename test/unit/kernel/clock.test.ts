import assert from 'node:assert/strict';
import { SystemClock, VirtualClock } from '#src/kernel/index.js';

describe('VirtualClock', () => {
  it('stands still until it is advanced', () => {
    const clock = new VirtualClock(500);
    assert.equal(clock.now(), 500);
    clock.advance(20);
    assert.equal(clock.now(), 520);
  });

  it('fires in order of due time, equal times in order of creation, each at its own time', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const set = (ms: number, name: string) => clock.after(ms, () => fired.push(`${name}@${clock.now()}`));
    set(20, 'c');
    set(10, 'a');
    set(10, 'b');
    set(30, 'd');
    clock.advance(20);
    assert.deepEqual(fired, ['a@10', 'b@10', 'c@20']);
    assert.equal(clock.pending, 1);
  });

  it('fires timers set by timers on the way', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    assert.deepEqual(fired, [10, 20, 30]);
  });

  it('cancels, also twice, also within another timer, and not after firing', () => {
    const clock = new VirtualClock();
    let fired = 0;
    const victim = clock.after(10, () => fired++);
    clock.after(5, () => {
      victim.cancel();
      victim.cancel();
    });
    const done = clock.after(1, () => fired++);
    clock.advance(100);
    done.cancel();
    assert.equal(fired, 1);
    assert.equal(clock.pending, 0);
  });

  it('counts a negative delay as 0 and clamps a long one to 2³¹−1 ms', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.after(-5, () => fired.push('negative'));
    clock.after(Infinity, () => fired.push('long'));
    clock.advance(0);
    assert.deepEqual(fired, ['negative']);
    clock.advance(2 ** 31 - 1);
    assert.deepEqual(fired, ['negative', 'long']);
  });

  it('never goes back, not even when a timer advances it', () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    clock.after(10, () => clock.advance(100));
    clock.after(20, () => seen.push(clock.now()));
    clock.after(30, () => seen.push(clock.now()));
    clock.advance(15);
    seen.push(clock.now());
    assert.deepEqual(seen, [20, 30, 110]);
  });
});

describe('SystemClock', () => {
  it('tells epoch milliseconds that never go back', () => {
    const clock = new SystemClock();
    const first = clock.now();
    const second = clock.now();
    assert.ok(second >= first);
    assert.equal(new Date(first).getUTCFullYear(), new Date().getUTCFullYear());
  });

  it('fires once and not when cancelled', async () => {
    const clock = new SystemClock();
    let cancelled = 0;
    clock.after(1, () => cancelled++).cancel();
    await new Promise<void>((resolve) => void clock.after(2, resolve));
    assert.equal(cancelled, 0);
  });

  it('does not fire a very long delay at once', async () => {
    const clock = new SystemClock();
    let fired = 0;
    const timer = clock.after(Infinity, () => fired++);
    await new Promise<void>((resolve) => void clock.after(-1, resolve));
    timer.cancel();
    assert.equal(fired, 0);
  });
});
