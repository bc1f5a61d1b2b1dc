/** `viable stdio` while its gateway is upgraded, and while it is drained and another one takes over: every call is answered once. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { eventually } from '../support/eventually.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, startGateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { Upgradable } from '../support/upgradable.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const CALLERS = 4;
/** Calls before, and after: enough that many are in flight when it happens. */
const SOME = 40;

describe('viable stdio in a hand-over', function () {
  this.timeout(120_000);
  let hub: FixtureHub;
  let world: Upgradable;
  let client: Client;

  const config = (): object => ({
    mcpServers: { good: hub.stdio('sdk-server', 'good') },
    gateway: settings({ draining: { defaultTimeout: 20_000 } }),
  });

  beforeEach(async () => {
    hub = await FixtureHub.start();
    world = await Upgradable.start(config());
    await world.gateway.waitForTools(['good__echo']);
    client = new Client({ name: 'handover-stdio', version: '1' });
    const args = [CLI, 'stdio', '--url', `${world.gateway.url}/mcp`];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
  });
  afterEach(async () => {
    await client.close();
    await world.stop();
    await hub.close();
  });

  /** Calls all the while; resolves with what failed. Every answer is that of its own call. */
  async function throughout(change: () => Promise<void>): Promise<void> {
    let running = true;
    let calls = 0;
    const failures: unknown[] = [];
    const caller = async (): Promise<void> => {
      while (running) {
        const text = randomUUID();
        try {
          const result = await client.callTool({ name: 'good__echo', arguments: { text } });
          assert.equal(textOf(result as Json), text);
          calls += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const load = Array.from({ length: CALLERS }, caller);
    const some = async (): Promise<void> => {
      const from = calls;
      await eventually(() => assert.ok(calls > from + SOME, `${calls - from} calls`), { deadline: 30_000 });
    };
    try {
      await some();
      await change();
      await some();
    } finally {
      running = false;
      await Promise.all(load);
    }
    assert.deepEqual(failures, []);
    const executed = (): number => hub.events('good', 'call').filter(({ tool }) => tool === 'echo').length;
    // What the servers report comes by another way than their answers.
    await eventually(() => assert.ok(executed() >= calls, `${executed()} of ${calls}`));
    assert.equal(executed(), calls, 'each call ran once');
  }

  it('an upgrade: no call fails, none runs twice', async () => {
    await throughout(async () => {
      assert.equal((await world.upgrade()).code, 0);
      await world.oldIsGone();
    });
  });

  it('a drain behind a balancer: calls in flight end where they began, new connections lead to the next one', async () => {
    const [first, next] = [world.gateway, await startGateway({ config: config() })];
    await next.waitForTools(['good__echo']);
    const balancer = await FaultProxy.start(Number(new URL(first.url).port));
    const gate = randomUUID();
    const through = new Client({ name: 'balanced', version: '1' });
    try {
      const args = [CLI, 'stdio', '--url', `http://127.0.0.1:${balancer.port}/mcp`];
      await through.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
      const call = async (name: string, given: Json): Promise<string> =>
        textOf(await through.callTool({ name: `good__${name}`, arguments: given }));
      const held = Array.from({ length: CALLERS }, async () => await call('slow', { gate }));
      await eventually(() => assert.equal(hub.events('good', 'held').length, CALLERS));
      const [old] = new Set(hub.events('good', 'held').map(({ pid }) => pid));
      balancer.target = Number(new URL(next.url).port);
      first.kill('SIGTERM');
      await first.waitForLog(({ event }) => event === 'draining', 'the drain');
      const texts = Array.from({ length: SOME }, () => randomUUID());
      assert.deepEqual(await Promise.all(texts.map(async (text) => await call('echo', { text }))), texts);
      const ran = hub.events('good', 'call').filter(({ tool }) => tool === 'echo');
      assert.equal(ran.length, SOME, 'each once');
      assert.ok(
        ran.some(({ pid }) => pid !== old),
        'new connections lead to the next one',
      );
      hub.tell('good', 'release', { gate });
      assert.deepEqual(
        await Promise.all(held),
        held.map(() => `released ${gate}`),
      );
      assert.deepEqual(await first.exited, { code: 0, signal: null });
    } finally {
      await through.close();
      await balancer.stop();
      await next.stop();
    }
  });
});
