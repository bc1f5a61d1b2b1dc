/** Restart intensity, escalation, starts that fail again, and backoff. */
import assert from 'node:assert/strict';
import { Fixture, tree } from '../../support/kernel.js';

describe('restart intensity', () => {
  async function crash(fix: Fixture, path: string, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      fix.crash(path);
      await fix.settle();
    }
  }

  it('holds at exactly max and is exceeded at max + 1', async () => {
    const fix = new Fixture();
    await fix.boot([tree('s', [fix.scripted('a'), fix.scripted('b')], { intensity: { max: 2, withinMs: 1_000 } })]);
    await crash(fix, '/s/a', 2);
    assert.deepEqual(fix.of('supervisor/intensity-exceeded'), []);
    assert.equal(fix.nodes().get('/s')?.incarnation, 1);
    await crash(fix, '/s/b', 1);
    assert.deepEqual(fix.of('supervisor/intensity-exceeded'), [
      { type: 'supervisor/intensity-exceeded', path: '/s', restarts: 3, withinMs: 1_000 },
    ]);
    const nodes = fix.nodes();
    assert.deepEqual([nodes.get('/s')?.incarnation, nodes.get('/s')?.restarts], [2, 1]);
    assert.deepEqual([fix.ref('/s/a').incarnation, fix.ref('/s/b').incarnation], [4, 2]);
    assert.match(nodes.get('/s')?.lastFault?.message ?? '', /3 restarts within 1000 ms/);
  });

  it('counts a window, and starts afresh with a new incarnation of the supervisor', async () => {
    const fix = new Fixture();
    await fix.boot([tree('s', [fix.scripted('a')], { intensity: { max: 1, withinMs: 1_000 } })]);
    for (let i = 0; i < 4; i++) {
      await crash(fix, '/s/a', 1);
      fix.clock.advance(1_000);
    }
    assert.equal(fix.nodes().get('/s')?.incarnation, 1);
    await crash(fix, '/s/a', 2);
    assert.equal(fix.nodes().get('/s')?.incarnation, 2);
    await crash(fix, '/s/a', 1);
    assert.equal(fix.nodes().get('/s')?.incarnation, 2);
  });

  it('does not count exits that restart nobody', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { restart: 'temporary' }), fix.scripted('b', { restart: 'transient' })], {
      intensity: { max: 0, withinMs: 1_000 },
    });
    fix.crash('/a');
    fix.ref('/b').tell((context) => context.exit({ type: 'normal' }));
    await fix.settle();
    assert.equal(fix.nodes().get('/')?.state, 'running');
  });

  it('escalates from parent to parent up to the root, whose exit ends the system with that reason', async () => {
    const fix = new Fixture();
    const intensity = { max: 1, withinMs: 1_000 };
    await fix.boot([fix.scripted('x'), tree('s', [tree('t', [fix.scripted('a')], { intensity })], { intensity })], {
      intensity,
    });
    // Two restarts of a end t, two of t end s, two of s end the root: 2³ crashes.
    await crash(fix, '/s/t/a', 7);
    assert.equal(fix.nodes().get('/')?.state, 'running');
    assert.deepEqual(
      ['/s', '/s/t', '/s/t/a'].map((path) => fix.nodes().get(path)?.incarnation),
      [2, 4, 8],
    );
    await crash(fix, '/s/t/a', 1);
    assert.deepEqual(await fix.system.terminated, { type: 'intensity', restarts: 2, withinMs: 1_000 });
    assert.equal(fix.lives('/x'), false);
    assert.equal(fix.nodes().get('/')?.state, 'failed');
    assert.deepEqual(
      fix.of('supervisor/intensity-exceeded').map(({ path }) => path),
      ['/s/t', '/s/t', '/s', '/s/t', '/s/t', '/s', '/'],
    );
    assert.deepEqual(fix.who('child/terminated').sort(), fix.who('child/started').sort());
  });

  it('ends a temporary branch for good and leaves the rest alone', async () => {
    const fix = new Fixture();
    await fix.boot([
      tree('s', [fix.scripted('a')], { restart: 'temporary', intensity: { max: 0, withinMs: 1_000 } }),
      fix.scripted('b'),
    ]);
    await crash(fix, '/s/a', 1);
    assert.deepEqual([fix.lives('/s'), fix.lives('/s/a'), fix.ref('/b').incarnation], [false, false, 1]);
    assert.deepEqual([...fix.system.paths()].sort(), ['/', '/b', '/s']);
  });
});

