/** The models of S1, S3*, S4: figures, findings, forecasts. */
import assert from 'node:assert/strict';
import { resolveDocument } from '#src/config/resolve.js';
import { brokenLedgers, compare, nextLook } from '#src/vsm/audit-model.js';
import { GOOD_STANDING, judge, restrained, rewarded } from '#src/vsm/control-model.js';
import { EventWindow } from '#src/vsm/event-window.js';
import { Capability, EventBook, Forecaster } from '#src/vsm/intelligence-model.js';
import { MAX_KINDS, OperationsLedger } from '#src/vsm/operations-model.js';
import { cycle, look, type UnitCycle, UnitLedger } from '#src/vsm/unit-model.js';
import { UsageWindow } from '#src/vsm/usage-model.js';

const SMOOTHING = { alpha: 0.5, beta: 0.3, horizon: 1 };

describe('S1 figures', () => {
  it('are null without demands, never 0 or 1', () => {
    const { varietyAbsorption, absorptionRate, volumeRatio } = new OperationsLedger().figures();
    assert.deepEqual([varietyAbsorption, absorptionRate, volumeRatio], [null, null, null]);
  });

  it('count every kind alike in variety, every demand alike in volume', () => {
    const ledger = new OperationsLedger();
    for (let i = 0; i < 90; i++) ledger.settle('tools/call', 'echo', 'user', 'absorbed');
    for (let i = 0; i < 5; i++) ledger.settle('tools/call', 'slow', 'user', 'failed');
    for (let i = 0; i < 5; i++) ledger.settle('tools/call', 'slow', 'admin', i < 4 ? 'absorbed' : 'attenuated');
    const figures = ledger.figures();
    assert.ok(Math.abs((figures.varietyAbsorption ?? 0) - (1 + 0 + 0.8) / 3) < 1e-9);
    assert.equal(figures.volumeRatio, 0.94);
    assert.equal(figures.absorptionRate, 94 / 60);
    assert.deepEqual([figures.kinds, figures.demands], [3, 100]);
  });

  it('are of the last minute', () => {
    const ledger = new OperationsLedger();
    ledger.settle('tools/call', 'echo', 'user', 'absorbed');
    for (let i = 0; i < 11; i++) ledger.tick();
    assert.equal(ledger.figures().demands, 1);
    ledger.tick();
    assert.equal(ledger.figures().varietyAbsorption, null);
  });

  it('keep a bounded number of kinds, the most asked for by name and the rest as one', () => {
    const ledger = new OperationsLedger();
    for (let i = 0; i < 5_000; i++) ledger.settle('tools/call', `tool-${i}`, 'user', 'absorbed');
    assert.equal(ledger.figures().kinds, MAX_KINDS + 1);
    assert.equal(ledger.figures().demands, 5_000);
    for (let i = 0; i < 50; i++) ledger.settle('tools/call', 'late-and-popular', 'user', 'failed');
    ledger.tick();
    assert.equal(ledger.figures().demands, 5_050);
    for (let i = 0; i < 50; i++) ledger.settle('tools/call', 'late-and-popular', 'user', 'absorbed');
    assert.equal(ledger.figures().kinds, MAX_KINDS - 64 + 2);
  });
});

describe('a unit’s cycle', () => {
  it('is the difference of two looks; what had no samples is null', () => {
    const ledger = new UnitLedger();
    const before = look(ledger, 0);
    const idle = cycle(before, look(ledger, 5_000), { unit: 'u', inFlight: 0, version: null, toolsHash: null });
    assert.deepEqual([idle.rate, idle.serviceTime, idle.p95, idle.failureRatio], [0, null, null, null]);
    ledger.started += 100;
    ledger.attenuated += 20;
    for (let i = 0; i < 90; i++) ledger.settle('absorbed', 10);
    for (let i = 0; i < 10; i++) ledger.settle('failed', 1_000);
    const busy = cycle(before, look(ledger, 5_000), { unit: 'u', inFlight: 3, version: null, toolsHash: null });
    assert.equal(busy.rate, 24);
    assert.equal(busy.serviceTime, 0.109);
    assert.equal(busy.failureRatio, 0.1);
    assert.ok(busy.p95 !== null && busy.p95 > 800 && busy.p95 < 1_250, String(busy.p95));
  });
});

