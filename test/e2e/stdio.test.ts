/** `viable stdio`: official clients that start a process, in front of a gateway that comes and goes. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { EventLog } from '../support/event-log.js';
import { eventually, within } from '../support/eventually.js';
import { FIXTURE_TOOLS, textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { onLines } from '../support/lines.js';
import { initializeRequest, type Json, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const INSPECTOR = path.join(ROOT, 'node_modules/@modelcontextprotocol/inspector-cli/build');
const IDENTITY = { name: 'stdio-client', version: '1.0.0' };

/** The process by hand: lines in, lines out. */
class Bridge {
  readonly messages = new EventLog<Wire>();
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  stderr = '';

  constructor(...args: string[]) {
    const child = spawn(process.execPath, [CLI, 'stdio', ...args], { stdio: 'pipe' });
    this.#child = child;
    onLines(child.stdout, (line) => this.messages.push(JSON.parse(line) as Wire));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    this.exited = once(child, 'close').then(([code]) => code as number | null);
  }

  static async open(...args: string[]): Promise<Bridge> {
    const bridge = new Bridge(...args);
    const answer = await bridge.ask(initializeRequest('2025-11-25', 'open'));
    assert.ok(answer.result, JSON.stringify(answer));
    bridge.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    return bridge;
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async ask(message: Json): Promise<Wire> {
    const from = this.messages.items.length;
    this.write(JSON.stringify(message));
    return await this.answer(message['id'], from);
  }

  async answer(id: unknown, from = 0): Promise<Wire> {
    return await this.messages.waitFor(
      (got) => got.id === id && got.method === undefined,
      `answer ${String(id)}`,
      from,
    );
  }

  call(id: string | number, name: string, args: Json = {}): Json {
    return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: `good__${name}`, arguments: args } };
  }

  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    return await within(this.exited, 'exit');
  }
}

