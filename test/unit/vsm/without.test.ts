/** Every subsystem does real work: with it switched off, the gateway misbehaves. Real actors, real bounds, virtual time. */
import assert from 'node:assert/strict';
import { breaker } from '#src/actors/breaker.js';
import { BreakerGate, NO_TOKEN } from '#src/actors/breaker-gate.js';
import { upstreamUnit } from '#src/actors/breaker-view.js';
import { AUDIT, CONTROL } from '#src/actors/names.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { type UnitCycle } from '#src/vsm/unit-model.js';
import { audit } from '#src/vsm/actors/audit.js';
import { vitalSigns } from '#src/actors/vital-signs.js';
import { Windows } from '#src/telemetry/windows.js';
import { control } from '#src/vsm/actors/control.js';
import { intelligence } from '#src/vsm/actors/intelligence.js';
import { simulate, total } from '../../../sim/engine.js';
import { agony, growth, starvation } from '../../../sim/scenarios.js';
import { live } from '../../support/actors/world.js';
import { ViableWorld } from '../../support/viability.js';

describe('without S2', () => {
  /** When each of 200 clients of a restarted server connects to it again. */
  function herd(enabled: boolean): number[] {
    const { plane } = new ViableWorld({ coordination: { enabled, connectsPerSecond: 20, connectBurst: 10 } });
    const rules = plane.options.vsm.coordination;
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    return Array.from({ length: 200 }, () => plane.viability.coordination.connectDelay('one', 0, rules, random));
  }
  const most = (delays: number[]): number =>
    Math.max(...delays.map((at) => delays.filter((other) => other >= at && other < at + 1_000).length));

  it('a restarted server sees a stampede', () => {
    assert.equal(most(herd(false)), 200);
    assert.ok(most(herd(true)) <= 10 + 21, String(most(herd(true))));
  });

  it('a breaker that goes to and fro is let go at once each time: nothing damps it', async () => {
    assert.deepEqual(await holds({ coordination: { enabled: false } }), [1_000, 1_000, 1_000, 1_000]);
    assert.deepEqual(await holds({ enabled: false }), [1_000, 1_000, 1_000, 1_000], 'nor without all of it');
    // The third opening is the fifth turn, with a penalty of a little less than 5; after that hold it is forgiven.
    assert.deepEqual(await holds({}), [1_000, 1_000, 240_000, 1_000]);
  });

  /** For how long a breaker stays open each time when its server fails, is well again, fails … */
  async function holds(vsm: object): Promise<number[]> {
    const world = new ViableWorld(vsm);
    const gate = new BreakerGate();
    const { plane, log, clock } = world;
    const { flap, ...rules } = plane.options.breaker;
    const deps = {
      plane,
      log,
      gate,
      unit: upstreamUnit('one'),
      rules: () => ({ ...rules, consecutiveFailures: 1, openFor: 1_000 }),
      flap: () => flap,
      probeAfter: () => 100,
      probeTimeout: () => 1_000,
      reachable: () => true,
      probe: (ended: (outcome: 'success') => void) => (ended('success'), true),
    };
    await world.start({ '/breaker': live(breaker(deps)) });
    const seen: number[] = [];
    while (seen.length < 4) {
      gate.count('failure', NO_TOKEN);
      await world.settle();
      const hold = (gate.until ?? 0) - clock.now();
      seen.push(hold);
      await world.advance(hold);
      await world.advance(100); // nobody calls: it is asked, and is well
      assert.equal(gate.state, 'closed');
    }
    return seen;
  }
});

describe('without S3', () => {
  it('one busy server starves the others', async () => {
    const quiet = async (on: boolean): Promise<number> => {
      const { samples } = await simulate(starvation(on));
      return total(samples, 'quiet', 'absorbed', 40) / total(samples, 'quiet', 'offered', 40);
    };
    assert.ok((await quiet(true)) > 0.99);
    assert.ok((await quiet(false)) < 0.5);
  });
});

describe('without S4', () => {
  it('a growing load is met too late', async () => {
    const shed = async (on: boolean): Promise<number> =>
      total((await simulate(growth(on))).samples, 'growing', 'attenuated', 60);
    const [withS4, without] = [await shed(true), await shed(false)];
    assert.ok(without > 1.2 * withS4, `${withS4} with, ${without} without`);
  });
});

describe('without S5', () => {
  it('agony is felt and nothing is done: guests go on filling the heap', async () => {
    const guests = async (on: boolean): Promise<number> =>
      total((await simulate(agony(on))).samples, 'guests', 'absorbed', 60);
    const [withS5, without] = [await guests(true), await guests(false)];
    assert.ok(without > 2 * withS5, `${withS5} with, ${without} without`);
  });
});

