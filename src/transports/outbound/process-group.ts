/**
 * Signals to a whole process group, and waiting for its end.
 *
 * A group ends without an event that Node could hear (only its leader does), so its end is polled; every wait is
 * bounded. POSIX only.
 */
import type { Clock } from './clock.js';

const FIRST_POLL_MS = 5;
const MAX_POLL_MS = 50;
/** After SIGKILL only a process in uninterruptible sleep, or a zombie that nobody reaps, is left. */
const AFTER_KILL_MS = 250;

/** Sends a signal to every process of the group; false when none is left. Signal 0 only asks. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch (error) {
    // EPERM: there are processes, none of them ours to signal (a set-uid child).
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Resolves true as soon as the group is empty, false when `ms` have passed before. */
export function groupGone(pgid: number, ms: number, clock: Clock): Promise<boolean> {
  const deadline = clock.now() + ms;
  return new Promise((resolve) => {
    const poll = (wait: number): void => {
      const left = deadline - clock.now();
      const alive = signalGroup(pgid, 0);
      if (!alive || left <= 0) resolve(!alive);
      else clock.after(Math.min(wait, left), () => poll(Math.min(wait * 2, MAX_POLL_MS)));
    };
    poll(FIRST_POLL_MS);
  });
}

/** SIGTERM, then SIGKILL for what is left after `graceMs`. Resolves when the group is empty or beyond reach. */
export async function endGroup(pgid: number, graceMs: number, clock: Clock): Promise<void> {
  if (!signalGroup(pgid, 'SIGTERM')) return;
  // A stopped process acts on SIGTERM only after it goes on.
  signalGroup(pgid, 'SIGCONT');
  if (await groupGone(pgid, graceMs, clock)) return;
  signalGroup(pgid, 'SIGKILL');
  await groupGone(pgid, AFTER_KILL_MS, clock);
}
