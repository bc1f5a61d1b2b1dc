/**
 * A console's end of the admin socket: requests with one answer each, and followed streams.
 *
 * Invariants: every promise settles, at the latest when the connection closes; callbacks of a stream never run after
 * its `cancel` or the close. Knows no gateway, only the protocol.
 */
import { lstat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { AdminRequestError, NoGatewayError } from './client-errors.js';
import { LineSplitter } from './lines.js';
import type {
  AdminEvent,
  AdminMethod,
  AdminResponse,
  AdminResults,
  DrainSnapshot,
  GatewaySnapshot,
  LogLevel,
  LogLine,
  WatchEnded,
} from './protocol.js';

export { AdminRequestError, NoGatewayError } from './client-errors.js';
export { defaultSocketPath, discoverSocket, type SocketQuery } from './discover.js';

/** Longest answer taken from a gateway: a snapshot of some 100,000 connections. */
const MAX_ANSWER_BYTES = 64 * 1_048_576;

/** A stream being followed. */
export interface AdminSubscription {
  /** No more callbacks from now on. Idempotent. */
  cancel(): void;
}

export interface FollowLogsOptions {
  /** Lines of history to start with. */
  readonly lines?: number;
  /** Least severe level wanted. */
  readonly level?: LogLevel;
}

export interface AdminClient {
  readonly path: string;
  /** Rejects with `AdminRequestError` when refused, with `NoGatewayError` when the connection is lost. */
  request<M extends AdminMethod>(method: M, params?: Readonly<Record<string, unknown>>): Promise<AdminResults[M]>;
  /**
   * Calls back with the snapshot at once and then every `intervalMs`. Resolves when the first one has come. `onEnded`: the
   * gateway shows no more of them.
   */
  watch(
    intervalMs: number,
    onSnapshot: (snapshot: GatewaySnapshot) => void,
    onEnded?: (error: AdminRequestError) => void,
  ): Promise<AdminSubscription>;
  /** Calls back with the history, oldest first, and then with each new line. */
  followLogs(options: FollowLogsOptions, onLine: (line: LogLine) => void): Promise<AdminSubscription>;
  /**
   * Begins a drain, or joins one, and calls back with every change. Resolves with its end; a gateway that has drained itself
   * ends with the connection, and its last word counts.
   */
  drain(params: Readonly<Record<string, unknown>>, onChange: (drain: DrainSnapshot) => void): Promise<DrainSnapshot>;
  /** Calls back once when the connection has ended, for whatever reason; at once if it has already. */
  onClose(listener: () => void): void;
  close(): void;
}

/** Connects to the gateway that listens on `path`. Rejects with `NoGatewayError`. */
export async function connectAdmin(path: string): Promise<AdminClient> {
  await refuseForeignSocket(path);
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const fail = (error: Error): void => reject(noGateway(path, error));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(new SocketClient(path, socket));
    });
  });
}

/** In a shared temporary directory another user could have put a socket of that name there first. */
async function refuseForeignSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    throw noGateway(path, error);
  });
  const self = process.getuid?.();
  if (self === undefined || self === 0 || found.uid === self || found.uid === 0) return;
  const message = `The socket ${path} belongs to another user; name your gateway's own socket with --socket.`;
  throw new NoGatewayError('socket_forbidden', message);
}

function noGateway(path: string, cause: unknown): NoGatewayError {
  if (cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM')) {
    const message = `The socket ${path} belongs to another user; name your gateway's own socket with --socket.`;
    return new NoGatewayError('socket_forbidden', message, { cause });
  }
  const message = `No gateway is listening on ${path}; start one with \`npm start\` or name its socket with --socket.`;
  return new NoGatewayError('no_gateway', message, { cause });
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent: ((event: unknown) => void) | undefined;
}

class SocketClient implements AdminClient {
  readonly path: string;
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(MAX_ANSWER_BYTES);
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, (event: unknown) => void>();
  readonly #closeListeners: (() => void)[] = [];
  #nextId = 1;
  #closed = false;

  constructor(path: string, socket: Socket) {
    this.path = path;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#ended());
  }

