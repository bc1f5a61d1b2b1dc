/** The share of the demand that nobody serves. */
import assert from 'node:assert/strict';
import { outPercent } from '#src/actors/service-share.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { newUpstreamView, type UpstreamView } from '#src/actors/upstream-view.js';
import { type UnitCycle } from '#src/vsm/unit-model.js';
import { World } from '../../support/actors/world.js';

interface Server {
  readonly name: string;
  readonly out?: 'failures' | 'unreachable' | 'operator';
  /** Demands of its last cycle; absent: it has reported none. */
  readonly asked?: number;
  readonly phase?: UpstreamView['phase'];
  readonly drained?: true;
}

function percent(...servers: readonly Server[]): number {
  const { plane } = new World();
  const views = new Map<string, UpstreamView>();
  for (const { name, out, asked, phase = 'ready', drained } of servers) {
    const gate = new UpstreamGate(name, 10, 1_000);
    if (out) Object.assign(gate.breaker, { state: 'open', cause: out });
    if (drained) gate.drainsUntil = 1;
    plane.gates.set(name, gate);
    views.set(name, Object.assign(newUpstreamView(0), { phase }));
    const unit = `upstream:${name}`;
    if (asked !== undefined) plane.viability.cycles.set(unit, { unit, rate: asked / 5, seconds: 5 } as UnitCycle);
  }
  return outPercent(plane, views);
}

describe('share of the demand that is for upstreams which take no calls', () => {
  it('is by demand, not by number', () => {
    const away = { name: 'a', out: 'unreachable', asked: 30 } as const;
    assert.equal(percent(away, { name: 'b', asked: 70 }, { name: 'c' }), 30);
    assert.equal(percent({ ...away, asked: 99 }, { name: 'b', asked: 1 }), 99);
    assert.equal(percent({ ...away, asked: 0 }, { name: 'b', asked: 100 }), 0);
  });

  it('is 100 when none takes calls, asked or not', () => {
    assert.equal(percent({ name: 'a', out: 'failures' }), 100);
    assert.equal(percent({ name: 'a', out: 'failures' }, { name: 'b', out: 'unreachable' }), 100);
  });

  it('is nothing where there is nobody, too little to say, or an operator’s wish', () => {
    assert.equal(percent(), 0);
    assert.equal(percent({ name: 'a' }), 0);
    assert.equal(percent({ name: 'a', out: 'unreachable', asked: 19 }, { name: 'b', asked: 0 }), 0, 'few demands');
    assert.equal(percent({ name: 'a', out: 'operator', asked: 100 }), 0);
    for (const wish of [{ phase: 'disabled' }, { phase: 'stopped' }, { drained: true }] as const)
      assert.equal(percent({ name: 'a', out: 'unreachable', asked: 100, ...wish }, { name: 'b' }), 0);
  });
});
