/**
 * A modern client (2026-07-28) on one connection: every request stands alone, and nothing is kept between them but the
 * calls and streams that are open. Process-free: the HTTP connection and WebSocket actors are its shells.
 *
 * Invariants: every request gets one answer, or its stream ends; what an upstream says during a call comes before its
 * answer; a client that goes away cancels what it waited for.
 * Source: MCP specification 2026-07-28.
 */
import { type Principal } from '../auth/principal.js';
import { type Ref, type TimerHandle } from '../kernel/index.js';
import { decodeCursor, LIST_KINDS, type CursorKind } from '../protocol/cursor.js';
import { type ErrorName, ERRORS, modernError, modernHttpStatus } from '../protocol/errors.js';
import {
  errorText,
  isJsonObject,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
  type JsonRpcRequest,
  type JsonRpcResponse,
  resultText,
} from '../protocol/jsonrpc.js';
import { isLogLevel, LOG_LEVELS, MODERN_CLIENT_REQUESTS } from '../protocol/methods.js';
import { errorForModern, resultForModern } from '../protocol/modern/bridge.js';
import { type CacheHints } from '../protocol/modern/caching.js';
import { discoverResult } from '../protocol/modern/discover.js';
import { type Envelope, modernResult } from '../protocol/modern/envelope.js';
import {
  checkParamHeaders,
  forwardedParamHeaders,
  type IncomingHeaders,
  scanParamHeaders,
} from '../protocol/modern/headers.js';
import { SERVER_INFO_KEY } from '../protocol/modern/meta.js';
import { stripControl } from '../protocol/text.js';
import { gatewayTool, type UpstreamRoute } from '../routing/resolve.js';
import { type ScopeView } from '../routing/routing-table.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { type RequestOrigin } from '../telemetry/tracing/call-trace.js';
import { type Channel } from '../transports/inbound/channel.js';
import { resolveFor } from './awaited.js';
import { BridgedCalls } from './bridged-calls.js';
import { type Call, type CallEvent } from './call.js';
import { CallTable } from './call-table.js';
import { type ClientMessage, type ResourceUpdated } from './client-message.js';
import { type SessionEnvironment } from './legacy-session.js';
import { ModernStreams } from './modern-streams.js';
import { refusalOf, viewFor } from './policy-guard.js';
import { type UpstreamGate } from './upstream-gate.js';

/** A request that has passed the checks of its transport. */
export interface ModernRequest {
  readonly message: JsonRpcRequest;
  readonly envelope: Envelope;
  /** HTTP headers; `undefined` on transports without. */
  readonly headers: IncomingHeaders | undefined;
  readonly scope: string | null;
  readonly principal: Principal;
  readonly channel: Channel;
}

/** How an error is sent as the whole answer, with its HTTP status where there is one. */
const OK = 200;

export class ModernPeer {
  readonly #env: SessionEnvironment;
  readonly #counters: TransportCounters;
  readonly #self: Ref<ClientMessage>;
  #due: TimerHandle | null = null;
  readonly #calls: CallTable;
  readonly #streams: ModernStreams;
  readonly #bridged: BridgedCalls;
  readonly #serverInfo: JsonObject;

  constructor(env: SessionEnvironment, self: Ref<ClientMessage>, counters: TransportCounters) {
    this.#env = env;
    this.#self = self;
    this.#counters = counters;
    this.#calls = new CallTable(env, self, counters);
    this.#serverInfo = { name: 'viable', title: 'Viable MCP gateway', version: env.version };
    this.#streams = new ModernStreams(env.plane, self, this.#serverInfo);
    this.#bridged = new BridgedCalls(env);
  }

