/** Looking at processes from outside. Polls, since the system sends no event for a process that is not a child. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Command lines of all processes that hold `marker`. Zombies are gone: they run nothing. */
export async function withMarker(marker: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,stat=,args='], { maxBuffer: 1 << 26 });
  return stdout
    .split('\n')
    .filter((line) => line.includes(marker) && !/^\s*\d+\s+Z/.test(line))
    .map((line) => line.trim());
}

export async function isGone(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' || stdout.trim().startsWith('Z');
}

/** Resolves when `check` holds; the test's own timeout is the deadline. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await delay(20);
}
