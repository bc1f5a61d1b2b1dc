import assert from 'node:assert/strict';
import {
  type ChildSpec,
  dynamic,
  type DynamicSupervisorSpec,
  NORMAL,
  partitioned,
  type PartitionedSupervisorSpec,
  type StartResult,
} from '#src/kernel/index.js';
import { type Act, deferred, Fixture, tree } from '../../support/kernel.js';

const WIDE = { max: 100, withinMs: 1_000 };

function started<M>(result: StartResult<M>): Extract<StartResult<M>, { ok: true }> {
  assert.ok(result.ok, result.ok ? '' : result.why);
  return result;
}

function refused(result: StartResult<never>): string {
  return result.ok ? 'started' : result.why;
}

describe('a dynamic supervisor', () => {
  let fix: Fixture;
  const start = (spec: ChildSpec) => fix.system.startChild<Act>('/d', spec);

  async function boot(options: Partial<DynamicSupervisorSpec> = {}): Promise<void> {
    fix = new Fixture();
    await fix.boot([dynamic({ id: 'd', intensity: WIDE, ...options })]);
  }

  beforeEach(() => boot());

  it('starts a child at once, without a turn of its own', () => {
    const result = started(start(fix.scripted('c')));
    assert.deepEqual(fix.log, ['init /d/c#1']);
    assert.equal(result.ready, undefined);
    assert.equal(result.ref.path, '/d/c');
    assert.equal(fix.ref('/d/c'), result.ref);
  });

  it('says when an asynchronous init has settled', async () => {
    const gate = deferred();
    const result = started(start(fix.scripted('c', { init: () => gate.promise })));
    assert.equal(result.ref.alive, true);
    gate.resolve();
    await result.ready;
    assert.equal(fix.nodes().get('/d/c')?.state, 'running');
  });

  it('forgets a child whose asynchronous init rejects, whether anybody waits for it or not', async () => {
    const waited = started(start(fix.scripted('c', { init: () => Promise.reject(new Error('no')) })));
    await assert.rejects(waited.ready ?? Promise.resolve(), /no/);
    // Nobody waits: an unhandled rejection would end the process.
    started(start(fix.scripted('c', { init: () => Promise.reject(new Error('no')) })));
    await fix.settle();
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
    assert.equal(fix.nodes().get('/d')?.childCount, 0);
  });

  it('says so when an init throws, and forgets the child', () => {
    const result = start(
      fix.scripted('c', {
        init: () => {
          throw new Error('no');
        },
      }),
    );
    assert.ok(!result.ok && result.why === 'init_failed' && result.error?.message === 'no');
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
    started(start(fix.scripted('c')));
  });

  it('refuses past max_children and takes again after an exit', async () => {
    await boot({ maxChildren: 2 });
    started(start(fix.scripted('a', { restart: 'temporary' })));
    started(start(fix.scripted('b')));
    assert.equal(refused(start(fix.scripted('c'))), 'max_children');
    fix.crash('/d/a');
    await fix.settle();
    started(start(fix.scripted('c')));
  });

  it('refuses a second child of the same id, also while the first one stops', async () => {
    const gate = deferred();
    started(start(fix.scripted('a', { terminate: () => gate.promise })));
    assert.equal(refused(start(fix.scripted('a'))), 'already_started');
    const stopping = fix.system.stopChild('/d', 'a');
    await fix.settle();
    assert.equal(refused(start(fix.scripted('a'))), 'already_started');
    gate.resolve();
    assert.equal(await stopping, true);
    started(start(fix.scripted('a')));
  });

  it('refuses when it does not run or is no dynamic supervisor', async () => {
    assert.equal(refused(fix.system.startChild('/nowhere', fix.scripted('a'))), 'not_running');
    assert.equal(refused(fix.system.startChild('/', fix.scripted('a'))), 'not_running');
    const gate = deferred();
    started(start(fix.scripted('a', { terminate: () => gate.promise })));
    const shutdown = fix.system.shutdown();
    await fix.settle();
    assert.equal(refused(start(fix.scripted('b'))), 'not_running');
    gate.resolve();
    await shutdown;
    assert.equal(refused(start(fix.scripted('b'))), 'not_running');
    assert.equal(await fix.system.stopChild('/d', 'a'), false);
  });

  it('restarts a permanent child alone and forgets a temporary or a transient one that is done', async () => {
    started(start(fix.scripted('p', { restart: 'permanent' })));
    started(start(fix.scripted('t', { restart: 'temporary' })));
    started(start(fix.scripted('n', { restart: 'transient' })));
    started(start(fix.scripted('f', { restart: 'transient' })));
    fix.crash('/d/p');
    fix.crash('/d/t');
    fix.crash('/d/f');
    fix.ref('/d/n').tell((context) => context.exit(NORMAL));
    await fix.settle();
    assert.deepEqual([...fix.system.paths()].sort(), ['/', '/d', '/d/f', '/d/p']);
    assert.deepEqual([fix.ref('/d/p').incarnation, fix.ref('/d/f').incarnation], [2, 2]);
    assert.equal(fix.nodes().get('/d')?.childCount, 2);
  });

  it('tries a restart that fails again until the intensity is exceeded', async () => {
    await boot({ intensity: { max: 2, withinMs: 1_000 } });
    let fail = false;
    started(
      start(
        fix.scripted('a', {
          init: () => {
            if (fail) throw new Error('no');
          },
        }),
      ),
    );
    fail = true;
    fix.crash('/d/a');
    await fix.settle();
    assert.equal(fix.of('child/start-failed').length, 2);
    assert.deepEqual(
      fix.of('supervisor/intensity-exceeded').map(({ path, restarts }) => [path, restarts]),
      [['/d', 3]],
    );
    assert.deepEqual([...fix.system.paths()], ['/', '/d'], 'its next incarnation has no children');
    assert.equal(fix.nodes().get('/d')?.incarnation, 2);
    started(start(fix.scripted('b')));
  });

  it('holds at exactly max restarts', async () => {
    await boot({ intensity: { max: 2, withinMs: 1_000 } });
    started(start(fix.scripted('a')));
    for (const incarnation of [2, 3]) {
      fix.crash('/d/a');
      await fix.settle();
      assert.equal(fix.ref('/d/a').incarnation, incarnation);
    }
    fix.crash('/d/a');
    await fix.settle();
    assert.equal(fix.lives('/d/a'), false);
  });

  it('does not bring back a child that was stopped between its crash and its restart', async () => {
    started(start(fix.scripted('a')));
    fix.ref('/d/a').tell((context) => {
      context.exit({ type: 'killed' });
    });
    const seen = deferred();
    fix.system.onReport((report) => {
      if (report.type === 'child/terminated' && report.path === '/d/a') seen.resolve();
    });
    await seen.promise;
    assert.equal(await fix.system.stopChild('/d', 'a'), true);
    await fix.settle();
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
    assert.deepEqual(fix.log, ['init /d/a#1', 'terminate /d/a#1 killed']);
  });

  for (const outcome of ['resolves', 'rejects'] as const) {
    it(`does not bring back a child that was stopped while its restart's init was under way, which ${outcome}`, async () => {
      let gate = deferred();
      gate.resolve();
      await started(start(fix.scripted('a', { init: () => gate.promise }))).ready;
      gate = deferred();
      fix.crash('/d/a');
      await fix.settle();
      assert.equal(fix.nodes().get('/d/a')?.state, 'starting');
      const stopped = fix.system.stopChild('/d', 'a');
      await fix.settle();
      if (outcome === 'resolves') gate.resolve();
      else gate.reject(new Error('aborted'));
      assert.equal(await stopped, true);
      await fix.settle();
      assert.deepEqual([...fix.system.paths()], ['/', '/d']);
      assert.equal(fix.log.filter((line) => line.startsWith('init')).length, 2);
      started(start(fix.scripted('a')));
    });
  }

  it('stops within the patience of a child whose new init hangs', async () => {
    let gate = deferred();
    gate.resolve();
    await started(start(fix.scripted('a', { shutdownMs: 70, init: () => gate.promise }))).ready;
    started(start(fix.scripted('b')));
    gate = deferred();
    fix.crash('/d/a');
    await fix.settle();
    const shutdown = fix.system.shutdown();
    await fix.settle();
    fix.clock.advance(70);
    await shutdown;
    assert.deepEqual(fix.who('child/abandoned'), ['/d/a#2']);
    assert.equal(fix.log.at(-1), 'terminate /d/b#1 shutdown');
  });

  it('rejects the readiness of a child whose first init hangs when it is stopped', async () => {
    const result = started(start(fix.scripted('a', { shutdownMs: 70, init: () => new Promise(() => undefined) })));
    const stopped = fix.system.stopChild('/d', 'a');
    fix.clock.advance(70);
    assert.equal(await stopped, true);
    await assert.rejects(result.ready ?? Promise.resolve(), /abandoned/);
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
  });

  it('stops a child for good whatever its restart type', async () => {
    for (const restart of ['permanent', 'transient', 'temporary'] as const) {
      started(start(fix.scripted(restart, { restart })));
      assert.equal(await fix.system.stopChild('/d', restart), true);
      assert.equal(await fix.system.stopChild('/d', restart), false);
    }
    await fix.settle();
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
  });

  it('stops 1,000 children that are all told at once, each once', async () => {
    for (let i = 0; i < 1_000; i++) started(start(fix.scripted(`c${i}`)));
    const results = await Promise.all(Array.from({ length: 1_000 }, (_, i) => fix.system.stopChild('/d', `c${i}`)));
    assert.ok(results.every(Boolean));
    assert.equal(fix.nodes().get('/d')?.childCount, 0);
    assert.equal(new Set(fix.who('child/terminated')).size, 1_000);
    assert.equal(fix.who('child/terminated').length, 1_000);
    assert.equal(fix.clock.pending, 0);
  });

  it('stops its children all at once with itself', async () => {
    const gates = [deferred(), deferred()];
    gates.forEach((gate, i) => started(start(fix.scripted(`c${i}`, { terminate: () => gate.promise }))));
    const shutdown = fix.system.shutdown();
    await fix.settle();
    assert.deepEqual(fix.log.slice(2), ['terminate /d/c0#1 shutdown', 'terminate /d/c1#1 shutdown']);
    for (const gate of gates) gate.resolve();
    await shutdown;
    assert.deepEqual([...fix.system.paths()], ['/']);
  });

  it('takes supervisors as children, with all of their tree', async () => {
    started(start(tree('s', [fix.scripted('a'), fix.scripted('b')], { strategy: 'one_for_all' })));
    fix.crash('/d/s/a');
    await fix.settle();
    assert.equal(fix.ref('/d/s/b').incarnation, 2);
    assert.equal(await fix.system.stopChild('/d', 's'), true);
    assert.deepEqual([...fix.system.paths()], ['/', '/d']);
  });
});

