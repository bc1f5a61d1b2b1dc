/**
 * CPU time and resident memory of another process, from Linux's /proc. Source: proc(5).
 */
import { readFileSync } from 'node:fs';

/** Microseconds in one clock tick: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

/**
 * CPU time of a process since its start, user and system, all its threads, children not counted.
 * @returns microseconds, in steps of 10,000.
 * @throws when the process does not exist or the system has no /proc.
 */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command name may hold spaces and parentheses: fields are counted from the last parenthesis (field 3 = state).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Resident set of a process in kB (VmRSS). Throws as {@link cpuMicros}. */
export function rssKb(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (found === null) throw new Error(`process ${pid} has no resident set`);
  return Number(found[1]);
}
