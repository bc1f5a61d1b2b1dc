/** The system's own doings: names, reports, drops, kill, snapshot. */
import assert from 'node:assert/strict';
import { actorName, ActorSystem, dynamic, partitioned, SystemClock } from '#src/kernel/index.js';
import { type Act, byPath, deferred, Fixture, tree } from '../../support/kernel.js';

const noop = (): void => undefined;
const WIDE = { max: 100, withinMs: 1_000 };

describe('names', () => {
  it('reach whoever lives now; a reference reaches one incarnation only', async () => {
    const fix = new Fixture();
    const name = actorName<Act>('/a');
    await fix.boot([fix.scripted('a')]);
    const old = fix.system.whereis(name);
    fix.crash('/a');
    await fix.settle();
    const seen: number[] = [];
    const note: Act = (context) => void seen.push(context.self.incarnation);
    assert.equal(old?.tell(note), 'noproc');
    assert.equal(old.urgent(note), 'noproc');
    assert.equal(fix.system.tell(name, note), 'ok');
    assert.equal(fix.system.urgent(name, note), 'ok');
    await fix.settle();
    assert.deepEqual(seen, [2, 2]);
    assert.deepEqual([old.alive, old.incarnation, fix.system.whereis(name)?.incarnation], [false, 1, 2]);
  });

  it('answer noproc and count a dead letter when nobody lives there', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { restart: 'temporary' })]);
    fix.crash('/a');
    await fix.settle();
    for (const path of ['/a', '/nobody']) {
      assert.equal(fix.system.whereis(actorName<Act>(path)), undefined);
      assert.equal(fix.system.tell(actorName<Act>(path), noop), 'noproc');
      assert.equal(fix.system.urgent(actorName<Act>(path), noop), 'noproc');
    }
    assert.equal(fix.system.drops().get('dead_letter'), 4);
  });

  it('pass on what a lane answers', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a', { mailbox: { normal: 1, urgent: 1 } })]);
    const name = actorName<Act>('/a');
    assert.deepEqual([fix.system.tell(name, noop), fix.system.tell(name, noop)], ['ok', 'full']);
    assert.deepEqual([fix.system.urgent(name, noop), fix.system.urgent(name, noop)], ['ok', 'full']);
    assert.equal(fix.system.drops().get('mailbox_full'), 2);
  });
});

describe('the system', () => {
  it('boots once, and shuts down also when nothing was booted', async () => {
    const fix = new Fixture();
    await fix.system.shutdown();
    assert.throws(() => fix.system.snapshot(), /nothing was booted/);
    await fix.boot([]);
    await assert.rejects(fix.boot([]), /root already/);
    await fix.system.shutdown();
  });

  it('runs on the clock of the machine when none is given', () => {
    assert.ok(new ActorSystem().clock instanceof SystemClock);
  });

  it('takes any kind of child as its root', async () => {
    const actorRoot = new Fixture();
    await actorRoot.system.boot(actorRoot.scripted('root', { mailbox: { keep: true } }));
    const ref = actorRoot.ref('/');
    actorRoot.crash('/');
    ref.tell(noop);
    assert.equal((await actorRoot.system.terminated).type, 'fault');
    assert.equal(actorRoot.system.drops().get('dead_letter'), 1);
    const dynamicRoot = new Fixture();
    await dynamicRoot.system.boot(dynamic({ id: 'root', intensity: WIDE }));
    assert.equal(dynamicRoot.system.startChild('/', dynamicRoot.scripted('a')).ok, true);
    assert.equal(dynamicRoot.lives('/a'), true);
  });

  it('keeps two systems apart', async () => {
    const [one, two] = [new Fixture(), new Fixture()];
    await one.boot([one.scripted('a')]);
    await two.boot([two.scripted('a')]);
    await one.system.shutdown();
    assert.deepEqual([one.lives('/a'), two.lives('/a')], [false, true]);
    two.ref('/a').tell(() => void two.log.push('handled'));
    await two.settle();
    assert.equal(two.log.at(-1), 'handled');
  });

  it('kills what lives at a path, never the root, and says whether it did', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    assert.deepEqual(
      ['/', '/nobody', '/a', '/a'].map((path) => fix.system.kill(path)),
      [false, false, true, false],
    );
    await fix.settle();
    assert.equal(fix.nodes().get('/a')?.lastFault?.message, 'killed');
  });

  it('tells every listener every report until it leaves', async () => {
    const fix = new Fixture();
    const seen: string[] = [];
    const leave = fix.system.onReport((report) => seen.push(report.type));
    await fix.boot([fix.scripted('a')]);
    leave();
    await fix.system.shutdown();
    assert.deepEqual(seen, ['child/started', 'child/started']);
    assert.equal(fix.reports.length, 4);
  });

  it('reports an exit with its reason before the restart that follows', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    fix.reports.length = 0;
    fix.crash('/a');
    await fix.settle();
    assert.deepEqual(
      fix.reports.map((report) => ('incarnation' in report ? `${report.type} #${report.incarnation}` : report.type)),
      ['child/terminated #1', 'child/started #2', 'child/restarted #2'],
    );
    const [restarted] = fix.of('child/restarted');
    assert.equal(restarted?.reason.type, 'fault');
  });

  it('announces the exit of an actor even when a listener of reports throws', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    const leave = fix.system.onReport((report) => {
      if (report.type !== 'actor/late-error' || report.error.message !== 'late') return;
      leave();
      throw new Error('bad listener');
    });
    fix.ref('/a').tell((context) => {
      context.exit({ type: 'killed' });
      throw new Error('late');
    });
    await fix.settle();
    assert.deepEqual(fix.who('child/terminated'), ['/a#1']);
    assert.equal(fix.ref('/a').incarnation, 2);
  });
});

