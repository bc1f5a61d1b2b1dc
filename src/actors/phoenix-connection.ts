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
import { type Verdict } from '../auth/authenticator.js';
import { CLIENT_WORDS } from '../auth/faults.js';
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL, type Ref } from '../kernel/index.js';
import { isJsonObject } from '../protocol/jsonrpc.js';
import { CLIENT_LIMITS, parseFrame } from '../protocol/parse.js';
import { type Channel } from '../transports/inbound/channel.js';
import { FrameIntake } from '../transports/inbound/intake.js';
import {
  decodePhoenixFrame,
  encodePhoenixFrame,
  encodePhoenixReply,
  isControlPayload,
  type PhoenixFrame,
  type ReplyStatus,
} from '../transports/inbound/phoenix-frames.js';
import { type Access, type Refusal } from './access.js';
import { type ClientMessage, type CloseReason, type CredentialNotice, type ShutdownNotice } from './client-message.js';
import { type ClientFacts, type ClientOutlet, ClientShell } from './client-shell.js';
import { bidFarewell } from './farewell.js';
import { type SessionEnvironment } from './legacy-session.js';

export type PhoenixConnectionMessage =
  | ClientMessage
  | { readonly type: 'phx/frame'; readonly text: string; readonly bytes: number }
  | { readonly type: 'phx/closed' }
  /** A token that came with this frame was looked at. */
  | { readonly type: 'phx/verified'; readonly frame: PhoenixFrame; readonly verdict: Verdict };

const TOPIC = 'mcp:gateway';
const UNMATCHED = '{"reason":"unmatched topic"}';
const UNKNOWN_EVENT = '{"reason":"unknown event"}';
/** The client shows a newer token: `{"token": …}`. */
const AUTHENTICATE = 'authenticate';

const MALFORMED = 1007;
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  idle: 1001,
  shutdown: 1001,
  operator: 1001,
  slow_reader: 1008,
  expired: 1008,
  revoked: 1008,
};

export interface PhoenixOptions {
  readonly env: SessionEnvironment;
  readonly access: Access;
  readonly facts: Omit<ClientFacts, 'sessionId'>;
  readonly socket: WebSocket;
  /** Why the socket's own credential was refused: joins are answered so until one brings a better one. `null`: it was not. */
  readonly refusal: Refusal | null;
}

export function phoenixConnection(options: PhoenixOptions) {
  return (context: ActorContext<PhoenixConnectionMessage>): Behavior<PhoenixConnectionMessage> =>
    new PhoenixConnection(options, context);
}

class PhoenixConnection implements Behavior<PhoenixConnectionMessage>, ClientOutlet, Channel {
  readonly #env: SessionEnvironment;
  readonly #access: Access;
  #refusal: Refusal | null;
  #facts: Omit<ClientFacts, 'sessionId'>;
  readonly #context: ActorContext<PhoenixConnectionMessage>;
  readonly #socket: WebSocket;
  #shell: ClientShell;
  /** The join that opened the channel; `null` while there is none. */
  #joined: PhoenixFrame | null = null;
  #awaitingPong = false;
  bytesOut = 0;

