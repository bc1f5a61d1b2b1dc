/**
 * Upstream session: one MCP session with one upstream, over one transport.
 *
 * Parent: upstream:<name>/sessions. Restart: temporary; the upstream's lifecycle actor starts the next one.
 *
 * Invariants: upstream ids are integers of its own, never used twice, so equal ids of different clients never meet; an
 * answer reaches the call that it belongs to or is counted as dropped; when the session ends, by whatever cause, every
 * call that it holds is answered.
 * Source: MCP specification 2025-11-25, "Base Protocol" (lifecycle, cancellation, progress, ping).
 */
import { type ActorContext, type ActorSystem, type Behavior, NORMAL, type Ref, toError } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonRpcId, type JsonRpcMessage, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Listing } from '../routing/routing-table.js';
import { type Counters } from '../telemetry/counters.js';
import { type Logger } from '../telemetry/logger.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '../transports/outbound/transport.js';
import { CallReplies } from './call-replies.js';
import { type Call, type UpstreamSessionMessage } from './call.js';
import { type Era, type SessionClient, type UpstreamGate } from './upstream-gate.js';
import { callError } from './upstream-errors.js';
import { UpstreamListening } from './upstream-listening.js';
import { disprovesEra, greet } from './upstream-greeting.js';
import { RequestFailed } from './upstream-probe.js';
import { Relisting, type RelistingMessage } from './upstream-relisting.js';
import { OwnRequests } from './upstream-requests.js';
import { UpstreamVoice } from './upstream-voice.js';
import { LEGACY_WIRE, type UpstreamWire } from './upstream-wire.js';
import { listAll, NO_LISTING, type ServerFacts } from './upstream-handshake.js';
import { PendingRequests } from './pending-requests.js';

/** What the session tells the lifecycle actor. After `session/ended` it exits. */
export type UpstreamSessionEvent =
  | { readonly type: 'session/opened'; readonly ref: Ref<UpstreamSessionMessage>; readonly pid: number | undefined }
  | {
      readonly type: 'session/ready';
      readonly ref: Ref<UpstreamSessionMessage>;
      readonly facts: ServerFacts;
      readonly listing: Listing;
    }
  | { readonly type: 'session/listed'; readonly ref: Ref<UpstreamSessionMessage>; readonly listing: Listing }
  /** `unsent`: calls that the upstream is known not to have begun, for the next session. */
  | {
      readonly type: 'session/ended';
      readonly ref: Ref<UpstreamSessionMessage>;
      readonly why: string;
      /** The upstream knows the session no more: a new one is worth trying at once. */
      readonly forgotten: boolean;
      /** It ended while its era was being found out: the question may have been too much for it. */
      readonly probing: boolean;
      readonly unsent: readonly Call[];
    };

export interface UpstreamSessionDeps {
  readonly system: ActorSystem;
  readonly server: string;
  readonly version: string;
  /** The lifecycle actor, until another adopts the session; `null` for a session that is one client's alone. */
  readonly owner: Ref<UpstreamSessionEvent> | null;
  /** How the server's era is known. */
  readonly era: 'auto' | Era;
  /** Reached over Streamable HTTP. */
  readonly http: boolean;
  /** The client that alone uses this session and can be asked over it. */
  readonly client: SessionClient | null;
  readonly gate: UpstreamGate;
  readonly counters: Counters;
  readonly log: Logger;
  readonly connectTimeout: number;
  readonly shutdownGrace: number;
  readonly relistDelay: number;
  readonly createTransport: (handlers: OutboundHandlers) => OutboundTransport;
  /** Called with the number of bytes that were no message. */
  readonly onJunk: (bytes: number) => void;
}

export type UpstreamSessionInbox =
  | UpstreamSessionMessage
  /** A restarted lifecycle actor takes the session over. */
  | { readonly type: 'session/adopt'; readonly owner: Ref<UpstreamSessionEvent> }
  | { readonly type: 'transport/opened'; readonly error: TransportError | undefined }
  | { readonly type: 'transport/received'; readonly message: JsonRpcMessage }
  | { readonly type: 'transport/request-failed'; readonly id: JsonRpcId; readonly error: TransportError }
  | { readonly type: 'transport/closed'; readonly error: TransportError }
  | { readonly type: 'handshake/done'; readonly facts: ServerFacts; readonly listing: Listing }
  | { readonly type: 'handshake/failed'; readonly error: Error }
  | RelistingMessage
  | { readonly type: 'handshake/late' }
  /** Time to open the stream of a modern server's changes again. */
  | { readonly type: 'listen/again' };