describe('viable stdio', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  const url = (): string => `${gateway.url}/mcp`;
  const start = async (...args: string[]): Promise<Gateway> => {
    const config = {
      mcpServers: { good: hub.stdio('sdk-server', 'good') },
      gateway: settings({ requests: { maxInFlight: 2_000 } }),
    };
    const started = await startGateway({ config, args });
    await started.waitForTools(['good__echo']);
    return started;
  };

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await start();
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it('serves SDK v1', async () => {
    const client = new ClientV1(IDENTITY);
    const transport = new StdioV1({ command: process.execPath, args: [CLI, 'stdio', '--url', url()] });
    const steps: unknown[] = [];
    transport.onmessage = (message) => {
      if ('method' in message && message.method === 'notifications/progress') steps.push(message.params?.['progress']);
      else if ('result' in message && 'content' in message.result) steps.push('answer');
    };
    await client.connect(transport);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name).sort(), FIXTURE_TOOLS.map((name) => `good__${name}`).sort());
    const call = { name: 'good__progress', arguments: { steps: 4 } };
    await client.callTool(call, undefined, { onprogress: () => undefined });
    assert.deepEqual(steps, [1, 2, 3, 4, 'answer']);
    const changed = new Promise<void>((resolve) =>
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
    );
    hub.tell('good', 'add-tool', { tool: 'late' });
    await within(changed, 'list_changed');
    hub.tell('good', 'remove-tool', { tool: 'late' });
    await assert.rejects(client.callTool({ name: 'good__no-such-tool' }), /Unknown tool/);
    await client.close();
  });

  it('serves SDK v2, also when it probes for the modern era', async () => {
    for (const mode of ['legacy', 'auto'] as const) {
      const client = new ClientV2(IDENTITY, mode === 'legacy' ? {} : { versionNegotiation: { mode } });
      await client.connect(new StdioV2({ command: process.execPath, args: [CLI, 'stdio', '--url', url()] }));
      const result = await client.callTool({ name: 'good__echo', arguments: { text: mode } });
      assert.equal(textOf(result), mode);
      await client.close();
    }
  });

  it('serves the inspector', async () => {
    const target = ['--cli', process.execPath, CLI, 'stdio', '--url', url(), '--method'];
    const run = await runNode(path.join(INSPECTOR, 'cli.js'), [...target, 'tools/list'], { cwd: INSPECTOR });
    assert.equal(run.code, 0, run.stderr);
    const { tools } = JSON.parse(run.stdout) as { tools: Json[] };
    assert.deepEqual(tools.map((tool) => tool['name']).sort(), FIXTURE_TOOLS.map((name) => `good__${name}`).sort());
  });

  it('serves one upstream alone with --server', async () => {
    const bridge = await Bridge.open('--url', gateway.url, '--server', 'good');
    const { result } = await bridge.ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const names = (result?.['tools'] as Json[]).map((tool) => tool['name']);
    assert.deepEqual(names.sort(), [...FIXTURE_TOOLS].sort());
    assert.equal(await bridge.end(), 0);
  });

  it('finds the gateway by its admin socket, and deletes its session at the end', async () => {
    const bridge = await Bridge.open('--socket', gateway.socketPath);
    const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
    assert.equal(connections.length, 1);
    assert.equal(await bridge.end(), 0);
    assert.deepEqual(await gateway.admin('connections'), []);
  });

  it('1,000 calls at once get their own answers, and 5 MB come whole', async () => {
    const bridge = await Bridge.open('--url', url());
    const nonces = Array.from({ length: 1_000 }, () => randomUUID());
    nonces.forEach((text, id) => bridge.write(JSON.stringify(bridge.call(id, 'echo', { text }))));
    const answers = await Promise.all(nonces.map(async (_, id) => await bridge.answer(id)));
    assert.deepEqual(answers.find(({ error }) => error !== undefined)?.error, undefined);
    assert.deepEqual(
      answers.map(({ result }) => textOf(result)),
      nonces,
    );
    const big = await bridge.ask(bridge.call('big', 'big', { bytes: 5_000_000 }));
    assert.equal(textOf(big.result).length, 5_000_000);
    assert.equal(await bridge.end(), 0);
  });

  it('cancels: the upstream hears of it, no answer comes', async () => {
    const bridge = await Bridge.open('--url', url());
    const gate = randomUUID();
    bridge.write(JSON.stringify(bridge.call('c', 'slow', { gate })));
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const params = { requestId: 'c', reason: 'enough' };
    bridge.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
    await bridge.ask({ jsonrpc: '2.0', id: 'p', method: 'ping' });
    assert.ok(!bridge.messages.items.some(({ id }) => id === 'c'));
    assert.equal(await bridge.end(), 0);
  });

  it('answers what is no message, and goes on', async () => {
    const bridge = await Bridge.open('--url', url());
    const texts = ['hello', '{}', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}'];
    const from = bridge.messages.items.length;
    for (const text of texts) bridge.write(text);
    await bridge.messages.waitFor(() => bridge.messages.items.length >= from + texts.length, 'errors', from);
    assert.deepEqual(
      bridge.messages.items.slice(from).map(({ error }) => error?.code),
      [-32700, -32600, -32600],
    );
    assert.equal((await bridge.ask({ jsonrpc: '2.0', id: 2, method: 'ping' })).error, undefined);
    assert.equal(await bridge.end(), 0);
  });

  it('outlives the gateway: one error for what ran, the rest waits for its successor', async () => {
    const bridge = await Bridge.open('--url', url());
    const gate = randomUUID();
    const { port } = new URL(gateway.url);
    bridge.write(JSON.stringify(bridge.call('held', 'slow', { gate })));
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    gateway.kill('SIGKILL');
    await gateway.exited;
    const lost = await bridge.answer('held');
    assert.equal(lost.error?.code, -31011, JSON.stringify(lost));
    const from = bridge.messages.items.length;
    bridge.write(JSON.stringify({ jsonrpc: '2.0', id: 'waits', method: 'ping' }));
    await rm(gateway.socketPath, { force: true });
    gateway = await start('--port', port);
    assert.equal((await bridge.answer('waits', from)).error, undefined);
    await bridge.messages.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed', from);
    const again = await bridge.ask(bridge.call('again', 'echo', { text: 'again' }));
    assert.equal(textOf(again.result), 'again');
    assert.equal(bridge.messages.items.filter(({ id }) => id === 'held').length, 1);
    assert.equal(await bridge.end(), 0);
  });

  it('begins a new session when the gateway has closed the old one', async () => {
    const bridge = await Bridge.open('--url', url());
    const [own] = await gateway.admin<ConnectionSnapshot[]>('connections');
    await gateway.admin('send', { actor: own?.actor, message: 'close' });
    await eventually(async () => {
      const now = await gateway.admin<ConnectionSnapshot[]>('connections');
      assert.ok(!now.some(({ sessionId }) => sessionId === own?.sessionId));
    });
    const answer = await bridge.ask(bridge.call(1, 'echo', { text: 'new session' }));
    assert.equal(textOf(answer.result), 'new session');
    assert.equal(await bridge.end(), 0);
  });

  it('runs a gateway of its own with --config', async () => {
    const bridge = await Bridge.open('--config', gateway.configFile);
    const answer = await bridge.ask(bridge.call(1, 'echo', { text: 'own' }));
    assert.equal(textOf(answer.result), 'own');
    assert.equal(await bridge.end(), 0, bridge.stderr);
  });

  it('says on stderr what is wrong with the command line', async () => {
    const cases: [string[], RegExp][] = [
      [['--url', 'ftp://x'], /http/],
      [['--url', 'http://127.0.0.1:1/mcp', '--config', 'x.json'], /exclude/],
      [['--config', '/no/such/file.json'], /no\/such\/file/],
    ];
    for (const [args, message] of cases) {
      const run = await runNode(CLI, ['stdio', ...args]);
      assert.equal(run.code, 2, run.stderr);
      assert.equal(run.stdout, '');
      assert.match(run.stderr, message);
    }
    const nobody = await runNode(CLI, ['stdio', '--socket', '/no/such.sock']);
    assert.equal(nobody.code, 3, nobody.stderr);
  });
});
