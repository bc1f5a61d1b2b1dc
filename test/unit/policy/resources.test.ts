import assert from 'node:assert/strict';
import { type Principal } from '#src/auth/principal.js';
import { Policy } from '#src/policy/policy.js';
import { type RuleOptions } from '#src/policy/rules.js';
import { resolveRequest } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules } from '#src/routing/scopes.js';
import { offer, scopeOptions } from '../../support/offers.js';

const ANN: Principal = {
  subject: 'ann',
  role: 'user',
  permissions: [],
  key: 'ann',
  expiresAt: null,
  tenant: null,
  credential: null,
  claims: { org: { team: 'core', size: 3 }, 'https://x.example/flags': ['a', 'b'] },
};

function views(rules: readonly RuleOptions[], fallback: 'allow' | 'deny' = 'allow', search = false) {
  const routing = new RoutingTable(
    1,
    [
      offer('files', {
        resources: ['file:///pub/a'],
        templates: ['file:///{+path}'],
        tools: ['read', 'wipe'],
        instructions: 'Files.',
      }),
      offer('mail', { resources: ['mail://inbox'], tools: ['send'], instructions: 'Mail.' }),
    ],
    100,
    compileScopeRules(scopeOptions({}, search)),
  );
  const access = new Policy({ default: fallback, tenantClaim: 'tenant', rules }, 1).access(ANN);
  return { whole: routing.scope(null), mine: routing.scope(null, access) };
}

describe('policy on resources', () => {
  it('a denied URI cannot be read by another spelling', () => {
    const { whole, mine } = views([{ effect: 'deny', resources: ['file:///etc/*'] }]);
    for (const uri of [
      'file:///etc/passwd',
      'file:///pub/../etc/passwd',
      'file:///%65tc/passwd',
      'file:///pub/%2e%2e/etc/passwd',
      'file:///pub/%252e%252e/etc/passwd',
      'file:///pub/..%2fetc/passwd',
      'file:///./etc/passwd',
      'file:///pub\\..\\etc\\passwd',
      'viable://files/file:///etc/passwd',
      'viable://files/file:///pub/../etc/passwd',
    ]) {
      assert.ok(whole?.resource(uri), `${uri} leads somewhere at all`);
      assert.equal(mine?.resource(uri), undefined, uri);
    }
    assert.ok(mine?.resource('file:///pub/a%20b'));
    assert.ok(mine?.resource('file:///etcetera'));
  });

  it('what is allowed by default deny is allowed however it is written, and nothing else is', () => {
    const { mine } = views([{ effect: 'allow', resources: ['file:///pub/*'] }], 'deny');
    assert.ok(mine?.resource('file:///pub/a%20b'));
    assert.ok(mine?.resource('file:///pub/x'), 'by the template, though the template itself is not shown');
    assert.deepEqual(mine?.lists.resourceTemplates.keys(), []);
    assert.equal(mine.resource('file:///pub/../etc/passwd'), undefined);
    assert.equal(mine.resource('mail://inbox'), undefined);
  });

  it('a URI that is kept back is handed to no other server', () => {
    const { whole, mine } = views([{ effect: 'deny', servers: ['mail'] }]);
    assert.equal(whole?.resource('mail://inbox')?.target, 'mail');
    assert.equal(mine?.resource('mail://inbox'), undefined);
  });

  it('a server of which nothing is left is not spoken of', () => {
    const { mine } = views([{ effect: 'deny', servers: ['mail'] }]);
    assert.equal(mine?.instructions, '## files\nFiles.');
    assert.equal(mine.servers.has('mail'), false);
  });

  it('a search finds nothing that is kept back, and near misses do not name it', () => {
    const { mine } = views([{ effect: 'deny', tools: ['*__wipe'] }], 'allow', true);
    const found = mine?.search?.answer({ name: 'find_tool', arguments: { query: 'wipe' } });
    assert.ok(!JSON.stringify(found).includes('wipe'));
    const call = { name: 'call_tool', arguments: { name: 'files__wipe' } };
    const refused = resolveRequest('tool', call, mine);
    assert.equal(refused.ok, false);
    assert.ok(!JSON.stringify(refused.data?.['near']).includes('wipe'));
  });

  it('reads claims by name or path, of a list each, and nothing of the prototype', () => {
    const allowed = (claims: Record<string, string | string[]>): boolean =>
      views([{ effect: 'allow', claims, tools: ['files__read'] }], 'deny').mine?.tools.has('files__read') ?? false;
    assert.equal(allowed({ 'org.team': 'core' }), true);
    assert.equal(allowed({ 'org.size': '3' }), true);
    assert.equal(allowed({ 'https://x.example/flags': ['b', 'c'] }), true);
    assert.equal(allowed({ 'org.team': 'other' }), false);
    assert.equal(allowed({ org: '*' }), false);
    assert.equal(allowed({ 'constructor.name': '*' }), false);
    assert.equal(allowed({ '__proto__.x': '*' }), false);
  });
});
