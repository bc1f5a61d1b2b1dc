/**
 * Session of a Streamable HTTP client: what is kept between its requests, and its GET stream.
 *
 * Parent: connections (partitioned). Restart: temporary: a client whose session is gone gets 404 and initializes anew.
 *
 * Invariants: one GET stream at a time; the session ends by DELETE, by idleness, by the operator, or with the gateway; a
 * disconnect of a POST cancels nothing (legacy era), its answer is dropped and counted.
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP".
 */
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL, type Ref } from '../kernel/index.js';
import { type SessionState } from '../handover/messages.js';
import { Outstanding } from '../protocol/outstanding.js';
import { type ParsedFrame } from '../protocol/parse.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type EventStream } from '../transports/inbound/event-stream.js';
import { LATEST_LEGACY_REVISION } from '../protocol/revisions.js';
import { type HttpExchange, type ReplayTarget } from '../transports/inbound/http-exchange.js';
import { ReplayLog, STANDALONE } from '../transports/inbound/replay-log.js';
import {
  type ClientMessage,
  type CloseReason,
  type CredentialNotice,
  noticeEvent,
  type ShutdownNotice,
} from './client-message.js';
import { type ClientFacts, type ClientOutlet, ClientShell } from './client-shell.js';
import { type SessionEnvironment } from './legacy-session.js';
import { tooLate } from './newcomers.js';

export type HttpSessionMessage =
  | ClientMessage
  | {
      readonly type: 'http/post';
      readonly frame: ParsedFrame;
      readonly exchange: HttpExchange;
      readonly bytes: number;
      /** As this request has shown; the same key as the session's. */
      readonly principal: Principal;
    }
  /** `accept` makes the response a stream; `refuse` answers that there is one. One of them is called. */
  | {
      readonly type: 'http/get';
      readonly accept: () => EventStream;
      readonly refuse: () => void;
      /** The session has gone to another process. */
      readonly elsewhere: () => void;
      readonly lastEventId: string | undefined;
      readonly principal: Principal;
    }
  /** Notifications and answers that came by way of the successor. */
  | { readonly type: 'http/said'; readonly frame: ParsedFrame }
  | { readonly type: 'http/stream-closed'; readonly stream: EventStream }
  | { readonly type: 'http/delete'; readonly done: () => void; readonly elsewhere: () => void };

/** @param state where another process left it */
export function httpSession(env: SessionEnvironment, facts: ClientFacts, state?: SessionState) {
  return (context: ActorContext<HttpSessionMessage>): Behavior<HttpSessionMessage> =>
    new HttpSession(env, facts, context, state);
}

class HttpSession implements Behavior<HttpSessionMessage>, ClientOutlet, ReplayTarget {
  readonly #context: ActorContext<HttpSessionMessage>;
  readonly #env: SessionEnvironment;
  readonly #shell: ClientShell;
  #stream: EventStream | null = null;
  /** What was sent on its streams; made with the first. */
  #log: ReplayLog | null = null;
  /** Streams that are not over, by number. */
  readonly streams = new Outstanding<HttpExchange>();

  constructor(
    env: SessionEnvironment,
    facts: ClientFacts,
    context: ActorContext<HttpSessionMessage>,
    state: SessionState | undefined,
  ) {
    this.#context = context;
    this.#env = env;
    this.#shell = new ClientShell(env, context, facts, this);
    if (state) this.#restore(state);
  }

