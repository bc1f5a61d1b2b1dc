/**
 * The reaper: one small `/bin/sh` process that outlives the gateway for a moment and ends its stdio servers.
 *
 * Node cannot ask the kernel for a parent-death signal, and a SIGKILLed gateway can do nothing. So the reaper, in a
 * session of its own, reads `+ <pgid>` and `- <pgid>` from a pipe that only the gateway holds; when the pipe closes it
 * sends SIGTERM to the recorded groups and a second later SIGKILL. It ignores INT, TERM and HUP. If the reaper itself
 * dies, another is started and told every live group.
 *
 * Invariant: after `add` resolved true, the group is in the pipe of a running reaper or of its successor.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

const SCRIPT = `
trap '' INT TERM HUP
live=
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

/** `stdin` is missing when no pipe could be made, as with all file descriptors in use. */
interface ReaperProcess extends Omit<ChildProcess, 'stdin'> {
  readonly stdin?: Writable | null;
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
    return this.#process?.pid;
  }

  async add(pgid: number): Promise<boolean> {
    this.#live.add(pgid);
    this.#shortLives = 0;
    while (!this.#stopped && this.#shortLives < MAX_SHORT_LIVES) {
      const running = this.#process;
      // A fresh process is told all live groups, this one among them; writes keep their order.
      const target = running ?? this.#start();
      if (await write(target, running === undefined ? '' : `+ ${pgid}\n`)) return true;
      if (this.#process === target) this.#gone(target);
    }
    this.#live.delete(pgid);
    return false;
  }

  remove(pgid: number): void {
    if (this.#live.delete(pgid)) this.#process?.stdin?.write(`- ${pgid}\n`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const running = this.#process;
    if (running === undefined) return;
    running.ref();
    await new Promise<void>((resolve) => {
      running.once('exit', () => resolve());
      running.stdin?.end();
    });
  }

  #start(): ReaperProcess {
    const child: ReaperProcess = spawn(this.#shell, ['-c', SCRIPT, 'viable-reaper'], {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#process = child;
    this.#startedAt = performance.now();
    child.on('error', () => this.#gone(child));
    child.on('exit', () => this.#gone(child));
    // A reaper that died shows as EPIPE here and as 'exit' above; the latter does the work.
    child.stdin?.on('error', () => undefined);
    // The reaper waits for the gateway's end; the gateway must not wait for the reaper's.
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    const groups = [...this.#live].map((pgid) => `+ ${pgid}\n`).join('');
    if (groups !== '') child.stdin?.write(groups);
    return child;
  }

  #gone(child: ReaperProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#shortLives = performance.now() - this.#startedAt < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (!this.#stopped && this.#live.size > 0 && this.#shortLives < MAX_SHORT_LIVES) this.#start();
  }
}

/** Resolves true when everything up to and with `text` is in the pipe. */
function write(child: ReaperProcess, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!child.stdin) resolve(false);
    else child.stdin.write(text, (error) => resolve(error === null || error === undefined));
  });
}

/** @param shell the POSIX shell that runs the reaper's script */
export function createReaper(shell = '/bin/sh'): Reaper {
  return new ShellReaper(shell);
}
