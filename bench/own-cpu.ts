/**
 * A CPU for the gateway alone, so that what another process does to the caches is not taken for a cost of a feature: with the load
 * generator and the upstream on the same CPUs every call pays for being moved about, and the more so the longer calls take.
 *
 * Source: taskset(1), sched_setaffinity(2).
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Takes this process, and what it starts from now on, off the last CPU.
 * @returns the number of that CPU; `null` when there is one only, or the system does not let it be done.
 */
export function leaveOneCpu(): number | null {
  const last = availableParallelism() - 1;
  return last > 0 && pinned(process.pid, `0-${last - 1}`) ? last : null;
}

/** Moves a process with all its threads to that CPU; whether that was done. */
export function moveTo(cpu: number, pid: number): boolean {
  return pinned(pid, String(cpu));
}

function pinned(pid: number, cpus: string): boolean {
  try {
    execFileSync('taskset', ['-acp', cpus, String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
