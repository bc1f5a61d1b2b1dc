import assert from 'node:assert/strict';
import { gatewayTool, resolveRequest } from '#src/routing/resolve.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { compileScopeRules, toolsetScope } from '#src/routing/scopes.js';
import { ToolIndex, words } from '#src/routing/tool-index.js';
import { offer, scopeOptions } from '../../support/offers.js';

const tool = (name: string, description?: string) => ({
  name,
  item: { name, inputSchema: { type: 'object' }, ...(description === undefined ? {} : { description }) },
});

const names = (index: ToolIndex, query: string): string[] => index.search(query).map((found) => found.name);

describe('words of a tool', () => {
  it('are split at separators, case and digits, and lose plural and marks', () => {
    const cases: Record<string, string[]> = {
      createIssue_v2: ['create', 'issue', 'v2'],
      'HTTPServer.getURL': ['http', 'server', 'get', 'url'],
      'list-repositories': ['list', 'repository'],
      'Issues, classes; status bus': ['issue', 'classe', 'status', 'bus'],
      'Crème BRÛLÉE': ['creme', 'brulee'],
      'поиск файлов': ['поиск', 'фаилов'],
      检索文件: ['检', '索', '文', '件'],
      '___ 🙂': [],
    };
    for (const [text, expected] of Object.entries(cases)) assert.deepEqual(words(text), expected, text);
  });
});

describe('tool index', () => {
  const index = new ToolIndex([
    tool('github__create_issue', 'Opens a new issue in a repository.'),
    tool('github__list_issues', 'Lists the issues of a repository.'),
    tool('github__create_repository', 'Creates a repository.'),
    tool('jira__createTicket', 'Creates a ticket; an issue, as others call it.'),
    tool('files__read', 'Reads a file.'),
    tool('files__write'),
  ]);

  it('ranks names before descriptions, and all words before some', () => {
    assert.equal(names(index, 'create issue')[0], 'github__create_issue');
    assert.equal(names(index, 'create a ticket')[0], 'jira__createTicket');
    assert.equal(names(index, 'LIST ISSUE')[0], 'github__list_issues');
    assert.deepEqual(names(index, 'reading').length, 0);
    assert.deepEqual(names(index, 'file').slice(0, 2).sort(), ['files__read', 'files__write']);
  });

  it('takes the beginning of a word for less than the word', () => {
    assert.deepEqual(names(index, 'repo').length, 3);
    assert.equal(names(index, 'tick')[0], 'jira__createTicket');
    assert.deepEqual(names(index, 're'), []);
    const both = new ToolIndex([tool('a__repository'), tool('b__repo')]);
    assert.deepEqual(names(both, 'repo'), ['b__repo', 'a__repository']);
  });

  it('puts whole names first: as written, but for case, without the prefix', () => {
    const alike = new ToolIndex(
      ['z__run', 'Z__RUN', 'a__run', 'run__run_run'].map((name) => tool(name, 'run run run')),
    );
    assert.deepEqual(names(alike, 'z__run').slice(0, 2), ['z__run', 'Z__RUN']);
    assert.deepEqual(names(alike, 'Z__RUN').slice(0, 2), ['Z__RUN', 'z__run']);
    assert.equal(names(alike, 'run').at(-1), 'run__run_run');
  });

  it('answers a query without a word with everything, by name', () => {
    assert.equal(names(index, ' -- ').length, 6);
    assert.deepEqual(names(index, ''), [...names(index, '')].sort());
    assert.deepEqual(names(index, 'xyzzy'), []);
    assert.deepEqual(names(new ToolIndex([]), 'x'), []);
  });

  it('reads titles, too', () => {
    const titled = new ToolIndex([
      { name: 'a', item: { name: 'a', title: 'Weather' } },
      { name: 'b', item: { name: 'b', annotations: { title: 'Forecast' } } },
    ]);
    assert.deepEqual([names(titled, 'weather'), names(titled, 'forecast')], [['a'], ['b']]);
  });

  it('takes long names and texts', () => {
    const long = 'a-'.repeat(200_000);
    assert.ok(new ToolIndex([tool(long, long)]).search(long).length === 1);
  });
});

