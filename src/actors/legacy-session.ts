/**
 * The protocol state of one client session of the legacy era (2024-11-05 … 2025-11-25). Process-free: the connection
 * actors (`http-session.ts`, `sse-connection.ts`, `websocket-connection.ts`) are thin shells around it.
 *
 * Invariants: every request gets exactly one answer, which is given by whoever removes its call from `#calls`; ids are
 * compared as the client wrote them (`1` is not `"1"`); what an upstream says during a call comes before its answer.
 * Source: MCP specification, revisions 2024-11-05 … 2025-11-25, "Base Protocol".
 */
import { type Clock, type Ref, type TimerWheel } from '../kernel/index.js';
import { decodeCursor, type CursorKind } from '../protocol/cursor.js';
import { type ErrorName, gatewayError } from '../protocol/errors.js';
import {
  errorText,
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcId,
  type JsonRpcRequest,
  type JsonRpcResponse,
  resultText,
} from '../protocol/jsonrpc.js';
import { CLIENT_NOTIFICATIONS, CLIENT_REQUESTS, isLogLevel, LOG_LEVELS, type LogLevel } from '../protocol/methods.js';
import { type ParsedFrame, type ParsedMessage } from '../protocol/parse.js';
import { type LegacyRevision, negotiateLegacy, supportsBatch } from '../protocol/revisions.js';
import { stripControl } from '../protocol/text.js';
import { type Route, type ScopeView } from '../routing/routing-table.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { type Channel } from '../transports/inbound/channel.js';
import { Call, type CallEvent } from './call.js';
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';

export interface SessionEnvironment {
  readonly plane: DataPlane;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly version: string;
  /** Tells the registry the level that this session wants. */
  readonly onLogLevel: (level: LogLevel) => void;
}

/** Calls that one session may have outstanding. Past it a request is answered "overloaded". */
const MAX_CALLS = 1_024;
const MAX_CLIENT_NAME = 80;

/** new → initializing (answered `initialize`) → ready (heard `initialized`). */
export type SessionPhase = 'new' | 'initializing' | 'ready';

export class LegacySession {
  readonly #env: SessionEnvironment;
  readonly #self: Ref<CallEvent>;
  readonly #counters: TransportCounters;
  readonly #calls = new Map<JsonRpcId, Call>();
  /** `null` for the aggregate, else the upstream's name. */
  readonly scope: string | null;
  phase: SessionPhase = 'new';
  revision: LegacyRevision | null = null;
  client: string | null = null;
  logLevel: LogLevel | null = null;
  messagesIn = 0;
  messagesOut = 0;

