import assert from 'node:assert/strict';
import { translate } from '#src/setup/entry.js';
import { tidyName } from '#src/setup/make.js';
import { clientOf, projectOf, usualPlaces } from '#src/setup/places.js';
import { parseClientFile } from '#src/setup/read.js';

const CONTEXT = { name: 's', questions: new Map(), project: null };

describe('servers of MCP clients', () => {
  it('keep what both know, get the names of here, and lose nothing without a word', () => {
    const { entry, notes } = translate(
      {
        serverUrl: 'https://x/mcp',
        headers: { A: 'b' },
        enabled: false,
        disabledTools: ['rm'],
        autoApprove: ['a'],
        envFile: '.env',
        strange: 1,
      },
      CONTEXT,
    );
    assert.deepEqual(entry, {
      url: 'https://x/mcp',
      headers: { A: 'b' },
      disabled: true,
      viable: { deny: ['rm'] },
    });
    assert.deepEqual(
      notes.map((note) => note.split(' was')[0]),
      ['s.autoApprove', 's.envFile', 's.strange'],
    );
  });

  it('leave out this gateway itself, and what is no server', () => {
    for (const source of [
      { command: 'viable', args: ['stdio'] },
      { command: 'npx', args: ['-y', 'viable-gateway', 'stdio'] },
      { args: [] },
    ]) {
      const { entry, notes } = translate(source, CONTEXT);
      assert.equal(entry, null);
      assert.equal(notes.length, 1);
    }
  });

  it('say variables and questions of editors as environment variables', () => {
    const questions = new Map([
      ['api-key', { description: 'Key', fallback: null }],
      ['region', { description: null, fallback: 'eu' }],
    ]);
    const { entry, asked } = translate(
      {
        command: './bin/run',
        args: ['${workspaceFolder}/x', '${workspaceFolderBasename}', '${input:region}', '${userHome}', '${OTHER:-d}'],
        env: { KEY: '${input:api-key}', ED: '${env:EDITOR}' },
      },
      { name: 's', questions, project: '/p/proj' },
    );
    assert.deepEqual(entry, {
      command: '/p/proj/bin/run',
      args: ['/p/proj/x', 'proj', '${REGION:-eu}', '${HOME}', '${OTHER:-d}'],
      env: { KEY: '${API_KEY}', ED: '${EDITOR}' },
    });
    assert.deepEqual(asked, ['region', 'api-key']);
  });

  it('of a project run in its folder when they name files in it', () => {
    const of = (source: object): unknown => translate({ ...source }, { ...CONTEXT, project: '/p' }).entry?.['cwd'];
    assert.equal(of({ command: 'node', args: ['./x.js'] }), '/p');
    assert.equal(of({ command: 'node', args: ['x'], cwd: 'sub' }), '/p/sub');
    assert.equal(of({ command: 'npx', args: ['-y', '@a/b'] }), undefined);
    assert.equal(of({ url: 'https://x/mcp' }), undefined);
  });

  it('are read with comments, from every block that clients use', () => {
    const file = { client: 'vscode', path: '/p/.vscode/mcp.json' } as const;
    const text = `{ // comment
      "inputs": [{ "id": "k", "type": "promptString", "description": "Key" }, 7],
      "servers": { "a": { "command": "x" }, "no": 1 }, "mcpServers": { "b": {} }, "mcp": { "servers": { "c": {} } },
      "projects": { "/p": { "mcpServers": { "d": {} } }, "/q": { "mcpServers": { "e": {} } } }, }`;
    const { servers, questions, trouble } = parseClientFile(text, file, '/p');
    assert.deepEqual([[...servers.keys()].sort(), trouble], [['a', 'b', 'c', 'd'], null]);
    assert.equal(questions.get('k')?.description, 'Key');
    assert.match(parseClientFile('{ "a": ', file, '/p').trouble ?? '', /^line 1, column \d+: /);
  });

  it('are found where each system keeps them', () => {
    const on = (platform: NodeJS.Platform, env = {}): string[] =>
      usualPlaces({ platform, home: '/h', env, directory: '/p' }).map(({ path }) => path);
    assert.ok(on('linux').includes('/h/.config/Claude/claude_desktop_config.json'));
    assert.ok(on('linux', { XDG_CONFIG_HOME: '/c' }).includes('/c/Code/User/mcp.json'));
    assert.ok(on('darwin').includes('/h/Library/Application Support/Claude/claude_desktop_config.json'));
    assert.ok(on('win32', { APPDATA: '/a' }).includes('/a/Claude/claude_desktop_config.json'));
    for (const platform of ['linux', 'darwin', 'win32'] as const)
      for (const file of ['/h/.cursor/mcp.json', '/p/.cursor/mcp.json', '/p/.vscode/mcp.json', '/p/.mcp.json'])
        assert.ok(on(platform).includes(file), `${platform} ${file}`);
  });

  it('are known by the name of the file, and projects by its folder', () => {
    const clients = [...usualPlaces({ platform: 'darwin', home: '/h', env: {}, directory: '/p' })];
    for (const { client, path } of clients) assert.equal(clientOf(path), client, path);
    assert.equal(clientOf('/x/servers.json'), 'other');
    assert.deepEqual(
      ['/p/.vscode/mcp.json', '/p/.mcp.json', '/h/.cursor/mcp.json', '/x/y.json'].map((file) => projectOf(file, '/h')),
      ['/p', '/p', null, null],
    );
  });

  it('get names that addresses take', () => {
    assert.deepEqual(['git hub/x', '  ', '..', 'Ünïcode', 'a'.repeat(80)].map(tidyName), [
      'git-hub-x',
      'server',
      'server',
      'Ünïcode',
      'a'.repeat(48),
    ]);
  });
});
