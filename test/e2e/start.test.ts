/** How the process starts: where it listens, what it refuses, and that it waits for no upstream. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { textOf } from '../support/fixture-names.js';
import { MAIN, runNode, startGateway, type Gateway, type GatewayOptions } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { fetchRaw } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

/** A handshake may take this long, in milliseconds: longer than any test. */
const PATIENCE = 600_000;
/** Exit codes of the process: a configuration that is refused, an address that cannot be listened on. */
const REFUSED = 3;
const CANNOT_LISTEN = 4;

describe('start', () => {
  let directory: string;
  let gateways: Gateway[];
  let hub: FixtureHub;

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-start-'));
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    gateways = [];
    hub = await FixtureHub.start();
  });
  afterEach(async () => {
    await Promise.all(gateways.map(async (gateway) => await gateway.stop()));
    await hub.close();
  });

  async function start(options: GatewayOptions = { config: { mcpServers: {} } }): Promise<Gateway> {
    const gateway = await startGateway(options);
    gateways.push(gateway);
    return gateway;
  }

  async function file(content: object): Promise<string> {
    const name = path.join(directory, 'gateway.json');
    await writeFile(name, JSON.stringify(content));
    return name;
  }

  it('is ready and serves while upstreams hang, start slowly or do not exist', async () => {
    const patient = { viable: { timeouts: { connect: PATIENCE } } };
    // Would a start wait for any upstream, it would not be over within this test.
    const gateway = await start({
      config: {
        mcpServers: {
          'slow-start': { ...hub.stdio('raw/slow-start', 'slow-start'), ...patient },
          hang: { ...hub.stdio('raw/hang', 'hang'), ...patient },
          missing: { command: 'no-such-command-anywhere' },
          refused: { url: 'http://127.0.0.1:1/mcp' },
          good: hub.stdio('sdk-server', 'good'),
        },
        gateway: settings(),
      },
    });
    assert.equal((await fetchRaw(`${gateway.url}/readyz`)).status, 200);
    const client = await WebSocketPeer.open(gateway.url);
    assert.ok((await client.request('tools/list')).result, 'lists are answered, whatever is in them');
    await gateway.waitForTools(['good__echo']);
    const answer = await client.request('tools/call', { name: 'good__echo', arguments: { text: 'early' } });
    assert.equal(textOf(answer.result), 'early');
    assert.ok(['connecting', 'initializing'].includes((await gateway.upstream('slow-start')).state));
    assert.ok(['connecting', 'initializing'].includes((await gateway.upstream('hang')).state));
    await client.close();
  });

  it('--port 0 takes a free port, told in the ready line and the status', async () => {
    await Promise.all([start(), start()]);
    const ports = gateways.map((gateway) => Number(new URL(gateway.url).port));
    assert.ok(ports.every((port) => port > 0));
    assert.notEqual(ports[0], ports[1]);
    for (const gateway of gateways) {
      assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200);
      assert.ok((await gateway.status()).url.startsWith(gateway.url));
    }
  });

  it('a port that is taken: exit code of its own, and what to do', async () => {
    const gateway = await start();
    const { port } = new URL(gateway.url);
    const socket = path.join(directory, 'second.sock');
    const args = ['--config', await file({ mcpServers: {} }), '--port', port, '--admin-socket', socket];
    const run = await runNode(MAIN, args);
    assert.equal(run.code, CANNOT_LISTEN, run.stderr);
    assert.match(run.stderr, new RegExp(`${port}.*--port`));
    const lines = run.stderr.split('\n').filter((line) => line.includes('EADDRINUSE') || line.includes(port));
    assert.equal(lines.length, 1, run.stderr);
    assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200, 'the first one is left alone');
  });

  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'gateway.example']) {
    it(`refuses to listen on ${host} without --insecure`, async () => {
      const plain = await file({ mcpServers: {} });
      for (const args of [
        ['--config', plain, '--port', '0', '--host', host],
        ['--config', await file({ mcpServers: {}, gateway: { listen: { host, port: 0 } } })],
      ]) {
        const run = await runNode(MAIN, args);
        assert.equal(run.code, REFUSED, run.stderr);
        assert.match(run.stderr, /--insecure/);
        assert.doesNotMatch(run.stderr, /"event":"ready"/);
      }
    });
  }

  it('with --insecure that is a valid configuration', async () => {
    const args = ['--check-config', '--config', await file({ mcpServers: {} }), '--host', '0.0.0.0'];
    const [refused, accepted] = [await runNode(MAIN, args), await runNode(MAIN, [...args, '--insecure'])];
    assert.equal(refused.code, REFUSED, refused.stderr);
    assert.equal(accepted.code, 0, accepted.stderr);
  });

  for (const host of ['::1', 'localhost', '127.0.0.2']) {
    it(`listens on ${host}, which is loopback, without --insecure`, async () => {
      const gateway = await start({ config: { mcpServers: {} }, args: ['--host', host] });
      assert.equal((await fetchRaw(`${gateway.url}/healthz`)).status, 200);
    });
  }
});
