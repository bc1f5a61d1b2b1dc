/**
 * Listener: the listening socket of the gateway.
 *
 * Parent: listeners. Restart: permanent. It owns nothing but the listening socket: connections are actors of their own
 * under a sibling that is started before it, so its crash leaves them alone, and its next incarnation listens on the
 * same port again (as in Ranch).
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server, Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type ActorContext, type ActorSystem, actor, type Behavior, type Ref } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { createTlsServer, followFiles } from '../transports/inbound/tls-files.js';
import { type DataPlane } from './data-plane.js';
import { type SessionEnvironment } from './legacy-session.js';
import { httpConnection, type HttpConnectionMessage } from './http-connection.js';
import { type HttpFront } from './http-front.js';
import { CONNECTIONS } from './names.js';
import { type WebSocketFront } from './websocket-front.js';

export type ListenerMessage =
  | { readonly type: 'listener/failed'; readonly error: Error }
  /** Whether it is to listen may have changed (`plane.doors`). */
  | { readonly type: 'listener/look' };

export interface ListenerDeps {
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly sockets: Sockets;
  /** The listening socket of a predecessor, once; `null` when there is none to be had. */
  readonly inherit: () => Promise<Server | null>;
  /** Where it listens. `port` 0 becomes the port that was given, and stays that for later incarnations. */
  readonly address: { host: string; port: number };
}

export interface SocketDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly http: HttpServer;
  readonly env: SessionEnvironment;
  readonly nextSocketId: () => string;
  /** Tells the HTTP face whose socket it is. */
  readonly onConnection: (socket: Socket, connection: Ref<HttpConnectionMessage>) => void;
  readonly onUpgrade: (socket: Socket) => void;
}

/** How often Node looks for requests that are late, at most. */
const LATE_CHECK_MS = 5_000;
const KEEP_ALIVE_MS = 75_000;
const KEEP_ALIVE_PROBE_MS = 60_000;
const BACKLOG = 1_024;

/** In which a client has sent the head of a request, and all of it. Milliseconds. */
export interface RequestTimeouts {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
}

/** The HTTP parser for all sockets, whoever accepted them. It outlives every listener. */
export function createHttpFace(
  front: HttpFront,
  webSockets: WebSocketFront,
  { headersTimeout, requestTimeout }: RequestTimeouts,
): HttpServer {
  const http = createHttpServer(
    {
      headersTimeout,
      requestTimeout: Math.max(requestTimeout, headersTimeout),
      connectionsCheckingInterval: Math.min(LATE_CHECK_MS, headersTimeout),
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    (req, res) => front.handle(req, res),
  );
  http.on('upgrade', (req, socket, head) => webSockets.upgrade(req, socket, head, () => socket.emit(UPGRADED)));
  http.on('clientError', badClient);
  // It never listens itself, and Node starts its header and request timeouts when a server does.
  http.emit('listening');
  return http;
}

/**
 * Bytes that are no HTTP, or too few of them in time. Node takes a connection that begins in silence for an attack; one that
 * came from a predecessor is an old one between two requests.
 */
function badClient(error: NodeJS.ErrnoException, socket: Duplex): void {
  const silent = socket instanceof Socket && socket.bytesRead === 0;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && silent && socket.listenerCount(CAME_OVER) > 0) {
    socket.on('error', () => socket.destroy()); // Node has taken its own listener away
    return;
  }
  const status = BAD_REQUESTS[error.code ?? ''] ?? '400 Bad Request';
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  if (socket instanceof Socket) socket.destroySoon();
  else socket.destroy();
}

const BAD_REQUESTS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

const UPGRADED = 'viable:upgraded';
const CAME_OVER = 'viable:came-over';

export function listener(deps: ListenerDeps) {
  return async (context: ActorContext<ListenerMessage>): Promise<Behavior<ListenerMessage>> => {
    const behavior = new Listener(deps, context);
    await behavior.look();
    return behavior;
  };
}

