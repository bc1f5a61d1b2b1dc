import assert from 'node:assert/strict';
import { refusalOf } from '#src/actors/policy-guard.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { type AuditEvent } from '#src/audit/event.js';
import { type Principal } from '#src/auth/principal.js';
import { Denials } from '#src/telemetry/denials.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { configOf, World } from '../../support/actors/world.js';
import { offer } from '../../support/offers.js';

const ANN: Principal = {
  subject: 'ann',
  role: 'user',
  permissions: [],
  key: 'ann',
  expiresAt: null,
  tenant: null,
  credential: null,
  claims: {},
};
const NOBODY: Principal = { ...ANN, subject: null, key: 'anonymous' };

function plane() {
  const rules = [
    { effect: 'allow', permissions: ['git:write'], tools: ['git__push'] },
    { effect: 'deny', tools: ['git__push', 'git__wipe'] },
  ];
  const { plane: made } = new World(configOf({ gateway: { policy: { rules } } }));
  const gate = new UpstreamGate('git', 10, 1_000);
  made.routing = new RoutingTable(1, [{ ...offer('git', { tools: ['log', 'push', 'wipe'] }), target: gate }], 100);
  const recorded: AuditEvent[] = [];
  made.audit = { enabled: true, hashArguments: false, record: (event) => void recorded.push(event) };
  return { made, recorded };
}

const UNKNOWN = { ok: false, error: 'unknown_tool', detail: 'x' } as const;

describe('policy guard', () => {
  const ask = (name: string, principal: Principal) => {
    const { made, recorded } = plane();
    const refusal = refusalOf(made, { kind: 'tool', params: { name }, scope: null, principal }, UNKNOWN, 5_000);
    return { refusal, recorded, total: made.counters.denials.total };
  };

  it('names the permissions that would do, to who has a token; counts and records the denial', () => {
    const { refusal, recorded, total } = ask('git__push', ANN);
    assert.equal(refusal.error, 'insufficient_scope');
    assert.deepEqual(refusal.data, { scope: 'git:write' });
    assert.deepEqual(refusal.scopes, ['git:write']);
    assert.equal(total, 1);
    assert.deepEqual(recorded, [
      {
        type: 'denial',
        outcome: 'insufficient_scope',
        kind: 'tool',
        name: 'git__push',
        server: 'git',
        rule: 'rule 2',
        principal: 'ann',
        role: 'user',
      },
    ]);
  });

  it('what no permission would give, and anything to who has no token, is unknown; still counted', () => {
    for (const { refusal, total } of [ask('git__wipe', ANN), ask('git__push', NOBODY)]) {
      assert.deepEqual([refusal, total], [UNKNOWN, 1]);
    }
  });

  it('what does not exist is no denial', () => {
    const { refusal, total, recorded } = ask('git__nothing', ANN);
    assert.deepEqual([refusal, total, recorded], [UNKNOWN, 0, []]);
  });

  it('counts denials in all and over five minutes', () => {
    const denials = new Denials();
    denials.record(0);
    denials.record(100_000);
    denials.record(100_500);
    assert.deepEqual([denials.total, denials.lastFiveMinutes(100_500)], [3, 3]);
    assert.equal(denials.lastFiveMinutes(301_000), 2);
    denials.record(301_000);
    assert.deepEqual([denials.lastFiveMinutes(401_000), denials.total], [1, 4]);
  });
});