  constructor(
    { env, access, facts, socket, refusal }: PhoenixOptions,
    context: ActorContext<PhoenixConnectionMessage>,
  ) {
    this.#env = env;
    this.#access = access;
    this.#refusal = refusal;
    this.#facts = facts;
    this.#context = context;
    this.#socket = socket;
    this.#shell = this.#newSession();
    const self = context.self;
    const frames = new FrameIntake(env.plane.intake, socket, (data) => {
      if (self.accept({ type: 'phx/frame', text: data.toString('utf8'), bytes: data.length }) === 'full')
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
    socket.on('close', () => void self.answer({ type: 'phx/closed' }));
  }

  handle(message: PhoenixConnectionMessage): void {
    switch (message.type) {
      case 'phx/frame':
        this.#shell.seen(message.bytes);
        return this.#frame(message.text);
      case 'phx/closed':
        return this.#context.exit(NORMAL);
      case 'phx/verified':
        return this.#verified(message.frame, message.verdict);
      default:
        return this.#shell.handle(message);
    }
  }

  terminate(): void {
    this.#shell.terminate();
    this.#hangUp(1001, 'going away');
    bidFarewell(this.#env.plane, this.#socket);
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

  credentialNotice(notice: CredentialNotice): void {
    this.#push('credential', JSON.stringify(notice));
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
    if (frame.event === AUTHENTICATE && this.#isOpen(frame)) return this.#authenticate(frame);
    this.#reply(frame, 'error', this.#isOpen(frame) ? UNKNOWN_EVENT : UNMATCHED);
  }

  /** Whether the frame is of the channel that is open: a late push of a channel that was left is not. */
  #isOpen({ topic, joinRef }: PhoenixFrame): boolean {
    const joined = this.#joined;
    return joined !== null && topic === TOPIC && (joinRef === null || joinRef === joined.joinRef);
  }

  #mcp(frame: PhoenixFrame): void {
    const { session } = this.#shell;
    const parsed = parseFrame(frame.payload, CLIENT_LIMITS);
    if (parsed.kind === 'invalid' || (parsed.kind === 'batch' && !session.profile.allowsBatch)) {
      return session.receive(parsed, this.#errorReply(frame));
    }
    this.#reply(frame, 'ok', '{}');
    this.#shell.receive(parsed, this, this.#access);
  }

  /** Where the error of a message goes that is no message: into the reply of its push. */
  #errorReply(frame: PhoenixFrame): Channel {
    const answer = (text: string): boolean => this.#reply(frame, 'error', text);
    return { answer, notify: answer, release: () => undefined, stillWorking: () => undefined };
  }

  /** The socket's credential counts, unless the join brings one: whose that is shows later. */
  #join(frame: PhoenixFrame): void {
    if (this.#env.plane.auth.mode !== 'off' && tokenIn(frame) !== undefined) return this.#authenticate(frame);
    if (this.#refusal) return this.#refuse(frame, this.#refusal.reply.detail ?? 'unauthenticated');
    this.#open(frame);
  }

  #open(frame: PhoenixFrame): void {
    if (this.#joined) this.#closeChannel();
    this.#joined = { ...frame, joinRef: frame.joinRef ?? frame.ref };
    this.#reply(frame, 'ok', JSON.stringify(joinedAs(this.#shell.principal)));
  }

  #authenticate(frame: PhoenixFrame): void {
    const { address } = this.#facts;
    const token = tokenIn(frame);
    if (typeof token !== 'string') return this.#refuse(frame, CLIENT_WORDS.malformed);
    if (this.#access.loginWait(address)) return this.#refuse(frame, 'too many failed logins');
    const self: Ref<PhoenixConnectionMessage> = this.#context.self;
    void this.#access
      .verify(token, address)
      .then((verdict) => void self.answer({ type: 'phx/verified', frame, verdict }));
  }

  /** A join begins a session of whoever joins; within a session only the same subject may go on. */
  #verified(frame: PhoenixFrame, verdict: Verdict): void {
    if (!verdict.ok) return this.#refuse(frame, CLIENT_WORDS[verdict.fault]);
    const { principal } = verdict;
    const joins = frame.event === 'phx_join';
    if (!joins && !this.#isOpen(frame)) return this.#refuse(frame, 'unmatched topic');
    if (!joins && principal.key !== this.#shell.principal.key)
      return this.#refuse(frame, 'the token is of another subject');
    this.#facts = { ...this.#facts, principal };
    this.#refusal = null;
    if (!joins) {
      this.#shell.principal = principal;
      return void this.#reply(frame, 'ok', JSON.stringify(joinedAs(this.#shell.principal)));
    }
    if (this.#joined) this.#closeChannel();
    else this.#shell.principal = principal;
    this.#open(frame);
  }

  #refuse(frame: PhoenixFrame, reason: string): void {
    this.#reply(frame, 'error', JSON.stringify({ reason }));
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

function tokenIn({ payload }: PhoenixFrame): unknown {
  const params: unknown = JSON.parse(payload); // a JSON object: see `isControlPayload`
  return isJsonObject(params) ? params['token'] : undefined;
}

/** Source of the names: the seed document, "Client Authentication". */
function joinedAs({ subject, role, expiresAt }: Principal): Record<string, unknown> {
  if (subject === null) return { user_id: 'anonymous', role: 'guest' };
  return { user_id: subject, role, expires_at: expiresAt };
}
