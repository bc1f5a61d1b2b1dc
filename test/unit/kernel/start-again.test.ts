/** What was stopped for good is started again, when somebody says so. Source: supervisor:restart_child/2. */
import assert from 'node:assert/strict';
import { dynamic } from '#src/kernel/index.js';
import { deferred, Fixture, tree } from '../../support/kernel.js';

describe('a child that was stopped for good', () => {
  it('comes back as its next incarnation, in its place, without counting as a restart', async () => {
    const fix = new Fixture();
    await fix.boot([tree('s', [fix.scripted('a'), fix.scripted('b')], { intensity: { max: 0, withinMs: 1_000 } })]);
    assert.equal(await fix.system.stopForGood('/s/a'), true);
    await fix.settle();
    assert.deepEqual([fix.lives('/s/a'), fix.nodes().get('/s/a')?.state], [false, 'stopped']);
    assert.deepEqual(await fix.system.startAgain('/s/a'), { ok: true });
    assert.deepEqual([fix.ref('/s/a').incarnation, fix.ref('/s/b').incarnation], [2, 1]);
    assert.equal(fix.nodes().get('/s/a')?.state, 'running');
    assert.equal(fix.system.restartPressure('/s')?.restarts, 0);
    fix.crash('/s/a'); // supervised as before
    await fix.settle();
    assert.equal(fix.ref('/s').incarnation, 2);
  });

  it('brings everything below it back', async () => {
    const fix = new Fixture();
    await fix.boot([tree('s', [tree('t', [fix.scripted('a')])])]);
    await fix.system.stopForGood('/s/t');
    assert.equal(fix.lives('/s/t/a'), false);
    assert.deepEqual(await fix.system.startAgain('/s/t'), { ok: true });
    assert.equal(fix.ref('/s/t/a').incarnation, 2);
  });

  it('stays stopped when its init fails, and may be tried again', async () => {
    const fix = new Fixture();
    let broken = false;
    const init = () => {
      if (broken) throw new Error('no disk');
    };
    await fix.boot([tree('s', [fix.scripted('a', { init })])]);
    await fix.system.stopForGood('/s/a');
    broken = true;
    const failed = await fix.system.startAgain('/s/a');
    assert.ok(!failed.ok && failed.why === 'start_failed' && failed.error.message === 'no disk');
    assert.deepEqual([fix.lives('/s'), fix.nodes().get('/s/a')?.state], [true, 'stopped']);
    broken = false;
    assert.deepEqual(await fix.system.startAgain('/s/a'), { ok: true });
  });

  it('is refused where there is nothing to start, and when the supervisor ends meanwhile', async () => {
    const fix = new Fixture();
    const gate = deferred();
    let slow = false;
    const init = () => (slow ? gate.promise : undefined);
    await fix.boot([
      tree('s', [fix.scripted('a', { init })]),
      dynamic({ id: 'd', intensity: { max: 1, withinMs: 1_000 } }),
    ]);
    assert.deepEqual(await fix.system.startAgain('/s/a'), { ok: false, why: 'running' });
    assert.deepEqual(await fix.system.startAgain('/'), { ok: false, why: 'running' });
    for (const path of ['/nobody', '/d/nobody', '/s/nobody'])
      assert.deepEqual(await fix.system.startAgain(path), { ok: false, why: 'no_place' });
    await fix.system.stopForGood('/s/a');
    slow = true;
    const [one, two] = [fix.system.startAgain('/s/a'), fix.system.startAgain('/s/a')];
    await fix.settle();
    const stopped = fix.system.stopForGood('/s');
    gate.resolve();
    assert.equal((await one).ok, false);
    assert.equal((await two).ok, false);
    await stopped;
  });
});
