/**
 * Connection of a Phoenix Channels client: one WebSocket, one topic, MCP messages as event `mcp` both ways.
 *
 * Parent: connections (partitioned). Restart: temporary. The joined channel is the MCP session: a leave or a second join
 * ends it, the next join begins a new one. A socket that has not joined holds a session that nothing was said in yet, so
 * that it is counted, listed and closed when idle like any other.
 *
 * Invariants: a push is replied before its answer is sent; a frame that is no frame closes the socket (1007), a message
 * that is no JSON-RPC is replied `error` and the channel goes on. Close codes otherwise as on the plain WebSocket.
 * Sources: phoenixframework/phoenix, `Phoenix.Socket` and `Phoenix.Channel.Server`; RFC 6455.
 */
import { randomUUID } from 'node:crypto';
import { type WebSocket } from 'ws';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { parseFrame } from '../protocol/parse.js';
import { type Channel } from '../transports/inbound/channel.js';
import {
  decodePhoenixFrame,
  encodePhoenixFrame,
  encodePhoenixReply,
  isControlPayload,
  type PhoenixFrame,
  type ReplyStatus,
} from '../transports/inbound/phoenix-frames.js';
import { type ClientMessage, type CloseReason, type ShutdownNotice } from './client-message.js';
import { type ClientFacts, type ClientOutlet, ClientShell } from './client-shell.js';
import { type SessionEnvironment } from './legacy-session.js';

export type PhoenixConnectionMessage =
  | ClientMessage
  | { readonly type: 'phx/frame'; readonly text: string; readonly bytes: number }
  | { readonly type: 'phx/closed' };

const TOPIC = 'mcp:gateway';
const UNMATCHED = '{"reason":"unmatched topic"}';
const UNKNOWN_EVENT = '{"reason":"unknown event"}';
/** Who everybody is while clients do not log in. */
const JOINED_AS = { user_id: 'anonymous', role: 'guest' } as const;

const MALFORMED = 1007;
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  idle: 1001,
  shutdown: 1001,
  operator: 1001,
  slow_reader: 1008,
};

export function phoenixConnection(env: SessionEnvironment, facts: Omit<ClientFacts, 'sessionId'>, socket: WebSocket) {
  return (context: ActorContext<PhoenixConnectionMessage>): Behavior<PhoenixConnectionMessage> =>
    new PhoenixConnection(env, facts, socket, context);
}

class PhoenixConnection implements Behavior<PhoenixConnectionMessage>, ClientOutlet, Channel {
  readonly #env: SessionEnvironment;
  readonly #facts: Omit<ClientFacts, 'sessionId'>;
  readonly #context: ActorContext<PhoenixConnectionMessage>;
  readonly #socket: WebSocket;
  #shell: ClientShell;
  /** The join that opened the channel; `null` while there is none. */
  #joined: PhoenixFrame | null = null;
  #awaitingPong = false;
  bytesOut = 0;

