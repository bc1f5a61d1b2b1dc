/** The algedonic channel and S5 as actors: who hears of what, when, and what happens when they are dead. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { VirtualClock } from '#src/kernel/index.js';
import { Counters } from '#src/telemetry/counters.js';
import { createLog } from '#src/telemetry/logger.js';
import { ALGEDONIC, POLICY } from '#src/actors/names.js';
import { AlarmBook } from '#src/vsm/alarms-model.js';
import { Webhook } from '#src/vsm/actors/webhook.js';
import { LastResort } from '#src/vsm/last-resort.js';
import { eventually } from '../../support/eventually.js';
import { turn } from '../../support/kernel.js';
import { HURT, ViableWorld } from '../../support/viability.js';

describe('algedonic channel', () => {
  it('takes a critical signal to S5 at once, past everything that waits', async () => {
    const world = new ViableWorld();
    await world.start();
    const s5 = world.ref<{ type: string }>(POLICY.path);
    for (let i = 0; i < 4_000; i++) s5.tell({ type: 'policy/alarm' });
    await world.report({ source: 'process', index: 'heap_percent', value: 10 });
    assert.equal(world.state.policy.mode, 'conserve');
    assert.equal(world.state.policy.by, 'policy');
    assert.match(world.state.policy.reason, /process heap_percent/);
  });

  it('does not keep S5 waiting for a flood of other readings that came with it', async () => {
    const world = new ViableWorld();
    await world.start();
    const others = Array.from({ length: 1_000 }, (_, n) => ({ ...HURT, source: `upstream:${n}` }));
    for (const other of others.slice(0, 500)) world.plane.algedonic.report(other);
    world.plane.algedonic.report({ ...HURT, source: 'process', index: 'heap_percent', value: 10 });
    for (const other of others.slice(500)) world.plane.algedonic.report(other);
    while (world.state.policy.mode === 'normal') await turn(); // no time passes
    assert.deepEqual(
      world.alarms.map(({ source }) => source),
      ['process'],
    );
    // What turns critical meanwhile is as quick, and the rest is lost to nobody.
    world.plane.algedonic.report({ ...HURT, source: 'upstream:7', value: 10 });
    while (world.alarms.length === 1) await turn();
    assert.deepEqual(new Set(world.alarms.map(({ source }) => source)), new Set(['process', 'upstream:7']));
    await world.settle();
    assert.equal(world.alarms.length, 1_000, 'the book is full: one was over its bound');
    assert.equal(world.state.alarms.overflow, 1);
  });

  it('tells S5 at once of a signal that is critical again before it was over', async () => {
    const world = new ViableWorld({ policy: { calm: 1 } });
    await world.start();
    const heap = { source: 'process', index: 'heap_percent' };
    await world.report({ ...heap, value: 10 });
    await world.report({ ...heap, value: 0 });
    await world.advance(2_000, 1_000);
    assert.equal(world.state.policy.mode, 'normal');
    await world.report({ ...heap, value: 10 });
    assert.equal(world.state.policy.mode, 'conserve');
  });

  it('leaves any other to its unit for 5 s, to S3 for 15 s, to S5 for 60 s, and then tells the operator', async () => {
    const world = new ViableWorld();
    await world.start();
    await world.report();
    const stages: string[] = [];
    for (let second = 1; second <= 82; second++) {
      await world.advance(1_000);
      stages.push(world.alarms[0]?.stage ?? 'none');
    }
    assert.deepEqual(
      [3, 4, 5, 18, 19, 20, 78, 79, 80].map((second) => stages[second]),
      ['unit', 'control', 'control', 'control', 'policy', 'policy', 'policy', 'operator', 'operator'],
    );
    assert.deepEqual(
      world.heard<{ type: string }>('/viability/control').map(({ type }) => type),
      ['control/alarm'],
    );
    assert.deepEqual(
      world.sink.told.map(([what, alarm]) => [what, alarm.source]),
      [['escalated', HURT.source]],
    );
  });

  it('goes on escalating what was noted and still hurts; what was noted and is mild stays', async () => {
    const world = new ViableWorld();
    await world.start();
    await world.report();
    await world.report({ source: 'upstream:two' });
    for (const { id } of world.alarms)
      world.ref<object>(ALGEDONIC.path).tell({ type: 'alarm/acknowledge', id, by: 'me' });
    await world.settle();
    await world.report({ source: 'upstream:two', value: 4.5 });
    await world.advance(90_000, 1_000);
    assert.deepEqual(
      world.alarms.map(({ source, stage }) => [source, stage]),
      [
        ['upstream:one', 'operator'],
        ['upstream:two', 'unit'],
      ],
    );
  });

  it('clears after three calm ticks below 0.8 of the threshold, and not at 0.9', async () => {
    const world = new ViableWorld();
    await world.start();
    await world.report();
    await world.report({ value: 4.5 });
    await world.advance(4_000, 1_000);
    assert.equal(world.alarms.length, 1);
    await world.report({ value: 3.9 });
    await world.advance(2_000, 1_000);
    assert.equal(world.alarms.length, 1);
    await world.advance(1_000);
    assert.deepEqual(world.alarms, []);
    assert.deepEqual(world.logged('alarm_cleared'), [HURT.message]);
    assert.deepEqual(
      world.state.alarms.history().map(({ kind, source, peak, severity }) => [kind, source, peak, severity]),
      [['pain', 'upstream:one', 6, 'low']],
    );
  });

  it('forgets no signal when it is restarted', async () => {
    const world = new ViableWorld();
    await world.start();
    await world.report();
    world.system.kill(ALGEDONIC.path);
    await world.settle();
    await world.advance(5_000, 1_000);
    assert.equal(world.alarms[0]?.stage, 'control');
    assert.equal(world.sink.closed, 1);
  });

  it('keeps the worst of a flood of readings that it takes as one', async () => {
    const world = new ViableWorld();
    await world.start();
    for (let i = 0; i < 50_000; i++) world.plane.algedonic.report({ ...HURT, value: i === 7 ? 10 : 5.5 });
    await world.settle();
    const [alarm] = world.alarms;
    assert.deepEqual([alarm?.peak, alarm?.value, alarm?.stage], [10, 5.5, 'policy']);
    assert.equal(world.system.drops().size, 0);
  });

  it('says pain by its last resort when nobody is there, once a minute for each signal', async () => {
    const world = new ViableWorld();
    await world.start({}, ['/viability/algedonic']);
    for (let i = 0; i < 100; i++) await world.report();
    await world.report({ value: 1 });
    assert.deepEqual(
      world.state.lastResort.all().map(({ source, count }) => [source, count]),
      [['upstream:one', 100]],
    );
  });

  it('says by its last resort what S5 is not there to decide', async () => {
    const world = new ViableWorld();
    await world.start({}, ['/viability/policy']);
    await world.report({ value: 10 });
    assert.match(world.state.lastResort.all()[0]?.message ?? '', /S5 is not there/);
  });

  it('is glad of what does better than its capability for five minutes, and tells S3', async () => {
    const world = new ViableWorld();
    await world.start();
    const well = {
      source: 'upstream:one',
      index: 'rate',
      actuality: 12,
      capability: 10,
      message: 'better than thought',
    };
    for (let second = 0; second <= 310; second++) {
      world.plane.pleasure.achieve(second === 5 ? { ...well, actuality: 9 } : well);
      await world.advance(1_000);
    }
    assert.deepEqual(world.heard<{ type: string }>('/viability/control'), [
      { type: 'control/pleasure', source: 'upstream:one', index: 'rate' },
    ]);
    assert.deepEqual(
      world.state.alarms.history().map(({ kind }) => kind),
      ['pleasure'],
    );
  });
});

describe('without S5', () => {
  it('an alarm ends nowhere: what S5 would shed goes on coming in', async () => {
    const on = new ViableWorld();
    const off = new ViableWorld({ policy: { enabled: false } });
    for (const world of [on, off]) {
      await world.start();
      await world.report({ source: 'process', index: 'heap_percent', value: 10 });
      await world.advance(60_000, 1_000);
    }
    assert.equal(on.state.policy.mode, 'conserve');
    assert.equal(off.state.policy.mode, 'normal');
    assert.equal(off.alarms[0]?.stage, 'operator');
  });
});

describe('S5', () => {
  it('goes back to normal when its reason has been gone for a while, and is a version on', async () => {
    const world = new ViableWorld();
    await world.start();
    const heap = { source: 'process', index: 'heap_percent' };
    await world.report({ ...heap, value: 10 });
    const version = world.state.policy.version;
    await world.report({ ...heap, value: 1 });
    await world.advance(29_000, 1_000);
    assert.equal(world.state.policy.mode, 'conserve');
    await world.advance(5_000, 1_000);
    assert.equal(world.state.policy.mode, 'normal');
    assert.equal(world.state.policy.version, version + 1);
  });

  it('leaves what an operator said as it is until the operator says normal', async () => {
    const world = new ViableWorld();
    await world.start();
    world.ref<object>(POLICY.path).tell({ type: 'policy/set-mode', mode: 'lockdown' });
    await world.settle();
    await world.advance(120_000, 10_000);
    assert.deepEqual([world.state.policy.mode, world.state.policy.by], ['lockdown', 'operator']);
    world.ref<object>(POLICY.path).tell({ type: 'policy/set-mode', mode: 'normal' });
    await world.settle();
    assert.equal(world.state.policy.mode, 'normal');
  });

  it('keeps its policy in force through its own death', async () => {
    const world = new ViableWorld();
    await world.start();
    await world.report({ source: 'process', index: 'heap_percent', value: 10 });
    world.system.kill(POLICY.path);
    await world.settle();
    assert.equal(world.state.policy.mode, 'conserve');
    await world.report({ source: 'process', index: 'heap_percent', value: 0 });
    await world.advance(40_000, 1_000);
    assert.equal(world.state.policy.mode, 'normal');
  });
});

describe('the last resort', () => {
  it('says a signal once a minute, keeps a bounded number, newest first', () => {
    let now = 0;
    const said: string[] = [];
    const lastResort = new LastResort(
      ({ source }) => said.push(source),
      () => now,
    );
    for (let i = 0; i < 200; i++) lastResort.tell(`s${i}`, 'x', 'it hurts');
    assert.equal(lastResort.all().length, 64);
    assert.equal(lastResort.all()[0]?.source, 's199');
    said.length = 0;
    lastResort.tell('s199', 'x', 'it hurts');
    now = 60_000;
    lastResort.tell('s199', 'x', 'it hurts');
    assert.deepEqual(said, ['s199']);
    assert.equal(lastResort.all()[0]?.count, 3);
  });
});

describe('webhook', () => {
  const [raised] = new AlarmBook().report(HURT, 1);
  if (raised?.type !== 'raised') throw new Error('nothing hurts');
  const { alarm } = raised;

  async function hooked(statuses: number[], attempts: number): Promise<{ bodies: unknown[]; counters: Counters }> {
    const bodies: unknown[] = [];
    const server = createServer((req, res) => {
      let text = '';
      req.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      req.on('end', () => {
        bodies.push(JSON.parse(text));
        res.writeHead(statuses.shift() ?? 200).end('thanks');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const clock = new VirtualClock(5);
    const counters = new Counters();
    const log = createLog('silent', false).log;
    const options = () => ({ url, headers: { 'x-token': 't' }, timeout: 2_000, attempts });
    const webhook = new Webhook({ options, clock, random: () => 0.5, log, counters, gateway: () => 'http://gw/mcp' });
    try {
      webhook.send('escalated', alarm);
      await eventually(
        () => {
          clock.advance(60_000);
          if (statuses.length > 0) throw new Error('not asked yet');
          if (attempts <= bodies.length && counters.drops.size === 0 && bodies.length < 4) throw new Error('not over');
        },
        { what: 'every attempt' },
      );
      return { bodies, counters };
    } finally {
      webhook.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('tells what hurts and where, and tries again until it is taken', async () => {
    const { bodies, counters } = await hooked([500, 503], 4);
    await eventually(() => assert.ok(bodies.length >= 2));
    assert.deepEqual(bodies[0], { event: 'alarm_escalated', gateway: 'http://gw/mcp', at: 5, alarm: { ...alarm } });
    assert.equal(counters.drops.size, 0);
  });

  it('gives up after its attempts, and counts that', async () => {
    const { bodies, counters } = await hooked([500, 500, 500], 3);
    assert.equal(bodies.length, 3);
    assert.equal(counters.drops.get('webhook_failed'), 1);
  });
});
