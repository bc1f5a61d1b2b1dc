/**
 * The WebSocket face: from an HTTP upgrade to a connection actor. Same guards as HTTP; a refusal is a plain HTTP response.
 *
 * Subprotocol `mcp` (`phoenix` on the route of Phoenix Channels) is chosen when offered; a client that offers none is
 * served too. Compression is off: it costs memory for every idle connection and invites bombs. ws's own limits are far
 * too generous. Sources: RFC 6455; phoenixframework/phoenix, `Phoenix.Socket` (a wrong `vsn` is refused with 403).
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { type Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Principal } from '../auth/principal.js';
import { type ActorSystem, actor } from '../kernel/index.js';
import { errorEntry, type ErrorName, gatewayError } from '../protocol/errors.js';
import { errorText } from '../protocol/jsonrpc.js';
import { parseRoute } from '../protocol/routes.js';
import { type ErrorReply } from '../transports/inbound/http-reply.js';
import { speaksVsn } from '../transports/inbound/phoenix-frames.js';
import { type Access, type Identity, type Refusal } from './access.js';
import { type FrontDeps, type HttpFront } from './http-front.js';
import { guard } from './http-guard.js';
import { remoteOf } from './http-requests.js';
import { type SessionEnvironment } from './legacy-session.js';
import { CONNECTIONS } from './names.js';
import { begun } from './newcomers.js';
import { phoenixConnection, type PhoenixConnectionMessage } from './phoenix-connection.js';
import { refusedAs, traceRefusal } from './refusal-trace.js';
import { webSocketConnection, type WebSocketConnectionMessage } from './websocket-connection.js';

/** RFC 6455 registry. */
const TRY_AGAIN_LATER = 1013;
const MAX_FRAGMENTS = 256;
const MAX_BUFFERED_CHUNKS = 4_096;

export class WebSocketFront {
  readonly #system: ActorSystem;
  readonly #env: SessionEnvironment;
  readonly #http: HttpFront;
  readonly #access: Access;
  readonly #server: WebSocketServer;
  #made = 0;

