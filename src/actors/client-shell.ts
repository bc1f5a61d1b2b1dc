/**
 * What the three connection actors have in common: the session's protocol state, the messages that every transport
 * hears, idleness, the console's view. Each transport adds how it writes and how it ends.
 */
import { type ClientTransport, type ConnectionSnapshot } from '../admin/protocol.js';
import { type Verdict } from '../auth/authenticator.js';
import { CLIENT_WORDS } from '../auth/faults.js';
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Ref } from '../kernel/index.js';
import { Deadline } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { errorText, type JsonObject } from '../protocol/jsonrpc.js';
import { type IncomingHeaders } from '../protocol/modern/headers.js';
import { type ParsedFrame, type ParsedMessage } from '../protocol/parse.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type RequestOrigin } from '../telemetry/tracing/call-trace.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { mayHear } from './policy-guard.js';
import { type ClientMessage, type CloseReason, type CredentialNotice, type ShutdownNotice } from './client-message.js';
import { type Access } from './access.js';
import { CredentialWatch } from './credential-watch.js';
import { LegacySession, type SessionEnvironment } from './legacy-session.js';
import { tooLate } from './newcomers.js';
import { type SessionEntry } from './session-directory.js';

export interface ClientFacts {
  readonly sessionId: string;
  readonly transport: ClientTransport;
  readonly scope: string | null;
  /** On whose behalf the client speaks, as far as is known when it connects. */
  readonly principal: Principal;
  /** Socket address of the client. */
  readonly remote: string;
  /** Whom limits count it by while nobody is authenticated; proxies that are trusted are looked through. */
  readonly address: string;
  /** Path that it connected to. */
  readonly route: string;
  /** `traceparent` of the request that opened the connection, where requests have no headers of their own. */
  readonly openedBy?: string | undefined;
}

/** What a transport does in its own way. */
export interface ClientOutlet {
  /** Sends a message that belongs to no request. `false` when it cannot be delivered now. */
  push(text: string): boolean;
  /** Tells the client, in the transport's own way, that the gateway drains. */
  shutdownPending(notice: ShutdownNotice): void;
  /** Tells the client, in the transport's own way, what becomes of its credential. */
  credentialNotice(notice: CredentialNotice): void;
  /** Ends the connection. */
  close(reason: CloseReason): void;
  /** Bytes sent so far. */
  readonly bytesOut: number;
  /** Bytes that wait in this process for the client to read. */
  readonly unread: number;
  /** A stream from the gateway to the client is open. */
  readonly streaming: boolean;
  /** Requests that wait for an answer and are not the session's: those of the modern era. */
  readonly otherInFlight?: number;
  /** Called every `IDLE_CHECK_MS`: keeps the stream alive, or finds it dead. */
  keepAlive(): void;
}

/** How often an idle connection is looked at: heartbeat and idle timeout. */
const IDLE_CHECK_MS = 25_000;

class IdleCheck extends Deadline {
  readonly #ref: Ref<ClientMessage>;
  constructor(ref: Ref<ClientMessage>) {
    super();
    this.#ref = ref;
  }
  override fire(): void {
    this.#ref.tell({ type: 'client/idle-check' });
  }
}

export class ClientShell implements SessionEntry, RequestOrigin {
  readonly session: LegacySession;
  readonly facts: ClientFacts;
  readonly #env: SessionEnvironment;
  readonly ref: Ref<ClientMessage>;
  readonly #outlet: ClientOutlet;
  readonly #counters: TransportCounters;
  readonly #idle: IdleCheck;
  readonly #credential: CredentialWatch;
  readonly #openedAt: number;
  #lastSeenAt: number;
  bytesIn = 0;
  described: RequestOrigin['described'] = null;
  quietUntil: number | null = null;