describe('a restart that fails', () => {
  async function failing(failures: number, max: number, asynchronous: boolean): Promise<Fixture> {
    const fix = new Fixture();
    let left = 0;
    await fix.boot([
      tree(
        's',
        [
          fix.scripted('a'),
          fix.scripted('b', {
            init: () => {
              if (left-- <= 0) return undefined;
              if (asynchronous) return Promise.reject(new Error('not yet'));
              throw new Error('not yet');
            },
          }),
        ],
        { intensity: { max, withinMs: 1_000 } },
      ),
    ]);
    left = failures;
    fix.crash('/s/b');
    await fix.settle();
    return fix;
  }

  for (const asynchronous of [false, true]) {
    const init = asynchronous ? 'an asynchronous init' : 'an init';
    it(`is tried again and counts, with ${init}`, async () => {
      const fix = await failing(2, 3, asynchronous);
      assert.equal(fix.ref('/s/b').incarnation, 4);
      assert.equal(fix.nodes().get('/s')?.incarnation, 1);
      assert.equal(fix.of('child/start-failed').length, 2);
      assert.deepEqual(fix.who('child/restarted'), ['/s/b#4']);
      assert.deepEqual(fix.who('child/terminated'), ['/s/b#1']);
    });

    it(`exceeds the intensity at max + 1 tries, with ${init}`, async () => {
      const fix = await failing(3, 3, asynchronous);
      assert.deepEqual(
        fix.of('supervisor/intensity-exceeded').map(({ path }) => path),
        ['/s'],
      );
      assert.deepEqual([fix.nodes().get('/s')?.incarnation, fix.ref('/s/a').incarnation], [2, 2]);
      assert.equal(fix.ref('/s/b').incarnation, 5);
    });
  }

  it('under one_for_all tries all of them again', async () => {
    const fix = new Fixture();
    let left = 0;
    await fix.boot(
      [
        fix.scripted('a'),
        fix.scripted('b', {
          init: () => {
            if (left-- > 0) throw new Error('not yet');
          },
        }),
        fix.scripted('c'),
      ],
      { strategy: 'one_for_all' },
    );
    left = 1;
    fix.log.length = 0;
    fix.crash('/c');
    await fix.settle();
    assert.deepEqual(fix.log, [
      'terminate /c#1 fault',
      'terminate /b#1 shutdown',
      'terminate /a#1 shutdown',
      'init /a#2',
      'init /b#2',
      'terminate /a#2 shutdown',
      'init /a#3',
      'init /b#3',
      'init /c#2',
    ]);
  });

  it('in a nested supervisor rolls that one back and counts for its parent', async () => {
    const fix = new Fixture();
    let left = 0;
    await fix.boot([
      tree('s', [
        fix.scripted('a'),
        fix.scripted('b', {
          init: () => {
            if (left-- > 0) throw new Error('not yet');
          },
        }),
      ]),
    ]);
    left = 1;
    fix.log.length = 0;
    fix.system.kill('/s');
    await fix.settle();
    assert.deepEqual(fix.log, [
      'terminate /s/b#1 shutdown',
      'terminate /s/a#1 shutdown',
      'init /s/a#2',
      'init /s/b#2',
      'terminate /s/a#2 shutdown',
      'init /s/a#3',
      'init /s/b#3',
    ]);
    assert.equal(fix.nodes().get('/s')?.incarnation, 3);
    assert.equal(fix.nodes().get('/')?.incarnation, 1);
  });
});

describe('backoff', () => {
  const attempts: number[] = [];
  const backoff = (attempt: number): number => {
    attempts.push(attempt);
    return attempt * 100;
  };
  let fix: Fixture;

  beforeEach(async () => {
    attempts.length = 0;
    fix = new Fixture();
    await fix.boot([fix.scripted('a'), fix.scripted('b')], { backoff, intensity: { max: 5, withinMs: 10_000 } });
  });

  it('waits before the nth restart within the window, and holds up nobody else', async () => {
    fix.crash('/a');
    await fix.settle();
    assert.equal(fix.nodes().get('/a')?.state, 'restarting');
    assert.equal(fix.lives('/a'), false);
    fix.crash('/b');
    await fix.settle();
    fix.clock.advance(99);
    await fix.settle();
    assert.equal(fix.lives('/a'), false);
    fix.clock.advance(1);
    await fix.settle();
    assert.deepEqual([fix.ref('/a').incarnation, fix.lives('/b')], [2, false]);
    fix.clock.advance(100);
    await fix.settle();
    assert.equal(fix.ref('/b').incarnation, 2);
    assert.deepEqual(attempts, [1, 2]);
  });

  it('is short again when the window has passed', async () => {
    for (let i = 0; i < 2; i++) {
      fix.crash('/a');
      await fix.settle();
      fix.clock.advance(10_000);
      await fix.settle();
    }
    assert.deepEqual(attempts, [1, 1]);
  });

  it('ends with the supervisor', async () => {
    fix.crash('/a');
    await fix.settle();
    await fix.system.shutdown();
    assert.equal(fix.clock.pending, 0);
    fix.clock.advance(1_000);
    await fix.settle();
    assert.deepEqual(fix.who('child/started').sort(), ['/#1', '/a#1', '/b#1']);
  });

  it('is not applied to the other strategies, whose siblings would stay down meanwhile', async () => {
    const all = new Fixture();
    await all.boot([all.scripted('a'), all.scripted('b')], { backoff, strategy: 'one_for_all' });
    all.crash('/a');
    await all.settle();
    assert.deepEqual([all.ref('/a').incarnation, all.ref('/b').incarnation], [2, 2]);
  });
});