  constructor({ system, env, access }: Pick<FrontDeps, 'system' | 'env' | 'access'>, http: HttpFront) {
    this.#access = access;
    this.#system = system;
    this.#env = env;
    this.#http = http;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // One message of a connection in each turn of the event loop: who sends thousands at once delays nobody else.
      allowSynchronousEvents: false,
      maxPayload: env.plane.options.listen.maxBodyBytes,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      handleProtocols: (offered, req) => {
        const spoken = parseRoute(req.url ?? '/').kind === 'phoenix' ? 'phoenix' : 'mcp';
        return offered.has(spoken) && spoken;
      },
    });
  }

  /** Upgrades the connection, or answers why not. `upgraded` is called once the socket is a WebSocket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, upgraded: () => void): void {
    socket.on('error', () => socket.destroy());
    const guarded = guard(this.#env.plane, req);
    if (guarded !== undefined) return this.#refuse(req, socket, guarded);
    const route = parseRoute(req.url ?? '/');
    const { kind } = route;
    if (kind === 'dashboard' && route.path === '/feed') return this.#openConsole(req, socket, head, upgraded);
    if (kind !== 'ws' && kind !== 'phoenix') return this.#refuse(req, socket, 'unknown_route');
    if (kind === 'phoenix' && !speaksVsn(queryOf(req).get('vsn'))) {
      return this.#refuse(req, socket, 'unsupported_version', { detail: 'connect with vsn=2.0.0' }, 403);
    }
    const known = this.#access.recall(req, kind);
    if (known) return this.#admit(req, socket, head, upgraded, { ok: true, principal: known });
    this.#access.identify(req, kind, (identity) => {
      if (!socket.destroyed) this.#admit(req, socket, head, upgraded, identity);
    });
  }

  /** On the route of Phoenix a stranger gets as far as the join, whose reply says why it fails. */
  #admit(req: IncomingMessage, socket: Duplex, head: Buffer, upgraded: () => void, identity: Identity): void {
    const isPhoenix = parseRoute(req.url ?? '/').kind === 'phoenix';
    const stranger = isPhoenix && !identity.ok && identity.refusal.name === 'unauthenticated';
    if (!identity.ok && !stranger) return this.#refuse(req, socket, identity.refusal.name, identity.refusal.reply);
    const principal = identity.ok ? identity.principal : this.#access.stranger();
    const closed = this.#http.closedToNewcomers(principal, 'websocket');
    if (closed?.name === 'draining') return this.#turnAway(req, socket, head, closed.reply);
    if (closed) return this.#refuse(req, socket, closed.name, closed.reply);
    this.#server.handleUpgrade(req, socket, head, (webSocket) => {
      upgraded();
      const { websocket } = this.#env.plane.breakers;
      const token = websocket.take();
      const refusal = identity.ok ? null : identity.refusal;
      const started = isPhoenix
        ? this.#startPhoenix(webSocket, req, principal, refusal)
        : this.#start(webSocket, req, principal);
      begun(websocket, token, started);
    });
  }

  /** Clients of WebSockets in browsers see nothing of an HTTP refusal: they are told by close code 1013, "try again later". */
  #turnAway(req: IncomingMessage, socket: Duplex, head: Buffer, reply: ErrorReply): void {
    this.#server.handleUpgrade(req, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined);
      webSocket.close(TRY_AGAIN_LATER, `draining, retry after ${reply.headers?.['retry-after'] ?? '?'} s`);
    });
  }

  /** Consoles are let in while the gateway drains: that is when people look. */
  #openConsole(req: IncomingMessage, socket: Duplex, head: Buffer, upgraded: () => void): void {
    this.#access.note(req, () => {
      const right = this.#http.web.admitSocket(req);
      if (!right.ok) return this.#refuse(req, socket, right.name, right.reply);
      this.#server.handleUpgrade(req, socket, head, (webSocket) => {
        upgraded();
        this.#http.web.openSocket(webSocket, right);
      });
    });
  }

  #refuse(req: IncomingMessage, socket: Duplex, name: ErrorName, reply: ErrorReply = {}, status?: number): void {
    traceRefusal(this.#env.plane.tracing, req, () => refusedAs(name, reply));
    refuse(socket, name, reply, status);
  }

  #startPhoenix(webSocket: WebSocket, req: IncomingMessage, principal: Principal, refusal: Refusal | null): boolean {
    const remote = remoteOf(req);
    const address = this.#env.plane.auth.addresses.of(req);
    const facts = {
      transport: 'websocket',
      scope: null,
      principal,
      remote,
      address,
      route: '/mcp/ws/websocket',
      openedBy: openedBy(req),
    } as const;
    const started = this.#system.startChild<PhoenixConnectionMessage>(
      CONNECTIONS,
      actor<PhoenixConnectionMessage>({
        id: `phx-${(this.#made += 1)}`,
        restart: 'temporary',
        init: phoenixConnection({ env: this.#env, access: this.#access, facts, socket: webSocket, refusal }),
      }),
    );
    if (!started.ok) webSocket.close(TRY_AGAIN_LATER, 'try again later');
    return started.ok;
  }

  #start(webSocket: WebSocket, req: IncomingMessage, principal: Principal): boolean {
    const facts = {
      sessionId: randomUUID(),
      transport: 'websocket',
      scope: null,
      principal,
      address: this.#env.plane.auth.addresses.of(req),
      remote: remoteOf(req),
      route: '/mcp/ws',
      openedBy: openedBy(req),
    } as const;
    const started = this.#system.startChild<WebSocketConnectionMessage>(
      CONNECTIONS,
      actor<WebSocketConnectionMessage>({
        id: `ws-${(this.#made += 1)}`,
        restart: 'temporary',
        init: webSocketConnection(this.#env, this.#access, facts, webSocket),
      }),
    );
    if (!started.ok) webSocket.close(TRY_AGAIN_LATER, 'try again later');
    return started.ok;
  }
}

/** The context of the request that opens a connection: its messages are linked to it. */
function openedBy(req: IncomingMessage): string | undefined {
  const { traceparent } = req.headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

function queryOf(req: IncomingMessage): URLSearchParams {
  return new URLSearchParams((req.url ?? '').split('?')[1]);
}

/** A whole HTTP response on a socket that was to be upgraded. */
function refuse(
  socket: Duplex,
  name: ErrorName,
  reply: ErrorReply,
  status: number = errorEntry(name).httpStatus,
): void {
  const body = errorText(null, gatewayError(name, reply.detail, reply.data));
  const headers = {
    ...reply.headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${body}`);
}
