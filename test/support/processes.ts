/** Whether processes live, and how to be sure that none outlives its test. */
import { readFileSync } from 'node:fs';

/** Signals sent to it by tests, or zero for a probe. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** True while the process runs. A zombie (dead, not yet reaped by its parent) does not run. */
export function isAlive(pid: number): boolean {
  if (!signalIfAlive(pid, 0)) return false;
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold anything; the state is the first field after it.
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}