  /** Where its requests come in, for traces. */
  set origin(origin: RequestOrigin) {
    this.#calls.watch.origin = origin;
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  get idle(): boolean {
    return this.#calls.size === 0 && this.#streams.size === 0;
  }

  request(request: ModernRequest): void {
    this.#counters.messagesIn += 1;
    const { message, headers } = request;
    const { watch } = this.#calls;
    watch.begin(message, headers);
    try {
      this.#dispatch(request);
    } catch (defect) {
      if (!this.#waits(message.id)) this.#refuse(request.channel, message.id, 'internal_error');
      throw defect;
    } finally {
      watch.settle(this.#calls.has(message.id));
    }
  }

  /** Somebody will answer it. */
  #waits(id: JsonRpcId): boolean {
    return this.#calls.has(id) || this.#streams.has(id);
  }

  #dispatch(request: ModernRequest): void {
    const { message, channel } = request;
    const { id, method } = message;
    const params = message.params ?? {};
    const rule = MODERN_CLIENT_REQUESTS.get(method);
    if (rule === undefined) return this.#refuse(channel, id, 'method_not_found', stripControl(method, 80));
    if (this.#waits(id)) {
      return this.#refuse(channel, null, 'invalid_request', 'the id is that of a request which is not answered yet');
    }
    switch (rule.method) {
      case 'server/discover':
        return this.#discover(request);
      case 'tools/list':
      case 'prompts/list':
      case 'resources/list':
      case 'resources/templates/list':
        return this.#list(request, LIST_KINDS[rule.method], params);
      case 'tools/call':
        return this.#callTool(request, params);
      case 'prompts/get':
        return this.#forward(request, 'prompt');
      case 'resources/read':
        return this.#forward(request, 'resource');
      case 'completion/complete':
        return this.#forward(request, 'completion');
      case 'subscriptions/listen':
        return this.#listen(request, params);
    }
  }

  /** One of this client's calls has news. */
  heard(event: CallEvent): void {
    switch (event.type) {
      case 'call/answered':
        return this.#answered(event.call, event.message);
      case 'call/failed':
        return this.#lost(event.call, event.error);
      case 'call/retry':
        return this.#resend(event.call);
      case 'call/notified':
        return this.#notified(event.call, event.method, event.params);
      case 'call/expired':
        return this.#expired(event.call);
    }
  }

  /** A resource that one of the streams asked for has changed. */
  updated(message: ResourceUpdated): void {
    if (this.#streams.updated(message)) this.#counters.messagesOut += 1;
  }

  listChanged(scope: string | null, method: string): void {
    this.#counters.messagesOut += this.#streams.listChanged(scope, method);
  }

  /** `notifications/cancelled`, on transports with one channel; `false` when no call or stream has this id. */
  cancel(id: JsonRpcId): boolean {
    if (this.#streams.end(id)) return true;
    const call = this.#calls.get(id);
    if (!call) return false;
    this.#calls.abandon(call, 'cancelled by the client');
    return true;
  }

  /** The client closed this channel: over HTTP that cancels what it was for. */
  channelClosed(channel: Channel): void {
    this.#streams.channelClosed(channel);
    for (const call of this.#calls.all())
      if (call.channel === channel) this.#calls.abandon(call, 'the client closed the stream');
  }

  /** The gateway ends: streams get their result, calls an error. */
  shutdown(name: ErrorName, detail: string): void {
    this.#streams.shutdown();
    for (const call of this.#calls.all()) {
      this.#calls.cancelUpstream(call, detail);
      if (this.#calls.take(call)) this.#fail(call, modernError(name, detail));
    }
  }

  /** The gateway drains: streams end with their result, so that their clients open them elsewhere; calls go on. */
  endStreams(): void {
    this.#streams.shutdown();
  }

  /** Streams whose token has ended or was revoked end with their result; their client opens them anew. */
  credentialsDue(): void {
    const { auth } = this.#env.plane;
    const now = auth.clock.now();
    this.#streams.shutdown(
      (who) => (who.expiresAt !== null && who.expiresAt <= now) || auth.revocations.isRevoked(who),
    );
    this.#watch();
  }

  /** Comes back when the first of the streams' tokens ends. */
  #watch(): void {
    this.#due?.cancel();
    const next = this.#streams.nextExpiry();
    if (next === Infinity) return;
    const ms = Math.min(Math.max(0, next - this.#env.clock.now()), 2 ** 30);
    this.#due = this.#env.wheel.after(ms, () => void this.#self.urgent({ type: 'client/credential-due' }));
  }

  close(): void {
    this.#due?.cancel();
    this.#streams.close();
    for (const call of this.#calls.all()) this.#calls.abandon(call, 'the client is gone');
  }

  signOfLife(): void {
    this.#calls.signOfLife();
    this.#streams.signOfLife();
  }

  #discover({ message: { id }, scope, principal, channel }: ModernRequest): void {
    const view = viewFor(this.#env.plane, scope, principal);
    const capabilities = view?.modernCapabilities ?? {};
    const instructions = view?.instructions;
    const result = discoverResult({
      capabilities,
      serverInfo: this.#serverInfo,
      instructions,
      hints: this.#hintsOf(view),
    });
    this.#answerResult(channel, id, JSON.stringify(result));
  }

  #list({ message: { id }, scope, principal, channel }: ModernRequest, kind: CursorKind, params: JsonObject): void {
    const given = params['cursor'];
    const cursor = given === undefined ? undefined : decodeCursor(given, kind);
    if (given !== undefined && cursor === undefined) return this.#refuse(channel, id, 'invalid_cursor');
    const view = viewFor(this.#env.plane, scope, principal);
    const page = view?.lists[kind].page(cursor?.after) ?? `{"${kind}":[]}`;
    const { ttlMs, cacheScope } = this.#hintsOf(view);
    // The page is text already: what a modern result adds is written behind it.
    const tail = JSON.stringify({
      resultType: 'complete',
      ttlMs,
      cacheScope,
      _meta: { [SERVER_INFO_KEY]: this.#serverInfo },
    });
    this.#answerResult(channel, id, `${page.slice(0, -1)},${tail.slice(1)}`);
  }

  #listen({ message, scope, principal, channel }: ModernRequest, params: JsonObject): void {
    const refusal = this.#streams.begin(message.id, params, { scope, principal }, channel);
    if (refusal === undefined) this.#watch();
    if (refusal !== undefined) this.#refuse(channel, message.id, 'invalid_params', refusal);
    else this.#counters.messagesOut += 1;
  }

  /** `find_tool` is answered here; any other tool by its upstream. */
  #callTool(request: ModernRequest, params: JsonObject): void {
    const own = gatewayTool(params, viewFor(this.#env.plane, request.scope, request.principal));
    if (own === undefined) return this.#forward(request, 'tool');
    this.#answerResult(request.channel, request.message.id, JSON.stringify(modernResult(own, this.#serverInfo)));
  }

  #forward(request: ModernRequest, kind: UpstreamRoute): void {
    const { message, envelope, headers, scope, principal, channel } = request;
    const { id, method } = message;
    const given = message.params ?? {};
    const { plane, clock } = this.#env;
    const resolved = resolveFor(plane, kind, given, scope, principal);
    if (!resolved.ok) {
      const refusal = refusalOf(plane, { kind, params: given, scope, principal }, resolved, clock.now());
      const { error, detail, data, scopes } = refusal;
      return this.#refuse(channel, id, error, detail, data, scopes);
    }
    const { target: gate, tool, params, renamedUri, awaited } = resolved;
    const declared = tool && headers ? scanParamHeaders(tool['inputSchema']) : undefined;
    const known = declared?.ok === true ? declared.headers : [];
    const fault = headers && !awaited && checkParamHeaders(headers, known, params['arguments']);
    if (fault) return this.#refuse(channel, id, fault.error, fault.detail, fault.data);
    const shown = headers ? forwardedParamHeaders(headers, known) : {};
    const caller = { era: 'modern', principal, envelope, headers: shown } as const;
    const to = awaited ? null : this.#bridged.route(gate, method, params, caller);
    if (to !== null && 'error' in to) return this.#refuse(channel, id, to.error, to.detail);
    const refusal = this.#calls.start({ id, method, params, gate, to, caller, tool, channel, renamedUri });
    if (refusal) {
      this.#calls.watch.refused(refusal);
      this.#answer(channel, errorText(id, refusal), OK);
    }
  }

  #answered(call: Call, message: JsonRpcResponse): void {
    if (!this.#calls.take(call)) return;
    this.#calls.countAnswer(call, message);
    if ('error' in message) {
      const error = errorForModern(message.error);
      return this.#answer(call.channel, errorText(call.id, error), statusOf(error));
    }
    const { method, gate, renamedUri } = call;
    const result = renamedUri ? withShownUri(message.result, renamedUri) : message.result;
    const typed =
      gate.era === 'modern' || result['resultType'] !== undefined
        ? modernResult(result, this.#serverInfo)
        : resultForModern(method, result, this.#serverInfo);
    this.#answerResult(call.channel, call.id, JSON.stringify(typed));
  }

  #notified(call: Call, method: string, params: JsonObject): void {
    if (this.#calls.get(call.id) !== call) return this.#env.plane.counters.drop('late_answer');
    if (method === 'notifications/progress') this.#calls.progressed(call);
    if (method === 'notifications/message' && !wantsLog(call, params)) return;
    const shown = method === 'notifications/progress' ? { ...params, progressToken: call.progressToken } : params;
    if (call.channel.notify(JSON.stringify({ jsonrpc: '2.0', method, params: shown }))) this.#counters.messagesOut += 1;
    else this.#env.plane.counters.drop('client_gone');
  }

  #expired(call: Call): void {
    if (!this.#calls.take(call)) return;
    this.#fail(call, modernError('request_timeout', ...this.#calls.timedOut(call)));
    this.#calls.cancelUpstream(call, 'deadline exceeded');
  }

  /** Where that does no harm, it is sent once more. */
  #lost(call: Call, error: JsonRpcErrorObject): void {
    if (!this.#calls.again(call, error) && this.#calls.take(call)) this.#fail(call, error);
  }

  #resend(call: Call): void {
    const error = this.#calls.resend(call, call.gate.route());
    if (error && this.#calls.take(call)) this.#fail(call, error);
  }

  #fail(call: Call, error: JsonRpcErrorObject): void {
    this.#calls.countFailure(call, error);
    this.#answer(call.channel, errorText(call.id, error), statusOf(error));
  }

  #refuse(
    channel: Channel,
    id: JsonRpcId | null,
    name: ErrorName,
    detail?: string,
    data?: JsonObject | Readonly<Record<string, unknown>>,
    scopes?: readonly string[],
  ): void {
    const error = modernError(name, detail, data);
    this.#calls.watch.refused(error);
    this.#answer(channel, errorText(id, error), modernHttpStatus(name), scopes);
  }

  /** Where lists differ from principal to principal, nobody may share them. */
  #hintsOf(view: ScopeView<UpstreamGate> | undefined): CacheHints {
    const hints = view?.hints ?? { ttlMs: 0, cacheScope: 'private' };
    return this.#env.plane.policy.personal ? { ...hints, cacheScope: 'private' } : hints;
  }

  #answerResult(channel: Channel, id: JsonRpcId, result: string): void {
    this.#answer(channel, resultText(id, result), OK);
  }

  #answer(channel: Channel, text: string, status: number, scopes?: readonly string[]): void {
    if (channel.answer(text, status, scopes)) this.#counters.messagesOut += 1;
    else this.#env.plane.counters.drop('client_gone');
  }
}

/** −32021 from an upstream is a 400 here as it was there; other errors of upstreams are in-band. */
function statusOf({ code }: JsonRpcErrorObject): number {
  return code === ERRORS.missing_client_capability.code ? modernHttpStatus('missing_client_capability') : OK;
}

/** A client that named no level gets no log messages (specification, "Utilities › Logging"). */
function wantsLog(call: Call, params: JsonObject): boolean {
  const { caller } = call;
  const wanted = caller.era === 'modern' ? caller.envelope.logLevel : undefined;
  const level = params['level'];
  return wanted !== undefined && isLogLevel(level) && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted);
}

function withShownUri(result: JsonObject, renamed: { readonly own: string; readonly shown: string }): JsonObject {
  const contents = result['contents'];
  if (!Array.isArray(contents)) return result;
  const shown = (contents as unknown[]).map((item) =>
    isJsonObject(item) && item['uri'] === renamed.own ? { ...item, uri: renamed.shown } : item,
  );
  return { ...result, contents: shown };
}