  constructor(env: SessionEnvironment, self: Ref<CallEvent>, scope: string | null, counters: TransportCounters) {
    this.#env = env;
    this.#self = self;
    this.scope = scope;
    this.#counters = counters;
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  /** Who never said which version it speaks may batch: only versions from 2025-06-18 on forbid it. */
  get allowsBatch(): boolean {
    return this.revision === null || supportsBatch(this.revision);
  }

  /** One frame of the client's. Every request in it is answered on `channel`, now or later. */
  receive(frame: ParsedFrame, channel: Channel): void {
    if (frame.kind !== 'batch') return this.#message(frame, channel);
    if (!this.allowsBatch) return this.#refuse(null, gatewayError('batch_unsupported'), channel);
    for (const item of frame.items) this.#message(item, channel);
  }

  /** The upstream answered. */
  answered(call: Call, message: JsonRpcResponse): void {
    if (!this.#take(call)) return;
    const failed = 'error' in message && message.error.code === -32603;
    this.#count(call, failed ? 'failed' : 'succeeded');
    const text =
      'error' in message ? errorText(call.id, message.error) : resultText(call.id, resultJson(call, message.result));
    this.#answer(call.channel, text);
  }

  /** The gateway could not get an answer. */
  failed(call: Call, error: JsonRpcErrorObject): void {
    if (!this.#take(call)) return;
    this.#count(call, 'failed');
    this.#answer(call.channel, errorText(call.id, error));
  }

  /** Its deadline is over: the client is answered, the upstream is told. */
  expired(call: Call): void {
    if (!this.#take(call)) return;
    this.#count(call, 'failed');
    this.#tellUpstream(call, 'deadline exceeded');
    const { name, requestTimeout } = call.gate;
    const detail = `upstream "${name}" did not answer within ${requestTimeout} ms`;
    this.#answer(call.channel, errorText(call.id, gatewayError('request_timeout', detail, { server: name })));
  }

  /** A notification during a call. */
  notified(call: Call, method: string, params: JsonObject): void {
    if (this.#calls.get(call.id) !== call) return this.#env.plane.counters.drop('late_answer');
    if (method === 'notifications/message' && !this.wantsLog(params)) return;
    const shown = method === 'notifications/progress' ? { ...params, progressToken: call.progressToken } : params;
    this.#notify(call.channel, JSON.stringify({ jsonrpc: '2.0', method, params: shown }));
  }

  /** Whether a log message passes the level that the client has set; all pass while it has set none. */
  wantsLog(params: JsonObject): boolean {
    const level = params['level'];
    return (
      this.logLevel === null || !isLogLevel(level) || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.logLevel)
    );
  }

  /** The client is gone for good: its upstream work is cancelled, nobody is answered. */
  close(reason: string): void {
    for (const call of [...this.#calls.values()]) {
      this.#take(call);
      this.#tellUpstream(call, reason);
      call.channel.release();
    }
  }

  /** Answers everything that is outstanding with `name`: the gateway gives the session up, the client may still read. */
  failAll(name: ErrorName, detail: string): void {
    for (const call of [...this.#calls.values()]) {
      this.#tellUpstream(call, detail);
      this.failed(call, gatewayError(name, detail));
    }
  }

  /** Counts a notification that was sent outside a call. */
  sent(): void {
    this.messagesOut += 1;
    this.#counters.messagesOut += 1;
  }

  #message(parsed: ParsedMessage, channel: Channel): void {
    this.messagesIn += 1;
    this.#counters.messagesIn += 1;
    switch (parsed.kind) {
      case 'request':
        return this.#request(parsed.message, channel);
      case 'notification':
        return this.#notification(parsed.message.method, parsed.message.params);
      case 'response':
        // Nothing was asked of the client, so it answers nothing that anybody waits for.
        return this.#env.plane.counters.drop('unknown_response_id');
      case 'invalid':
        return this.#refuse(parsed.id, gatewayError(parsed.error, parsed.detail), channel);
    }
  }

  #request(request: JsonRpcRequest, channel: Channel): void {
    const { id, method } = request;
    const params = request.params ?? {};
    if (this.#calls.has(id)) {
      const detail = 'the id is that of a request which is not answered yet';
      return this.#refuse(null, gatewayError('invalid_request', detail), channel); // with the id it would answer the other one
    }
    const rule = CLIENT_REQUESTS.get(method);
    if (rule === undefined)
      return this.#refuse(id, gatewayError('method_not_found', stripControl(method, 80)), channel);
    if (this.phase === 'new' && !('beforeInitialized' in rule))
      return this.#refuse(id, gatewayError('not_initialized'), channel);
    switch (rule.method) {
      case 'initialize':
        return this.#initialize(id, params, channel);
      case 'ping':
        return this.#answer(channel, resultText(id, '{}'));
      case 'tools/list':
        return this.#list(id, 'tools', params, channel);
      case 'prompts/list':
        return this.#list(id, 'prompts', params, channel);
      case 'resources/list':
        return this.#list(id, 'resources', params, channel);
      case 'resources/templates/list':
        return this.#list(id, 'resourceTemplates', params, channel);
      case 'tools/call':
        return this.#callNamed(request, params, 'tools', channel);
      case 'prompts/get':
        return this.#callNamed(request, params, 'prompts', channel);
      case 'resources/read':
        return this.#read(request, params, channel);
      case 'completion/complete':
        return this.#complete(request, params, channel);
      case 'logging/setLevel':
        return this.#setLevel(id, params, channel);
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return this.#refuse(id, gatewayError('method_not_found', `${method}: subscriptions are not offered`), channel);
    }
  }

  #initialize(id: JsonRpcId, params: JsonObject, channel: Channel): void {
    if (this.phase !== 'new') return this.#refuse(id, gatewayError('already_initialized'), channel);
    this.revision = negotiateLegacy(params['protocolVersion']);
    this.client = clientName(params['clientInfo']);
    this.phase = 'initializing';
    const instructions = this.#view()?.instructions;
    const result = {
      protocolVersion: this.revision,
      capabilities: this.#capabilities(),
      serverInfo: { name: 'viable', title: 'Viable MCP gateway', version: this.#env.version },
      ...(instructions === undefined ? {} : { instructions }),
    };
    this.#answer(channel, resultText(id, JSON.stringify(result)));
  }

  /** The aggregate promises every list, for an upstream may come that has it; one server's endpoint what it has. */
  #capabilities(): JsonObject {
    const has = this.scope === null ? undefined : this.#view()?.capabilities;
    const offers = (name: string): boolean => has === undefined || has.has(name);
    return {
      ...(offers('tools') && { tools: { listChanged: true } }),
      ...(offers('prompts') && { prompts: { listChanged: true } }),
      ...(offers('resources') && { resources: { listChanged: true } }),
      ...(offers('logging') && { logging: {} }),
      ...(offers('completions') && { completions: {} }),
    };
  }

  #list(id: JsonRpcId, kind: CursorKind, params: JsonObject, channel: Channel): void {
    const given = params['cursor'];
    const cursor = given === undefined ? undefined : decodeCursor(given, kind);
    if (given !== undefined && cursor === undefined) return this.#refuse(id, gatewayError('invalid_cursor'), channel);
    const page = this.#view()?.lists[kind].page(cursor?.after) ?? `{"${kind}":[]}`;
    this.#counters.succeeded += 1;
    this.#answer(channel, resultText(id, page));
  }

  #callNamed(request: JsonRpcRequest, params: JsonObject, kind: 'tools' | 'prompts', channel: Channel): void {
    const name = params['name'];
    if (typeof name !== 'string')
      return this.#refuse(request.id, gatewayError('invalid_params', '"name" must be a string'), channel);
    const route = this.#view()?.[kind].get(name);
    if (route === undefined) {
      const error = gatewayError(kind === 'tools' ? 'unknown_tool' : 'unknown_prompt', stripControl(name, 128));
      return this.#refuse(request.id, error, channel);
    }
    this.#dispatch(request, route.own === name ? params : { ...params, name: route.own }, route, channel);
  }

  #read(request: JsonRpcRequest, params: JsonObject, channel: Channel): void {
    const uri = params['uri'];
    if (typeof uri !== 'string')
      return this.#refuse(request.id, gatewayError('invalid_params', '"uri" must be a string'), channel);
    const route = this.#view()?.resource(uri);
    if (route === undefined)
      return this.#refuse(request.id, gatewayError('resource_not_found', undefined, { uri }), channel);
    if (route.own === uri) return this.#dispatch(request, params, route, channel);
    this.#dispatch(request, { ...params, uri: route.own }, route, channel, { own: route.own, shown: uri });
  }