  constructor(
    env: SessionEnvironment,
    facts: Omit<ClientFacts, 'sessionId'>,
    socket: WebSocket,
    context: ActorContext<PhoenixConnectionMessage>,
  ) {
    this.#env = env;
    this.#facts = facts;
    this.#context = context;
    this.#socket = socket;
    this.#shell = this.#newSession();
    const self = context.self;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) socket.close(1003, 'text frames only');
      else if (self.accept({ type: 'phx/frame', text: data.toString('utf8'), bytes: data.length }) === 'full')
        this.close('slow_reader');
    });
    socket.on('pong', () => {
      this.#awaitingPong = false;
    });
    socket.on('error', () => undefined); // 'close' follows, and tells
    socket.on('close', () => void self.answer({ type: 'phx/closed' }));
  }

  handle(message: PhoenixConnectionMessage): void {
    switch (message.type) {
      case 'phx/frame':
        this.#shell.seen(message.bytes);
        return this.#frame(message.text);
      case 'phx/closed':
        return this.#context.exit(NORMAL);
      default:
        return this.#shell.handle(message);
    }
  }

  terminate(): void {
    this.#shell.terminate();
    this.#hangUp(1001, 'going away');
  }

  get unread(): number {
    return this.#socket.bufferedAmount;
  }

  get streaming(): boolean {
    return this.#joined !== null && this.#socket.readyState === this.#socket.OPEN;
  }

  answer(text: string): boolean {
    return this.#push('mcp', text);
  }

  notify(text: string): boolean {
    return this.#push('mcp', text);
  }

  release(): void {
    // The channel goes on: a cancelled request leaves nothing on it.
  }

  stillWorking(): void {
    // The connection has a heartbeat of its own.
  }

  push(text: string): boolean {
    return this.#push('mcp', text);
  }

  shutdownPending(notice: ShutdownNotice): void {
    this.#push(notice.type, JSON.stringify(notice));
  }

  close(reason: CloseReason): void {
    this.#shell.session.failAll('cancelled_by_gateway', `the connection was closed: ${reason}`);
    this.#hangUp(CLOSE_CODES[reason], reason);
    this.#context.exit(NORMAL);
  }

  keepAlive(): void {
    if (this.#awaitingPong) return this.#socket.terminate();
    this.#awaitingPong = true;
    this.#socket.ping();
  }

  #newSession(): ClientShell {
    return new ClientShell(this.#env, this.#context, { ...this.#facts, sessionId: randomUUID() }, this);
  }

  #frame(text: string): void {
    const frame = decodePhoenixFrame(text);
    if (!frame) return this.#socket.close(MALFORMED, 'not a Phoenix frame');
    if (frame.event === 'mcp' && this.#isOpen(frame)) return this.#mcp(frame);
    if (!isControlPayload(frame.payload)) return this.#socket.close(MALFORMED, 'the payload must be a JSON object');
    if (frame.topic === 'phoenix' && frame.event === 'heartbeat') return void this.#reply(frame, 'ok', '{}');
    if (frame.event === 'phx_join' && frame.topic === TOPIC) return this.#join(frame);
    if (frame.event === 'phx_leave') return this.#leave(frame);
    this.#reply(frame, 'error', this.#isOpen(frame) ? UNKNOWN_EVENT : UNMATCHED);
  }

  /** Whether the frame is of the channel that is open: a late push of a channel that was left is not. */
  #isOpen({ topic, joinRef }: PhoenixFrame): boolean {
    const joined = this.#joined;
    return joined !== null && topic === TOPIC && (joinRef === null || joinRef === joined.joinRef);
  }

  #mcp(frame: PhoenixFrame): void {
    const { session } = this.#shell;
    const parsed = parseFrame(frame.payload);
    if (parsed.kind === 'invalid' || (parsed.kind === 'batch' && !session.profile.allowsBatch)) {
      return session.receive(parsed, this.#refusal(frame));
    }
    this.#reply(frame, 'ok', '{}');
    session.receive(parsed, this);
  }

  /** Where the error of a message goes that is no message: into the reply of its push. */
  #refusal(frame: PhoenixFrame): Channel {
    const answer = (text: string): boolean => this.#reply(frame, 'error', text);
    return { answer, notify: answer, release: () => undefined, stillWorking: () => undefined };
  }

  #join(frame: PhoenixFrame): void {
    if (this.#joined) this.#closeChannel();
    this.#joined = { ...frame, joinRef: frame.joinRef ?? frame.ref };
    this.#reply(frame, 'ok', JSON.stringify(JOINED_AS));
  }

  #leave(frame: PhoenixFrame): void {
    // Leaving what is not open is no error: the server may have closed it meanwhile.
    this.#reply(frame, 'ok', '{}');
    if (this.#isOpen(frame)) this.#closeChannel();
  }

  /** Ends the session and the channel; the socket stays for another join. */
  #closeChannel(): void {
    this.#shell.terminate();
    this.#pushEnd('phx_close');
    this.#shell = this.#newSession();
  }

  /** The last word on the channel. */
  #pushEnd(event: 'phx_close' | 'phx_error'): void {
    const joined = this.#joined;
    this.#joined = null;
    if (joined) this.#send(encodePhoenixFrame({ ...joined, ref: joined.joinRef, event, payload: '{}' }));
  }

  #hangUp(code: number, reason: string): void {
    this.#pushEnd('phx_error');
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.close(code, reason);
    else if (this.#socket.readyState === this.#socket.CONNECTING) this.#socket.terminate();
  }

  #reply(frame: PhoenixFrame, status: ReplyStatus, response: string): boolean {
    return frame.ref === null || this.#send(encodePhoenixReply(frame, status, response));
  }

  #push(event: string, payload: string): boolean {
    const joined = this.#joined;
    if (!joined) return false;
    return this.#send(encodePhoenixFrame({ joinRef: joined.joinRef, ref: null, topic: TOPIC, event, payload }));
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