  constructor(env: SessionEnvironment, context: ActorContext<ClientMessage>, facts: ClientFacts, outlet: ClientOutlet) {
    this.facts = facts;
    this.#env = env;
    this.ref = context.self;
    this.#outlet = outlet;
    this.#counters = env.plane.counters.transports[facts.transport];
    this.session = new LegacySession(env, context.self, facts.scope, facts.principal, this.#counters, (text) =>
      outlet.push(text),
    );
    this.session.origin = this;
    this.#openedAt = env.clock.now();
    this.#lastSeenAt = this.#openedAt;
    this.#idle = new IdleCheck(context.self);
    env.wheel.schedule(this.#idle, IDLE_CHECK_MS);
    this.#credential = new CredentialWatch(context.self, env.wheel, env.plane.auth, facts.principal);
    env.plane.sessions.add(this);
    this.#counters.open += 1;
  }

  get id(): string {
    return this.facts.sessionId;
  }

  get transport(): ClientTransport {
    return this.facts.transport;
  }

  get sessionId(): string {
    return this.facts.sessionId;
  }

  get remote(): string {
    return this.facts.remote;
  }

  get route(): string {
    return this.facts.route;
  }

  get protocolVersion(): string | null {
    return this.session.profile.revision;
  }

  get openedBy(): string | undefined {
    return this.facts.openedBy;
  }

  get scope(): string | null {
    return this.facts.scope;
  }

  get inFlight(): number {
    return this.session.inFlight + (this.#outlet.otherInFlight ?? 0);
  }

  get streaming(): boolean {
    return this.#outlet.streaming;
  }

  get lastSeenAt(): number {
    return this.#lastSeenAt;
  }

  get principal(): Principal {
    return this.session.profile.principal;
  }

  /** The client has shown who it is once more: the same principal, perhaps with a newer credential. */
  set principal(principal: Principal) {
    if (principal === this.principal) return;
    if (principal.key === this.principal.key) this.#credential.renew(principal);
    else this.#credential.replace(principal);
    this.session.profile.principal = principal;
  }

  /** A token that came in band: whose it is shows later, as `client/reauthenticated`. */
  authenticate(token: unknown, access: Access): void {
    const refused = (fault: 'malformed' | 'busy'): void =>
      this.handle({ type: 'client/reauthenticated', verdict: { ok: false, fault } });
    if (typeof token !== 'string') return refused('malformed');
    if (access.loginWait(this.facts.address)) return refused('busy');
    void access
      .verify(token, this.facts.address)
      .then((verdict) => void this.ref.answer({ type: 'client/reauthenticated', verdict }));
  }

  /** Hands a frame to the session. What is refused before it is answered here, in the transport's one way: as an error. */
  receive(frame: ParsedFrame, channel: Channel, access: Access, headers?: IncomingHeaders): void {
    if (frame.kind !== 'batch') {
      if (!this.refused(frame, channel, access)) this.session.receive(frame, channel, headers);
      return;
    }
    this.session.receive(
      { ...frame, items: frame.items.filter((item) => !this.refused(item, channel, access)) },
      channel,
      headers,
    );
  }

  /** A batch without the requests that come too late; they have been answered then. Any other frame as it is. */
  inTime(frame: ParsedFrame, channel: Channel): ParsedFrame {
    if (this.quietUntil === null || frame.kind !== 'batch') return frame;
    return { ...frame, items: frame.items.filter((item) => !this.#late(item, channel)) };
  }

  #late(frame: ParsedMessage, channel: Channel): boolean {
    const late = tooLate(this.quietUntil, this.#env.clock, frame);
    if (!late) return false;
    channel.answer(errorText(late.id ?? null, gatewayError('draining', late.detail, late.data)));
    return true;
  }

  /** Whether a request comes too late or is over a limit; it has been answered then. */
  refused(frame: ParsedMessage, channel: Channel, access: Access): boolean {
    if (frame.kind !== 'request') return false;
    if (this.#late(frame, channel)) return true;
    const refusal = access.limit(this.principal, this.facts.address, frame.message, this.facts.scope);
    if (refusal === undefined) return false;
    channel.answer(errorText(frame.message.id, gatewayError(refusal.name, refusal.reply.detail, refusal.reply.data)));
    return true;
  }

  /** The client was heard of. */
  seen(bytes: number): void {
    this.bytesIn += bytes;
    this.#lastSeenAt = this.#env.clock.now();
  }

  handle(message: ClientMessage): void {
    switch (message.type) {
      case 'call/answered':
        return this.session.answered(message.call, message.message);
      case 'call/failed':
        return this.session.lost(message.call, message.error);
      case 'call/retry':
        return this.session.resend(message.call);
      case 'call/notified':
        return this.session.notified(message.call, message.method, message.params);
      case 'call/expired':
        return this.session.expired(message.call);
      case 'server/requested':
      case 'server/cancelled':
      case 'server/notified':
        return this.session.heard(message);
      case 'resource/updated':
        if (mayHear(this.#env.plane, this.principal, message)) this.#push(updatedText(message.uri, message.params));
        return;
      case 'client/broadcast':
        return this.#push(message.text);
      case 'client/log-message':
        if (this.session.profile.wantsLog(message.params)) this.#push(message.text);
        return;
      case 'client/shutdown-pending':
        return this.#outlet.shutdownPending(message.notice);
      case 'client/hand-over':
      case 'client/list-changed':
        return; // legacy sessions hear it by broadcast
      case 'client/input-late':
        return this.session.inputLate(message.id);
      case 'client/idle-check':
        return this.#idleCheck();
      case 'client/credential-due':
        return this.#credentialDue();
      case 'client/reauthenticated':
        return this.#reauthenticated(message.verdict);
      case 'client/close':
        if (message.ifIdle && this.inFlight > 0) return;
        this.#outlet.close(message.reason);
        return message.replyTo?.reply({ closed: this.facts.sessionId });
    }
  }

  /** Call from the actor's `terminate`. */
  terminate(): void {
    this.#env.wheel.cancel(this.#idle);
    this.#credential.stop();
    this.#env.plane.sessions.remove(this.facts.sessionId, this.ref);
    this.#counters.open -= 1;
    const seconds = (this.#env.clock.now() - this.#openedAt) / 1_000;
    this.#env.plane.counters.durations.serverSessions.record(this.facts.transport, seconds);
    // A client that can still read is owed an answer to each of its requests.
    const reachable = this.facts.transport === 'http' || this.#outlet.streaming;
    if (reachable) this.session.failAll('cancelled_by_gateway', 'the gateway ended the session');
    this.session.close('the client is gone');
    const { wantedLevel } = this.session.profile;
    if (wantedLevel !== null) this.#env.onLogLevel(wantedLevel, null);
  }

  #push(text: string): void {
    if (this.session.phase !== 'ready') return; // before `initialized` a server says nothing of its own
    if (this.#outlet.push(text)) this.session.sent();
    else this.#env.plane.counters.drop('client_gone');
  }

  #credentialDue(): void {
    const state = this.#credential.look();
    if (state === undefined) return;
    this.#outlet.credentialNotice({ state, expires_at: this.#credential.expiresAt });
    if (state !== 'expiring') this.#outlet.close(state);
  }

  /** Another one's token does not make this another one's session. */
  #reauthenticated(verdict: Verdict): void {
    const { expiresAt } = this.#credential;
    const reason = !verdict.ok
      ? CLIENT_WORDS[verdict.fault]
      : verdict.principal.key === this.principal.key
        ? undefined
        : 'the token is of another subject';
    if (reason === undefined && verdict.ok) this.principal = verdict.principal;
    this.#outlet.credentialNotice(
      reason === undefined
        ? { state: 'renewed', expires_at: this.#credential.expiresAt }
        : { state: 'refused', expires_at: expiresAt, reason },
    );
  }

  #idleCheck(): void {
    const quietFor = this.#env.clock.now() - this.#lastSeenAt;
    const busy = this.inFlight > 0 || this.#outlet.streaming;
    if (!busy && quietFor >= this.#env.plane.options.sessions.idleTimeout) return this.#outlet.close('idle');
    this.#outlet.keepAlive();
    this.session.keepAlive();
    this.#env.wheel.schedule(this.#idle, IDLE_CHECK_MS);
  }

  inspect(): ConnectionSnapshot {
    const { session, facts } = this;
    return {
      actor: this.ref.path,
      transport: facts.transport,
      sessionId: facts.sessionId,
      principal: this.principal.subject,
      role: this.principal.subject === null ? null : this.principal.role,
      remote: facts.remote,
      client: session.profile.name,
      protocolVersion: session.profile.revision,
      route: facts.route,
      openedAt: this.#openedAt,
      lastSeenAt: this.#lastSeenAt,
      messagesIn: session.messagesIn,
      messagesOut: session.messagesOut,
      bytesIn: this.bytesIn,
      bytesOut: this.#outlet.bytesOut,
      unread: this.#outlet.unread,
      inFlight: this.inFlight,
      streaming: this.#outlet.streaming,
    };
  }
}

/** The update under the URI that this client knows. */
function updatedText(uri: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { ...params, uri } });
}
