/**
 * Connection of a WebSocket client: JSON-RPC in text frames, both ways.
 *
 * Parent: connections (partitioned). Restart: temporary. The socket is the session: it ends when either side closes.
 *
 * Framing: one message a text frame; binary frames are refused (1003). Heartbeat: a ping every 25 s, a socket that has
 * not answered the one before is dead. Close codes: 1001 going away, 1008 reader too slow or credential ended, 1009 message too large (by ws).
 * Sources: RFC 6455; MCP specification 2025-11-25, "Transports › Custom Transports".
 */
import { type WebSocket } from 'ws';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { modernError } from '../protocol/errors.js';
import { errorText, isJsonRpcId } from '../protocol/jsonrpc.js';
import { admitMessage } from '../protocol/modern/era.js';
import { CLIENT_LIMITS, type ParsedFrame, parseFrame } from '../protocol/parse.js';
import { type Channel } from '../transports/inbound/channel.js';
import { FrameIntake } from '../transports/inbound/intake.js';
import { type Access } from './access.js';
import { type ClientMessage, type CloseReason, type CredentialNotice, type ShutdownNotice } from './client-message.js';
import { type ClientFacts, type ClientOutlet, ClientShell } from './client-shell.js';
import { bidFarewell } from './farewell.js';
import { type SessionEnvironment } from './legacy-session.js';
import { ModernPeer } from './modern-peer.js';

export type WebSocketConnectionMessage =
  | ClientMessage
  | { readonly type: 'ws/frame'; readonly text: string; readonly bytes: number }
  | { readonly type: 'ws/closed' };

/** A client of a plain WebSocket shows a newer token: `params.token`. */
export const AUTHENTICATE = 'notifications/viable/authenticate';

const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  idle: 1001,
  shutdown: 1001,
  operator: 1001,
  slow_reader: 1008,
  expired: 1008,
  revoked: 1008,
};

export function webSocketConnection(env: SessionEnvironment, access: Access, facts: ClientFacts, socket: WebSocket) {
  return (context: ActorContext<WebSocketConnectionMessage>): Behavior<WebSocketConnectionMessage> =>
    new WebSocketConnection(env, access, facts, socket, context);
}

class WebSocketConnection implements Behavior<WebSocketConnectionMessage>, ClientOutlet, Channel {
  readonly #context: ActorContext<WebSocketConnectionMessage>;
  readonly #socket: WebSocket;
  readonly #shell: ClientShell;
  #awaitingPong = false;
  readonly #env: SessionEnvironment;
  readonly #access: Access;
  /** Made with the first request of the modern era. */
  #modern: ModernPeer | null = null;
  bytesOut = 0;

