/**
 * Connection of an HTTP+SSE client (2024-11-05): its event stream, over which everything goes out; what it sends comes
 * by POST to the endpoint that its first event names.
 *
 * Parent: connections (partitioned). Restart: temporary. The stream is the session: it ends when the client hangs up.
 * Source: MCP specification 2024-11-05, "Transports › HTTP with SSE".
 */
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { type ParsedFrame } from '../protocol/parse.js';
import { type IncomingHeaders } from '../protocol/modern/headers.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type EventStream } from '../transports/inbound/event-stream.js';
import { type Access } from './access.js';
import {
  type ClientMessage,
  type CloseReason,
  type CredentialNotice,
  noticeEvent,
  type ShutdownNotice,
} from './client-message.js';
import { type ClientFacts, type ClientOutlet, ClientShell } from './client-shell.js';
import { type SessionEnvironment } from './legacy-session.js';

export type SseConnectionMessage =
  | ClientMessage
  | {
      readonly type: 'sse/posted';
      readonly frame: ParsedFrame;
      readonly bytes: number;
      readonly headers: IncomingHeaders;
      /** As this request has shown; the same key as the stream's. */
      readonly principal: Principal;
    }
  | { readonly type: 'sse/closed' };

export function sseConnection(env: SessionEnvironment, access: Access, facts: ClientFacts, stream: EventStream) {
  return (context: ActorContext<SseConnectionMessage>): Behavior<SseConnectionMessage> =>
    new SseConnection(env, access, facts, stream, context);
}

class SseConnection implements Behavior<SseConnectionMessage>, ClientOutlet, Channel {
  readonly #context: ActorContext<SseConnectionMessage>;
  readonly #stream: EventStream;
  readonly #access: Access;
  readonly #shell: ClientShell;

  constructor(
    env: SessionEnvironment,
    access: Access,
    facts: ClientFacts,
    stream: EventStream,
    context: ActorContext<SseConnectionMessage>,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#access = access;
    this.#shell = new ClientShell(env, context, facts, this);
    stream.onClose(() => void context.self.answer({ type: 'sse/closed' }));
    stream.send({ event: 'endpoint', data: `/mcp/messages?sessionId=${encodeURIComponent(facts.sessionId)}` });
  }

  handle(message: SseConnectionMessage): void {
    switch (message.type) {
      case 'sse/posted':
        this.#shell.seen(message.bytes);
        this.#shell.principal = message.principal;
        return this.#shell.receive(message.frame, this, this.#access, message.headers);
      case 'sse/closed':
        return this.#context.exit(NORMAL);
      default:
        return this.#shell.handle(message);
    }
  }

  terminate(): void {
    this.#shell.terminate();
    this.#stream.end();
  }

  get bytesOut(): number {
    return this.#stream.bytes;
  }

  get unread(): number {
    return this.#stream.unread;
  }

  get streaming(): boolean {
    return this.#stream.open;
  }

  answer(text: string): boolean {
    return this.#stream.send({ event: 'message', data: text });
  }

  notify(text: string): boolean {
    return this.#stream.send({ event: 'message', data: text });
  }

  release(): void {
    // The stream goes on: a cancelled request leaves nothing on it.
  }

  stillWorking(): void {
    // The connection has a heartbeat of its own.
  }

  push(text: string): boolean {
    return this.notify(text);
  }

  shutdownPending(notice: ShutdownNotice): void {
    this.#stream.send(noticeEvent(notice));
  }

  credentialNotice(notice: CredentialNotice): void {
    this.#stream.send({ event: 'credential', data: JSON.stringify(notice) });
  }

  close(reason: CloseReason): void {
    this.#shell.session.failAll('cancelled_by_gateway', `the connection was closed: ${reason}`);
    this.#context.exit(NORMAL);
  }

  keepAlive(): void {
    this.#stream.keepAlive();
  }
}
