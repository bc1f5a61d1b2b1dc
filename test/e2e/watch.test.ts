/** `--watch` of every command that shows figures: JSON lines, Ctrl-C, and a gateway that is restarted meanwhile. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EventLog } from '../support/event-log.js';
import { within } from '../support/eventually.js';
import { ROOT, runNode, startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { onLines } from '../support/lines.js';

const CLI = path.join(ROOT, 'dist/cli.js');

/** All that look. `logs` has `--follow`. */
const LOOKING = [
  'status',
  'tree',
  'connections',
  'upstreams',
  'vsm',
  'breaker list',
  'breaker show good',
  'alarms',
  'policy show',
  'policy mode',
  'tools list',
  'features --seconds 0.1',
  'sampling',
];

class Watch {
  readonly out = new EventLog<string>();
  readonly err = new EventLog<string>();
  readonly #child;
  readonly #exit: Promise<readonly unknown[]>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exit = once(this.#child, 'close');
    onLines(this.#child.stdout, (line) => this.out.push(line));
    onLines(this.#child.stderr, (line) => this.err.push(line));
  }

  async interrupt(): Promise<unknown> {
    this.#child.kill('SIGINT');
    return (await within(this.#exit, 'the end after Ctrl-C'))[0];
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

describe('--watch', () => {
  let hub: FixtureHub;
  let folder: string;
  let socket: string;
  let gateway: Gateway;

  const start = async (): Promise<Gateway> =>
    await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') } },
      args: ['--admin-socket', socket],
    });

  before(async () => {
    hub = await FixtureHub.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-watch-'));
    socket = path.join(folder, 'v.sock');
    gateway = await start();
    await gateway.waitForTools(['good__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const command of LOOKING) {
    it(`viable ${command}: JSON lines until Ctrl-C`, async () => {
      const watch = new Watch([...command.split(' '), '--watch', '0.1', '--json', '--socket', socket]);
      try {
        await watch.out.waitFor(() => watch.out.items.length >= 2, 'two rounds');
        assert.equal(await watch.interrupt(), 130);
        for (const line of watch.out.items) assert.equal(typeof JSON.parse(line), 'object');
        assert.deepEqual(watch.err.items, []);
      } finally {
        await watch.kill();
      }
    });
  }

  it('every command that can be watched is tried here', async () => {
    const tried = new Set(LOOKING.map((command) => command.replace(/ (?:good|--).*/, '')));
    const offered: string[] = [];
    const look = async (words: readonly string[]): Promise<void> => {
      const { stdout } = await runNode(CLI, [...words, '--help']);
      if (stdout.includes('--watch [seconds]')) offered.push(words.join(' '));
      const names = [...(/\nCommands:\n([^]*?)(?:\n\n|$)/.exec(stdout)?.[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm)];
      for (const [, name = ''] of names) if (name !== 'help') await look([...words, name]);
    };
    await look([]);
    assert.deepEqual(offered.sort(), [...tried].sort());
  }).timeout(90_000);

  it('outlives a restart of the gateway, and says once that it is away', async () => {
    const json = new Watch(['status', '--watch', '0.1', '--json', '--socket', socket]);
    const human = new Watch(['upstreams', '--watch', '0.1', '--socket', socket]);
    try {
      await json.out.waitFor(() => true, 'a round');
      await human.out.waitFor((line) => line.includes('good'), 'a round');
      await gateway.stop();
      const said = await json.err.waitFor(() => true, 'that it is away');
      assert.equal((JSON.parse(said) as { error: { code: string } }).error.code, 'connection_lost');
      assert.match(await human.err.waitFor(() => true, 'that it is away'), /gateway is away since \d\d:\d\d:\d\d/);
      gateway = await start();
      const { pid } = gateway;
      await json.out.waitFor((line) => (JSON.parse(line) as { pid: number }).pid === pid, 'a round of the new one');
      await human.out.waitFor((line) => line.includes('good'), 'a round of the new one', human.out.items.length);
      assert.deepEqual([json.err.items.length, human.err.items.length], [1, 1]);
      assert.deepEqual([await json.interrupt(), await human.interrupt()], [130, 130]);
    } finally {
      await json.kill();
      await human.kill();
    }
  });
});
