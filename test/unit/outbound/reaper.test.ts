import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createReaper } from '#src/transports/outbound/reaper.js';
import { prepare, spawnGated } from '#src/transports/outbound/stdio-spawn.js';
import { eventually, isGone, withMarker } from '../../support/outbound/processes.js';

const GATEWAY = fileURLToPath(new URL('../../support/outbound/mortal-gateway.js', import.meta.url));

describe('reaper', () => {
  let started: ChildProcess[] = [];

  afterEach(() => {
    for (const child of started) child.kill('SIGKILL');
    started = [];
  });

  function gateway(mode: string, marker: string): ChildProcess {
    const child = spawn(process.execPath, [GATEWAY, mode, marker], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    return child;
  }

  /** A process group of one that ignores SIGTERM; resolves when it does. */
  async function stubborn(): Promise<number> {
    const child = spawn('/bin/sh', ['-c', "trap '' TERM; echo ready; while :; do sleep 1; done"], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    assert.ok(child.pid !== undefined);
    return child.pid;
  }

  async function lineOf(child: ChildProcess, wanted: (line: string, count: number) => boolean): Promise<string> {
    assert.ok(child.stdout !== null);
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (wanted(line, ++count)) return line;
    }
    throw new Error('the gateway ended by itself');
  }

  it('ends servers, their children and itself when the gateway is killed', async () => {
    const child = gateway('hold', randomUUID());
    const line = await lineOf(child, (text) => text.startsWith('{'));
    const { pids, reaper } = JSON.parse(line) as { pids: number[]; reaper: number };
    assert.equal(pids.length, 6);
    for (const pid of pids) assert.equal(await isGone(pid), false);
    child.kill('SIGKILL');
    for (const pid of [...pids, reaper]) await eventually(() => isGone(pid));
  });

  it('leaves nothing whenever the gateway is killed', async function () {
    this.timeout(60_000);
    for (const step of [1, 2, 3, 4, 5, 7, 9]) {
      const marker = randomUUID();
      const child = gateway('churn', marker);
      await lineOf(child, (_, count) => count === step);
      child.kill('SIGKILL');
      await eventually(async () => (await withMarker(marker)).length === 0);
    }
  });

  it('does not let a server run before it is on record', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'viable-gate-'));
    const witness = path.join(folder, 'ran');
    try {
      const launch = await prepare({ command: 'touch', args: [witness], env: {}, cwd: undefined }, process.env);
      assert.ok(!('kind' in launch));
      const unrecorded = spawnGated(launch);
      (unrecorded.stdio[3] as Writable).end();
      assert.deepEqual(await once(unrecorded, 'exit'), [125, null]);
      assert.equal(existsSync(witness), false);
      const recorded = spawnGated(launch);
      (recorded.stdio[3] as Writable).end('go\n');
      assert.deepEqual(await once(recorded, 'exit'), [0, null]);
      assert.equal(existsSync(witness), true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is replaced when it dies, and the new one knows every live group', async () => {
    const reaper = createReaper();
    const [first, forgotten, second] = [await stubborn(), await stubborn(), await stubborn()];
    assert.equal(await reaper.add(first), true);
    assert.equal(await reaper.add(forgotten), true);
    const before = reaper.pid;
    assert.ok(before !== undefined);
    reaper.remove(forgotten);
    process.kill(before, 'SIGKILL');
    await eventually(() => reaper.pid !== undefined && reaper.pid !== before);
    assert.equal(await reaper.add(second), true);
    await reaper.stop();
    await eventually(() => isGone(first));
    await eventually(() => isGone(second));
    assert.equal(await isGone(forgotten), false);
  });

  it('is deaf to the signals of a terminal', async () => {
    const reaper = createReaper();
    const group = await stubborn();
    assert.equal(await reaper.add(group), true);
    const { pid } = reaper;
    assert.ok(pid !== undefined);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    await reaper.stop();
    await eventually(() => isGone(group));
  });

  it('says so when it cannot be started', async () => {
    assert.equal(await createReaper('/no/such/shell').add(2 ** 22), false);
    assert.equal(await createReaper('/bin/false').add(2 ** 22), false);
  });
});