describe('search mode', () => {
  const offers = [
    offer('git', {
      tools: [{ name: 'log', description: 'History', inputSchema: { type: 'object', required: ['n'] } }],
    }),
    offer('odd', { tools: ['find_tool', 'call_tool', '__proto__'] }),
    offer('down', { tools: ['gone'], available: false }),
    offer('text', { prompts: ['p'] }),
  ];
  const table = new RoutingTable(
    1,
    offers,
    100,
    compileScopeRules(scopeOptions({ plain: { tools: ['*'], search: false } }, true, 2)),
  );
  const find = (args: unknown, view = table.aggregate) => gatewayTool({ name: 'find_tool', arguments: args }, view);
  const call = (args: unknown, view = table.aggregate) =>
    resolveRequest('tool', { name: 'call_tool', arguments: args, _meta: { progressToken: 7 } }, view);

  it('is off unless a scope has it', () => {
    const off = new RoutingTable(1, offers, 100);
    assert.equal(off.aggregate.search, null);
    assert.equal(gatewayTool({ name: 'find_tool', arguments: { query: 'log' } }, off.aggregate), undefined);
    assert.equal(call({ name: 'git__log' }, off.aggregate).ok, false);
    const plain = table.scope(toolsetScope('plain'));
    assert.ok(plain);
    assert.equal(plain.search, null);
    assert.equal(plain.lists.tools.size, 4);
  });

  it('lists two tools in place of all', () => {
    assert.deepEqual(table.aggregate.lists.tools.keys(), ['call_tool', 'find_tool']);
    assert.equal(table.aggregate.offeredTools, 4);
    const { tools } = JSON.parse(table.aggregate.lists.tools.page(undefined)) as { tools: Record<string, unknown>[] };
    for (const listed of tools) assert.equal((listed['inputSchema'] as { type: string }).type, 'object');
  });

  it('finds names, descriptions and schemas of what can be called', () => {
    const found = find({ query: 'history', limit: 1 });
    const expected = {
      tools: [{ name: 'git__log', description: 'History', inputSchema: { type: 'object', required: ['n'] } }],
      total: 1,
    };
    assert.deepEqual(found, {
      content: [{ type: 'text', text: JSON.stringify(expected) }],
      structuredContent: expected,
    });
    const all = find({ query: '', limit: 50 })?.['structuredContent'] as { tools: unknown[]; total: number };
    assert.deepEqual([all.tools.length, all.total], [2, 4]); // at most maxResults; nothing of a server that is down
  });

  it('answers wrong arguments of find_tool as a tool does', () => {
    for (const args of [undefined, [], {}, { query: 1 }, { query: 'a', limit: 0 }, { query: 'a', limit: 1.5 }]) {
      assert.equal(find(args)?.['isError'], true, JSON.stringify(args));
    }
  });

  it('call_tool becomes the call that it wraps, meta and all', () => {
    assert.deepEqual(call({ name: 'git__log', arguments: { n: 1 } }), {
      ok: true,
      target: 'git',
      tool: { name: 'log', description: 'History', inputSchema: { type: 'object', required: ['n'] } },
      params: { name: 'log', arguments: { n: 1 }, _meta: { progressToken: 7 } },
    });
    assert.deepEqual(call({ name: 'odd____proto__' }), {
      ok: true,
      target: 'odd',
      tool: { name: '__proto__', inputSchema: { type: 'object' } },
      params: { name: '__proto__', arguments: {}, _meta: { progressToken: 7 } },
    });
    const down = call({ name: 'down__gone' });
    assert.ok(down.ok && down.target === 'down');
    const direct = resolveRequest('tool', { name: 'git__log' }, table.aggregate);
    assert.ok(direct.ok && direct.target === 'git');
  });

  it('names what was probably meant', () => {
    const near = (name: string): unknown => {
      const resolved = call({ name });
      assert.ok(!resolved.ok && resolved.error === 'unknown_tool');
      return resolved.data?.['near'];
    };
    assert.deepEqual(near('git__lgo'), ['git__log']);
    assert.deepEqual(near('log'), ['git__log']);
    assert.deepEqual(near('nothing-like-it'), []);
    assert.deepEqual(near('x'.repeat(10_000)), []);
    const [first] = near('call_tool') as string[];
    assert.equal(first, 'odd__call_tool', 'call_tool cannot call itself');
  });

  it('refuses wrong arguments of call_tool', () => {
    for (const args of [undefined, null, {}, { name: 1 }, { name: 'git__log', arguments: [] }]) {
      const resolved = call(args);
      assert.ok(!resolved.ok && resolved.error === 'invalid_params', JSON.stringify(args));
    }
  });

  it("on one server's endpoint, reaches its own find_tool through call_tool", () => {
    const odd = table.scope('odd');
    assert.deepEqual(odd?.lists.tools.keys(), ['call_tool', 'find_tool']);
    const own = call({ name: 'find_tool' }, odd);
    assert.ok(own.ok && own.target === 'odd');
    assert.equal(table.scope('text')?.search, null, 'a server without tools is not searched');
  });
});
