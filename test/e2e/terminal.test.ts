/**
 * The gateway on a terminal: the dashboard is a process of its own beside the traffic. The terminal is a pseudo-terminal
 * of util-linux's `script`.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type GatewaySnapshot, type SupervisionNode } from '#src/admin/protocol.js';
import { AdminConnection } from '../support/admin.js';
import { eventually, within } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { MAIN, ROOT } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { isAlive, signalIfAlive } from '../support/processes.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CTRL_C = '\u0003';

describe('on a terminal', function () {
  if (process.platform !== 'linux') return;

  let hub: FixtureHub;
  let directory: string;
  let terminal: ChildProcess;
  let exited: Promise<number | null>;
  let screen: string;
  let client: WebSocketPeer;
  let gateway: number;

  beforeEach(async () => {
    hub = await FixtureHub.start();
    directory = await mkdtemp(path.join(tmpdir(), 'viable-terminal-'));
    const file = path.join(directory, 'gateway.json');
    const good = hub.stdio('sdk-server', 'good');
    await writeFile(file, JSON.stringify({ mcpServers: { good }, gateway: settings() }));
    const args = [MAIN, '--config', file, '--port', '0', '--admin-socket', socketPath()];
    const command = `stty rows 40 cols 120; exec ${[process.execPath, ...args].map((word) => `'${word}'`).join(' ')}`;
    screen = '';
    terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    terminal.stdout?.setEncoding('utf8').on('data', (text: string) => (screen += text));
    exited = new Promise((resolve) => terminal.once('close', resolve));
    const status = await eventually(async () => {
      const now = await admin<GatewaySnapshot>('status');
      assert.equal(now.upstreams[0]?.state, 'ready');
      return now;
    });
    gateway = status.pid;
    client = await WebSocketPeer.open(status.url.replace(/\/mcp$/, ''));
  });
  afterEach(async () => {
    signalIfAlive(gateway, 'SIGKILL');
    await exited;
    await hub.close();
    await rm(directory, { recursive: true, force: true });
  });

  const socketPath = (): string => path.join(directory, 'admin.sock');
  async function admin<T>(method: 'status' | 'tree'): Promise<T> {
    const connection = await AdminConnection.open(socketPath());
    try {
      return (await connection.request(method)) as T;
    } finally {
      connection.close();
    }
  }
  async function dashboardNode(): Promise<SupervisionNode | undefined> {
    const consoles = (await admin<SupervisionNode>('tree')).children.find((node) => node.id === 'consoles');
    return consoles?.children.find((node) => node.id === 'dashboard');
  }
  /** The dashboard's process, a child of the gateway. */
  function dashboardPid(): number {
    const children = readFileSync(`/proc/${gateway}/task/${gateway}/children`, 'utf8').trim().split(' ').map(Number);
    const pid = children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('tui/main.js'));
    assert.ok(pid !== undefined, 'no dashboard process');
    return pid;
  }
  const drawn = async (from = 0): Promise<void> => {
    await eventually(() => assert.match(screen.slice(from), /good/), { what: 'the upstream on the screen' });
  };
  const press = (key: string): void => void terminal.stdin?.write(key);
  async function echo(): Promise<void> {
    const answer = await client.request('tools/call', { name: 'good__echo', arguments: { text: 'served' } });
    assert.equal(textOf(answer.result), 'served');
  }

  it('draws the dashboard; killing it never touches traffic, and it comes back', async () => {
    await drawn();
    const pid = dashboardPid();
    const before = await dashboardNode();
    assert.ok(before);
    const gate = randomUUID();
    const held = client.request('tools/call', { name: 'good__slow', arguments: { gate } });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const from = screen.length;
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const now = await dashboardNode();
      assert.ok(now?.state === 'running' && now.incarnation > before.incarnation);
      assert.notEqual(dashboardPid(), pid);
    });
    await drawn(from);
    hub.tell('good', 'release', { gate });
    assert.equal(textOf((await held).result), `released ${gate}`);
    await echo();
  });

  it('q ends the dashboard alone; the log takes the terminal, and Ctrl-C then ends the gateway', async () => {
    await drawn();
    const pid = dashboardPid();
    const from = screen.length;
    press('q');
    await eventually(() => assert.ok(!isAlive(pid)));
    await eventually(() => assert.match(screen.slice(from), /dashboard closed/));
    await echo();
    press(CTRL_C);
    assert.equal(await within(client.closed, 'the close'), 1001);
    assert.equal(await within(exited, 'the end'), 0);
  });

  it('Ctrl-C in the dashboard drains the gateway', async () => {
    await drawn();
    press(CTRL_C);
    assert.equal(await within(client.closed, 'the close'), 1001);
    assert.equal(await within(exited, 'the end'), 0);
  });
});