describe('the snapshot', () => {
  it('shows every node as it is', async () => {
    const fix = new Fixture();
    const gate = deferred();
    await fix.boot(
      [
        fix.scripted('a', { restart: 'transient' }),
        tree('s', [fix.scripted('b')], { strategy: 'rest_for_one', restart: 'temporary' }),
        dynamic({ id: 'd', intensity: WIDE }),
        partitioned({ id: 'p', intensity: WIDE, partitionIntensity: WIDE }),
      ],
      { strategy: 'one_for_all' },
    );
    fix.clock.advance(5);
    fix.ref('/s/b').tell(() => gate.promise);
    await fix.settle();
    for (let i = 0; i < 3; i++) fix.ref('/s/b').tell(noop);
    fix.ref('/s/b').urgent(noop);
    const nodes = fix.nodes();
    assert.deepEqual(
      [...nodes.values()].map((node) => [node.path, node.kind, node.strategy, node.restart, node.childCount]),
      [
        ['/', 'supervisor', 'one_for_all', 'permanent', 4],
        ['/a', 'actor', undefined, 'transient', 0],
        ['/s', 'supervisor', 'rest_for_one', 'temporary', 1],
        ['/s/b', 'actor', undefined, 'permanent', 0],
        ['/d', 'supervisor', 'dynamic', 'permanent', 0],
        ['/p', 'supervisor', 'partitioned', 'permanent', 0],
      ],
    );
    const { mailbox, handled, startedAt, state, lastFault } = nodes.get('/s/b')!;
    assert.deepEqual(
      { mailbox, handled, startedAt, state, lastFault },
      { mailbox: { urgent: 1, normal: 3 }, handled: 1, startedAt: 1_000_000, state: 'running', lastFault: null },
    );
    assert.equal(nodes.get('/')?.id, 'root');
    gate.resolve();
    await fix.system.shutdown();
  });

  it('shows the last fault with its time, also after the restart', async () => {
    const fix = new Fixture();
    await fix.boot([fix.scripted('a')]);
    fix.clock.advance(7);
    fix.crash('/a', 'out of cheese');
    await fix.settle();
    fix.clock.advance(100);
    const node = fix.nodes().get('/a');
    assert.deepEqual(node?.lastFault, { at: 1_000_007, message: 'fault: out of cheese' });
    assert.deepEqual([node.restarts, node.incarnation, node.startedAt], [1, 2, 1_000_007]);
  });

  it('lists at most as many dynamic children as asked for, and counts them all', async () => {
    const fix = new Fixture();
    await fix.boot([
      dynamic({ id: 'd', intensity: WIDE }),
      partitioned({ id: 'p', intensity: WIDE, partitionIntensity: WIDE, partitionSize: 3 }),
      tree('s', [fix.scripted('a'), fix.scripted('b'), fix.scripted('c')]),
    ]);
    for (let i = 0; i < 10; i++) {
      fix.system.startChild('/d', fix.scripted(`c${i}`));
      fix.system.startChild('/p', fix.scripted(`c${i}`));
    }
    const nodes = byPath(fix.system.snapshot(2));
    assert.deepEqual(
      ['/d', '/p', '/p/p0', '/s'].map((path) => [nodes.get(path)?.childCount, nodes.get(path)?.children.length]),
      [
        [10, 2],
        [4, 2],
        [3, 2],
        [3, 3],
      ],
    );
    assert.equal(nodes.size, 1 + 1 + 2 + 1 + 2 * 3 + 4);
    assert.equal(byPath(fix.system.snapshot()).size, 1 + 1 + 10 + 1 + 4 + 10 + 4);
  });
});
