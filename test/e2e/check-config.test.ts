/** `--check-config`: says everything that is wrong, where, and what was probably meant. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MAIN, runNode, type Run } from '../support/gateway.js';

describe('--check-config', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-check-'));
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function check(content: string | object, name = 'gateway.json'): Promise<Run & { readonly text: string }> {
    const file = path.join(directory, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    const run = await runNode(MAIN, ['--check-config', '--config', file]);
    return { ...run, text: run.stdout + run.stderr };
  }

  it('accepts a file as MCP clients write it, and exits 0', async () => {
    const run = await check({
      mcpServers: { memory: { command: 'npx', args: ['-y', 'some-server'], env: { A: 'b' } } },
    });
    assert.equal(run.code, 0, run.text);
  });

  it('accepts YAML', async () => {
    const run = await check('mcpServers:\n  remote:\n    url: https://example.com/mcp\n', 'gateway.yaml');
    assert.equal(run.code, 0, run.text);
  });

  const mistakes = [
    {
      what: 'a misspelt key of a server',
      content: { mcpServers: { git: { comand: 'git-server' } } },
      says: [/mcpServers\.git/, /comand/, /\bcommand\b/],
    },
    {
      what: 'a misspelt block of the gateway',
      content: { mcpServers: {}, gateway: { catalog: { pageSize: 5 } } },
      says: [/gateway/, /catalog\b/, /catalogue/],
    },
    {
      what: 'a wrong type',
      content: { mcpServers: { git: { command: 'git-server', args: 'one' } } },
      says: [/mcpServers\.git\.args/],
    },
    {
      what: 'a number out of range',
      content: { mcpServers: {}, gateway: { listen: { port: 70_000 } } },
      says: [/gateway\.listen\.port/, /65,?535/],
    },
    {
      what: 'a server without command and url',
      content: { mcpServers: { nothing: {} } },
      says: [/mcpServers\.nothing/, /command/, /url/],
    },
    { what: 'broken JSON', content: '{ "mcpServers": { "a": { "command": "x" }, }', says: [/gateway\.json/] },
  ];
  for (const { what, content, says } of mistakes) {
    it(`refuses ${what}`, async () => {
      const run = await check(content);
      assert.ok(run.code !== null && run.code !== 0, `exit code ${run.code}`);
      for (const pattern of says) assert.match(run.text, pattern);
    });
  }

  it('reports every mistake at once', async () => {
    const run = await check({ mcpServers: { a: { comand: 'x' }, b: { command: 'y', arg: [] } }, gatway: {} });
    assert.notEqual(run.code, 0);
    for (const word of ['comand', 'arg', 'gatway']) assert.match(run.text, new RegExp(word));
  });

  it('repeats no secret', async () => {
    const run = await check({
      mcpServers: { a: { command: 'x', env: { TOKEN: ['tell-nobody-1'] }, headers: 'tell-nobody-2' } },
    });
    assert.notEqual(run.code, 0);
    assert.doesNotMatch(run.text, /tell-nobody/);
  });

  it('says that a file does not exist', async () => {
    const run = await runNode(MAIN, ['--check-config', '--config', path.join(directory, 'no-such-file.json')]);
    assert.notEqual(run.code, 0);
    assert.match(run.stdout + run.stderr, /no-such-file\.json/);
  });

  it('refuses an unknown option, with the nearest one', async () => {
    const run = await runNode(MAIN, ['--chek-config']);
    assert.notEqual(run.code, 0);
    assert.match(run.stdout + run.stderr, /--check-config/);
  });
});