class Listener implements Behavior<ListenerMessage> {
  readonly #deps: ListenerDeps;
  readonly #context: ActorContext<ListenerMessage>;
  readonly #door: { readonly open: boolean; server: Server | null };

  constructor(deps: ListenerDeps, context: ActorContext<ListenerMessage>) {
    this.#deps = deps;
    this.#context = context;
    const { doors } = deps.plane;
    const id = context.path.slice(context.path.lastIndexOf('/') + 1);
    const door = doors.get(id) ?? { open: true, server: null };
    doors.set(id, door);
    this.#door = door;
  }

  handle(message: ListenerMessage): undefined | Promise<void> {
    switch (message.type) {
      case 'listener/failed':
        throw message.error;
      case 'listener/look':
        return this.look();
    }
  }

  /** Listens if and only if it is to. */
  async look(): Promise<void> {
    if (!this.#door.open) {
      this.terminate();
      return;
    }
    if (this.#door.server) return;
    const server = (await this.#deps.inherit()) ?? (await listen(this.#deps.address));
    const accept = this.#acceptor(server);
    server.on('connection', (socket: Socket) => accept(socket));
    this.#door.server = server;
    this.#deps.address.port = (server.address() as AddressInfo).port;
    server.on('error', (error) => void this.#context.self.urgent({ type: 'listener/failed', error }));
  }

  /** What is done with a connection: it is plain, or shakes hands first. The socket that listens knows nothing of it. */
  #acceptor(server: Server): (socket: Socket) => void {
    const { sockets, plane } = this.#deps;
    const { cert, key, ca, clientAuth } = plane.options.listen.tls;
    if (cert === null || key === null) return (socket) => sockets.accept(socket);
    const files = { cert, key, ca, clientAuth };
    const tls = createTlsServer(files, (socket) => sockets.accept(socket));
    const stop = followFiles(tls, files, (error) => this.#certificateChanged(error));
    server.once('close', stop);
    return (socket) => void tls.emit('connection', socket);
  }

  #certificateChanged(error: Error | null): void {
    const { log, plane } = this.#deps;
    if (error === null) log.info({ event: 'certificate_changed' }, 'the changed certificate is in use');
    else
      log.error(
        { event: 'certificate_refused', error: error.message },
        'the changed certificate cannot be used; the old one stays',
      );
    plane.algedonic.report({
      source: 'listener:http',
      index: 'certificate_refused',
      value: error === null ? 0 : 0.7,
      pain: 0.5,
      agony: 1,
      message: 'a changed certificate cannot be used, the old one stays',
    });
  }

  /** Stops listening at once; connections are none of its business. */
  terminate(): void {
    this.#door.server?.close();
    this.#door.server = null;
  }
}

/** What becomes of an accepted socket, whoever accepted it. */
export class Sockets {
  readonly #deps: SocketDeps;

  constructor(deps: SocketDeps) {
    this.#deps = deps;
  }

  /** A connection that another process had accepted; it is between two requests. */
  adopt(socket: Socket): void {
    socket.once(CAME_OVER, () => undefined);
    this.accept(socket);
    socket.setTimeout(KEEP_ALIVE_MS);
  }

  accept(socket: Socket): void {
    const { system, plane, http, env, onConnection, onUpgrade } = this.#deps;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
    if (plane.counters.sockets >= plane.options.listen.maxConnections) {
      socket.end(
        'HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
      );
      return;
    }
    const started = system.startChild<HttpConnectionMessage>(
      CONNECTIONS,
      actor<HttpConnectionMessage>({
        id: this.#deps.nextSocketId(),
        restart: 'temporary',
        shutdownMs: 1_000,
        init: httpConnection(socket, env),
      }),
    );
    if (!started.ok) {
      socket.destroy();
      return;
    }
    socket.once(UPGRADED, () => {
      onUpgrade(socket);
      started.ref.answer({ type: 'socket/upgraded' });
    });
    onConnection(socket, started.ref);
    http.emit('connection', socket);
  }
}

function listen({ host, port }: { host: string; port: number }): Promise<Server> {
  const server = createNetServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}