describe('without S3*', () => {
  const lie: UnitCycle = {
    unit: 'upstream:one',
    at: 0,
    seconds: 5,
    rate: 1,
    serviceTime: 0.01,
    p95: 10,
    absorbed: 1,
    failureRatio: 0,
    attenuated: 0,
    ended: 5,
    inFlight: 0,
    version: 'one/1',
    toolsHash: 'as it was',
  };

  /** What S3 hears of a unit whose reports are no longer true. */
  async function heard(enabled: boolean): Promise<{ discrepancies: readonly string[] }[]> {
    const world = new ViableWorld({ audit: { enabled, meanInterval: 60_000 } });
    const { system, plane, log } = world;
    plane.gates.set('one', new UpstreamGate('one', 10, 1_000));
    const visit = async () => ({ ok: true, latencyMs: 2, version: 'one/1', toolsHash: 'as it is' }) as const;
    const ledgers = () => ({ inFlight: 0, units: [] });
    const spy = audit({ system, plane, log, random: () => 0.5, candidates: () => ['one'], visit, ledgers });
    await world.start({ '/viability/audit': live(spy) });
    world.ref<object>(AUDIT.path).tell({ type: 'audit/reported', cycle: lie });
    await world.advance(600_000, 5_000);
    const told = world.heard<{ type: string; finding: { discrepancies: readonly string[] } }>(CONTROL.path);
    return told.filter(({ type }) => type === 'control/audited').map(({ finding }) => finding);
  }

  it('a unit’s report that is not true goes unnoticed', async () => {
    assert.deepEqual(await heard(false), []);
    const findings = await heard(true);
    assert.ok(findings.length >= 10, String(findings.length));
    assert.match(findings[0]?.discrepancies.join() ?? '', /tools/);
  });

  it('books that do not agree are no pain', async () => {
    const broken = async (enabled: boolean): Promise<string[]> => {
      const world = new ViableWorld({ audit: { enabled } });
      const { system, plane, log } = world;
      const visit = () => Promise.reject(new Error('nobody is visited'));
      const ledgers = () => ({ inFlight: 3, units: [{ unit: 'upstream:one', inFlight: 2, pool: null }] });
      const spy = audit({ system, plane, log, random: () => 0.9, candidates: () => [], visit, ledgers });
      await world.start({ '/viability/audit': live(spy) });
      await world.advance(20_000, 1_000);
      return world.alarms.map(({ source, index, severity }) => `${source} ${index} ${severity}`);
    };
    assert.deepEqual(await broken(true), ['audit ledger_broken critical']);
    assert.deepEqual(await broken(false), []);
  });
});

describe('idle', () => {
  it('is never pain: an hour of nothing raises no alarm, no violation, no event, and shows no figure', async () => {
    const world = new ViableWorld();
    const { system, plane, log } = world;
    plane.gates.set('one', new UpstreamGate('one', 10, 1_000));
    const ledgers = () => ({ inFlight: plane.counters.inFlight, units: [] });
    const visit = async () => ({ ok: true, latencyMs: 2, version: null, toolsHash: null }) as const;
    const watch = vitalSigns({
      system,
      plane,
      windows: new Windows(plane.counters, 60),
      process: { cpuPercent: 0, loopDelayP99: 0 },
      views: new Map(),
      heap: () => ({ used: 20, limit: 100 }),
    });
    await world.start({
      '/viability/control': live(control({ system, plane, log, resources: () => ({}) })),
      '/viability/intelligence': live(intelligence({ system, plane, log })),
      '/viability/audit': live(
        audit({ system, plane, log, random: () => 0.5, candidates: () => ['one'], visit, ledgers }),
      ),
      '/vitals/vital-signs': live(watch),
    });
    await world.advance(3_600_000, 1_000);
    const { alarms, events, attempts, breaches, operations, policy, lastResort, audits } = world.state;
    assert.deepEqual(alarms.active(), []);
    assert.deepEqual(alarms.history(), []);
    assert.deepEqual([events.total, attempts.total, breaches.total, lastResort.all().length], [0, 0, 0, 0]);
    assert.deepEqual([policy.mode, policy.version], ['normal', 1]);
    assert.equal(operations.figures().varietyAbsorption, null);
    // It was an hour in which everybody was awake.
    assert.ok(audits > 50);
    assert.ok((plane.gates.get('one')?.allowance.lease?.expiresAt ?? 0) > world.clock.now());
  }).timeout(60_000);
});
