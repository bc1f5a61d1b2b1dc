/**
 * The terminal dashboard in front of a gateway that has more to do than it can: it goes on drawing, answers its keys, and comes
 * back by itself when the gateway was killed and started anew.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDashboard, type Dashboard } from '#src/tui/app.js';
import { FakeTerminal } from '../support/fake-terminal.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const PEERS = 4;
/** Calls that each of them has on its way: more than the server behind may have in flight, so most are refused. */
const OUTSTANDING = 16;

describe('terminal dashboard under load', () => {
  let hub: FixtureHub;
  let directory: string;
  let gateway: Gateway;
  let terminal: FakeTerminal;
  let dashboard: Dashboard;

  beforeEach(async () => {
    hub = await FixtureHub.start();
    directory = await mkdtemp(path.join(tmpdir(), 'viable-terminal-load-'));
    gateway = await start();
    terminal = new FakeTerminal(120, 40);
    const { input, output } = terminal;
    dashboard = startDashboard({ input, output, color: true, socket: socket(), intervalMs: 100 });
  });
  afterEach(async () => {
    dashboard.stop();
    await dashboard.done;
    await gateway.stop();
    await hub.close();
    await rm(directory, { recursive: true, force: true });
  });

  const socket = (): string => path.join(directory, 'admin.sock');

  async function start(): Promise<Gateway> {
    const good = { ...hub.stdio('sdk-server', 'good'), viable: { maxInFlight: 4 } };
    const started = await startGateway({
      config: { mcpServers: { good }, gateway: settings() },
      args: ['--admin-socket', socket()],
    });
    await started.waitForTools(['good__echo']);
    return started;
  }

  it('goes on drawing every page while the gateway refuses most calls, and reconnects to the next gateway', async () => {
    await terminal.shows(/good +● ready/);
    const stop = new AbortController();
    const peers = await Promise.all(Array.from({ length: PEERS }, () => WebSocketPeer.open(gateway.url)));
    let refused = 0;
    const callOn = async (peer: WebSocketPeer): Promise<void> => {
      while (!stop.signal.aborted) {
        const answer = await peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
        if (answer.error !== undefined) refused += 1;
      }
    };
    const load = peers.flatMap((peer) => Array.from({ length: OUTSTANDING }, () => callOn(peer)));
    try {
      await terminal.shows(/Throughput \d*[1-9][^]*WebSocket +4 /);
      const pages: readonly [string, RegExp][] = [
        ['2', /upstream:good rest_for_one/],
        ['3', /Calls +\d*[1-9]/],
        ['4', /Connections {2}1\/4/],
        ['5', /following/],
        ['6', /S1 variety absorption +[\d.]+/],
        ['7', /SEVERITY|Nothing hurts/],
        ['1', /In flight +[1-9]/],
      ];
      for (const [key, shows] of pages) {
        terminal.type(key);
        await terminal.shows(shows);
      }
      await terminal.shows(/Failed +\d*[1-9]/);
      assert.ok(refused > 0, 'the gateway was not overloaded');
    } finally {
      stop.abort();
      await Promise.all(load);
      await Promise.all(peers.map((peer) => peer.close()));
    }

    gateway.kill('SIGKILL');
    await gateway.exited;
    await terminal.shows('reconnecting…');
    assert.match(terminal.text, /good +● ready/, 'the last figures stay');
    await gateway.stop();
    gateway = await start();
    await terminal.shows(/● running \d+s/);
    await terminal.shows(/WebSocket +0 /);
    assert.doesNotMatch(terminal.text, /reconnecting/);
  });
});
