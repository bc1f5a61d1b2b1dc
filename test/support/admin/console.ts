/** A bare console for tests of the admin wire: writes what it is told, collects what comes. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type WireMessage = Record<string, unknown>;

export class RawConsole {
  readonly socket: Socket;
  /** Messages received and not yet taken. */
  readonly inbox: WireMessage[] = [];
  ended = false;
  #rest = '';
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
  }

  static async open(path: string): Promise<RawConsole> {
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConsole(socket);
  }

  write(line: string): void {
    this.socket.write(`${line}\n`);
  }

  ask(id: number, method: string, params?: unknown): void {
    this.write(JSON.stringify({ id, method, params }));
  }

  /** The next message, or `undefined` when the connection has ended. */
  async next(): Promise<WireMessage | undefined> {
    while (this.inbox.length === 0 && !this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.inbox.shift();
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    this.inbox.push(...lines.map((line) => JSON.parse(line) as WireMessage));
    this.#wake();
  }
}

/** For `onError`: the test did not expect any. */
export function unexpected(error: Error): never {
  throw error;
}

/** Runs `work` with a directory of its own, which goes afterwards. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'viable-test-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