  async request<M extends AdminMethod>(
    method: M,
    params?: Readonly<Record<string, unknown>>,
  ): Promise<AdminResults[M]> {
    return (await this.#ask(this.#nextId++, method, params, undefined)) as AdminResults[M];
  }

  async watch(
    intervalMs: number,
    onSnapshot: (snapshot: GatewaySnapshot) => void,
    onEnded: (error: AdminRequestError) => void = () => undefined,
  ): Promise<AdminSubscription> {
    const take = (event: unknown): void => {
      const what = event as GatewaySnapshot | WatchEnded;
      if ('ended' in what) onEnded(new AdminRequestError(what.ended));
      else onSnapshot(what);
    };
    return this.#follow('watch', { intervalMs }, take, take);
  }

  async followLogs(options: FollowLogsOptions, onLine: (line: LogLine) => void): Promise<AdminSubscription> {
    const history = (lines: unknown): void => (lines as readonly LogLine[]).forEach(onLine);
    return this.#follow('logs', { ...options, follow: true }, history, (event) => onLine(event as LogLine));
  }

  async drain(
    params: Readonly<Record<string, unknown>>,
    onChange: (drain: DrainSnapshot) => void,
  ): Promise<DrainSnapshot> {
    let last: DrainSnapshot | undefined;
    let wake: () => void = () => undefined;
    const take = (value: unknown): void => {
      last = value as DrainSnapshot;
      onChange(last);
      if (last.endedAt !== null) wake();
    };
    const subscription = await this.#follow('drain', { ...params, follow: true }, take, take);
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.onClose(resolve);
      if (last?.endedAt !== null) resolve();
    });
    subscription.cancel();
    if (last === undefined || last.outcome === null) throw this.#lost();
    return last;
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closeListeners.push(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #follow(
    method: AdminMethod,
    params: Readonly<Record<string, unknown>>,
    onAnswer: (result: unknown) => void,
    onEvent: (event: unknown) => void,
  ): Promise<AdminSubscription> {
    const id = this.#nextId++;
    await this.#ask(id, method, params, { onAnswer, onEvent });
    return {
      cancel: () => {
        if (!this.#streams.delete(id) || this.#closed) return;
        // Whether the gateway still knew the stream is of no interest, nor is a connection that ends meanwhile.
        this.request('cancel', { id }).catch(() => undefined);
      },
    };
  }

  #ask(
    id: number,
    method: AdminMethod,
    params: Readonly<Record<string, unknown>> | undefined,
    stream: { onAnswer: (result: unknown) => void; onEvent: (event: unknown) => void } | undefined,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#socket.destroyed) {
        reject(this.#lost());
        return;
      }
      // The answer is delivered in the turn that reads it, so that no event of the stream can come before it.
      const settle = (result: unknown): void => {
        stream?.onAnswer(result);
        resolve(result);
      };
      this.#pending.set(id, { resolve: settle, reject, onEvent: stream?.onEvent });
      this.#socket.write(`${JSON.stringify({ id, method, ...(params === undefined ? {} : { params }) })}\n`);
    });
  }

  #read(chunk: Buffer): void {
    for (const line of this.#lines.push(chunk)) {
      if (line === null) continue;
      let message: AdminResponse | AdminEvent;
      try {
        message = JSON.parse(line) as AdminResponse | AdminEvent;
      } catch {
        // Not our protocol: nothing after this can be trusted.
        this.#socket.destroy();
        return;
      }
      if ('event' in message) this.#streams.get(message.id)?.(message.event);
      else this.#answer(message);
    }
  }

  #answer(response: AdminResponse): void {
    const pending = this.#pending.get(response.id);
    if (pending === undefined) return;
    this.#pending.delete(response.id);
    if (!response.ok) {
      pending.reject(new AdminRequestError(response.error));
      return;
    }
    if (pending.onEvent !== undefined) this.#streams.set(response.id, pending.onEvent);
    pending.resolve(response.result);
  }

  #ended(): void {
    this.#closed = true;
    for (const { reject } of this.#pending.values()) reject(this.#lost());
    this.#pending.clear();
    this.#streams.clear();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  #lost(): NoGatewayError {
    return new NoGatewayError('connection_lost', `The gateway on ${this.path} closed the connection.`);
  }
}
