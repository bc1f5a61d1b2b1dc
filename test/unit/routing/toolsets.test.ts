import assert from 'node:assert/strict';
import { resolveRequest } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules, scopePath, toolsetOf, toolsetScope, type ToolsetOptions } from '#src/routing/scopes.js';
import { offer, scopeOptions, type Wares } from '../../support/offers.js';

const SERVERS: Record<string, Wares> = {
  git: { tools: ['log', 'push'], prompts: ['review'], resources: ['file:///a', 'git://head'], instructions: 'Git.' },
  files: {
    tools: ['read', 'write'],
    prompts: ['summarise'],
    resources: ['file:///a', 'file:///b'],
    templates: ['file:///{path}', 'tmp:///{name}'],
    instructions: 'Files.',
  },
};

function table(toolset: ToolsetOptions, servers = SERVERS): RoutingTable<string> {
  const offers = Object.entries(servers).map(([name, wares]) => offer(name, wares));
  return new RoutingTable(1, offers, 100, compileScopeRules(scopeOptions({ set: toolset })));
}

function view(toolset: ToolsetOptions, servers = SERVERS) {
  const found = table(toolset, servers).scope(toolsetScope('set'));
  assert.ok(found);
  return found;
}

describe('scopes', () => {
  it('are told apart by their keys, and have paths', () => {
    assert.equal(toolsetOf(toolsetScope('a')), 'a');
    assert.deepEqual([null, 't', 'tools', 'a'].map(toolsetOf), [undefined, undefined, undefined, undefined]);
    assert.deepEqual([null, 'a', 't', toolsetScope('a')].map(scopePath), ['/mcp', '/mcp/s/a', '/mcp/s/t', '/mcp/t/a']);
  });

  it('a toolset and a server of one name are two', () => {
    const both = new RoutingTable(
      1,
      [offer('set', { tools: ['x'] }), offer('git', { tools: ['log'] })],
      100,
      compileScopeRules(scopeOptions({ set: { tools: ['git__*'] } })),
    );
    assert.deepEqual(both.scope('set')?.lists.tools.keys(), ['x']);
    assert.deepEqual(both.scope(toolsetScope('set'))?.lists.tools.keys(), ['git__log']);
    assert.equal(both.scope(toolsetScope('git')), undefined);
    assert.equal(both.scope(toolsetScope('__proto__')), undefined);
    assert.deepEqual(both.toolsetScopes(), ['t/set']);
  });
});

describe('toolset', () => {
  it('lists and routes what its globs name, and nothing else', () => {
    const set = view({ tools: ['*__read', 'git__l?g'], prompts: ['git__*'] });
    assert.deepEqual(set.lists.tools.keys(), ['files__read', 'git__log']);
    assert.deepEqual(set.lists.prompts.keys(), ['git__review']);
    assert.equal(set.lists.resources.size + set.lists.resourceTemplates.size, 0);
    assert.deepEqual(resolveRequest('tool', { name: 'git__log' }, set), {
      ok: true,
      target: 'git',
      tool: { name: 'log', inputSchema: { type: 'object' } },
      params: { name: 'log' },
    });
    for (const name of ['git__push', 'files__write', 'log']) {
      const resolved = resolveRequest('tool', { name }, set);
      assert.ok(!resolved.ok && resolved.error === 'unknown_tool', name);
    }
    assert.equal(set.resource('git://head'), undefined);
  });

  it('holds nothing of a kind that it does not name, and everything of *', () => {
    const none = view({ tools: [] });
    assert.deepEqual(
      Object.values(none.lists).map((list) => list.size),
      [0, 0, 0, 0],
    );
    assert.deepEqual([...none.capabilities].sort(), ['logging', 'tools']);
    const all = view({ tools: ['*'], prompts: ['*'], resources: ['*'] });
    const { aggregate } = table({ tools: [] });
    for (const kind of ['tools', 'prompts', 'resources', 'resourceTemplates'] as const)
      assert.ok(all.lists[kind].equals(aggregate.lists[kind]), kind);
    assert.deepEqual([...all.capabilities].sort(), ['completions', 'logging', 'prompts', 'resources', 'tools']);
  });

  it('takes resources by URI, and by server whatever their URIs', () => {
    assert.deepEqual(view({ tools: [], resources: ['file:*'] }).lists.resources.keys(), ['file:///a', 'file:///b']);
    const git = view({ tools: [], resources: ['viable://git/*'] });
    // `files` keeps the plain URI that both have: it is the first by prefix.
    assert.deepEqual(git.lists.resources.keys(), ['git://head', 'viable://git/file:///a']);
    assert.deepEqual(git.resource('viable://git/file:///a'), {
      target: 'git',
      own: 'file:///a',
      item: { uri: 'file:///a', name: 'file:///a' },
    });
    assert.equal(git.resource('file:///a'), undefined);
  });

  it('reads an unlisted URI by its globs, or by a template that it holds', () => {
    const byGlob = view({ tools: [], resources: ['file:///pub*'] });
    assert.deepEqual(byGlob.resource('file:///public'), { target: 'files', own: 'file:///public' });
    assert.equal(byGlob.resource('file:///secret'), undefined);
    const byTemplate = view({ tools: [], resources: ['tmp:///{name}'] });
    assert.deepEqual(byTemplate.lists.resourceTemplates.keys(), ['tmp:///{name}']);
    assert.deepEqual(byTemplate.resource('tmp:///x'), { target: 'files', own: 'tmp:///x' });
    assert.equal(byTemplate.resource('file:///x'), undefined);
  });

  it('tells its description and the instructions of the servers that it has something of', () => {
    const set = view({ tools: ['git__*'], description: 'For reviews.' });
    assert.equal(set.instructions, 'For reviews.\n\n## git\nGit.');
    assert.deepEqual([...set.servers], ['git']);
    assert.equal(view({ tools: [] }).instructions, undefined);
  });

  it('routes to a server that is down, and does not list it', () => {
    const down = view({ tools: ['*'] }, { git: { tools: ['log'], available: false } });
    assert.equal(down.lists.tools.size, 0);
    assert.equal(down.tools.get('git__log')?.target, 'git');
  });
});
