import assert from 'node:assert/strict';
import {
  absurd,
  actorName,
  describeExit,
  type ExitReason,
  isAbnormal,
  KILLED,
  NORMAL,
  restartSet,
  RestartWindow,
  shouldRestart,
  SHUTDOWN,
  toError,
} from '#src/kernel/index.js';

const FAULT: ExitReason = { type: 'fault', error: new Error('boom') };
const INTENSITY: ExitReason = { type: 'intensity', restarts: 4, withinMs: 1_000 };
const START_FAILED: ExitReason = { type: 'start_failed', error: new Error('no port') };
const REASONS = [NORMAL, SHUTDOWN, KILLED, FAULT, INTENSITY, START_FAILED];

describe('shouldRestart', () => {
  it('restarts permanent always, transient after abnormal exits, temporary never', () => {
    assert.deepEqual(
      REASONS.map((reason) => shouldRestart('permanent', reason)),
      [true, true, true, true, true, true],
    );
    assert.deepEqual(
      REASONS.map((reason) => shouldRestart('transient', reason)),
      [false, false, true, true, true, true],
    );
    assert.deepEqual(
      REASONS.map((reason) => shouldRestart('temporary', reason)),
      [false, false, false, false, false, false],
    );
  });
});

describe('restartSet', () => {
  const order = ['a', 'b', 'c'];
  it('is the child, all, or the rest in start order', () => {
    assert.deepEqual(restartSet('one_for_one', order, 'b'), ['b']);
    assert.deepEqual(restartSet('one_for_all', order, 'b'), ['a', 'b', 'c']);
    assert.deepEqual(restartSet('rest_for_one', order, 'b'), ['b', 'c']);
    assert.deepEqual(restartSet('rest_for_one', order, 'a'), ['a', 'b', 'c']);
  });
  it('is empty for a child that is not there, and leaves the order alone', () => {
    for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
      assert.deepEqual(restartSet(strategy, order, 'z'), []);
    }
    restartSet('one_for_all', order, 'a').pop();
    assert.deepEqual(order, ['a', 'b', 'c']);
  });
});

describe('RestartWindow', () => {
  it('allows exactly max restarts within the window', () => {
    const window = new RestartWindow({ max: 3, withinMs: 1_000 });
    assert.deepEqual(
      [0, 10, 20, 30].map((now) => window.exceeds(now)),
      [false, false, false, true],
    );
  });
  it('forgets a restart when withinMs have passed, not before', () => {
    const window = new RestartWindow({ max: 1, withinMs: 1_000 });
    assert.equal(window.exceeds(0), false);
    assert.equal(window.count(999), 1);
    assert.equal(window.count(1_000), 0);
    assert.equal(window.exceeds(1_000), false);
    assert.equal(window.exceeds(1_999), true);
  });
  it('allows none with max 0', () => {
    assert.equal(new RestartWindow({ max: 0, withinMs: 1_000 }).exceeds(5), true);
  });
});

describe('exit reasons', () => {
  it('are abnormal but for normal and shutdown', () => {
    assert.deepEqual(REASONS.map(isAbnormal), [false, false, true, true, true, true]);
  });
  it('read as one line', () => {
    assert.deepEqual(REASONS.map(describeExit), [
      'normal',
      'shutdown',
      'killed',
      'fault: boom',
      'restart intensity exceeded: 4 restarts within 1000 ms',
      'start failed: no port',
    ]);
    assert.throws(() => describeExit({ type: 'unheard' } as unknown as ExitReason), /unreachable/);
    assert.throws(() => absurd('x' as never), /unreachable: "x"/);
  });
  it('carry whatever was thrown as an Error', () => {
    const error = new TypeError('x');
    assert.equal(toError(error), error);
    assert.equal(toError('text').message, 'text');
    assert.equal(toError(undefined).message, 'undefined');
    assert.equal(toError(Symbol('s')).message, 'Symbol(s)');
    const bare: unknown = Object.create(null);
    assert.equal(toError(bare).cause, bare);
  });
  it('leave names plain', () => {
    assert.deepEqual(actorName('/a/b'), { path: '/a/b' });
  });
});
