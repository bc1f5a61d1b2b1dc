/**
 * Listener: the listening socket of the gateway.
 *
 * Parent: listeners. Restart: permanent. It owns nothing but the listening socket: connections are actors of their own
 * under a sibling that is started before it, so its crash leaves them alone, and its next incarnation listens on the
 * same port again (as in Ranch).
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
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
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly http: HttpServer;
  readonly log: Logger;
  readonly env: SessionEnvironment;
  readonly nextSocketId: () => string;
  /** Tells the HTTP face whose socket it is. */
  readonly onConnection: (socket: Socket, connection: Ref<HttpConnectionMessage>) => void;
  readonly onUpgrade: (socket: Socket) => void;
  /** Where it listens. `port` 0 becomes the port that was given, and stays that for later incarnations. */
  readonly address: { host: string; port: number };
}

const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 75_000;
const BACKLOG = 1_024;

/** The HTTP parser for all sockets, whoever accepted them. It outlives every listener. */
export function createHttpFace(front: HttpFront, webSockets: WebSocketFront): HttpServer {
  const http = createHttpServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    (req, res) => front.handle(req, res),
  );
  http.on('upgrade', (req, socket, head) => webSockets.upgrade(req, socket, head, () => socket.emit(UPGRADED)));
  // It never listens itself, and Node starts its header and request timeouts when a server does.
  http.emit('listening');
  return http;
}

const UPGRADED = 'viable:upgraded';

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
  readonly #sockets: Sockets;
  readonly #door: { readonly open: boolean };
  #server: Server | null = null;

  constructor(deps: ListenerDeps, context: ActorContext<ListenerMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#sockets = new Sockets(deps);
    const { doors } = deps.plane;
    const id = context.path.slice(context.path.lastIndexOf('/') + 1);
    const door = doors.get(id) ?? { open: true };
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
    if (this.#server) return;
    const server = this.#create();
    await listen(server, this.#deps.address);
    this.#server = server;
    this.#deps.address.port = (server.address() as AddressInfo).port;
    server.on('error', (error) => void this.#context.self.urgent({ type: 'listener/failed', error }));
  }

  /** Plain, or with the certificate of the configuration. */
  #create(): Server {
    const { cert, key, ca, clientAuth } = this.#deps.plane.options.listen.tls;
    const accept = (socket: Socket): void => this.#sockets.accept(socket);
    if (cert === null || key === null)
      return createNetServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, accept);
    const server = createTlsServer({ cert, key, ca, clientAuth }, accept);
    followFiles(server, { cert, key, ca, clientAuth }, (error) => this.#certificateChanged(error));
    return server;
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
    this.#server?.close();
    this.#server = null;
  }
}

class Sockets {
  readonly #deps: ListenerDeps;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
  }

  accept(socket: Socket): void {
    const { system, plane, http, env, onConnection, onUpgrade } = this.#deps;
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

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
