/** `viable upgrade` under load: nobody is refused, nothing fails, sessions go on in the successor. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type ConnectionSnapshot, type GatewaySnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { isAlive, signalIfAlive } from '../support/processes.js';
import { HttpSession, type Json } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');

describe('viable upgrade', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let oldPid: number;
  const pidFile = path.join(tmpdir(), `viable-${randomUUID()}.pid`);

  beforeEach(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { good: hub.stdio('sdk-server', 'good') },
        gateway: settings({ draining: { defaultTimeout: 20_000, notificationInterval: 100 } }),
      },
      args: ['--pid-file', pidFile],
    });
    oldPid = gateway.pid;
    await gateway.waitForTools(['good__echo']);
  });
  afterEach(async () => {
    const pid = await gateway.status().then(
      (status) => status.pid,
      () => oldPid,
    );
    for (const one of new Set([pid, oldPid])) if (isAlive(one)) signalIfAlive(one, 'SIGKILL');
    await gateway.exited; // the successor holds the log open
    await rm(pidFile, { force: true });
    await hub.close();
  });

  const upgrade = async (...args: string[]): Promise<Run> =>
    await runNode(CLI, ['--socket', gateway.socketPath, 'upgrade', ...args]);

  async function connect(): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
    const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`));
    const client = new Client({ name: 'upgrade-test', version: '1' });
    await client.connect(transport);
    return { client, transport };
  }

  async function call(client: Client): Promise<void> {
    const text = randomUUID();
    const result = await client.callTool({ name: 'good__echo', arguments: { text } });
    assert.equal(textOf(result as Json), text);
  }

  async function oldIsGone(): Promise<void> {
    await eventually(() => assert.equal(isAlive(oldPid), false), { what: 'the old process gone' });
  }

  it('under load: 0 refused, 0 failed, every session goes on', async () => {
    const before = await Promise.all(Array.from({ length: 8 }, connect));
    const ids = before.map(({ transport }) => transport.sessionId);
    let running = true;
    let calls = 0;
    let newcomers = 0;
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      while (running) await work().catch((error: unknown) => failures.push(error));
    };
    const load = [
      ...before.map(({ client }) =>
        attempt(async () => {
          await Promise.all([call(client), call(client)]);
          calls += 2;
        }),
      ),
      ...Array.from({ length: 2 }, () =>
        attempt(async () => {
          const { client, transport } = await connect();
          await call(client);
          await transport.terminateSession();
          await client.close();
          newcomers += 1;
        }),
      ),
    ];
    await eventually(() => assert.ok(calls > 50 && newcomers > 3));
    const run = await upgrade();
    assert.equal(run.code, 0, run.stdout + run.stderr);
    await oldIsGone();
    const [callsThen, newcomersThen] = [calls, newcomers];
    await eventually(() => assert.ok(calls > callsThen + 50 && newcomers > newcomersThen + 3));
    running = false;
    await Promise.all(load);
    assert.deepEqual(failures, []);
    assert.deepEqual(
      before.map(({ transport }) => transport.sessionId),
      ids,
    );
    const status = await gateway.status();
    assert.notEqual(status.pid, oldPid);
    assert.equal(await readFile(pidFile, 'utf8'), `${status.pid}\n`);
    assert.match(run.stdout, new RegExp(`Process ${status.pid} serves`));
    assert.ok(status.connections.byTransport.http >= before.length);
    for (const { client } of before) await client.close();
  });

  it('a session with a call in flight: it ends where it began, the next one runs in the successor', async () => {
    const session = await HttpSession.open(gateway.url);
    const gate = randomUUID();
    const held = session.request('tools/call', { name: 'good__slow', arguments: { gate } });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const run = upgrade();
    await eventually(async () => assert.notEqual((await gateway.status()).pid, oldPid));
    // Arrives at the successor, which does not have the session yet: held, not 404.
    const next = session.request('tools/call', { name: 'good__echo', arguments: { text: 'after' } });
    hub.tell('good', 'release', { gate });
    assert.equal(textOf((await held).result), `released ${gate}`);
    assert.equal(textOf((await next).result), 'after');
    assert.equal((await run).code, 0);
    await oldIsGone();
  });

  it('a client with a stream and a log level keeps both: it comes back for the stream by itself', async () => {
    const { client, transport } = await connect();
    const { sessionId } = transport;
    await client.setLoggingLevel('error');
    assert.equal((await upgrade()).code, 0);
    await oldIsGone();
    await eventually(async () => {
      const [mine] = (await gateway.admin<ConnectionSnapshot[]>('connections')).filter(
        (one) => one.sessionId === sessionId,
      );
      assert.equal(mine?.streaming, true);
    });
    await call(client);
    assert.equal(transport.sessionId, sessionId);
    await client.close();
  });

  it('WebSocket clients are told, closed with 1001, and get in again', async () => {
    const peer = await WebSocketPeer.open(gateway.url);
    const run = upgrade();
    assert.equal(await peer.closed, 1001);
    const again = await WebSocketPeer.open(gateway.url);
    assert.deepEqual((await again.request('ping')).result, {});
    assert.equal((await run).code, 0);
    assert.ok(peer.messages.items.some((message) => (message as Json)['type'] === 'shutdown_pending'));
  });

  it('a successor that fails costs nothing: the old one goes on and says why', async () => {
    const session = await HttpSession.open(gateway.url);
    const broken = path.join(path.dirname(gateway.configFile), 'broken.json');
    await writeFile(broken, '{ "mcpServers": ');
    const run = await upgrade('--config', broken);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /the gateway goes on: it ended with code 3/);
    const hangs = path.join(path.dirname(gateway.configFile), 'hangs.mjs');
    await writeFile(hangs, 'setInterval(() => undefined, 1000);');
    const late = await upgrade('--exec', hangs, '--timeout', '300ms');
    assert.equal(late.code, 1);
    assert.match(late.stderr, /did not get ready in time/);
    const status: GatewaySnapshot = await gateway.status();
    assert.equal(status.pid, oldPid);
    assert.equal(status.phase, 'running');
    assert.deepEqual((await session.request('ping')).result, {});
    assert.equal((await upgrade()).code, 0, 'and it can be tried again');
  });

  it('without a hand-over a session is gone: 404, and the client initializes again', async () => {
    const { client } = await connect();
    const { port } = new URL(gateway.url);
    gateway.kill('SIGKILL');
    await gateway.exited;
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings() },
      args: ['--port', port],
    });
    oldPid = gateway.pid;
    await gateway.waitForTools(['good__echo']);
    await eventually(async () => {
      await assert.rejects(client.listTools(), (error: unknown) => (error as { code?: number }).code === 404);
    });
    const again = await connect();
    await call(again.client);
    await again.client.close();
  });
});
