/** `viable init`: what clients have becomes a configuration that the gateway starts with, and no secret goes along. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MAIN, ROOT, runNode, startGateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { startRemote } from '../support/remote-fixture.js';

const CLI = path.join(ROOT, 'dist/cli.js');

describe('viable init', () => {
  let hub: FixtureHub;
  let home: string;
  let project: string;

  before(async () => {
    hub = await FixtureHub.start();
  });
  after(async () => await hub.close());
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'viable-init-'));
    project = path.join(home, 'project');
    await mkdir(project);
  });
  afterEach(async () => await rm(home, { recursive: true, force: true }));

  async function put(file: string, content: object | string): Promise<string> {
    const full = path.join(home, file);
    await mkdir(path.dirname(full), { recursive: true });
    await writeFile(full, typeof content === 'string' ? content : JSON.stringify(content));
    return full;
  }

  const init = async (...args: string[]): Promise<Run> =>
    await runNode(CLI, ['init', ...args], {
      cwd: project,
      env: { HOME: home, XDG_CONFIG_HOME: path.join(home, '.config') },
    });

  const written = async (name = 'gateway.yaml'): Promise<string> => await readFile(path.join(project, name), 'utf8');

  /** Three clients, each with a server that runs. */
  async function threeClients(): Promise<void> {
    const { url } = await startRemote(hub, 'web', 'http');
    const local = hub.stdio('sdk-server', 'local');
    await put('.config/Claude/claude_desktop_config.json', {
      globalShortcut: '',
      mcpServers: {
        local: { ...local, env: { API_TOKEN: 'tell-nobody-1' } },
        viable: { command: 'viable', args: ['stdio'] },
      },
    });
    await put('.cursor/mcp.json', {
      mcpServers: { 'the web': { url, headers: { Authorization: 'Bearer tell-nobody-2' } } },
    });
    const editor = { ...hub.stdio('sdk-server', 'editor'), type: 'stdio', env: { KEY: '${input:editor-key}' } };
    await put(
      'project/.vscode/mcp.json',
      `{
        // shared by the team
        "inputs": [{ "type": "promptString", "id": "editor-key", "description": "Key of the editor", "password": true }],
        "servers": { "editor": ${JSON.stringify(editor)}, },
      }`,
    );
  }

  it('finds the files of three clients, and the gateway starts with what it makes of them', async () => {
    await threeClients();
    const run = await init('--secrets', 'viable.env');
    assert.equal(run.code, 0, run.stderr);
    for (const word of ['Claude Desktop', 'Cursor', 'VS Code', '~/.cursor/mcp.json', 'API_TOKEN', 'Key of the editor'])
      assert.ok(run.stdout.includes(word), `${word} in\n${run.stdout}`);
    assert.match(run.stdout, /viable was left out: it is this gateway/);
    assert.match(run.stdout, /the web is called the-web/);
    const text = await written();
    assert.doesNotMatch(`${text}${run.stdout}${run.stderr}`, /tell-nobody/);
    assert.match(text, /# From Cursor, ~\/\.cursor\/mcp\.json\n {2}the-web:/);
    assert.match(await written('viable.env'), /^API_TOKEN=tell-nobody-1$/m);
    assert.match(await written('viable.env'), /^# EDITOR_KEY=$/m);
    for (const name of ['gateway.yaml', 'viable.env'])
      assert.equal((await stat(path.join(project, name))).mode & 0o777, 0o600, name);

    const env = { API_TOKEN: 'a', THE_WEB_TOKEN: 'b', EDITOR_KEY: 'c' };
    const checked = await runNode(MAIN, ['--check-config', '--config', path.join(project, 'gateway.yaml')], { env });
    assert.equal(checked.code, 0, checked.stderr);
    const gateway = await startGateway({ configFile: path.join(project, 'gateway.yaml'), env });
    try {
      await gateway.waitForTools(['local__echo', 'the-web__echo', 'editor__echo']);
    } finally {
      await gateway.stop();
    }
  });

  it('never overwrites without --force', async () => {
    await writeFile(path.join(project, 'gateway.yaml'), 'mine');
    const refused = await init('--yes');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /gateway\.yaml exists.*--force/);
    assert.equal(await written(), 'mine');
    await writeFile(path.join(project, 'own.env'), 'mine');
    assert.equal((await init('--output', 'new.yaml', '--secrets', 'own.env')).code, 1);
    assert.equal(await written('own.env'), 'mine');
    await assert.rejects(written('new.yaml'));
    assert.equal((await init('--force')).code, 0);
    assert.match(await written(), /mcpServers/);
  });

  it('takes a server once, and two of one name as two, and says so', async () => {
    const same = { command: 'node', args: ['same.js'] };
    await put('.cursor/mcp.json', { mcpServers: { same, git: { command: 'a' } } });
    await put('project/.mcp.json', {
      mcpServers: { twin: same, git: { command: 'b', env: { TOKEN: 'other-value' } } },
    });
    await put('.config/Claude/claude_desktop_config.json', {
      mcpServers: { x: { command: 'c', env: { TOKEN: 'some-value' } } },
    });
    const run = await init('--json');
    assert.equal(run.code, 0, run.stderr);
    const plan = JSON.parse(run.stdout) as {
      servers: { name: string }[];
      notes: string[];
      variables: { name: string; value?: string }[];
    };
    assert.deepEqual(plan.servers.map(({ name }) => name).sort(), ['git', 'git-claude-code', 'same', 'x']);
    assert.ok(
      plan.notes.some((note) => /twin is the same server as same of Cursor/.test(note)),
      plan.notes.join('\n'),
    );
    assert.ok(
      plan.notes.some((note) => /git is called git-claude-code/.test(note)),
      plan.notes.join('\n'),
    );
    assert.deepEqual(plan.variables.map(({ name }) => name).sort(), ['GIT_CLAUDE_CODE_TOKEN', 'TOKEN']);
    assert.ok(plan.variables.every(({ value }) => value === undefined));
    assert.match(await written(), /TOKEN: \$\{GIT_CLAUDE_CODE_TOKEN\}/);
  });

  it('reads the files that are named, and those alone', async () => {
    await put('.cursor/mcp.json', { mcpServers: { unasked: { command: 'x' } } });
    const file = await put('elsewhere/servers.json', { mcpServers: { asked: { command: 'y' } } });
    assert.equal((await init('--from', file, '--output', 'servers.json')).code, 0);
    const { mcpServers } = JSON.parse(await written('servers.json')) as { mcpServers: object };
    assert.deepEqual(Object.keys(mcpServers), ['asked']);
    const missing = await init('--from', path.join(home, 'nowhere.json'), '--force');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /nowhere\.json: there is no such file/);
    const broken = await init('--from', await put('broken.json', '{ "mcpServers": { '), '--force');
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /broken\.json: line 1, column/);
  });

  it('goes on without a file that it found and cannot read, and without any', async () => {
    await put('.cursor/mcp.json', '{');
    await put('project/.mcp.json', { mcpServers: { fine: { command: 'x' } } });
    const run = await init();
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /Cursor +line 1, column/);
    assert.match(await written(), /fine:/);
    await rm(path.join(home, '.cursor'), { recursive: true });
    await rm(path.join(project, '.mcp.json'));
    const none = await init('--output', 'none.yaml');
    assert.equal(none.code, 0, none.stderr);
    assert.match(none.stdout, /No file of an MCP client was found/);
    assert.equal((await runNode(MAIN, ['--check-config', '--config', path.join(project, 'none.yaml')])).code, 0);
  });
});
