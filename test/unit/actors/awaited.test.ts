/** What a name leads to whose server has not listed anything yet, and for whom it leads nowhere. */
import assert from 'node:assert/strict';
import { resolveFor } from '#src/actors/awaited.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { type Principal } from '#src/auth/principal.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { compileFilter } from '#src/protocol/globs.js';
import { type UpstreamRoute } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules, type ScopeKey } from '#src/routing/scopes.js';
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

interface Settings {
  readonly gateway?: object;
  /** Servers that have listed nothing, by name. */
  readonly awaited?: Readonly<Record<string, { prefix?: string; deny?: string[] } | null>>;
}

/** `git` is up and has `log` and `push`. */
function asker({ gateway = {}, awaited = { mail: {} } }: Settings = {}) {
  const { plane } = new World(configOf({ gateway }));
  const gate = (name: string): UpstreamGate => new UpstreamGate(name, 10, 1_000);
  const git = gate('git');
  plane.gates.set('git', git);
  git.awaited = { prefix: undefined, toolFilter: () => true };
  for (const [name, of] of Object.entries(awaited)) {
    const made = gate(name);
    if (of) made.awaited = { prefix: of.prefix, toolFilter: compileFilter({ deny: of.deny }) };
    plane.gates.set(name, made);
  }
  const offers = [{ ...offer('git', { tools: ['log', 'push'], resources: ['git://head'] }), target: git }];
  plane.routing = new RoutingTable(1, offers, 100, compileScopeRules(plane.options));
  return (kind: UpstreamRoute, params: JsonObject, scope: ScopeKey = null) => {
    const found = resolveFor(plane, kind, params, scope, ANN);
    if (!found.ok) return found.error;
    return { server: found.target.name, params: found.params, awaited: found.awaited === true };
  };
}

const mail = (params: JsonObject) => ({ server: 'mail', params, awaited: true });

