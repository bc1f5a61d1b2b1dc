/**
 * The protocol state of one client session of the legacy era (2024-11-05 … 2025-11-25). Process-free: the connection
 * actors (`http-session.ts`, `sse-connection.ts`, `websocket-connection.ts`) are thin shells around it.
 *
 * Invariants: every request gets exactly one answer, which is given by whoever removes its call from `#calls`; ids are
 * compared as the client wrote them (`1` is not `"1"`); what an upstream says during a call comes before its answer.
 * Source: MCP specification, revisions 2024-11-05 … 2025-11-25, "Base Protocol".
 */
import { type Principal } from '../auth/principal.js';
import { type ActorSystem, type Clock, type Ref, type TimerWheel } from '../kernel/index.js';
import { decodeCursor, LIST_KINDS, type CursorKind } from '../protocol/cursor.js';
import { type ErrorName, gatewayError } from '../protocol/errors.js';
import {
  errorText,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
  type JsonRpcRequest,
  type JsonRpcResponse,
  resultText,
} from '../protocol/jsonrpc.js';
import { type IncomingHeaders } from '../protocol/modern/headers.js';
import { CLIENT_NOTIFICATIONS, CLIENT_REQUESTS, isLogLevel, type LogLevel } from '../protocol/methods.js';
import { resultType } from '../protocol/modern/envelope.js';
import { paramsFault } from '../protocol/params.js';
import { type ParsedFrame, type ParsedMessage } from '../protocol/parse.js';
import { stripControl } from '../protocol/text.js';
import { gatewayTool, type UpstreamRoute } from '../routing/resolve.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { type RequestOrigin } from '../telemetry/tracing/call-trace.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type Call, type ServerEvent } from './call.js';
import { resolveFor } from './awaited.js';
import { ClientLinks } from './client-links.js';
import { type ClientMessage } from './client-message.js';
import { ClientProfile } from './client-profile.js';
import { InputRounds } from './input-rounds.js';
import { CallTable } from './call-table.js';
import { answerText, badLevel, eachOf, initializeResult } from './legacy-answers.js';
import { LegacySubscriptions } from './legacy-subscriptions.js';
import { type NotResolved, refusalOf, viewFor } from './policy-guard.js';
import { type DataPlane } from './data-plane.js';

export interface SessionEnvironment {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly version: string;
  /** A session that wanted log messages from `before` on wants them from `after` on; `null`: it asks for no level. */
  readonly onLogLevel: (before: LogLevel | null, after: LogLevel | null) => void;
}

/** new → initializing (answered `initialize`) → ready (heard `initialized`). */
export type SessionPhase = 'new' | 'initializing' | 'ready';

export class LegacySession {
  readonly #env: SessionEnvironment;
  readonly #counters: TransportCounters;
  readonly #calls: CallTable;
  readonly #links: ClientLinks;
  readonly #self: Ref<ClientMessage>;
  /** Made when a modern upstream first asks for input. */
  #rounds: InputRounds | null = null;
  readonly profile: ClientProfile;
  /** `null` for the aggregate, else the upstream's name. */
  readonly scope: string | null;
  phase: SessionPhase = 'new';
  messagesIn = 0;
  messagesOut = 0;

  constructor(
    env: SessionEnvironment,
    self: Ref<ClientMessage>,
    scope: string | null,
    principal: Principal,
    counters: TransportCounters,
    push: (text: string) => boolean,
  ) {
    this.#env = env;
    this.profile = new ClientProfile(principal);
    this.#calls = new CallTable(env, self, counters);
    this.#links = new ClientLinks(self, env.plane.counters, push);
    this.#self = self;
    this.scope = scope;
    this.#counters = counters;
  }

  /** Where its requests come in, for traces. */
  set origin(origin: RequestOrigin) {
    this.#calls.watch.origin = origin;
  }

