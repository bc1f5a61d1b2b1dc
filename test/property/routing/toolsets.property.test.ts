import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileFilter } from '#src/protocol/globs.js';
import { gatewayTool, resolveRequest } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules, toolsetScope } from '#src/routing/scopes.js';
import { ToolIndex, words } from '#src/routing/tool-index.js';
import { offer, scopeOptions, type Wares } from '../../support/offers.js';

const name = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', 'B', '_', '-', '.', '1', 's'), minLength: 1, maxLength: 6 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'find_tool', 'call_tool'),
);
const uri = fc.constantFrom('x:///a', 'x:///b', 'y:///a', 'viable://s1/x:///a');
const wares: fc.Arbitrary<Wares> = fc.record({
  tools: fc.uniqueArray(name, { maxLength: 6 }),
  prompts: fc.uniqueArray(name, { maxLength: 3 }),
  resources: fc.uniqueArray(uri, { maxLength: 3 }),
  templates: fc.uniqueArray(fc.constantFrom('x:///{p}', 'y:///{p}', 'x:///a{p}'), { maxLength: 2 }),
  available: fc.boolean(),
});
const servers = fc.dictionary(fc.constantFrom('s1', 's2', 's-3', 'S1'), wares, { maxKeys: 4 });
const globs = fc.array(
  fc.string({ unit: fc.constantFrom('s', '1', '_', '*', '?', 'a', 'x', ':', '/'), maxLength: 6 }),
  {
    maxLength: 3,
  },
);
const KINDS = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const;

describe('toolsets, properties', () => {
  it('are the aggregate, filtered', () => {
    fc.assert(
      fc.property(servers, globs, globs, globs, (given, tools, prompts, resources) => {
        const rules = compileScopeRules(scopeOptions({ set: { tools, prompts, resources } }));
        const offers = Object.entries(given).map(([server, its]) => offer(server, its));
        const table = new RoutingTable(1, offers, 3, rules);
        const { aggregate } = table;
        const set = table.scope(toolsetScope('set'));
        assert.ok(set);
        for (const [kind, patterns] of [
          ['tools', tools],
          ['prompts', prompts],
        ] as const) {
          const passes = compileFilter({ allow: patterns });
          assert.deepEqual(set.lists[kind].keys(), aggregate.lists[kind].keys().filter(passes));
          assert.deepEqual(new Map(set[kind]), new Map([...aggregate[kind]].filter(([shown]) => passes(shown))));
        }
        const passes = compileFilter({ allow: resources });
        for (const kind of ['resources', 'resourceTemplates'] as const) {
          const listed = new Set(set.lists[kind].keys());
          for (const key of listed) assert.ok(aggregate.lists[kind].keys().includes(key));
          for (const key of aggregate.lists[kind].keys()) if (passes(key)) assert.ok(listed.has(key));
        }
        for (const asked of ['x:///a', 'x:///zz', 'y:///a', 'z:///', 'viable://s1/x:///a', 'viable://s2/x:///a']) {
          const route = set.resource(asked);
          if (route || passes(asked)) assert.deepEqual(route, aggregate.resource(asked));
        }
      }),
    );
  });

  it('and lists, routes and search do not depend on the order of servers and items', () => {
    fc.assert(
      fc.property(servers, fc.string({ maxLength: 12 }), fc.boolean(), (given, query, search) => {
        const rules = compileScopeRules(scopeOptions({ set: { tools: ['s*'], resources: ['x*'] } }, search));
        const reversed = (its: Wares): Wares => ({
          ...its,
          tools: [...(its.tools ?? [])].reverse(),
          prompts: [...(its.prompts ?? [])].reverse(),
          resources: [...(its.resources ?? [])].reverse(),
        });
        const one = Object.entries(given).map(([server, its]) => offer(server, its));
        const other = Object.entries(given).map(([server, its]) => offer(server, reversed(its)));
        const a = new RoutingTable(1, one, 3, rules);
        const b = new RoutingTable(1, other.reverse(), 3, rules);
        for (const scope of [null, toolsetScope('set'), ...Object.keys(given)]) {
          const [left, right] = [a.scope(scope), b.scope(scope)];
          assert.ok(left && right);
          for (const kind of KINDS) assert.ok(left.lists[kind].equals(right.lists[kind]), kind);
          const params = { name: 'find_tool', arguments: { query } };
          assert.deepEqual(gatewayTool(params, left), gatewayTool(params, right));
        }
      }),
    );
  });
});

describe('tool search, properties', () => {
  const texts = fc.constantFrom('a b', 'b', 'a a a a', '', 'the name of a tool', 'B-1_s');
  const tools = fc.uniqueArray(fc.record({ name, description: texts }), {
    selector: (tool) => tool.name,
    maxLength: 12,
  });

  it('finds every tool by its exact name, first', () => {
    fc.assert(
      fc.property(tools, (listed) => {
        const index = new ToolIndex(listed.map((item) => ({ name: item.name, item })));
        for (const { name: asked } of listed) assert.equal(index.search(asked)[0]?.name, asked);
      }),
    );
  });

  it('answers with tools of the list, each once, in an order that the list alone decides', () => {
    fc.assert(
      fc.property(tools, fc.string({ unit: 'binary', maxLength: 20 }), (listed, query) => {
        const entries = listed.map((item) => ({ name: item.name, item }));
        const found = new ToolIndex(entries).search(query).map((tool) => tool.name);
        const again = new ToolIndex([...entries].reverse().map((entry) => ({ ...entry, item: { ...entry.item } })));
        assert.deepEqual(
          again.search(query).map((tool) => tool.name),
          found,
        );
        assert.equal(new Set(found).size, found.length);
        for (const one of found) assert.ok(listed.some((tool) => tool.name === one));
      }),
    );
  });

  it('reads plain text like any other', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', 'B', 'C', 'd', 's', '1', '_', ' ', '\n'), maxLength: 12 });
    fc.assert(
      fc.property(plain, (text) => {
        // One letter that is not plain takes the other way; it is a word of its own.
        assert.deepEqual(words(`${text} 文`), [...words(text), '文']);
      }),
    );
  });

  it('call_tool leads where the direct call leads', () => {
    fc.assert(
      fc.property(servers, name, (given, unknown) => {
        const offers = Object.entries(given).map(([server, its]) => offer(server, its));
        const { aggregate } = new RoutingTable(1, offers, 3, compileScopeRules(scopeOptions({}, true)));
        for (const asked of [...aggregate.tools.keys(), unknown]) {
          const direct = resolveRequest('tool', { name: asked, arguments: { k: 1 } }, aggregate);
          const args = { name: asked, arguments: { k: 1 } };
          const wrapped = resolveRequest('tool', { name: 'call_tool', arguments: args }, aggregate);
          if (direct.ok) assert.deepEqual(wrapped, direct);
          else if (asked !== 'call_tool') assert.ok(!wrapped.ok && wrapped.error === direct.error);
        }
      }),
    );
  });
});