describe('a partitioned supervisor', () => {
  let fix: Fixture;
  const start = (spec: ChildSpec) => fix.system.startChild<Act>('/p', spec);
  const client = (id: string) => fix.scripted(id, { restart: 'temporary' });

  async function boot(options: Partial<PartitionedSupervisorSpec> = {}): Promise<void> {
    fix = new Fixture();
    await fix.boot([
      partitioned({
        id: 'p',
        intensity: { max: 3, withinMs: 1_000 },
        partitionIntensity: { max: 1, withinMs: 1_000 },
        partitionSize: 2,
        ...options,
      }),
    ]);
  }

  function paths(): string[] {
    return [...fix.system.paths()].filter((path) => path.startsWith('/p/')).sort();
  }

  beforeEach(() => boot());

  it('makes partitions as they are needed and fills the first with room', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) started(start(client(id)));
    const full = ['/p/p0', '/p/p0/a', '/p/p0/b', '/p/p1', '/p/p1/c', '/p/p1/d', '/p/p2', '/p/p2/e'];
    assert.deepEqual(paths(), full);
    fix.crash('/p/p0/a');
    await fix.settle();
    started(start(client('f')));
    assert.deepEqual(paths(), [...full.filter((path) => path !== '/p/p0/a'), '/p/p0/f'].sort());
  });

  it('bounds its children over all partitions', async () => {
    await boot({ maxChildren: 3 });
    for (const id of ['a', 'b', 'c']) started(start(client(id)));
    assert.equal(refused(start(client('d'))), 'max_children');
    fix.crash('/p/p0/b');
    await fix.settle();
    started(start(client('d')));
    assert.equal(refused(start(client('e'))), 'max_children');
  });

  it('refuses an id that any partition holds', () => {
    for (const id of ['a', 'b', 'c']) started(start(client(id)));
    assert.equal(refused(start(client('a'))), 'already_started');
    assert.equal(refused(start(client('c'))), 'already_started');
  });

  it('stops a child in whichever partition', async () => {
    for (const id of ['a', 'b', 'c']) started(start(client(id)));
    assert.equal(await fix.system.stopChild('/p', 'c'), true);
    assert.equal(await fix.system.stopChild('/p', 'c'), false);
    assert.deepEqual(paths(), ['/p/p0', '/p/p0/a', '/p/p0/b', '/p/p1']);
  });

  it('loses the children of a partition whose intensity is exceeded, and only those', async () => {
    for (const id of ['a', 'b', 'c']) started(start(fix.scripted(id, { restart: 'permanent' })));
    const [a, b, c] = ['/p/p0/a', '/p/p0/b', '/p/p1/c'].map((path) => fix.ref(path));
    fix.crash('/p/p0/a');
    await fix.settle();
    fix.crash('/p/p0/a');
    await fix.settle();
    assert.deepEqual(
      fix.of('supervisor/intensity-exceeded').map(({ path }) => path),
      ['/p/p0'],
    );
    assert.deepEqual([a?.alive, b?.alive, c?.alive], [false, false, true]);
    assert.deepEqual(paths(), ['/p/p0', '/p/p1', '/p/p1/c']);
    assert.equal(fix.nodes().get('/p/p0')?.incarnation, 2);
    started(start(client('d')));
    assert.equal(fix.lives('/p/p0/d'), true, 'the partition is used again');
  });

  it('starts children elsewhere while one partition is ending', async () => {
    const gate = deferred();
    started(start(fix.scripted('a', { restart: 'temporary', terminate: () => gate.promise })));
    fix.system.kill('/p/p0');
    await fix.settle();
    started(start(client('b')));
    assert.equal(fix.lives('/p/p1/b'), true);
    gate.resolve();
    await fix.settle();
    started(start(client('c')));
    assert.equal(fix.lives('/p/p0/c'), true);
  });

  it('exits when partitions fail more often than its own intensity allows', async () => {
    await boot({ intensity: { max: 0, withinMs: 1_000 } });
    started(start(client('a')));
    fix.system.kill('/p/p0');
    await fix.settle();
    assert.deepEqual(
      fix.of('supervisor/intensity-exceeded').map(({ path }) => path),
      ['/p'],
    );
    assert.deepEqual(paths(), []);
    started(start(client('a')));
  });

  it('stops with all of its partitions and children', async () => {
    for (let i = 0; i < 250; i++) started(start(client(`c${i}`)));
    await fix.system.shutdown();
    assert.deepEqual([...fix.system.paths()], ['/']);
    assert.deepEqual(fix.who('child/terminated').sort(), fix.who('child/started').sort());
    assert.equal(refused(start(client('a'))), 'not_running');
  });
});
