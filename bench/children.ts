/**
 * The processes of one benchmark run: started, listened to line by line, and ended in the reverse order. Each holds an
 * IPC channel to this process and leaves when it closes, so none outlives a killed run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A JSON line of a process's stdout or stderr. */
export type ProcessEvent = Readonly<Record<string, unknown>> & { readonly event: string };

const STOP_MS = 7_000;
const KEPT_LINES = 20;

/** The compiled file of one of the benchmark's own programs. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

function eventOf(line: string): ProcessEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as { event?: unknown };
    return typeof value.event === 'string' ? (value as ProcessEvent) : undefined;
  } catch {
    return undefined;
  }
}

interface Waiter {
  readonly event: string;
  readonly resolve: (event: ProcessEvent) => void;
  readonly reject: (error: Error) => void;
}

/** One process and the events it has printed. */
export class Program {
  private readonly events: ProcessEvent[] = [];
  private readonly lastLines: string[] = [];
  private waiters: Waiter[] = [];
  private exited = false;
  private readonly ended: Promise<void>;

  constructor(
    readonly label: string,
    private readonly child: ChildProcess,
  ) {
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    for (const stream of outputs) this.read(stream);
    child.on('error', (error) => this.gone(error.message));
    // Its last words have been read when its output has ended. ('close' would say so, but Node withholds it from a
    // child whose IPC channel its parent has closed.)
    this.ended = Promise.all([once(child, 'exit'), ...outputs.map((stream) => once(stream, 'close'))]).then(
      () => this.gone(`${label} ended with ${child.signalCode ?? child.exitCode ?? 'no code'}`),
      (error: unknown) => this.gone(String(error)),
    );
  }

  /** Process id; the program's own, not its keeper's, once `spawned` has been seen. */
  get pid(): number {
    const spawned = this.events.find((event) => event.event === 'spawned');
    return Number(spawned?.['pid'] ?? this.child.pid);
  }

  /** How it ended and what it said last; `undefined` while it runs. */
  get obituary(): string | undefined {
    return this.exited ? this.lastWords(`${this.label} has ended`).message : undefined;
  }

  /** The first event of this name, seen already or to come. Rejects with the process's last words when it ends. */
  waitFor(event: string, timeoutMs: number): Promise<ProcessEvent> {
    const seen = this.events.find((candidate) => candidate.event === event);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      if (this.exited) {
        reject(this.lastWords(`${this.label} has ended`));
        return;
      }
      const timer = setTimeout(
        () => reject(this.lastWords(`${this.label}: no "${event}" in ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.waiters.push({
        event,
        resolve: (found) => {
          clearTimeout(timer);
          resolve(found);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** Sends one message over the IPC channel; the benchmark's own programs understand it. */
  tell(message: Readonly<Record<string, unknown>>): void {
    this.child.send(message);
  }

  async stop(): Promise<void> {
    if (this.exited) return;
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private read(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => {
      this.lastLines.push(line);
      if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
      const event = eventOf(line);
      if (event === undefined) return;
      this.events.push(event);
      const due = this.waiters.filter((waiter) => waiter.event === event.event);
      this.waiters = this.waiters.filter((waiter) => waiter.event !== event.event);
      for (const waiter of due) waiter.resolve(event);
    });
  }

  private gone(reason: string): void {
    this.exited = true;
    for (const waiter of this.waiters) waiter.reject(this.lastWords(reason));
    this.waiters = [];
  }

  private lastWords(reason: string): Error {
    return new Error([reason, ...this.lastLines].join('\n    '));
  }
}

/** Every process of the run. */
export class Children {
  private readonly programs: Program[] = [];

  /** Starts one of the benchmark's own programs. */
  start(label: string, name: string, args: readonly string[], nodeArgs: readonly string[] = []): Program {
    return this.spawn(label, [...nodeArgs, programPath(name), ...args], process.env);
  }

  /** Starts a foreign program (a file that Node runs) under a keeper. */
  keep(label: string, nodeArgs: readonly string[], env: NodeJS.ProcessEnv = process.env): Program {
    return this.spawn(label, [programPath('keeper'), '--', process.execPath, ...nodeArgs], env);
  }

  async stop(): Promise<void> {
    for (const program of this.programs.splice(0).reverse()) await program.stop();
  }

  private spawn(label: string, args: readonly string[], env: NodeJS.ProcessEnv): Program {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env });
    const program = new Program(label, child);
    this.programs.push(program);
    return program;
  }
}
