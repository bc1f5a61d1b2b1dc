/** The compiled policy against the rules read one by one, and views of the routing table against its decisions. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Principal, ROLES } from '#src/auth/principal.js';
import { Policy } from '#src/policy/policy.js';
import { type PolicyOptions, type RuleOptions, type Target } from '#src/policy/rules.js';
import { compileFilter } from '#src/protocol/globs.js';
import { aggregateName } from '#src/protocol/naming.js';
import { resolveRequest } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules } from '#src/routing/scopes.js';
import { offer, scopeOptions } from '../../support/offers.js';

const SERVERS = ['git', 'files', 'mail'] as const;
const TOOLS = ['read', 'write', 'delete'] as const;
const PERMISSIONS = ['p', 'q'] as const;

const some = <T>(of: readonly T[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1 }), { nil: undefined });
const globs = some(['*', 'git__*', '*__delete', 'files__write', '*__r*']);

const rule: fc.Arbitrary<RuleOptions> = fc.record({
  effect: fc.constantFrom('allow' as const, 'deny' as const),
  roles: some(ROLES),
  permissions: some(PERMISSIONS),
  tenants: some(['acme', 'umbrella']),
  subjects: some(['ann', 'b*']),
  servers: some(SERVERS),
  tools: globs,
  prompts: globs,
});
const options: fc.Arbitrary<PolicyOptions> = fc.record({
  default: fc.constantFrom('allow' as const, 'deny' as const),
  tenantClaim: fc.constant('tenant'),
  rules: fc.array(rule, { maxLength: 6 }),
});
const principal: fc.Arbitrary<Principal> = fc.record({
  subject: fc.constantFrom('ann', 'bob', null),
  role: fc.constantFrom(...ROLES),
  permissions: fc.subarray([...PERMISSIONS]),
  key: fc.constant('k'),
  expiresAt: fc.constant(null),
  tenant: fc.constant(null),
  credential: fc.constant(null),
  claims: fc.constantFrom({}, { tenant: 'acme' }, { tenant: ['acme', 'umbrella'] }),
});

/** The documentation as a program: first rule all of whose conditions hold. */
function model({ rules, default: fallback }: PolicyOptions, who: Principal, { kind, server, names }: Target): boolean {
  const any = (patterns: readonly string[] | undefined, values: readonly string[]): boolean =>
    patterns === undefined || values.some(compileFilter({ allow: patterns }));
  const tenant = who.claims['tenant'];
  const tenants = Array.isArray(tenant) ? (tenant as string[]) : typeof tenant === 'string' ? [tenant] : [];
  for (const { effect, roles, permissions = [], tenants: t, subjects, servers, tools, prompts } of rules) {
    const ofKind = { tool: tools, prompt: prompts, resource: undefined }[kind];
    const about = (!tools && !prompts) || (ofKind !== undefined && any(ofKind, names));
    const holds =
      about &&
      any(roles, [who.role]) &&
      permissions.every((permission) => who.permissions.includes(permission)) &&
      any(t, tenants) &&
      any(subjects, who.subject === null ? [] : [who.subject]) &&
      any(servers, [server]);
    if (holds) return effect === 'allow';
  }
  return fallback === 'allow';
}

const TARGETS: readonly Target[] = SERVERS.flatMap((server) =>
  TOOLS.flatMap((name) =>
    (['tool', 'prompt'] as const).map((kind) => ({ kind, server, names: [aggregateName(server, name)] })),
  ),
);

function table(): RoutingTable<string> {
  const offers = SERVERS.map((server) =>
    offer(server, { tools: TOOLS, prompts: TOOLS, resources: [`${server}:///x`] }),
  );
  const toolsets = { set: { tools: ['*__read', 'git__*'], prompts: ['*'] } };
  return new RoutingTable(1, offers, 100, compileScopeRules(scopeOptions(toolsets)));
}

describe('policy', () => {
  it('decides as the rules read one by one, and its explanation ends with the rule that decides', () => {
    fc.assert(
      fc.property(options, principal, (of, who) => {
        const policy = new Policy(of, 1);
        for (const target of TARGETS) {
          const decision = policy.decide(who, target);
          assert.equal(decision.allowed, model(of, who, target));
          const last = policy.explain(who, target).at(-1);
          if (decision.by === 'default') assert.ok(last === undefined || last.skipped !== null);
          else assert.deepEqual([last?.rule, last?.skipped], [decision.by, null]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('what a step-up names is missing, is enough, and is named for nothing that would be denied still', () => {
    fc.assert(
      fc.property(options, principal, (of, who) => {
        const policy = new Policy(of, 1);
        for (const target of TARGETS.filter((target) => !policy.decide(who, target).allowed)) {
          const missing = policy.wanting(who, target);
          if (missing === undefined) continue;
          assert.ok(missing.length > 0 && missing.every((permission) => !who.permissions.includes(permission)));
          const stepped = { ...who, permissions: [...who.permissions, ...missing] };
          assert.equal(model(of, stepped, target), true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lists and routes, of every scope, are what it allows: no more, no less, and the same for all of a class', () => {
    fc.assert(
      fc.property(options, principal, (of, who) => {
        const policy = new Policy(of, 1);
        const routing = table();
        const access = policy.access(who);
        const twin = policy.access({ ...who });
        for (const scope of [null, 't/set', ...SERVERS]) {
          const whole = routing.scope(scope);
          const view = routing.scope(scope, access);
          assert.equal(view, routing.scope(scope, twin), 'rendered once for all of the class');
          for (const [shown, { target, own }] of whole?.tools ?? []) {
            const allowed = model(of, who, { kind: 'tool', server: target, names: [aggregateName(target, own)] });
            assert.equal(view?.tools.has(shown), allowed, shown);
            assert.equal(view.lists.tools.keys().includes(shown), allowed, shown);
            assert.equal(resolveRequest('tool', { name: shown }, view).ok, allowed);
          }
          assert.ok((view?.tools.size ?? 0) <= (whole?.tools.size ?? 0));
          for (const [shown, { target, own }] of whole?.prompts ?? []) {
            const allowed = model(of, who, { kind: 'prompt', server: target, names: [aggregateName(target, own)] });
            assert.equal(view?.prompts.has(shown), allowed, shown);
            const params = { ref: { type: 'ref/prompt', name: shown }, argument: { name: 'a', value: '' } };
            assert.equal(resolveRequest('completion', params, view).ok, allowed);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