describe('awaited servers', () => {
  it('have every tool and prompt under their prefix, with the name that they know', () => {
    const ask = asker();
    assert.deepEqual(
      ask('tool', { name: 'mail__send', arguments: { to: 'x' } }),
      mail({ name: 'send', arguments: { to: 'x' } }),
    );
    assert.deepEqual(ask('prompt', { name: 'mail__reply__all' }), mail({ name: 'reply__all' }));
    const ref = { type: 'ref/prompt', name: 'mail__reply' };
    assert.deepEqual(ask('completion', { ref }), mail({ ref: { ...ref, name: 'reply' } }));
  });

  it('have resources where the URI says whose it is', () => {
    const ask = asker();
    assert.deepEqual(ask('resource', { uri: 'viable://mail/inbox://1' }), mail({ uri: 'inbox://1' }));
    const ref = { type: 'ref/resource', uri: 'viable://mail/inbox://{id}' };
    assert.deepEqual(ask('completion', { ref }), mail({ ref: { ...ref, uri: 'inbox://{id}' } }));
    assert.deepEqual(ask('resource', { uri: 'inbox://1' }, 'mail'), mail({ uri: 'inbox://1' }));
  });

  it('have everything of their own endpoint', () => {
    const ask = asker();
    assert.deepEqual(ask('tool', { name: 'send' }, 'mail'), mail({ name: 'send' }));
    assert.deepEqual(ask('prompt', { name: 'reply' }, 'mail'), mail({ name: 'reply' }));
  });

  it('are no reason to believe in names of others', () => {
    const ask = asker();
    assert.deepEqual(ask('tool', { name: 'git__log' }), { server: 'git', params: { name: 'log' }, awaited: false });
    for (const name of ['git__send', 'web__send', 'mail', 'send', '__send', 'Mail__send'])
      assert.equal(ask('tool', { name }), 'unknown_tool', name);
    assert.equal(ask('tool', { name: 'send' }, 'git'), 'unknown_tool');
    assert.equal(ask('resource', { uri: 'viable://web/inbox://1' }), 'resource_not_found');
    assert.equal(ask('tool', { name: 7 }), 'invalid_params');
  });

  it('are awaited only while they are not switched off', () => {
    assert.equal(asker({ awaited: { mail: null } })('tool', { name: 'mail__send' }), 'unknown_tool');
  });

  it('have the prefix that they will have', () => {
    const ask = asker({ awaited: { mail: { prefix: 'post' }, 'a b': {}, a_b: {} } });
    assert.deepEqual(ask('tool', { name: 'post__send' }), mail({ name: 'send' }));
    assert.equal(ask('tool', { name: 'mail__send' }), 'unknown_tool');
    assert.deepEqual(ask('tool', { name: 'a_b__x' }), { server: 'a_b', params: { name: 'x' }, awaited: true });
  });

  it('keep hidden what their own filter hides', () => {
    const ask = asker({ awaited: { mail: { deny: ['purge*'] } } });
    assert.equal(ask('tool', { name: 'mail__purge_all' }), 'unknown_tool');
    assert.equal(ask('tool', { name: 'purge' }, 'mail'), 'unknown_tool');
    assert.deepEqual(ask('tool', { name: 'mail__send' }), mail({ name: 'send' }));
  });

  it('do not exist for whom the policy hides them', () => {
    const hidden = asker({ gateway: { policy: { rules: [{ effect: 'deny', servers: ['mail'] }] } } });
    for (const scope of [null, 'mail']) {
      const [name, uri] = scope === null ? ['mail__send', 'viable://mail/inbox://1'] : ['send', 'inbox://1'];
      assert.equal(hidden('tool', { name }, scope), 'unknown_tool');
      assert.equal(hidden('prompt', { name }, scope), 'unknown_prompt');
      assert.equal(hidden('resource', { uri }, scope), 'resource_not_found');
    }
    const partly = asker({
      gateway: { policy: { default: 'deny', rules: [{ effect: 'allow', tools: ['mail__send'] }] } },
    });
    assert.deepEqual(partly('tool', { name: 'mail__send' }), mail({ name: 'send' }));
    assert.equal(partly('tool', { name: 'mail__purge' }), 'unknown_tool');
  });

  it('do not take a denial from what is there', () => {
    const rules = [{ effect: 'deny', servers: ['git'] }];
    const ask = asker({ gateway: { policy: { rules } }, awaited: { mail: { prefix: 'git' } } });
    assert.equal(ask('tool', { name: 'git__log' }), 'unknown_tool');
    assert.deepEqual(ask('tool', { name: 'git__send' }), mail({ name: 'send' }));
  });

  it('are in a toolset with what its patterns name', () => {
    const ask = asker({
      gateway: { toolsets: { office: { tools: ['mail__send', 'git__*'], resources: ['viable://mail/*'] } } },
    });
    assert.deepEqual(ask('tool', { name: 'mail__send' }, 't/office'), mail({ name: 'send' }));
    assert.deepEqual(ask('resource', { uri: 'viable://mail/x:y' }, 't/office'), mail({ uri: 'x:y' }));
    assert.equal(ask('tool', { name: 'mail__purge' }, 't/office'), 'unknown_tool');
    assert.equal(ask('prompt', { name: 'mail__reply' }, 't/office'), 'unknown_prompt');
    assert.equal(ask('tool', { name: 'mail__send' }, 't/other'), 'unknown_tool');
  });

  it('are meant by call_tool, where the tools are searched', () => {
    const ask = asker({ gateway: { catalogue: { search: { enabled: true } } } });
    const wrapped = (name: string) => ({ name: 'call_tool', arguments: { name, arguments: { to: 'x' } } });
    assert.deepEqual(ask('tool', wrapped('mail__send')), mail({ name: 'send', arguments: { to: 'x' } }));
    assert.deepEqual(ask('tool', wrapped('send'), 'mail'), mail({ name: 'send', arguments: { to: 'x' } }));
    assert.equal(ask('tool', wrapped('web__send')), 'unknown_tool');
  });
});
