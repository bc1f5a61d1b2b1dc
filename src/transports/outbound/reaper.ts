/**
 * The reaper: one small `/bin/sh` process that outlives the gateway for a moment and ends its stdio servers.
 *
 * Node cannot ask the kernel for a parent-death signal, and a SIGKILLed gateway can do nothing. So the reaper, in a
 * session of its own, reads `+ <pgid>` and `- <pgid>` from a pipe that only the gateway holds; when the pipe closes it
 * sends SIGTERM to the recorded groups and a second later SIGKILL. It ignores INT, TERM and HUP. If the reaper itself
 * dies, another is started and told every live group.
 *
 * Invariant: after `add` resolved true, the group is in the pipe of a reaper that runs, or of its successor.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

const SCRIPT = `
trap '' INT TERM HUP
live=
echo ready
exec >/dev/null
while read -r op group; do
  case $op in
    +) live="$live $group" ;;
    -) kept=
       for g in $live; do [ "$g" = "$group" ] || kept="$kept $g"; done
       live=$kept ;;
  esac
done
[ -n "$live" ] || exit 0
for g in $live; do kill -s TERM -- "-$g" && kill -s CONT -- "-$g"; done
sleep 1
for g in $live; do kill -s KILL -- "-$g"; done
exit 0
`;

/** A reaper that lived shorter counts as failed at once. */
const SHORT_LIFE_MS = 1_000;
const MAX_SHORT_LIVES = 5;

export interface Reaper {
  /** Records a process group. Resolves false when no reaper can be started: then nothing may run in the group. */
  add(pgid: number): Promise<boolean>;
  /** Forgets a group that has ended, to be called at once: the system may use its number again. */
  remove(pgid: number): void;
  /** Process id of the running reaper. */
  readonly pid: number | undefined;
  /** Ends the reaper, which ends every group still recorded. Resolves when it is gone. */
  stop(): Promise<void>;
}

interface ReaperProcess {
  readonly child: ChildProcess;
  /** Missing when no pipe could be made, as with all file descriptors in use. */
  readonly pipe: Writable | null | undefined;
  /** Resolves true when it has set its traps and reads, false when it ended before. */
  readonly ready: Promise<boolean>;
}

class ShellReaper implements Reaper {
  readonly #shell: string;
  readonly #live = new Set<number>();
  #process: ReaperProcess | undefined;
  #startedAt = 0;
  #shortLives = 0;
  #stopped = false;

  constructor(shell: string) {
    this.#shell = shell;
  }

  get pid(): number | undefined {
    return this.#process?.child.pid;
  }

  async add(pgid: number): Promise<boolean> {
    this.#live.add(pgid);
    this.#shortLives = 0;
    while (!this.#stopped && this.#shortLives < MAX_SHORT_LIVES) {
      const running = this.#process;
      // A fresh process is told all live groups, this one among them; writes keep their order.
      const target = running ?? this.#start();
      const written = write(target, running === undefined ? '' : `+ ${pgid}\n`);
      if ((await target.ready) && (await written)) return true;
      if (this.#process === target) this.#gone(target);
    }
    this.#live.delete(pgid);
    return false;
  }

  remove(pgid: number): void {
    if (this.#live.delete(pgid)) this.#process?.pipe?.write(`- ${pgid}\n`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const running = this.#process;
    if (running === undefined) return;
    const { child, pipe } = running;
    child.ref();
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      pipe?.end();
    });
  }

  #start(): ReaperProcess {
    const child = spawn(this.#shell, ['-c', SCRIPT, 'viable-reaper'], {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const started: ReaperProcess = { child, pipe: child.stdin, ready: readiness(child) };
    this.#process = started;
    this.#startedAt = performance.now();
    child.on('error', () => this.#gone(started));
    child.on('exit', () => this.#gone(started));
    // A reaper that died shows as EPIPE here and as 'exit' above; the latter does the work.
    started.pipe?.on('error', () => undefined);
    // The reaper waits for the gateway's end; the gateway must not wait for the reaper's.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref();
    const groups = [...this.#live].map((pgid) => `+ ${pgid}\n`).join('');
    if (groups !== '') started.pipe?.write(groups);
    return started;
  }

  #gone(ended: ReaperProcess): void {
    if (this.#process !== ended) return;
    this.#process = undefined;
    this.#shortLives = performance.now() - this.#startedAt < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (!this.#stopped && this.#live.size > 0 && this.#shortLives < MAX_SHORT_LIVES) this.#start();
  }
}

function readiness(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
    child.stdout?.once('data', () => {
      child.stdout?.destroy();
      resolve(true);
    });
  });
}

/** Resolves true when everything up to and with `text` is in the pipe. */
function write({ pipe }: ReaperProcess, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!pipe) resolve(false);
    else pipe.write(text, (error) => resolve(error === null || error === undefined));
  });
}

/** @param shell the POSIX shell that runs the reaper's script */
export function createReaper(shell = '/bin/sh'): Reaper {
  return new ShellReaper(shell);
}
