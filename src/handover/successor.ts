/**
 * The successor as its predecessor sees it: a process of its own session, started with an IPC channel, that outlives its
 * parent. Owned by the hand-over actor.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Server, type Socket } from 'node:net';
import path from 'node:path';
import { type ToPredecessor, type ToSuccessor } from './messages.js';

/** Marks the environment of a successor. Not for people. */
export const SUCCESSOR_MARK = 'VIABLE_SUCCESSOR_OF';

export interface SuccessorCommand {
  /** Program in place of this one: a script for Node, or an executable. */
  readonly exec?: string;
  /** Configuration file in place of this one's. */
  readonly config?: string;
}

export interface SuccessorEvents {
  onMessage(message: ToPredecessor): void;
  /** It has ended, or could not be started. Called once. */
  onExit(why: string): void;
}

export class Successor {
  readonly #child: ChildProcess;
  #over = false;

  constructor(command: SuccessorCommand, events: SuccessorEvents) {
    const [file, args] = commandLine(command);
    this.#child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [SUCCESSOR_MARK]: String(process.pid) },
    });
    const exited = (why: string): void => {
      if (this.#over) return;
      this.#over = true;
      events.onExit(why);
    };
    this.#child.once('error', (error) => exited(`it could not be started: ${error.message}`));
    this.#child.once('exit', (code, signal) => exited(`it ended with ${signal ?? `code ${code ?? '?'}`}`));
    this.#child.on('message', (message) => events.onMessage(message as ToPredecessor));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** `false` when the channel is closed. */
  send(message: ToSuccessor, handle?: Server | Socket): boolean {
    if (!this.#child.connected) return false;
    this.#child.send(message, handle, {}, () => undefined);
    return true;
  }

  /** It serves: this process may end without it. */
  release(): void {
    this.#child.unref();
  }

  /** Closes the channel when everything that was sent is through. */
  part(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#child.connected) return resolve();
      this.#child.send({ type: 'handover/over' } satisfies ToSuccessor, () => {
        if (this.#child.connected) this.#child.disconnect();
        resolve();
      });
    });
  }

  kill(): void {
    this.#over = true;
    this.#child.kill('SIGKILL');
  }
}

function commandLine({ exec, config }: SuccessorCommand): [string, string[]] {
  const own = process.argv.slice(2);
  const args = config === undefined ? own : [...own, '--config', config];
  const program = exec === undefined ? process.argv[1] : path.resolve(exec);
  if (program === undefined) return [process.execPath, args];
  const isScript = /\.[cm]?js$/.test(program);
  return isScript ? [process.execPath, [...process.execArgv, program, ...args]] : [program, args];
}
