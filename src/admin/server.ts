/**
 * The admin endpoint: accepts consoles on the admin socket and hands their requests to one handler.
 *
 * Knows the wire and its bounds, nothing of the gateway. Invariants: every request gets exactly one response, whatever
 * the handler does; the number of connections, of requests in flight and of bytes held for a slow console are bounded;
 * a stream ends when its console goes.
 */
import { createServer, type Socket } from 'node:net';
import { ConsoleConnection } from './console-connection.js';
import { type AdminHandler, type AdminLimits, DEFAULT_ADMIN_LIMITS } from './handler.js';
import { listenOnSocket } from './socket-file.js';

export { type AdminContext, type AdminHandler, type AdminLimits, DEFAULT_ADMIN_LIMITS } from './handler.js';
export { AdminSocketError, type AdminSocketFault } from './socket-file.js';

export interface AdminServerOptions {
  readonly path: string;
  /** Take the place of the process that listens there: it has asked for it. Default false. */
  readonly takeOver?: boolean;
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
  const removeFile = await listenOnSocket(server, options.path, options.takeOver);
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