describe('S3’s accountability', () => {
  it('takes weight after three cycles missed running, gives it back after three kept, and asks nothing of the idle', () => {
    let standing = GOOD_STANDING;
    for (const kept of [false, false, true, false, false]) standing = judge(standing, kept);
    assert.equal(standing.trust, 1);
    standing = judge(standing, false);
    assert.equal(standing.trust, 0.8);
    assert.deepEqual(judge(standing, null), standing);
    for (let i = 0; i < 30; i++) standing = judge(standing, false);
    assert.equal(standing.trust, 0.25);
    for (let i = 0; i < 60; i++) standing = judge(standing, true);
    assert.equal(standing.trust, 1);
  });

  it('is a tenth less of the limit for pain, five per cent more for pleasure, within bounds', () => {
    const hurt = restrained(GOOD_STANDING);
    assert.equal(hurt.limit, 0.9);
    assert.ok(Math.abs(rewarded(hurt).limit - 0.945) < 1e-9);
    assert.equal(rewarded(GOOD_STANDING).limit, 1);
  });
});

describe('S3’s resource usage', () => {
  it('is that of the resource nearest its limit, over ten looks; what is not there is null', () => {
    const usage = new UsageWindow();
    assert.equal(usage.usage(), null);
    for (let i = 0; i < 30; i++)
      usage.look({ heap: { used: i < 25 ? 90 : 40, limit: 100 }, rate: null, loop: { used: 0.2, limit: 1 } });
    assert.deepEqual(
      usage.resources().map(({ resource, percent }) => [resource, percent === null ? null : Math.round(percent)]),
      [
        ['heap', 65],
        ['rate', null],
        ['loop', 20],
      ],
    );
    assert.equal(Math.round(usage.usage() ?? 0), 65);
  });
});

describe('S4’s forecasts', () => {
  it('beat the naive one on a trend, and are worth nothing on what never changes', () => {
    const trend = new Forecaster();
    const flat = new Forecaster();
    for (let i = 0; i < 40; i++) {
      trend.observe(10 + 3 * i, SMOOTHING, 3);
      flat.observe(10, SMOOTHING, 3);
    }
    assert.ok((trend.skill ?? 0) > 0.5, String(trend.skill));
    assert.ok(Math.abs((trend.forecast(2) ?? 0) - (10 + 3 * 41)) < 3);
    assert.equal(flat.skill, 0);
    assert.equal(new Forecaster().skill, null);
  });

  it('are worth less than the naive one where every other value is another', () => {
    const restless = new Forecaster();
    let state = 1;
    for (let i = 0; i < 60; i++) {
      state = (state * 16_807) % 2_147_483_647;
      restless.observe(state % 2 === 0 ? 0 : 100, { alpha: 0.9, beta: 0.9, horizon: 2 }, 3);
    }
    assert.ok((restless.skill ?? 1) < 0, String(restless.skill));
  });

  it('find an anomaly when three of five windows are out, once, and none in noise', () => {
    const usual = (i: number): number => 50 + 5 * Math.sin(i * 1.7);
    const quiet = new Forecaster();
    const seen = Array.from({ length: 200 }, (_, i) => quiet.observe(usual(i), SMOOTHING, 3));
    assert.equal(seen.filter(Boolean).length, 0);
    const found = [400, 900, 1_500, 2_400, 3_600].map((value) => quiet.observe(value, SMOOTHING, 3));
    assert.deepEqual(found.filter(Boolean), [true]);
    assert.equal(found[0], false);
  });

  it('know no capability before they have seen the unit at work, and raise it by pleasure', () => {
    const capability = new Capability();
    for (let i = 0; i < 100; i++) capability.observe(0);
    assert.ok(capability.value === null);
    for (let i = 0; i < 10; i++) capability.observe(10);
    const before = Number(capability.value);
    assert.equal(Math.round(before), 12);
    capability.raise();
    assert.ok(Math.abs(Number(capability.value) - 12.6) < 0.01);
  });
});

