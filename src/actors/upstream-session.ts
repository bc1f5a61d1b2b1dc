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
import { type ActorContext, type Behavior, NORMAL, type Ref, toError } from '../kernel/index.js';
import { type JsonRpcId, type JsonRpcMessage } from '../protocol/jsonrpc.js';
import { type Listing } from '../routing/routing-table.js';
import { type OutboundTransport, type TransportError } from '../transports/outbound/transport.js';
import { CallReplies } from './call-replies.js';
import { type Call } from './call.js';
import { type Lease } from './lease.js';
import { UpstreamListening } from './upstream-listening.js';
import { EraWatch } from './upstream-era-watch.js';
import { callError, lateMessage, lostError, slowError } from './upstream-errors.js';
import { askEra, gatewayInfo, greet } from './upstream-greeting.js';
import { RequestFailed } from './upstream-probe.js';
import { Relisting } from './upstream-relisting.js';
import { OwnRequests } from './upstream-requests.js';
import {
  type UpstreamSessionDeps,
  type UpstreamSessionEvent,
  type UpstreamSessionInbox,
} from './upstream-session-messages.js';
import { UpstreamVoice } from './upstream-voice.js';
import { LEGACY_WIRE, type UpstreamWire } from './upstream-wire.js';
import { listAll, NO_LISTING, type ServerFacts } from './upstream-handshake.js';
import { PendingRequests } from './pending-requests.js';

export type { UpstreamSessionDeps, UpstreamSessionEvent, UpstreamSessionInbox } from './upstream-session-messages.js';

export function upstreamSession(deps: UpstreamSessionDeps) {
  return (context: ActorContext<UpstreamSessionInbox>): Behavior<UpstreamSessionInbox> =>
    new UpstreamSession(deps, context);
}

class UpstreamSession implements Behavior<UpstreamSessionInbox> {
  readonly #deps: UpstreamSessionDeps;
  readonly #context: ActorContext<UpstreamSessionInbox>;
  readonly #transport: OutboundTransport;
  readonly #pending: PendingRequests;
  #lease: Lease | null;
  #opened = false;
  /** It takes no new calls. */
  #finishing = false;
  #owner: Ref<UpstreamSessionEvent> | null;
  /** Calls from before the handshake was done (of a leased session) or after the transport's end. Bounded by the gate. */
  readonly #unsent: Call[] = [];
  #closed = false;
  #ready: { readonly facts: ServerFacts; listing: Listing } | null = null;
  #wire: UpstreamWire = LEGACY_WIRE;
  #probing = false;
  readonly #listening: UpstreamListening;
  readonly #voice: UpstreamVoice;
  readonly #requests: OwnRequests;
  readonly #relisting: Relisting;
  readonly #era: EraWatch;
  readonly #replies: CallReplies;
  #ended = false;