export function upstreamSession(deps: UpstreamSessionDeps) {
  return (context: ActorContext<UpstreamSessionInbox>): Behavior<UpstreamSessionInbox> =>
    new UpstreamSession(deps, context);
}

class UpstreamSession implements Behavior<UpstreamSessionInbox> {
  readonly #deps: UpstreamSessionDeps;
  readonly #context: ActorContext<UpstreamSessionInbox>;
  readonly #transport: OutboundTransport;
  readonly #pending = new PendingRequests();
  #owner: Ref<UpstreamSessionEvent> | null;
  /** Calls that came before the handshake was done: only a client's own session gets any. Bounded by the gate. */
  #early: Call[] = [];
  #ready: { readonly facts: ServerFacts; listing: Listing } | null = null;
  #wire: UpstreamWire = LEGACY_WIRE;
  #probing = false;
  readonly #listening: UpstreamListening;
  readonly #voice: UpstreamVoice;
  readonly #requests: OwnRequests;
  readonly #relisting: Relisting;
  readonly #replies: CallReplies;
  #ended = false;

  constructor(deps: UpstreamSessionDeps, context: ActorContext<UpstreamSessionInbox>) {
    this.#deps = deps;
    this.#context = context;
    this.#owner = deps.owner;
    this.#replies = new CallReplies(deps.server, deps.counters.durations);
    const odd = (what: string): void => this.#odd(what);
    this.#requests = new OwnRequests({
      ...deps,
      pending: this.#pending,
      transport: () => this.#transport,
      wire: () => this.#wire,
      odd,
    });
    this.#relisting = new Relisting({ ...deps, context, pending: this.#pending, requests: this.#requests, odd });
    this.#voice = new UpstreamVoice({
      ...deps,
      pending: this.#pending,
      self: context.self,
      listChanged: () => {
        if (this.#ready && !deps.client) this.#relisting.plan();
      },
      answer: (answer) => void this.#transport.send({ jsonrpc: '2.0', ...answer }),
    });
    this.#listening = new UpstreamListening({
      wanted: () => [...deps.gate.subscriptions.keys()],
      open: (params) => this.#requests.open('subscriptions/listen', params),
      close: (id) => this.#requests.drop(id),
      later: (ms) => context.after(ms, { type: 'listen/again' }),
    });
    const self = context.self;
    this.#transport = deps.createTransport({
      onMessage: (message) => {
        // An answer must not be refused: its number is bounded by what this session asked for.
        if (!('method' in message)) this.#accept({ type: 'transport/received', message });
        else if (self.accept({ type: 'transport/received', message }) === 'full')
          deps.counters.drop('notification_overflow');
      },
      onRequestFailed: (id, error) => void self.answer({ type: 'transport/request-failed', id, error }),
      onClosed: (error) => void self.answer({ type: 'transport/closed', error }),
      onStderr: (line) => deps.log.info({ event: 'upstream_stderr', upstream: deps.server }, line),
      onJunk: (sample, bytes) => {
        deps.counters.drop('upstream_junk');
        deps.onJunk(bytes);
        deps.log.warn({ event: 'upstream_junk', upstream: deps.server, bytes, sample }, 'skipped what is no message');
      },
    });
    void this.#transport.open(context.signal).then((error) => self.answer({ type: 'transport/opened', error }));
    context.after(deps.connectTimeout, { type: 'handshake/late' });
    if (deps.client) deps.gate.ownSessions += 1;
    if (deps.client) context.monitor(deps.client.ref, () => ({ type: 'session/close', reason: 'its client is gone' }));
  }

  handle(message: UpstreamSessionInbox): void {
    switch (message.type) {
      case 'call':
        return this.#send(message);
      case 'transport/received':
        return this.#received(message.message);
      case 'call/cancel':
        return this.#cancel(message.call, message.reason);
      case 'transport/request-failed':
        return this.#requestFailed(message.id, message.error);
      case 'transport/opened':
        return message.error ? this.#end(message.error.message) : this.#handshake();
      case 'transport/closed':
        return this.#end(message.error.message, message.error.kind === 'session_lost');
      case 'handshake/done':
        return this.#becameReady(message.facts, message.listing);
      case 'handshake/failed':
        return this.#end(message.error.message);
      case 'handshake/late':
        if (this.#ready === null) this.#end(this.#lateMessage());
        return;
      case 'relist/due':
        if (this.#ready) this.#relisting.due(this.#ready.facts, this.#ready.listing);
        return;
      case 'relist/over':
        return this.#listed(this.#relisting.over(message.round, message.outcome));
      case 'log-level':
        return this.#setLogLevel(message.level);
      case 'server-request/answered':
        this.#transport.send({ jsonrpc: '2.0', ...message.answer });
        return;
      case 'client/said':
        return this.#requests.notify(message.method, message.params);
      case 'resource/subscribe':
        if (this.#listening.running) return this.#listening.restart();
        return this.#requests.inform('resources/subscribe', { uri: message.uri });
      case 'resource/unsubscribe':
        if (this.#listening.running) return this.#listening.restart();
        return this.#requests.inform('resources/unsubscribe', { uri: message.uri });
      case 'listen/again':
        return this.#listening.again();
      case 'session/adopt':
        this.#owner = message.owner;
        return this.#announce();
      case 'session/close':
        return this.#end(message.reason);
    }
  }

  async terminate(): Promise<void> {
    if (this.#deps.client) this.#deps.gate.ownSessions -= 1;
    this.#failPending('the gateway ended the session');
    this.#replies.closed();
    await this.#transport.close(this.#deps.shutdownGrace);
  }

  unhandled(message: UpstreamSessionInbox): void {
    if (message.type === 'call') this.#lost(message, 'the session ended before the call was sent');
  }

  #announce(): void {
    if (this.#ready) this.#owner?.answer({ type: 'session/ready', ref: this.#context.self, ...this.#ready });
  }

  /** Answers arrive in order with what was said before them, whatever waits. */
  #accept(message: UpstreamSessionInbox): void {
    if (this.#context.self.accept(message) === 'full') this.#context.self.answer(message);
  }

  #becameReady(facts: ServerFacts, listing: Listing): void {
    this.#ready = { facts, listing };
    this.#announce();
    const { logLevel } = this.#deps.gate;
    if (logLevel !== null) this.#setLogLevel(logLevel);
    for (let call = this.#early.shift(); call; call = this.#early.shift()) this.#send(call);
    if (this.#deps.client) return;
    if (facts.era === 'modern') return this.#listening.start(facts.capabilities);
    for (const uri of this.#deps.gate.subscriptions.keys()) this.#requests.inform('resources/subscribe', { uri });
  }

  #send(call: Call): void {
    if (call.cancelled) return;
    if (this.#ready === null) {
      this.#early.push(call);
      return;
    }
    const id = this.#pending.nextId();
    // Before it is sent: whatever happens from here on, the call is answered.
    call.upstreamId = id;
    this.#pending.add(id, call);
    this.#replies.sent(call);
    const { params, headers } = this.#wire.call(call, id);
    if (this.#transport.send({ jsonrpc: '2.0', id, method: call.method, params }, headers)) return;
    this.#pending.take(id);
    const { server } = this.#deps;
    this.#replies.failed(call, gatewayError('overloaded', `upstream "${server}" reads too slowly`, { server }));
  }

  #cancel(call: Call, reason: string): void {
    const id = call.upstreamId;
    if (this.#pending.call(id) !== call) return;
    this.#pending.take(id);
    this.#replies.cancelled(call);
    this.#transport.abandon(id);
    // A modern server over HTTP reads the closed stream; everybody else is told.
    if (this.#ready?.facts.era === 'modern' && this.#deps.http) return;
    this.#requests.notify('notifications/cancelled', { requestId: id, reason });
  }

  #received(message: JsonRpcMessage): void {
    if ('method' in message) {
      if ('id' in message) this.#voice.request(message.id, message.method, message.params ?? {});
      else this.#voice.notification(message.method, message.params ?? {});
      return;
    }
    const waiting = this.#pending.take(message.id);
    if (waiting === undefined) {
      this.#deps.counters.drop('unknown_response_id');
      return;
    }
    if (waiting.type === 'own') waiting.settle(message);
    else this.#replies.answered(waiting, message);
    this.#checkEra(message);
  }

  #requestFailed(id: JsonRpcId, error: TransportError): void {
    // A lost session ends as a whole, right after.
    if (error.kind === 'session_lost') return this.#pending.refused(id);
    const waiting = this.#pending.take(id);
    if (waiting === undefined) return;
    if (waiting.type === 'own') waiting.fail(new RequestFailed(error.message, error));
    else this.#replies.failed(waiting, callError(this.#deps.server, error));
    this.#checkEra(error);
  }

  #checkEra(answer: JsonRpcResponse | TransportError): void {
    const era = this.#ready?.facts.era;
    if (era && disprovesEra(era, answer)) this.#end('another server answers there now', true);
  }

  #handshake(): void {
    this.#owner?.answer({ type: 'session/opened', ref: this.#context.self, pid: this.#transport.pid });
    void this.#greet().catch((cause: unknown) =>
      this.#context.self.answer({ type: 'handshake/failed', error: toError(cause) }),
    );
  }

  async #greet(): Promise<void> {
    const { client, era, version, connectTimeout } = this.#deps;
    const { network } = this.#transport;
    const { clock } = this.#context;
    this.#probing = era === 'auto' && client === null;
    const request = this.#requests.request.bind(this.#requests);
    const { facts, wire } = await greet({ network, era, client, version, connectTimeout, clock, request });
    this.#probing = false;
    this.#wire = wire;
    if (facts.era === 'legacy') {
      this.#transport.setProtocolVersion(facts.protocolVersion);
      this.#requests.notify('notifications/initialized');
      this.#transport.listen();
    }
    const listing = client
      ? NO_LISTING
      : await listAll(
          (method, params) => this.#requests.request(method, params),
          facts,
          (what) => this.#odd(what),
        );
    this.#context.self.answer({ type: 'handshake/done', facts, listing });
  }

  #listed(listing: Listing | undefined): void {
    if (this.#ready === null || listing === undefined) return;
    this.#ready.listing = listing;
    this.#owner?.answer({ type: 'session/listed', ref: this.#context.self, listing });
  }

  #odd(what: string): void {
    this.#deps.log.warn({ event: 'upstream_odd', upstream: this.#deps.server }, what);
  }

  #setLogLevel(level: string): void {
    if (!this.#ready || !('logging' in this.#ready.facts.capabilities)) return;
    this.#requests.inform('logging/setLevel', { level });
  }

  #lateMessage(): string {
    const methods = [...new Set(this.#pending.ownMethods())];
    const what = methods.length > 0 ? `no answer to ${methods.join(', ')}` : 'not connected';
    return `${what} within ${this.#deps.connectTimeout} ms`;
  }

  #end(why: string, forgotten = false): void {
    if (this.#ended) return;
    this.#ended = true;
    // The upstream said of these that it knows no such session: none of them was begun.
    const unsent = forgotten ? this.#pending.takeRefused() : [];
    this.#failPending(why);
    const told = this.#owner?.answer({
      type: 'session/ended',
      ref: this.#context.self,
      why,
      forgotten,
      probing: this.#probing,
      unsent,
    });
    // A client's own session has no next one, and between two incarnations of the lifecycle nobody takes them over.
    if (told !== 'ok') for (const call of unsent) this.#lost(call, why);
    this.#context.exit(NORMAL);
  }

  #failPending(why: string): void {
    this.#ended = true;
    this.#requests.end();
    for (const entry of [...this.#early.splice(0), ...this.#pending.takeAll()]) {
      if (entry.type === 'own') entry.fail(new RequestFailed(why));
      else this.#lost(entry, why);
    }
  }

  #lost(call: Call, why: string): void {
    const { server } = this.#deps;
    const name = call.upstreamId === 0 ? 'upstream_unavailable' : 'upstream_lost';
    this.#replies.failed(call, gatewayError(name, `upstream "${server}": ${why}`, { server }));
  }
}