  #complete(request: JsonRpcRequest, params: JsonObject, channel: Channel): void {
    const ref = params['ref'];
    if (!isJsonObject(ref))
      return this.#refuse(request.id, gatewayError('invalid_params', '"ref" must be an object'), channel);
    const { type, name, uri } = ref;
    if (type === 'ref/prompt' && typeof name === 'string') {
      const route = this.#view()?.prompts.get(name);
      if (!route) return this.#refuse(request.id, gatewayError('unknown_prompt', stripControl(name, 128)), channel);
      return this.#dispatch(request, { ...params, ref: { ...ref, name: route.own } }, route, channel);
    }
    if (type === 'ref/resource' && typeof uri === 'string') {
      const route = this.#view()?.template(uri);
      if (!route) return this.#refuse(request.id, gatewayError('resource_not_found', undefined, { uri }), channel);
      return this.#dispatch(request, { ...params, ref: { ...ref, uri: route.own } }, route, channel);
    }
    this.#refuse(request.id, gatewayError('invalid_params', '"ref" is neither ref/prompt nor ref/resource'), channel);
  }

  #setLevel(id: JsonRpcId, params: JsonObject, channel: Channel): void {
    const level = params['level'];
    if (!isLogLevel(level)) {
      return this.#refuse(
        id,
        gatewayError('invalid_params', `"level" must be one of ${LOG_LEVELS.join(', ')}`),
        channel,
      );
    }
    this.logLevel = level;
    this.#env.onLogLevel(level);
    this.#answer(channel, resultText(id, '{}'));
  }

  /** Sends a request on its way. Every check here is a plain memory read. */
  #dispatch(
    request: JsonRpcRequest,
    params: JsonObject,
    route: Route<UpstreamGate>,
    channel: Channel,
    renamedUri?: { own: string; shown: string },
  ): void {
    const gate = route.target;
    const refusal = this.#admit(gate);
    if (refusal) return this.#refuse(request.id, refusal, channel);
    const meta = params['_meta'];
    const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
    const progressToken = isJsonRpcId(token) ? token : undefined;
    const { id, method } = request;
    const startedAt = performance.now();
    const call = new Call({
      id,
      method,
      params,
      replyTo: this.#self,
      gate,
      channel,
      progressToken,
      startedAt,
      renamedUri,
    });
    const sent = gate.session?.tell(call);
    if (sent !== 'ok') {
      const error =
        sent === 'full'
          ? gatewayError('overloaded', `upstream "${gate.name}"`, { server: gate.name })
          : unavailable(gate, this.#env.clock);
      return this.#refuseFailed(id, error, channel);
    }
    this.#calls.set(id, call);
    gate.inFlight += 1;
    gate.calls += 1;
    this.#env.plane.counters.inFlight += 1;
    this.#env.wheel.schedule(call, gate.requestTimeout);
  }

  #admit(gate: UpstreamGate): JsonRpcErrorObject | undefined {
    if (this.#calls.size >= MAX_CALLS)
      return gatewayError('overloaded', `${MAX_CALLS} requests of this session are outstanding`);
    if (gate.session === null) return this.#failure(unavailable(gate, this.#env.clock));
    if (gate.inFlight >= gate.maxInFlight) {
      return this.#failure(
        gatewayError('overloaded', `upstream "${gate.name}" has ${gate.maxInFlight} calls outstanding`, {
          server: gate.name,
        }),
      );
    }
    return undefined;
  }

  #notification(method: string, params: JsonObject = {}): void {
    switch (CLIENT_NOTIFICATIONS.get(method)?.method) {
      case 'notifications/initialized':
        if (this.phase === 'initializing') this.phase = 'ready';
        return;
      case 'notifications/cancelled':
        return this.#cancelled(params);
      case 'notifications/progress':
      case 'notifications/roots/list_changed':
      case undefined:
        return this.#env.plane.counters.drop('unroutable_notification');
    }
  }

  #cancelled(params: JsonObject): void {
    const id = params['requestId'];
    const call = isJsonRpcId(id) ? this.#calls.get(id) : undefined;
    if (!call) return; // answered already, or never asked: the specification says to ignore it
    this.#take(call);
    const reason = params['reason'];
    this.#tellUpstream(call, typeof reason === 'string' ? reason : 'cancelled by the client');
    call.channel.release();
  }

  #tellUpstream(call: Call, reason: string): void {
    call.cancelled = true;
    call.gate.session?.urgent({ type: 'call/cancel', call, reason });
  }

  /** Removes the call: the one who gets `true` answers it. */
  #take(call: Call): boolean {
    if (this.#calls.get(call.id) !== call) {
      this.#env.plane.counters.drop('late_answer');
      return false;
    }
    this.#calls.delete(call.id);
    this.#env.wheel.cancel(call);
    call.gate.inFlight -= 1;
    this.#env.plane.counters.inFlight -= 1;
    return true;
  }

  #count(call: Call, outcome: 'succeeded' | 'failed'): void {
    this.#counters[outcome] += 1;
    if (outcome === 'failed') call.gate.failures += 1;
    this.#env.plane.counters.latency.record(Math.max(1, Math.round((performance.now() - call.startedAt) * 1_000)));
  }

  #failure(error: JsonRpcErrorObject): JsonRpcErrorObject {
    this.#counters.failed += 1;
    return error;
  }

  #refuseFailed(id: JsonRpcId, error: JsonRpcErrorObject, channel: Channel): void {
    this.#refuse(id, this.#failure(error), channel);
  }

  #refuse(id: JsonRpcId | null, error: JsonRpcErrorObject, channel: Channel): void {
    this.#answer(channel, errorText(id, error));
  }

  #answer(channel: Channel, text: string): void {
    if (channel.answer(text)) this.sent();
    else this.#env.plane.counters.drop('client_gone');
  }

  #notify(channel: Channel, text: string): void {
    if (channel.notify(text)) this.sent();
    else this.#env.plane.counters.drop('client_gone');
  }

  #view(): ScopeView<UpstreamGate> | undefined {
    return this.#env.plane.routing.scope(this.scope);
  }
}

function unavailable(gate: UpstreamGate, clock: Clock): JsonRpcErrorObject {
  const retryAfter = gate.retryAt === null ? undefined : Math.max(0, Math.ceil((gate.retryAt - clock.now()) / 1_000));
  const data = { server: gate.name, ...(retryAfter === undefined ? {} : { retryAfter }) };
  return gatewayError('upstream_unavailable', `upstream "${gate.name}": ${gate.trouble}`, data);
}

/** The result as the client is to see it: under a collision a resource carries the URI that was asked for. */
function resultJson(call: Call, result: JsonObject): string {
  const renamed = call.renamedUri;
  const contents = result['contents'];
  if (!renamed || !Array.isArray(contents)) return JSON.stringify(result);
  const shown = (contents as unknown[]).map((item) =>
    isJsonObject(item) && item['uri'] === renamed.own ? { ...item, uri: renamed.shown } : item,
  );
  return JSON.stringify({ ...result, contents: shown });
}

function clientName(info: unknown): string | null {
  if (!isJsonObject(info)) return null;
  const { name, version } = info;
  const full = `${typeof name === 'string' ? name : 'unnamed'}/${typeof version === 'string' ? version : '?'}`;
  return stripControl(full, MAX_CLIENT_NAME);
}
