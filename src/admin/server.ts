/**
 * The admin endpoint: accepts consoles on the admin socket and hands their requests to one handler.
 *
 * Knows the wire and its bounds, nothing of the gateway. Invariants: every request gets exactly one response, whatever
 * the handler does; the number of connections, of requests in flight and of bytes held for a slow console are bounded;
 * a stream ends when its console goes.
 */
import { createServer, type Socket } from 'node:net';
import { ConsoleConnection } from './console-connection.js';
import type { AdminReply, AdminRequest } from './protocol.js';
import { listenOnSocket } from './socket-file.js';

export { AdminSocketError, type AdminSocketFault } from './socket-file.js';

export interface AdminContext {
  /** Aborts when the console is gone, the stream was cancelled or the server closes. */
  readonly signal: AbortSignal;
  /** Sends an event of a followed stream. Held back until the request is answered; never blocks, never throws. */
  readonly emit: (event: unknown) => void;
}

/** Answers one request. A rejection is answered with `internal_error` and reported. */
export type AdminHandler = (request: AdminRequest, context: AdminContext) => Promise<AdminReply>;

export interface AdminLimits {
  /** Longest request line, bytes. */
  readonly maxLineBytes: number;
  /** Consoles connected at once; one more is told so and closed. */
  readonly maxConnections: number;
  /** Requests and streams of one console in flight. */
  readonly maxInFlight: number;
  /** Bytes waiting for one console past which events are held back and its requests are no longer read. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_ADMIN_LIMITS: AdminLimits = {
  maxLineBytes: 1_048_576,
  maxConnections: 32,
  maxInFlight: 64,
  maxBufferedBytes: 4_194_304,
};

export interface AdminServerOptions {
  readonly path: string;
  readonly handler: AdminHandler;
  readonly limits?: Partial<AdminLimits>;
  /** Defects of the handler and faults of sockets; for the log. */
  readonly onError: (error: Error) => void;
}

export interface AdminServer {
  readonly path: string;
  /** Consoles connected now. */
  readonly connections: number;
  /** Events that slow consoles never got, since start. */
  readonly droppedEvents: number;
  /** Ends every stream and connection and removes the socket file. Idempotent. */
  close(): Promise<void>;
}

/** Opens the admin socket. Rejects with `AdminSocketError`. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const limits = { ...DEFAULT_ADMIN_LIMITS, ...options.limits };
  const consoles = new Set<ConsoleConnection>();
  let dropped = 0;
  const accept = (socket: Socket): void => {
    if (consoles.size >= limits.maxConnections) {
      turnAway(socket);
      return;
    }
    const connection = new ConsoleConnection(socket, {
      handler: options.handler,
      limits,
      onError: options.onError,
      onDrop: (count) => {
        dropped += count;
      },
      onClosed: () => consoles.delete(connection),
    });
    consoles.add(connection);
  };
  const server = createServer({ allowHalfOpen: true }, accept);
  const removeFile = await listenOnSocket(server, options.path);
  server.on('error', options.onError);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await removeFile();
    for (const connection of consoles) connection.destroy();
    await closed;
  };
  return {
    path: options.path,
    get connections() {
      return consoles.size;
    },
    get droppedEvents() {
      return dropped;
    },
    close: () => (closing ??= close()),
  };
}

function turnAway(socket: Socket): void {
  const error = { code: 'too_many_consoles', message: 'Too many consoles are connected; close one and try again.' };
  socket.on('error', () => socket.destroy());
  socket.end(`${JSON.stringify({ id: 0, ok: false, error })}\n`, () => socket.destroy());
}