  handle(message: HttpSessionMessage): void {
    switch (message.type) {
      case 'http/post':
        return this.#post(message);
      case 'http/get':
        this.#shell.principal = message.principal;
        return message.lastEventId === undefined
          ? this.#openStream(message.accept, message.refuse)
          : this.#resume(message.lastEventId, message.accept, message.refuse);
      case 'http/said':
        return this.#shell.session.receive(message.frame, NOWHERE);
      case 'client/hand-over':
        return this.#handOver(message.force);
      case 'http/stream-closed':
        if (this.#stream === message.stream) this.#stream = null;
        return;
      case 'http/delete':
        this.#shell.session.failAll('session_not_found', 'the session was deleted');
        message.done();
        return this.#context.exit(NORMAL);
      default:
        return this.#shell.handle(message);
    }
  }

  terminate(): void {
    this.#shell.terminate();
    this.#stream?.end();
  }

  unhandled(message: HttpSessionMessage): void {
    const moved = this.#env.plane.moved.has(this.#shell.id);
    switch (message.type) {
      case 'http/post':
        return moved ? message.exchange.elsewhere() : message.exchange.refuse('session_not_found');
      case 'http/get':
        return moved ? message.elsewhere() : message.refuse();
      case 'http/delete':
        return moved ? message.elsewhere() : message.done();
      default:
        return;
    }
  }

  log(): ReplayLog {
    return (this.#log ??= new ReplayLog());
  }

  /** Earlier clients read an event without data as a broken message. */
  prime(): boolean {
    return this.#shell.session.profile.revision === LATEST_LEGACY_REVISION;
  }

  get bytesOut(): number {
    return this.#stream?.bytes ?? 0;
  }

  get unread(): number {
    let bytes = this.#stream?.unread ?? 0;
    for (const exchange of this.streams.values()) bytes += exchange.unread;
    return bytes;
  }

  get streaming(): boolean {
    return this.#stream?.open ?? false;
  }

  push(text: string): boolean {
    if (this.#log === null) return false; // the client never opened a stream
    const id = this.#log.append(STANDALONE, text);
    this.#stream?.send({ id, data: text });
    return true;
  }

  shutdownPending(notice: ShutdownNotice): void {
    this.#stream?.send(noticeEvent(notice));
  }

  credentialNotice(notice: CredentialNotice): void {
    this.#stream?.send({ event: 'credential', data: JSON.stringify(notice) });
  }

  /** With its token only the stream ends: each request shows a token of its own, and a newer one may open another stream. */
  close(reason: CloseReason): void {
    if (reason === 'expired') return this.#stream?.end();
    this.#shell.session.failAll('cancelled_by_gateway', `the session was closed: ${reason}`);
    this.#context.exit(NORMAL);
  }

  keepAlive(): void {
    this.#stream?.keepAlive();
  }

  #post({ frame, exchange, bytes, principal }: Extract<HttpSessionMessage, { type: 'http/post' }>): void {
    this.#shell.seen(bytes);
    this.#shell.principal = principal;
    if (frame.kind === 'batch' && !this.#shell.session.profile.allowsBatch) return exchange.refuse('batch_unsupported');
    const late = tooLate(this.#shell.quietUntil, this.#env.clock, frame);
    if (late) return exchange.refuse('draining', late);
    exchange.keepIn(this);
    this.#shell.session.receive(this.#shell.inTime(frame, exchange), exchange, exchange.headers);
  }

  /** To the successor, unless something is in flight. */
  #handOver(force: boolean): void {
    const { handover } = this.#env.plane;
    if (!handover) return;
    if (force) this.#shell.session.failAll('cancelled_by_gateway', 'the gateway hands over to another process');
    if (this.#shell.inFlight > 0 || this.streams.size > 0) return;
    handover.session(this.#state());
    this.#context.exit(NORMAL);
  }

  #state(): SessionState {
    const { session, facts, principal } = this.#shell;
    const { sessionId: id, scope, remote, address, route } = facts;
    const { profile, phase, subscriptions } = session;
    return {
      id,
      scope,
      principal,
      remote,
      address,
      route,
      phase,
      initialize: profile.initialize,
      logLevel: profile.wantedLevel,
      subscriptions: subscriptions.uris,
      replay: this.#log?.state ?? null,
    };
  }

  #restore({ phase, initialize, logLevel, subscriptions, replay }: SessionState): void {
    const { session } = this.#shell;
    if (initialize) session.profile.introduce(initialize);
    if (logLevel !== null) {
      this.#env.onLogLevel(null, logLevel);
      session.profile.logLevel = logLevel;
    }
    session.phase = phase;
    session.subscriptions.restore(subscriptions, this.#env.plane.routing.scope(session.scope));
    if (replay) this.#log = ReplayLog.of(replay);
  }

  #openStream(accept: () => EventStream, refuse: () => void): void {
    if (this.streaming) return refuse();
    this.#standalone(accept());
  }

  /** A stream is continued where the client lost it: that of a request, or the standalone one. */
  #resume(lastEventId: string, accept: () => EventStream, refuse: () => void): void {
    const replay = this.#log?.after(lastEventId);
    if (replay === undefined) return this.#openStream(accept, refuse);
    const exchange = this.streams.get(replay.stream);
    if (replay.stream === STANDALONE) {
      this.#stream?.end(); // the client says that it has lost it
      this.#stream = null;
    }
    const stream = accept();
    if (exchange) return exchange.resume(stream, replay.events);
    for (const { id, text } of replay.events) stream.send({ id, data: text });
    if (replay.stream === STANDALONE) this.#standalone(stream);
    else stream.end();
  }

  #standalone(stream: EventStream): void {
    this.#stream = stream;
    this.#log ??= new ReplayLog();
    this.#shell.seen(0);
    const self: Ref<HttpSessionMessage> = this.#context.self;
    stream.onClose(() => void self.tell({ type: 'http/stream-closed', stream }));
  }
}

/** For what is not answered. */
const NOWHERE: Channel = {
  answer: () => false,
  notify: () => false,
  release: () => undefined,
  stillWorking: () => undefined,
};
