/**
 * CPU time and resident memory of another process, from Linux's /proc. Sources: proc(5);
 * the kernel's documentation of `schedstat`.
 */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of a process since its start, user and system, all its threads that live, children not counted.
 * @returns microseconds.
 * @throws when the process does not exist or the system has no /proc.
 */
export function cpuMicros(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ');
    nanoseconds += Number(onCpu);
  }
  return nanoseconds / 1_000;
}

/** Resident set of a process in kB (VmRSS). Throws as {@link cpuMicros}. */
export function rssKb(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (found === null) throw new Error(`process ${pid} has no resident set`);
  return Number(found[1]);
}
