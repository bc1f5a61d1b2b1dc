/**
 * HTTP connection: one TCP socket of the listener, from accept to close.
 *
 * Parent: connections (partitioned). Restart: temporary. It ends when its socket closes, and its socket closes when it
 * ends: killing the actor drops the connection, whatever runs on it. Requests of the modern era run here: they know of
 * nothing but their connection. Requests of the legacy era do not pass through its mailbox: they belong to their session.
 */
import { type Socket } from 'node:net';
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL, type Ref } from '../kernel/index.js';
import { type Envelope } from '../protocol/modern/envelope.js';
import { type IncomingHeaders } from '../protocol/modern/headers.js';
import { MODERN_REVISION } from '../protocol/revisions.js';
import { type RequestOrigin } from '../telemetry/tracing/call-trace.js';
import { type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { type HttpExchange } from '../transports/inbound/http-exchange.js';
import { type ClientMessage } from './client-message.js';
import { type SessionEnvironment } from './legacy-session.js';
import { ModernPeer } from './modern-peer.js';

export type HttpConnectionMessage =
  | ClientMessage
  | {
      readonly type: 'http/request';
      readonly message: JsonRpcRequest;
      readonly envelope: Envelope;
      readonly headers: IncomingHeaders;
      readonly scope: string | null;
      readonly principal: Principal;
      readonly exchange: HttpExchange;
    }
  | { readonly type: 'http/abandoned'; readonly exchange: HttpExchange }
  | { readonly type: 'socket/closed' }
  /** The socket became a WebSocket: its connection actor has it now. */
  | { readonly type: 'socket/upgraded' };

export function httpConnection(socket: Socket, env: SessionEnvironment) {
  return (context: ActorContext<HttpConnectionMessage>): Behavior<HttpConnectionMessage> =>
    new HttpConnection(socket, env, context);
}

class HttpConnection implements Behavior<HttpConnectionMessage>, RequestOrigin {
  readonly transport = 'http';
  readonly sessionId = null;
  readonly route = '/mcp';
  readonly protocolVersion = MODERN_REVISION;
  described: RequestOrigin['described'] = null;
  readonly #context: ActorContext<HttpConnectionMessage>;
  readonly #env: SessionEnvironment;
  #socket: Socket | null;
  /** Made with the first request of the modern era. */
  #peer: ModernPeer | null = null;

  constructor(socket: Socket, env: SessionEnvironment, context: ActorContext<HttpConnectionMessage>) {
    this.#context = context;
    this.#env = env;
    this.#socket = socket;
    env.plane.counters.sockets += 1;
    socket.once('close', () => void context.self.answer({ type: 'socket/closed' }));
  }

  get remote(): string {
    return `${this.#socket?.remoteAddress ?? '?'}:${this.#socket?.remotePort ?? 0}`;
  }

  handle(message: HttpConnectionMessage): void {
    switch (message.type) {
      case 'http/request':
        return this.#request(message);
      case 'http/abandoned':
        return this.#peer?.channelClosed(message.exchange);
      case 'call/answered':
      case 'call/failed':
      case 'call/notified':
      case 'call/expired':
      case 'call/retry':
        return this.#peer?.heard(message);
      case 'resource/updated':
        return this.#peer?.updated(message);
      case 'client/list-changed':
        return this.#peer?.listChanged(message.scope, message.method);
      case 'client/idle-check':
        this.#peer?.signOfLife();
        this.#context.after(HEARTBEAT_MS, message);
        return;
      case 'client/credential-due':
        return this.#peer?.credentialsDue();
      case 'client/shutdown-pending':
        return this.#peer?.endStreams();
      case 'socket/upgraded':
        this.#socket = null;
        return this.#context.exit(NORMAL);
      case 'socket/closed':
      case 'client/close':
        return this.#context.exit(NORMAL);
      default:
        return; // what concerns legacy sessions does not come here
    }
  }

  terminate(): void {
    this.#env.plane.counters.sockets -= 1;
    this.#peer?.shutdown('cancelled_by_gateway', 'the connection ends');
    this.#peer?.close();
    // What was just answered is still to be written.
    if (this.#socket?.writableLength) this.#socket.destroySoon();
    else this.#socket?.destroy();
  }

  unhandled(message: HttpConnectionMessage): void {
    if (message.type === 'http/request') message.exchange.refuse('cancelled_by_gateway');
  }

  #request(request: Extract<HttpConnectionMessage, { type: 'http/request' }>): void {
    const self: Ref<HttpConnectionMessage> = this.#context.self;
    if (this.#peer === null) {
      const { counters } = this.#env.plane;
      this.#peer = new ModernPeer(this.#env, this.#context.self, counters.transports.http);
      this.#peer.origin = this;
      this.#context.after(HEARTBEAT_MS, { type: 'client/idle-check' });
    }
    const { message, envelope, headers, scope, principal, exchange } = request;
    exchange.onAbandoned(() => void self.urgent({ type: 'http/abandoned', exchange }));
    this.#peer.request({ message, envelope, headers, scope, principal, channel: exchange });
  }
}

/** How often those who wait for long see a sign of life. */
const HEARTBEAT_MS = 25_000;
