/** `viable client-config`: every snippet is what its client reads, and one really gets to the gateway with it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SNIPPETS } from '#src/cli/snippets.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const SECRET = 'client-config-secret-0123456789abcdef';

interface Entry {
  readonly url?: string;
  readonly serverUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Printed {
  readonly text: string;
  readonly format: string;
  readonly hint: string | null;
  readonly config: Readonly<Record<string, Readonly<Record<string, Entry>>>> | null;
}

describe('viable client-config', () => {
  let hub: FixtureHub;
  let open: Gateway;
  let locked: Gateway;
  let token: string;
  let folder: string;

  before(async () => {
    hub = await FixtureHub.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-clients-'));
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    const config = { mcpServers: { good: hub.stdio('sdk-server', 'good') } };
    open = await startGateway({ config });
    locked = await startGateway({ config, env: { JWT_SECRET: SECRET } });
    await open.waitForTools(['good__echo']);
    const made = await runNode(CLI, ['token', 'create', 'ada'], { env: { JWT_SECRET: SECRET } });
    token = made.stdout.trim();
  });
  after(async () => {
    await open.stop();
    await locked.stop();
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  const clientConfig = async (gateway: Gateway, ...args: string[]): Promise<Run> =>
    await runNode(CLI, ['--socket', gateway.socketPath, 'client-config', ...args]);

  async function printed(gateway: Gateway, ...args: string[]): Promise<Printed> {
    const run = await clientConfig(gateway, '--json', ...args);
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stdout) as Printed;
  }

  /** The one server of a snippet, whatever the client calls the block. */
  function entryOf({ config }: Printed, name = 'viable'): Entry {
    const block = Object.entries(config ?? {}).find(([key]) => /servers/i.test(key))?.[1];
    assert.ok(block?.[name]);
    return block[name];
  }

  const byHttp = async ({ url, serverUrl, headers = {} }: Entry): Promise<string[]> =>
    await tools(
      new StreamableHTTPClientTransport(new URL(url ?? serverUrl ?? ''), { requestInit: { headers: { ...headers } } }),
    );

  const byStdio = async ({ command = '', args = [], env = {} }: Entry): Promise<string[]> =>
    await tools(new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'ignore' }));

  async function tools(transport: StreamableHTTPClientTransport | StdioClientTransport): Promise<string[]> {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    try {
      return (await client.listTools()).tools.map(({ name }) => name);
    } finally {
      await client.close();
    }
  }

  it('JSON snippets are JSON, on stdout alone, and lead to the gateway', async () => {
    const clients = Object.entries(SNIPPETS).filter(([, { format }]) => format === 'json');
    assert.ok(clients.length >= 7);
    for (const [client] of clients) {
      const run = await clientConfig(open, client);
      assert.equal(run.code, 0, run.stderr);
      const entry = entryOf({ config: JSON.parse(run.stdout) as Printed['config'] } as Printed);
      const found = entry.command === undefined ? await byHttp(entry) : await byStdio(entry);
      assert.ok(found.includes('good__echo'), client);
    }
  });

  it('of one upstream, under its own names', async () => {
    const http = await printed(open, 'cursor', '--server', 'good', '--name', 'fine');
    assert.ok((await byHttp(entryOf(http, 'fine'))).includes('echo'));
    const stdio = await printed(open, 'claude-desktop', '--server', 'good', '--name', 'fine');
    assert.ok((await byStdio(entryOf(stdio, 'fine'))).includes('echo'));
  });

  it('with a token, by a variable where the client knows any, and never with the token itself', async () => {
    for (const [client, snippet] of Object.entries(SNIPPETS)) {
      const found = await printed(locked, client, '--token-env', 'MY_TOKEN');
      assert.doesNotMatch(JSON.stringify(found), new RegExp(token));
      if (snippet.format !== 'json') {
        assert.match(found.text, /MY_TOKEN/);
        continue;
      }
      // What the client does with its references, or the user with the text that is to be replaced.
      const text = JSON.stringify(entryOf(found)).replaceAll(
        /\$\{(?:env:|input:)?[\w-]+\}|<the value of MY_TOKEN>/g,
        token,
      );
      const entry = JSON.parse(text) as Entry;
      const names = entry.command === undefined ? await byHttp(entry) : await byStdio(entry);
      assert.ok(names.includes('good__echo'), client);
      if (text.includes('<')) assert.match(found.hint ?? '', /write the token/);
    }
    assert.match((await clientConfig(locked, 'cursor')).stderr, /asks for a token.*--token-env/);
    assert.equal((await clientConfig(open, 'cursor', '--token-env', 'a b')).code, 2);
  });

  it('programs run as they are printed', async () => {
    const run = async (client: string, before: string, after: string): Promise<Run> => {
      const { text } = await printed(locked, client, '--token-env', 'MY_TOKEN');
      const file = path.join(folder, `${client}.mjs`);
      await writeFile(file, `${before}\n${text}\n${after}\n`);
      return await runNode(file, [], { cwd: folder, env: { MY_TOKEN: token } });
    };
    const sdk = await run('typescript', '', 'console.log(tools.map(({ name }) => name).join()); await client.close();');
    assert.equal(sdk.code, 0, sdk.stderr);
    assert.match(sdk.stdout, /good__echo/);
    const phoenix = await run(
      'phoenix',
      "import WebSocket from 'ws'; globalThis.WebSocket = WebSocket;",
      "channel.on('phx_error', () => process.exit(1)); const log = console.log; console.log = (...words) => { log(...words); process.exit(0); };",
    );
    assert.equal(phoenix.code, 0, phoenix.stderr);
    assert.match(phoenix.stdout, /joined/);
  });

  it('lists the clients, and says which was meant', async () => {
    const list = await clientConfig(open);
    for (const client of Object.keys(SNIPPETS)) assert.match(list.stdout, new RegExp(`^${client} `, 'm'));
    const slip = await clientConfig(open, 'cursr');
    assert.equal(slip.code, 2);
    assert.match(slip.stderr, /Did you mean cursor\?/);
  });

  it('works without a gateway, and says that none runs', async () => {
    const run = await runNode(CLI, ['client-config', 'http'], { env: { XDG_RUNTIME_DIR: folder } });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /http:\/\/127\.0\.0\.1:4000\/mcp/);
    assert.match(run.stderr, /No gateway runs/);
    assert.equal((await runNode(CLI, ['--socket', path.join(folder, 'none.sock'), 'client-config', 'http'])).code, 3);
  });
});