  constructor(deps: UpstreamSessionDeps, context: ActorContext<UpstreamSessionInbox>) {
    this.#deps = deps;
    this.#context = context;
    this.#owner = deps.owner;
    this.#replies = new CallReplies(deps.server, deps.counters.durations, () => this.#transport.network);
    this.#lease = deps.lease;
    this.#pending = new PendingRequests(deps.load);
    const odd = (what: string): void => this.#odd(what);
    this.#requests = new OwnRequests({
      ...deps,
      pending: this.#pending,
      transport: () => this.#transport,
      wire: () => this.#wire,
      odd,
      onSlow: () => deps.counters.drop('upstream_slow'),
    });
    this.#relisting = new Relisting({ ...deps, context, pending: this.#pending, requests: this.#requests, odd });
    this.#voice = new UpstreamVoice({
      ...deps,
      pending: this.#pending,
      lease: () => this.#lease,
      listChanged: () => {
        if (this.#ready && deps.role === 'primary') this.#relisting.plan();
      },
      answer: (answer) => this.#requests.reply(answer),
    });
    this.#listening = new UpstreamListening({
      wanted: () => [...deps.gate.subscriptions.keys()],
      open: (params) => this.#requests.open('subscriptions/listen', params),
      close: (id) => this.#requests.drop(id),
      later: (ms) => context.after(ms, { type: 'listen/again' }),
    });
    const self = context.self;
    this.#era = new EraWatch({
      era: () => this.#ready?.facts.era,
      probe: () => askEra(this.#asking(), gatewayInfo(deps.version)),
      clock: context.clock,
      onChange: () => void self.answer({ type: 'era/changed' }),
    });
    this.#transport = deps.createTransport({
      onMessage: (message) => {
        // An answer must not be refused: its number is bounded by what this session asked for.
        if (!('method' in message)) this.#accept({ type: 'transport/received', message });
        else if (self.accept({ type: 'transport/received', message }) === 'full')
          deps.counters.drop('notification_overflow');
      },
      onRequestFailed: (id, error) => void self.answer({ type: 'transport/request-failed', id, error }),
      onClosed: (error) => {
        this.#closed = true;
        void self.answer({ type: 'transport/closed', error });
      },
      onDoubt: () => void self.answer({ type: 'era/doubted' }),
      onStderr: (line) => deps.log.info({ event: 'upstream_stderr', upstream: deps.server }, line),
      onJunk: (sample, bytes) => {
        deps.counters.drop('upstream_junk');
        deps.onJunk(bytes);
        deps.log.warn({ event: 'upstream_junk', upstream: deps.server, bytes, sample }, 'skipped what is no message');
      },
    });
    void this.#transport.open(context.signal).then((error) => self.answer({ type: 'transport/opened', error }));
    if (!this.#waits) context.after(deps.connectTimeout, { type: 'handshake/late' });
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
        return message.error ? this.#end(message.error.message) : this.#wasOpened();
      case 'transport/closed':
        return this.#end(message.error.message, message.error.kind === 'session_lost');
      case 'handshake/done':
        return this.#becameReady(message.facts, message.listing);
      case 'handshake/failed':
        return this.#end(message.error.message);
      case 'handshake/late':
        if (this.#ready === null) this.#end(lateMessage(this.#pending.ownMethods(), this.#deps.connectTimeout));
        return;
      case 'era/doubted':
        if (this.#deps.era === 'auto') this.#era.doubt();
        return;
      case 'era/changed':
        return this.#end('another server answers there now', true);
      case 'relist/due':
        return this.#relisting.due(this.#ready);
      case 'relist/over':
        return this.#listed(this.#relisting.over(message.round, message.outcome));
      case 'log-level':
        return this.#setLogLevel(message.level);
      case 'session/check':
        return this.#requests.check(this.#ready?.facts.era === 'modern', message.ended);
      case 'server-request/answered':
        return this.#requests.reply(message.answer);
      case 'client/said':
        return this.#requests.notify(message.method, message.params);
      case 'resource/subscribe':
      case 'resource/unsubscribe':
        if (this.#listening.running) return this.#listening.restart();
        return this.#requests.inform(message.type.replace('resource', 'resources'), { uri: message.uri });
      case 'listen/again':
        return this.#listening.again();
      case 'session/lease':
        return this.#leased(message.lease);
      case 'session/ping':
        return this.#ping(message.within);
      case 'ping/late':
        if (this.#pending.take(message.id)) this.#end('it did not answer a ping');
        return;
      case 'session/finish':
        this.#finishing = true;
        return this.#finishedPerhaps();
      case 'session/adopt':
        this.#owner = message.owner;
        return this.#announce();
      case 'session/close':
        return this.#end(message.reason);
    }
  }

  async terminate(): Promise<void> {
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
    if (!this.#closed) for (const call of this.#unsent.splice(0)) if (!call.cancelled) this.#transmit(call);
    this.#finishedPerhaps();
    if (this.#deps.role !== 'primary') return;
    if (facts.era === 'modern') return this.#listening.start(facts.capabilities);
    for (const uri of this.#deps.gate.subscriptions.keys()) this.#requests.inform('resources/subscribe', { uri });
  }

  #send(call: Call): void {
    if (call.cancelled) return;
    if (this.#finishing) return this.#lost(call, 'it takes no new calls');
    if (this.#ready === null || this.#closed) this.#unsent.push(call);
    else this.#transmit(call);
  }

  #transmit(call: Call): void {
    const id = this.#pending.nextId();
    // Before it is sent: whatever happens from here on, the call is answered.
    call.upstreamId = id;
    call.carrier = this.#context.self;
    this.#pending.add(id, call);
    const context = this.#replies.sent(call) ?? undefined;
    const { params, headers } = this.#wire.call(call, id, context);
    if (this.#transport.send({ jsonrpc: '2.0', id, method: call.method, params }, headers, context)) return;
    this.#pending.take(id);
    this.#replies.failed(call, slowError(this.#deps.server));
  }

  #cancel(call: Call, reason: string): void {
    const id = call.upstreamId;
    if (this.#pending.call(id) !== call) return;
    this.#pending.take(id);
    this.#replies.cancelled(call);
    this.#transport.abandon(id);
    this.#finishedPerhaps();
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
    this.#finishedPerhaps();
    this.#era.heard(message);
  }

  #requestFailed(id: JsonRpcId, error: TransportError): void {
    // A lost session ends as a whole, right after.
    if (error.kind === 'session_lost') return this.#pending.refused(id);
    const waiting = this.#pending.take(id);
    if (waiting === undefined) return;
    if (waiting.type === 'own') waiting.fail(new RequestFailed(error.message, error));
    else this.#replies.failed(waiting, callError(this.#deps.server, error));
    this.#finishedPerhaps();
    this.#era.heard(error);
  }

  /** Kept ready: it has a process, and has said nothing to it yet. */
  get #waits(): boolean {
    return this.#deps.role === 'leased' && this.#lease === null;
  }

  #wasOpened(): void {
    this.#opened = true;
    if (!this.#waits) this.#handshake();
  }

  #leased(lease: Lease | null): void {
    const first = this.#waits && this.#ready === null;
    this.#lease = lease;
    if (!first || lease === null) return;
    this.#context.after(this.#deps.connectTimeout, { type: 'handshake/late' });
    if (this.#opened) this.#handshake();
  }

  /** A ping may come before the handshake (specification, "Lifecycle › Initialization"). */
  #ping(within: number): void {
    if (!this.#opened || this.#lease !== null) return;
    const id = this.#pending.peekId();
    this.#context.after(within, { type: 'ping/late', id });
    this.#requests.ping();
  }

  #finishedPerhaps(): void {
    if (this.#finishing && this.#ready && this.#pending.count === 0) this.#end('it was told to finish');
  }

  #handshake(): void {
    this.#owner?.answer({ type: 'session/opened', ref: this.#context.self, pid: this.#transport.pid });
    void this.#greet().catch((cause: unknown) =>
      this.#context.self.answer({ type: 'handshake/failed', error: toError(cause) }),
    );
  }

  /** What asking the server who it is takes. */
  #asking() {
    const { network } = this.#transport;
    const { connectTimeout } = this.#deps;
    const request = this.#requests.request.bind(this.#requests);
    return { network, connectTimeout, clock: this.#context.clock, request };
  }

  async #greet(): Promise<void> {
    const { role, version } = this.#deps;
    // Leases are of servers that are known to be legacy.
    const era = role === 'leased' ? 'legacy' : this.#deps.era;
    const terms = this.#lease?.terms;
    // For several clients at once nobody's own words can stand.
    const client = terms === undefined || terms.joint ? null : terms;
    this.#probing = era === 'auto';
    const { facts, wire } = await greet({ ...this.#asking(), era, client, version });
    this.#probing = false;
    this.#wire = wire;
    if (facts.era === 'legacy') {
      this.#transport.setProtocolVersion(facts.protocolVersion);
      this.#requests.notify('notifications/initialized');
      this.#transport.listen();
    }
    const listing =
      role !== 'primary'
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

  #end(why: string, forgotten = false): void {
    if (this.#ended) return;
    this.#ended = true;
    // The upstream said that it knows no such session, or the calls came after that: none was begun.
    const unsent = forgotten && this.#ready ? [...this.#pending.takeRefused(), ...this.#unsent.splice(0)] : [];
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
    for (const entry of [...this.#unsent.splice(0), ...this.#pending.takeAll()]) {
      if (entry.type === 'own') entry.fail(new RequestFailed(why));
      else this.#lost(entry, why);
    }
  }

  #lost(call: Call, why: string): void {
    this.#replies.failed(call, lostError(this.#deps.server, call, why));
  }
}