  get subscriptions(): LegacySubscriptions {
    return new LegacySubscriptions(this.#links, this.#calls, this.profile);
  }

  get inFlight(): number {
    return this.#calls.size + (this.#rounds?.size ?? 0);
  }

  /** One frame of the client's. Every request in it is answered on `channel`, now or later. `headers`: of its HTTP request. */
  receive(frame: ParsedFrame, channel: Channel, headers?: IncomingHeaders): void {
    if (frame.kind !== 'batch') return this.#message(frame, channel, headers);
    if (!this.profile.allowsBatch) return this.#refuse(null, gatewayError('batch_unsupported'), channel);
    eachOf(frame.items, (item) => this.#message(item, channel, headers));
  }

  /** The upstream answered. */
  answered(call: Call, message: JsonRpcResponse): void {
    if (!this.#calls.take(call)) return;
    if (call.gate.era === 'modern' && 'result' in message && resultType(message.result) === 'input_required') {
      this.#calls.heldUp(call);
      return this.#input().begin(call, message.result);
    }
    if ('error' in message && call.method === 'resources/subscribe')
      this.#links.unsubscribe(call.gate, call.params['uri'] as string);
    this.#calls.countAnswer(call, message);
    this.#answer(call.channel, answerText(call, message));
  }

  #answerFailed(call: Call, error: JsonRpcErrorObject): void {
    this.#calls.countGivenUp(call, error);
    this.#answer(call.channel, errorText(call.id, error));
  }

  /** The client has given what a modern upstream asked for: the same call once more, with it. */
  #retry(call: Call, params: JsonObject): void {
    const { principal, caller } = this.profile;
    const refusal = this.#calls.retry(call, params, this.#links.to(call.gate, principal), caller);
    if (refusal) this.#refuse(call.id, refusal, call.channel);
  }

  /** The client did not answer in time what it was asked for this call. */
  inputLate(id: JsonRpcId): void {
    const call = this.#rounds?.take(id);
    if (call)
      this.#answerFailed(call, gatewayError('request_timeout', 'the client did not answer what the server asked'));
  }

  /** Its upstream could not be reached, or was lost on the way: where that does no harm, it is sent once more. */
  lost(call: Call, error: JsonRpcErrorObject): void {
    if (!this.#calls.again(call, error)) this.failed(call, error);
  }

  resend(call: Call): void {
    const error = this.#calls.resend(call, this.#links.to(call.gate, this.profile.principal));
    if (error) this.failed(call, error);
  }

  /** The gateway could not get an answer; `false` when the call was answered before. */
  failed(call: Call, error: JsonRpcErrorObject): boolean {
    if (!this.#calls.take(call)) return false;
    this.#calls.countFailure(call, error);
    this.#answer(call.channel, errorText(call.id, error));
    return true;
  }

  /** Its deadline is over: the client is answered, the upstream is told. */
  expired(call: Call): void {
    if (!this.#calls.overdue(call)) return;
    const late = this.failed(call, gatewayError('request_timeout', ...this.#calls.timedOut(call)));
    if (late) this.#calls.cancelUpstream(call, 'deadline exceeded');
  }

  /** A notification during a call. */
  notified(call: Call, method: string, params: JsonObject): void {
    if (this.#calls.get(call.id) !== call) return this.#env.plane.counters.drop('late_answer');
    if (method === 'notifications/progress') this.#calls.progressed(call);
    if (method === 'notifications/message' && !this.profile.wantsLog(params)) return;
    const shown = method === 'notifications/progress' ? { ...params, progressToken: call.progressToken } : params;
    if (call.channel.notify(JSON.stringify({ jsonrpc: '2.0', method, params: shown }))) this.sent();
    else this.#env.plane.counters.drop('client_gone');
  }

  /** A server speaks to this client outside the calls' answers. */
  heard(event: ServerEvent): void {
    if (event.type === 'server/requested') this.#calls.extend(event.from, this.#env.plane.options.input.timeout);
    if (this.#links.heard(event, (session) => this.#calls.channelOf(session))) this.sent();
  }

  /** The client is gone for good: its upstream work is cancelled, nobody is answered. */
  close(reason: string): void {
    for (const call of this.#calls.all()) this.#calls.abandon(call, reason);
    for (const call of this.#rounds?.takeAll() ?? []) this.#calls.forsake(call);
    this.#links.close();
  }

  /** Answers everything that is outstanding with `name`: the gateway gives the session up, the client may still read. */
  failAll(name: ErrorName, detail: string): void {
    for (const call of this.#calls.all()) {
      this.#calls.cancelUpstream(call, detail);
      this.failed(call, gatewayError(name, detail));
    }
    for (const call of this.#rounds?.takeAll() ?? []) this.#answerFailed(call, gatewayError(name, detail));
  }

  /** Lets those who wait for long see that somebody lives. */
  keepAlive(): void {
    this.#calls.signOfLife();
  }

  /** Counts a notification that was sent outside a call. */
  sent(): void {
    this.messagesOut += 1;
    this.#counters.messagesOut += 1;
  }

  #input(): InputRounds {
    return (this.#rounds ??= new InputRounds({
      links: this.#links,
      capabilities: () => this.profile.modernCapabilities,
      retry: (call, params) => this.#retry(call, params),
      fail: (call, error) => this.#answerFailed(call, error),
      env: this.#env,
      self: this.#self,
    }));
  }

  #message(parsed: ParsedMessage, channel: Channel, headers: IncomingHeaders | undefined): void {
    this.messagesIn += 1;
    this.#counters.messagesIn += 1;
    switch (parsed.kind) {
      case 'request':
        return this.#watched(parsed.message, channel, headers);
      case 'notification':
        return this.#notification(parsed.message.method, parsed.message.params);
      case 'response':
        if (!this.#links.answered(parsed.message)) this.#env.plane.counters.drop('unknown_response_id');
        return;
      case 'invalid':
        return this.#refuse(parsed.id, gatewayError(parsed.error, parsed.detail), channel);
    }
  }

  #watched(request: JsonRpcRequest, channel: Channel, headers: IncomingHeaders | undefined): void {
    const { watch } = this.#calls;
    watch.begin(request, headers);
    try {
      this.#request(request, channel);
    } catch (defect) {
      if (!this.#waits(request.id)) this.#refuse(request.id, gatewayError('internal_error'), channel);
      throw defect;
    } finally {
      watch.settle(this.#calls.has(request.id));
    }
  }

  /** Somebody will answer it. */
  #waits(id: JsonRpcId): boolean {
    return this.#calls.has(id) || this.#rounds?.has(id) === true;
  }

  #request(request: JsonRpcRequest, channel: Channel): void {
    const { id, method } = request;
    const params = request.params ?? {};
    if (this.#waits(id)) {
      const detail = 'the id is that of a request which is not answered yet';
      return this.#refuse(null, gatewayError('invalid_request', detail), channel); // with the id it would answer the other one
    }
    const rule = CLIENT_REQUESTS.get(method);
    if (rule === undefined)
      return this.#refuse(id, gatewayError('method_not_found', stripControl(method, 80)), channel);
    if (this.phase === 'new' && !('beforeInitialized' in rule))
      return this.#refuse(id, gatewayError('not_initialized'), channel);
    const fault = paramsFault(params);
    if (fault !== undefined) return this.#refuse(id, gatewayError('invalid_params', fault), channel);
    switch (rule.method) {
      case 'initialize':
        return this.#initialize(id, params, channel);
      case 'ping':
        return this.#answer(channel, resultText(id, '{}'));
      case 'tools/list':
      case 'prompts/list':
      case 'resources/list':
      case 'resources/templates/list':
        return this.#list(id, LIST_KINDS[rule.method], params, channel);
      case 'tools/call':
        return this.#callTool(request, params, channel);
      case 'prompts/get':
        return this.#forward(request, params, 'prompt', channel);
      case 'resources/read':
        return this.#forward(request, params, 'resource', channel);
      case 'completion/complete':
        return this.#forward(request, params, 'completion', channel);
      case 'logging/setLevel':
        return this.#setLevel(id, params, channel);
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return this.#subscription(request, params, channel);
    }
  }

  #initialize(id: JsonRpcId, params: JsonObject, channel: Channel): void {
    if (this.phase !== 'new') return this.#refuse(id, gatewayError('already_initialized'), channel);
    const protocolVersion = this.profile.introduce(params);
    this.#links.declare(this.profile.capabilities, this.profile.info);
    this.phase = 'initializing';
    const result = initializeResult(protocolVersion, this.#env.version, this.#view(), this.scope === null);
    this.#answer(channel, resultText(id, JSON.stringify(result)));
  }

  #list(id: JsonRpcId, kind: CursorKind, params: JsonObject, channel: Channel): void {
    const given = params['cursor'];
    const cursor = given === undefined ? undefined : decodeCursor(given, kind);
    if (given !== undefined && cursor === undefined) return this.#refuse(id, gatewayError('invalid_cursor'), channel);
    const page = this.#view()?.lists[kind].page(cursor?.after) ?? `{"${kind}":[]}`;
    this.#counters.succeeded += 1;
    this.#answer(channel, resultText(id, page));
  }

  /** `find_tool` is answered here; any other tool by its upstream. */
  #callTool(request: JsonRpcRequest, params: JsonObject, channel: Channel): void {
    const own = gatewayTool(params, this.#view());
    if (own === undefined) return this.#forward(request, params, 'tool', channel);
    this.#counters.succeeded += 1;
    this.#answer(channel, resultText(request.id, JSON.stringify(own)));
  }

  /** Sends a request on its way to the upstream that it names. */
  #forward(request: JsonRpcRequest, params: JsonObject, kind: UpstreamRoute, channel: Channel): void {
    const { id, method } = request;
    const { caller, principal } = this.profile;
    const resolved = resolveFor(this.#env.plane, kind, params, this.scope, principal);
    if (!resolved.ok) return this.#notFound(id, kind, params, resolved, channel);
    const { target: gate, params: own, tool, renamedUri, awaited } = resolved;
    const to = awaited ? null : this.#links.to(gate, principal);
    const refusal = this.#calls.start({ id, method, params: own, gate, to, caller, tool, channel, renamedUri });
    if (refusal) this.#refuse(id, refusal, channel);
  }

  #subscription(request: JsonRpcRequest, params: JsonObject, channel: Channel): void {
    const { id, method } = request;
    const resolved = resolveFor(this.#env.plane, 'resource', params, this.scope, this.profile.principal);
    if (!resolved.ok) return this.#notFound(id, 'resource', params, resolved, channel);
    const { subscriptions } = this;
    if (method === 'resources/unsubscribe') subscriptions.unsubscribe(resolved);
    const outcome = method === 'resources/subscribe' ? subscriptions.subscribe(request, resolved, channel) : 'done';
    if (outcome === 'done') this.#answer(channel, resultText(id, '{}'));
    else if (outcome !== 'asked') this.#refuse(id, outcome, channel);
  }

  #setLevel(id: JsonRpcId, params: JsonObject, channel: Channel): void {
    const level = params['level'];
    if (!isLogLevel(level)) return this.#refuse(id, badLevel(), channel);
    this.#env.onLogLevel(this.profile.wantedLevel, level);
    this.profile.logLevel = level;
    this.#answer(channel, resultText(id, '{}'));
  }

  #notification(method: string, params: JsonObject = {}): void {
    if (paramsFault(params) !== undefined) return this.#env.plane.counters.drop('unroutable_notification');
    switch (CLIENT_NOTIFICATIONS.get(method)?.method) {
      case 'notifications/initialized':
        if (this.phase === 'initializing') this.phase = 'ready';
        return;
      case 'notifications/cancelled':
        return this.#cancelled(params);
      case 'notifications/roots/list_changed':
        return this.#links.tellServers(method, params);
      case 'notifications/progress':
      case undefined:
        return this.#env.plane.counters.drop('unroutable_notification');
    }
  }

  #cancelled(params: JsonObject): void {
    const id = params['requestId'];
    const waiting = isJsonRpcId(id) ? this.#rounds?.take(id) : undefined;
    if (waiting) return this.#calls.forsake(waiting);
    const call = isJsonRpcId(id) ? this.#calls.get(id) : undefined;
    if (!call) return; // answered already, or never asked: the specification says to ignore it
    const reason = params['reason'];
    this.#calls.abandon(call, typeof reason === 'string' ? reason : 'cancelled by the client');
  }

  /** Nothing of that name, or nothing for this client. */
  #notFound(id: JsonRpcId, kind: UpstreamRoute, params: JsonObject, found: NotResolved, channel: Channel): void {
    const { plane, clock } = this.#env;
    const asked = { kind, params, scope: this.scope, principal: this.profile.principal };
    const { error, detail, data, scopes } = refusalOf(plane, asked, found, clock.now());
    this.#refuse(id, gatewayError(error, detail, data), channel, scopes);
  }

  #refuse(id: JsonRpcId | null, error: JsonRpcErrorObject, channel: Channel, scopes?: readonly string[]): void {
    this.#calls.watch.refused(error);
    this.#answer(channel, errorText(id, error), scopes);
  }

  #answer(channel: Channel, text: string, scopes?: readonly string[]): void {
    if (channel.answer(text, scopes && 403, scopes)) this.sent();
    else this.#env.plane.counters.drop('client_gone');
  }

  #view(): ReturnType<typeof viewFor> {
    return viewFor(this.#env.plane, this.scope, this.profile.principal);
  }
}
