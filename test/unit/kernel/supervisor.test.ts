/** Static supervisors: start, roll-back, stop, and who is restarted with whom. */
import assert from 'node:assert/strict';
import { type ExitReason, KILLED, NORMAL, type Restart, SHUTDOWN, type Strategy } from '#src/kernel/index.js';
import { deferred, Fixture, tree } from '../../support/kernel.js';

describe('a supervisor starts and stops', () => {
  it('in order and in reverse, depth first', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a'), tree('s', [fix.scripted('b'), fix.scripted('c')]), fix.scripted('d')]);
    assert.deepEqual(fix.log, ['init /a#1', 'init /s/b#1', 'init /s/c#1', 'init /d#1']);
    assert.deepEqual(fix.who('child/started'), ['/a#1', '/s/b#1', '/s/c#1', '/s#1', '/d#1', '/#1']);
    fix.log.length = 0;
    await fix.system.shutdown();
    assert.deepEqual(
      fix.log,
      ['/d', '/s/c', '/s/b', '/a'].map((path) => `terminate ${path}#1 shutdown`),
    );
    assert.deepEqual(await fix.system.terminated, SHUTDOWN);
    assert.deepEqual([...fix.system.paths()], ['/']);
  });

  it('one child after the other, so that a child may still use those started before it', async () => {
    const fix = new Fixture();
    const gate = deferred();
    await fix.boot([fix.scripted('a'), fix.scripted('b', { terminate: () => gate.promise })]);
    const shutdown = fix.system.shutdown();
    await fix.settle();
    assert.equal(fix.lives('/a'), true);
    gate.resolve();
    await shutdown;
    assert.equal(fix.lives('/a'), false);
  });

  for (const how of ['throws', 'rejects'] as const) {
    it(`not at all when a child's init ${how}: those before it are stopped in reverse, the error is the boot's`, async () => {
      const fix = new Fixture();
      const boot = fix.boot([
        fix.scripted('a'),
        tree('s', [
          fix.scripted('b'),
          fix.scripted('c', {
            init: () => {
              if (how === 'throws') throw new Error('no port');
              return Promise.reject(new Error('no port'));
            },
          }),
          fix.scripted('never'),
        ]),
        fix.scripted('never'),
      ]);
      await assert.rejects(boot, /^Error: no port$/);
      assert.deepEqual(fix.log, [
        'init /a#1',
        'init /s/b#1',
        'init /s/c#1',
        'terminate /s/b#1 shutdown',
        'terminate /a#1 shutdown',
      ]);
      assert.deepEqual(
        fix.of('child/start-failed').map(({ path, error }) => `${path} ${error.message}`),
        ['/s/c no port', '/s no port', '/ no port'],
      );
      assert.deepEqual([...fix.system.paths()], ['/'], 'no name is left behind');
      assert.equal((await fix.system.terminated).type, 'start_failed');
      await fix.system.shutdown();
    });
  }

  it('not with two children of one id, nor with an id that is no path segment', async () => {
    for (const children of [['a', 'a'], ['a/b'], ['']]) {
      const fix = new Fixture();
      await assert.rejects(
        fix.boot([
          tree(
            's',
            children.map((id) => fix.scripted(id)),
          ),
        ]),
        /two children named "a"|not a child id/,
      );
      assert.deepEqual(fix.log, []);
      assert.equal(fix.lives('/s'), false);
      await fix.system.shutdown();
    }
  });

  it('under its own patience when its children hang', async () => {
    const fix = new Fixture();
    const hang = (): Promise<void> => new Promise(() => undefined);
    await fix.boot([
      tree('s', [fix.scripted('a', { terminate: hang }), fix.scripted('b', { terminate: hang })], { shutdownMs: 50 }),
    ]);
    const shutdown = fix.system.shutdown();
    await fix.settle();
    fix.clock.advance(50);
    await shutdown;
    assert.deepEqual(fix.who('child/abandoned'), ['/s#1']);
  });
});