describe('events', () => {
  it('of S4 are told once a minute each, counted in five minutes and in all', () => {
    const book = new EventBook();
    const event = { at: 0, kind: 'anomaly', unit: 'u', what: 'odd' } as const;
    assert.deepEqual(
      [book.add(event), book.add({ ...event, at: 59_000 }), book.add({ ...event, at: 60_000 })],
      [true, false, true],
    );
    for (let i = 0; i < 500; i++) book.add({ ...event, at: 70_000, what: `odd ${i}` });
    assert.equal(book.recent.length, 100);
    assert.equal(book.total, 502);
    assert.equal(book.within(400_000, 300_000), 0);
  });

  it('of a window leave it in time, and stay in the total', () => {
    const window = new EventWindow(60_000);
    window.add(1_000, 3);
    window.add(30_000);
    assert.deepEqual(
      [window.within(30_000), window.within(62_000), window.within(500_000), window.total],
      [4, 1, 0, 4],
    );
  });
});

describe('S3*', () => {
  const report: UnitCycle = {
    unit: 'upstream:a',
    at: 0,
    seconds: 5,
    rate: 1,
    serviceTime: 0.1,
    p95: 100,
    absorbed: 1,
    failureRatio: 0,
    attenuated: 0,
    ended: 5,
    inFlight: 0,
    version: 'a/1',
    toolsHash: 'x',
  };
  const seen = { ok: true, latencyMs: 10, version: 'a/1', toolsHash: 'x' } as const;

  it('finds nothing where S1 tells the truth, and each lie by itself', () => {
    const of = (sight: object) => compare('upstream:a', { ...seen, ...sight }, report, 5, 0);
    assert.deepEqual(of({}).discrepancies, []);
    assert.match(of({ toolsHash: 'y' }).discrepancies.join(), /tools/);
    assert.equal(of({ toolsHash: 'y' }).stale, true);
    assert.match(of({ version: 'a/2' }).discrepancies.join(), /a\/2, S1 reports a\/1/);
    assert.match(of({ latencyMs: 501 }).discrepancies.join(), /501 ms/);
    assert.deepEqual(of({ latencyMs: 499 }).discrepancies, []);
    assert.match(compare('upstream:a', { ok: false, why: 'refused' }, report, 5, 0).discrepancies.join(), /refused/);
    assert.deepEqual(compare('upstream:a', { ok: false, why: 'refused' }, null, 5, 0).discrepancies, []);
  });

  it('comes at exponential intervals', () => {
    const at = [0.1, 0.5, 0.9].map((u) => nextLook(60_000, () => u));
    assert.deepEqual(at.map(Math.round), [6_322, 41_589, 138_155]);
    assert.ok(Number.isFinite(nextLook(60_000, () => 1)));
  });

  it('says which books do not agree', () => {
    const pool = { available: 2, inUse: 3, overflow: 1, size: 4 };
    const unit = { unit: 'upstream:a', inFlight: 2, pool };
    assert.deepEqual(brokenLedgers({ inFlight: 2, units: [unit] }), []);
    assert.equal(brokenLedgers({ inFlight: 3, units: [unit] }).length, 1);
    assert.equal(brokenLedgers({ inFlight: -1, units: [{ ...unit, inFlight: -1 }] }).length, 1);
    assert.equal(brokenLedgers({ inFlight: 2, units: [{ ...unit, pool: { ...pool, overflow: 0 } }] }).length, 1);
  });
});

describe('the configuration of the bargain', () => {
  const load = (control: object) =>
    resolveDocument({ gateway: { vsm: { control } } }, { file: null, baseDir: '/', env: {}, overrides: {} });

  it('is refused when the floors together are more than there is', () => {
    const refused = load({ slots: 10, units: { a: { floor: 6 }, b: { floor: 5 } } });
    assert.ok(!refused.ok);
    assert.deepEqual(
      refused.problems.map(({ path, message }) => [path, message]),
      [['gateway.vsm.control.units', 'the floors of the servers together must be at most `slots`']],
    );
    assert.ok(load({ slots: 11, units: { a: { floor: 6 }, b: { floor: 5 } } }).ok);
  });
});