  constructor(
    env: SessionEnvironment,
    access: Access,
    facts: ClientFacts,
    socket: WebSocket,
    context: ActorContext<WebSocketConnectionMessage>,
  ) {
    this.#context = context;
    this.#env = env;
    this.#access = access;
    this.#socket = socket;
    this.#shell = new ClientShell(env, context, facts, this);
    const self = context.self;
    const frames = new FrameIntake(env.plane.intake, socket, (data) => {
      if (self.accept({ type: 'ws/frame', text: data.toString('utf8'), bytes: data.length }) === 'full')
        this.close('slow_reader');
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) socket.close(1003, 'text frames only');
      else frames.take(data);
    });
    socket.on('pong', () => {
      this.#awaitingPong = false;
    });
    socket.on('error', () => undefined); // 'close' follows, and tells
    socket.on('close', () => void self.answer({ type: 'ws/closed' }));
  }

  handle(message: WebSocketConnectionMessage): void {
    switch (message.type) {
      case 'ws/frame':
        this.#shell.seen(message.bytes);
        return this.#received(parseFrame(message.text, CLIENT_LIMITS));
      case 'ws/closed':
        return this.#context.exit(NORMAL);
      case 'call/answered':
      case 'call/failed':
      case 'call/notified':
      case 'call/expired':
      case 'call/retry':
        if (message.call.caller.era === 'modern') return this.#modern?.heard(message);
        return this.#shell.handle(message);
      case 'client/list-changed':
        return this.#modern?.listChanged(message.scope, message.method);
      case 'resource/updated':
        this.#modern?.updated(message);
        return this.#shell.handle(message);
      default:
        return this.#shell.handle(message);
    }
  }

  terminate(): void {
    this.#modern?.shutdown('cancelled_by_gateway', 'the connection ends');
    this.#modern?.close();
    this.#shell.terminate();
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.close(1001, 'going away');
    else if (this.#socket.readyState === this.#socket.CONNECTING) this.#socket.terminate();
    bidFarewell(this.#env.plane, this.#socket);
  }

  get unread(): number {
    return this.#socket.bufferedAmount;
  }

  get streaming(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get otherInFlight(): number {
    return this.#modern?.inFlight ?? 0;
  }

  answer(text: string): boolean {
    return this.#send(text);
  }

  notify(text: string): boolean {
    return this.#send(text);
  }

  release(): void {
    // The socket goes on: a cancelled request leaves nothing on it.
  }

  stillWorking(): void {
    // The connection has a heartbeat of its own.
  }

  push(text: string): boolean {
    return this.#send(text);
  }

  shutdownPending(notice: ShutdownNotice): void {
    this.#modern?.endStreams();
    this.#send(JSON.stringify(notice));
  }

  credentialNotice(notice: CredentialNotice): void {
    this.#send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/viable/credential', params: notice }));
  }

  close(reason: CloseReason): void {
    this.#shell.session.failAll('cancelled_by_gateway', `the connection was closed: ${reason}`);
    this.#socket.close(CLOSE_CODES[reason], reason);
    this.#context.exit(NORMAL);
  }

  keepAlive(): void {
    if (this.#awaitingPong) return this.#socket.terminate();
    this.#awaitingPong = true;
    this.#socket.ping();
  }

  /** Both eras on one socket: a request with an envelope stands alone, the rest is the session's. */
  #received(frame: ParsedFrame): void {
    if (frame.kind === 'request' || frame.kind === 'notification') {
      if (frame.kind === 'notification' && frame.message.method === AUTHENTICATE)
        return this.#shell.authenticate(frame.message.params?.['token'], this.#access);
      const admission = admitMessage(frame.message);
      if (admission.era === 'refused') {
        const id = frame.kind === 'request' ? frame.message.id : null;
        this.#send(errorText(id, modernError(admission.error, admission.detail, admission.data)));
        return;
      }
      if (admission.era === 'modern' && admission.kind === 'request') {
        if (this.#shell.refused(frame, this, this.#access)) return;
        const { message, envelope } = admission;
        const { principal } = this.#shell;
        const peer = this.#modernPeer();
        return peer.request({ message, envelope, headers: undefined, scope: null, principal, channel: this });
      }
      const cancelled =
        frame.message.method === 'notifications/cancelled' ? frame.message.params?.['requestId'] : undefined;
      if (isJsonRpcId(cancelled) && this.#modern?.cancel(cancelled)) return;
    }
    this.#shell.receive(frame, this, this.#access);
  }

  #modernPeer(): ModernPeer {
    const { counters } = this.#env.plane;
    if (this.#modern) return this.#modern;
    this.#modern = new ModernPeer(this.#env, this.#context.self, counters.transports.websocket);
    this.#modern.origin = this.#shell;
    return this.#modern;
  }

  #send(text: string): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    const { outflow } = this.#env.plane;
    if (outflow.exceeds(this.#socket.bufferedAmount)) {
      outflow.cut();
      // Whoever begins to read again finds the reason behind what it has missed; ws gives it 30 s for that.
      this.#socket.close(CLOSE_CODES.slow_reader, 'reads too slowly');
      this.#context.self.answer({ type: 'client/close', reason: 'slow_reader' });
      return false;
    }
    this.bytesOut += text.length;
    this.#socket.send(text);
    return true;
  }
}