describe('a supervisor restarts', () => {
  const EXITS: Record<string, ExitReason> = {
    normal: NORMAL,
    shutdown: SHUTDOWN,
    killed: KILLED,
    fault: { type: 'fault', error: new Error('boom') },
  };
  const BACK: Record<Restart, readonly string[]> = {
    permanent: ['normal', 'shutdown', 'killed', 'fault'],
    transient: ['killed', 'fault'],
    temporary: [],
  };

  for (const restart of ['permanent', 'transient', 'temporary'] as const) {
    for (const exit of Object.keys(EXITS)) {
      const back = BACK[restart].includes(exit);
      it(`${back ? '' : 'not '}a ${restart} child after ${exit}`, async () => {
        const fix = new Fixture();
        await fix.boot([fix.scripted('a', { restart })]);
        const old = fix.ref('/a');
        old.tell((context) => context.exit(EXITS[exit]!));
        await fix.settle();
        assert.equal(fix.lives('/a'), back);
        assert.equal(old.alive, false);
        const node = fix.nodes().get('/a');
        assert.deepEqual(
          [node?.state, node?.incarnation, node?.restarts],
          back ? ['running', 2, 1] : ['stopped', 1, 0],
        );
        assert.deepEqual(fix.who('child/restarted'), back ? ['/a#2'] : []);
        assert.deepEqual(
          fix.of('child/terminated').map(({ reason }) => reason.type),
          [exit],
        );
        await fix.system.shutdown();
      });
    }
  }

  async function crashOne(strategy: Strategy): Promise<string[]> {
    const fix = new Fixture();
    await fix.boot(
      [
        fix.scripted('a'),
        fix.scripted('b', { restart: 'temporary' }),
        fix.scripted('c'),
        fix.scripted('d', { restart: 'temporary' }),
        fix.scripted('e', { restart: 'transient' }),
      ],
      { strategy },
    );
    fix.log.length = 0;
    fix.crash('/c');
    await fix.settle();
    const { log } = fix;
    const nodes = fix.nodes();
    const alive = ['a', 'b', 'c', 'd', 'e'].filter((id) => nodes.get(`/${id}`)?.state === 'running');
    assert.equal(nodes.get('/c')?.incarnation, 2);
    assert.equal(nodes.get('/')?.incarnation, 1);
    const events = [...log, `alive ${alive.join('')}`];
    await fix.system.shutdown();
    return events;
  }

  it('one_for_one: only the one that failed', async () => {
    assert.deepEqual(await crashOne('one_for_one'), ['terminate /c#1 fault', 'init /c#2', 'alive abcde']);
  });

  it('rest_for_one: stops those after it in reverse and starts them in order, temporary ones not', async () => {
    assert.deepEqual(await crashOne('rest_for_one'), [
      'terminate /c#1 fault',
      'terminate /e#1 shutdown',
      'terminate /d#1 shutdown',
      'init /c#2',
      'init /e#2',
      'alive abce',
    ]);
  });

  it('one_for_all: stops all others in reverse and starts all in order, temporary ones not', async () => {
    assert.deepEqual(await crashOne('one_for_all'), [
      'terminate /c#1 fault',
      'terminate /e#1 shutdown',
      'terminate /d#1 shutdown',
      'terminate /b#1 shutdown',
      'terminate /a#1 shutdown',
      'init /a#2',
      'init /c#2',
      'init /e#2',
      'alive ace',
    ]);
  });

  it('one_for_all: also a transient child that had ended normally (OTP starts all specs again)', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { restart: 'transient' }), fix.scripted('b')], { strategy: 'one_for_all' });
    fix.ref('/a').tell((context) => context.exit(NORMAL));
    await fix.settle();
    assert.equal(fix.lives('/a'), false);
    assert.equal(fix.ref('/b').incarnation, 1);
    fix.crash('/b');
    await fix.settle();
    assert.equal(fix.ref('/a').incarnation, 2);
  });

  it('nobody for the exit of a temporary child under one_for_all', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { restart: 'temporary' }), fix.scripted('b')], { strategy: 'one_for_all' });
    fix.crash('/a');
    await fix.settle();
    assert.deepEqual([fix.lives('/a'), fix.ref('/b').incarnation], [false, 1]);
  });

  it('a whole branch that was killed, children and all, with its history kept', async () => {
    const fix = new Fixture();
    await fix.boot([tree('s', [fix.scripted('a'), tree('t', [fix.scripted('b')])]), fix.scripted('c')]);
    fix.crash('/s/t/b', 'first');
    await fix.settle();
    const old = fix.ref('/s/t/b');
    assert.equal(fix.system.kill('/s'), true);
    await fix.settle();
    assert.equal(
      old.tell(() => undefined),
      'noproc',
    );
    assert.deepEqual(
      ['/s', '/s/a', '/s/t', '/s/t/b', '/c'].map((path) => fix.nodes().get(path)?.incarnation),
      [2, 2, 2, 3, 1],
    );
    assert.equal(fix.nodes().get('/s/t/b')?.lastFault?.message, 'fault: first');
    assert.deepEqual(fix.log.slice(-4), [
      'terminate /s/t/b#2 shutdown',
      'terminate /s/a#1 shutdown',
      'init /s/a#2',
      'init /s/t/b#3',
    ]);
    await fix.system.shutdown();
  });

  it('with several exits at once each of them once', async () => {
    const fix = new Fixture();
    const ids = ['a', 'b', 'c'];
    await fix.boot(ids.map((id) => fix.scripted(id)));
    for (const id of ids) fix.crash(`/${id}`);
    await fix.settle();
    assert.deepEqual(
      ids.map((id) => fix.ref(`/${id}`).incarnation),
      [2, 2, 2],
    );
    assert.equal(fix.nodes().get('/')?.incarnation, 1);
  });

  it('once for exits of the same set that come together (one_for_all)', async () => {
    const fix = new Fixture();
    const ids = ['a', 'b', 'c'];
    await fix.boot(
      ids.map((id) => fix.scripted(id)),
      { strategy: 'one_for_all', intensity: { max: 1, withinMs: 1_000 } },
    );
    for (const id of ids) fix.crash(`/${id}`);
    await fix.settle();
    assert.deepEqual(
      ids.map((id) => fix.ref(`/${id}`).incarnation),
      [2, 2, 2],
    );
  });

  it('a child that fails again while others still start', async () => {
    const fix = new Fixture();
    let gate = deferred();
    gate.resolve();
    await fix.boot([fix.scripted('a'), fix.scripted('b', { init: () => gate.promise })], { strategy: 'one_for_all' });
    gate = deferred();
    fix.crash('/a');
    await fix.settle();
    assert.equal(fix.nodes().get('/b')?.state, 'starting');
    fix.crash('/a', 'again');
    await fix.settle();
    assert.equal(fix.lives('/a'), false, 'the supervisor is busy with the first restart');
    gate.resolve();
    await fix.settle();
    assert.deepEqual([fix.ref('/a').incarnation, fix.ref('/b').incarnation], [3, 3]);
    await fix.system.shutdown();
  });

  it('to a stop when it is told to stop meanwhile: nobody is left', async () => {
    const fix = new Fixture();
    let gate = deferred();
    gate.resolve();
    await fix.boot([fix.scripted('a'), fix.scripted('b', { init: () => gate.promise }), fix.scripted('c')], {
      strategy: 'rest_for_one',
    });
    gate = deferred();
    fix.crash('/a');
    await fix.settle();
    const shutdown = fix.system.shutdown();
    await fix.settle();
    gate.resolve();
    await shutdown;
    assert.deepEqual(
      ['/a', '/b', '/c'].filter((path) => fix.lives(path)),
      [],
    );
    assert.deepEqual(fix.who('child/started').sort(), ['/#1', '/a#1', '/a#2', '/b#1', '/b#2', '/c#1'].sort());
    assert.deepEqual(fix.who('child/terminated').sort(), fix.who('child/started').sort());
    assert.deepEqual(await fix.system.terminated, SHUTDOWN);
  });

  it('to a stop within the patience of a child whose new init hangs', async () => {
    const fix = new Fixture();
    let gate = deferred();
    gate.resolve();
    await fix.boot([fix.scripted('a'), fix.scripted('b', { shutdownMs: 100, init: () => gate.promise })]);
    gate = deferred();
    fix.crash('/b');
    await fix.settle();
    const shutdown = fix.system.shutdown();
    await fix.settle();
    fix.clock.advance(100);
    await shutdown;
    assert.deepEqual(fix.who('child/abandoned'), ['/b#2']);
    assert.equal(fix.log.at(-1), 'terminate /a#1 shutdown');
    assert.deepEqual(fix.of('supervisor/intensity-exceeded'), []);
  });
});
