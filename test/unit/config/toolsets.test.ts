import assert from 'node:assert/strict';
import { accepted, load, problemAt, refused } from './support.js';

const toolsets = (value: unknown) => load({ mcpServers: { s: { command: 'x' } }, gateway: { toolsets: value } });

describe('config: toolsets', () => {
  it('are taken as written', async () => {
    const written = {
      'a.b-1_c': { tools: ['s__*'], description: 'd', search: true },
      z: { tools: [], prompts: ['*'] },
    };
    const { config, warnings } = accepted(await toolsets(written));
    assert.deepEqual(config.gateway.toolsets, written);
    assert.ok(Object.isFrozen(config.gateway.toolsets['z'].tools));
    assert.deepEqual(warnings, []);
  });

  const refusals: [what: string, value: unknown, path: string, message: RegExp, suggestion?: RegExp][] = [
    ['a list', [], 'gateway.toolsets', /must be an object, not a list/],
    ['a name with a slash', { 'a/b': { tools: [] } }, 'gateway.toolsets["a/b"]', /1 to 64 letters/],
    ['an empty name', { '': { tools: [] } }, 'gateway.toolsets[""]', /1 to 64 letters/],
    ['no tools', { a: {} }, 'gateway.toolsets.a.tools', /is missing: a list/],
    ['a misspelt key', { a: { tools: [], promts: [] } }, 'gateway.toolsets.a.promts', /unknown key/, /`prompts`/],
    ['tools as text', { a: { tools: 's__x' } }, 'gateway.toolsets.a.tools', /must be a list/, /brackets/],
    ['search as text', { a: { tools: [], search: 'true' } }, 'gateway.toolsets.a.search', /true or false/, /quotes/],
    ['an empty pattern', { a: { tools: [''] } }, 'gateway.toolsets.a.tools[0]', /must not be empty/],
  ];
  for (const [what, value, path, message, suggestion] of refusals) {
    it(`refuse ${what}`, async () => {
      const problem = problemAt(refused(await toolsets(value)), path);
      assert.match(problem.message, message);
      if (suggestion) assert.match(problem.suggestion ?? '', suggestion);
      assert.ok(problem.line !== undefined);
    });
  }

  it('warn of a pattern that no name can match', async () => {
    const { warnings } = accepted(await toolsets({ a: { tools: ['read', 's__read', 're?d', '__x'], prompts: ['p'] } }));
    assert.deepEqual(
      warnings.map((warning) => warning.path),
      ['tools[0]', 'tools[3]', 'prompts[0]'].map((end) => `gateway.toolsets.a.${end}`),
    );
    assert.match(warnings[2]?.message ?? '', /<server>__<prompt>/);
  });

  it('and search have near misses', async () => {
    const problems = refused(
      await load({ gateway: { toolset: {}, search: {}, catalogue: { serch: {}, search: { max_results: 1 } } } }),
    );
    assert.match(problemAt(problems, 'gateway.toolset').suggestion ?? '', /`toolsets`/);
    assert.match(
      problemAt(problems, 'gateway.search').suggestion ?? '',
      /gateway\.catalogue\.search|catalogue\.search/,
    );
    assert.match(problemAt(problems, 'gateway.catalogue.serch').suggestion ?? '', /`search`/);
    assert.match(problemAt(problems, 'gateway.catalogue.search.max_results').suggestion ?? '', /`maxResults`/);
  });

  it('search has a range', async () => {
    const problems = refused(await load({ gateway: { catalogue: { search: { enabled: true, maxResults: 101 } } } }));
    assert.match(problemAt(problems, 'gateway.catalogue.search.maxResults').message, /at most 100/);
  });
});
