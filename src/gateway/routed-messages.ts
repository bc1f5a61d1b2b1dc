/** Messages that the program around the gateway routes itself: through the same checks and the same calls as a client's. */
import { type Access } from '../actors/access.js';
import { inProcessClient, type InProcessMessage } from '../actors/in-process-client.js';
import { type SessionEnvironment } from '../actors/legacy-session.js';
import { CONNECTIONS } from '../actors/names.js';
import { closedTo } from '../actors/newcomers.js';
import { CLIENT_WORDS } from '../auth/faults.js';
import { type Principal, principalKey } from '../auth/principal.js';
import { actor, type Ref } from '../kernel/index.js';
import { type ErrorName, modernError } from '../protocol/errors.js';
import {
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../protocol/jsonrpc.js';
import { readEnvelope } from '../protocol/modern/envelope.js';
import {
  CLIENT_CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  metaOf,
  PROTOCOL_VERSION_KEY,
  withMeta,
} from '../protocol/modern/meta.js';
import { CLIENT_LIMITS, parseFrame } from '../protocol/parse.js';
import { MODERN_REVISION } from '../protocol/revisions.js';
import { parseRoute } from '../protocol/routes.js';
import { type ScopeKey, toolsetScope } from '../routing/scopes.js';
import { TRACE_FIELDS } from '../telemetry/tracing/call-trace.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type RouteOptions, type TrustedUser } from './options.js';

/** An error of the catalogue, and what is said beside it. */
interface Refused {
  readonly name: ErrorName;
  readonly detail?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

type Checked<T> = { readonly ok: true; readonly value: T } | (Refused & { readonly ok: false });

/** Where it comes from, as the audit log says it. */
const IN_PROCESS = 'in-process';

export class MessageRouter {
  readonly #env: SessionEnvironment;
  readonly #access: Access;
  #client: Ref<InProcessMessage> | null = null;
  #made = 0;
  #lastId = 0;

  constructor(env: SessionEnvironment, access: Access) {
    this.#env = env;
    this.#access = access;
  }

  async route(user: string | TrustedUser, message: unknown, options: RouteOptions): Promise<JsonRpcResponse> {
    const read = readRequest(message);
    if (!read.ok) return failure(idOf(message), read);
    const request = read.value;
    const named = typeof user === 'string' ? { subject: user } : user;
    if (named.subject === '') return failure(request.id, refusal('unauthenticated', 'a user has a name'));
    const { authToken } = options;
    // Without a token nothing is waited for: what is routed before a drain begins is in flight when it does.
    const who = authToken === undefined ? this.#trusted(named) : await this.#verify(named.subject, authToken);
    if (!who.ok) return failure(request.id, who);
    const { value: principal } = who;
    const scope = this.#scopeOf(options.route ?? '/mcp');
    if (!scope.ok) return failure(request.id, scope);
    const refused = this.#closed(principal) ?? this.#limited(principal, request, scope.value);
    if (refused) return failure(request.id, refused);
    return this.#send(request, principal, scope.value, options);
  }

  #send(
    { id, method, params }: JsonRpcRequest,
    principal: Principal,
    scope: ScopeKey,
    options: RouteOptions,
  ): Promise<JsonRpcResponse> {
    const envelope = envelopeOf(this.#env.version);
    const enveloped = withMeta(params ?? {}, { ...envelope, ...metaOf(params), ...traceOf(options.traceContext) });
    const reading = readEnvelope(enveloped);
    if (!reading.ok) return Promise.resolve(failure(id, { ...reading, name: reading.error }));
    // Two callers may use one id: each message has an id of its own on the way.
    const message = { jsonrpc: '2.0', id: (this.#lastId += 1), method, params: enveloped } as const;
    return new Promise((resolve) => {
      const channel = new Answer(id, options.onNotification, resolve);
      if (options.signal?.aborted === true) return channel.release();
      const request = { message, envelope: reading.envelope, headers: undefined, scope, principal, channel };
      const client = this.#living();
      const sent = client?.tell({ type: 'in-process/request', request });
      if (sent === 'full') return channel.fail('overloaded');
      if (client === undefined || sent !== 'ok')
        return channel.fail('cancelled_by_gateway', 'the gateway does not run');
      channel.follow(options.signal, () => void client.urgent({ type: 'in-process/abandoned', channel }));
    });
  }

  /** The actor that routes for the program; started with the first message. */
  #living(): Ref<InProcessMessage> | undefined {
    if (this.#client?.alive === true) return this.#client;
    const id = `in-process-${(this.#made += 1)}`;
    const init = inProcessClient(this.#env);
    const spec = actor<InProcessMessage>({ id, restart: 'temporary', init });
    const started = this.#env.system.startChild<InProcessMessage>(CONNECTIONS, spec);
    this.#client = started.ok ? started.ref : null;
    return this.#client ?? undefined;
  }

  #trusted({ subject, role = 'user', permissions = [] }: TrustedUser): Checked<Principal> {
    const { auth, audit, options } = this.#env.plane;
    const key = principalKey(options.auth.issuer, subject);
    const claims = { sub: subject, role, permissions };
    const principal = { subject, role, permissions, key, expiresAt: null, claims, tenant: null, credential: null };
    if (auth.revocations.isRevoked(principal)) {
      audit.record({ type: 'authentication', outcome: 'unauthenticated', detail: 'revoked', remote: IN_PROCESS });
      return refusal('unauthenticated', 'the user was shut out');
    }
    return { ok: true, value: principal };
  }

  async #verify(subject: string, token: string): Promise<Checked<Principal>> {
    const { auth, audit } = this.#env.plane;
    const verdict = await auth.authenticator.verify(token);
    if (verdict.ok && verdict.principal.subject === subject) {
      auth.counters.accepted += 1;
      const { key: principal, role } = verdict.principal;
      audit.record({ type: 'authentication', outcome: 'success', principal, role, remote: IN_PROCESS });
      return { ok: true, value: verdict.principal };
    }
    const fault = verdict.ok ? 'bad_claims' : verdict.fault;
    auth.counters.refuse(fault);
    if (fault === 'keys_unavailable' || fault === 'busy')
      return refusal('authentication_unavailable', CLIENT_WORDS[fault], { retryAfter: 5 });
    audit.record({ type: 'authentication', outcome: 'unauthenticated', detail: fault, remote: IN_PROCESS });
    return refusal('unauthenticated', verdict.ok ? 'the token is of another subject' : CLIENT_WORDS[fault]);
  }

  #closed(principal: Principal): Refused | undefined {
    const { plane, clock } = this.#env;
    if (plane.admission.state === 'starting')
      return { name: 'cancelled_by_gateway', detail: 'the gateway does not run' };
    const closed = closedTo(plane, clock, principal, IN_PROCESS);
    // It opens no session.
    if (closed === undefined || closed.name === 'too_many_sessions') return undefined;
    return { ...closed.reply, name: closed.name };
  }

  #limited(principal: Principal, request: JsonRpcRequest, scope: ScopeKey): Refused | undefined {
    const limited = this.#access.limit(principal, IN_PROCESS, request, scope);
    return limited && { ...limited.reply, name: limited.name };
  }

  #scopeOf(path: string): Checked<ScopeKey> {
    const route = parseRoute(path);
    const { plane } = this.#env;
    if (route.kind === 'aggregate') return { ok: true, value: null };
    if (route.kind === 'server' && plane.gates.has(route.name)) return { ok: true, value: route.name };
    if (route.kind === 'toolset' && plane.routing.scope(toolsetScope(route.name)) !== undefined)
      return { ok: true, value: toolsetScope(route.name) };
    return refusal('unknown_route', 'messages are routed at /mcp, /mcp/s/<upstream> and /mcp/t/<toolset>');
  }
}

/** The way back to who asked: settles once, whatever comes. */
class Answer implements Channel {
  readonly #id: JsonRpcId;
  readonly #onNotification: RouteOptions['onNotification'];
  readonly #resolve: (response: JsonRpcResponse) => void;
  #unfollow: () => void = () => undefined;
  #settled = false;

  constructor(
    id: JsonRpcId,
    onNotification: RouteOptions['onNotification'],
    resolve: (response: JsonRpcResponse) => void,
  ) {
    this.#id = id;
    this.#onNotification = onNotification;
    this.#resolve = resolve;
  }

  answer(text: string): boolean {
    return this.#settle({ ...(JSON.parse(text) as JsonRpcResponse), id: this.#id });
  }

  notify(text: string): boolean {
    if (this.#settled) return false;
    this.#onNotification?.(JSON.parse(text) as JsonRpcNotification);
    return true;
  }

  release(): void {
    this.fail('cancelled_by_gateway', 'nobody waits for it any more');
  }

  stillWorking(): void {
    // A promise needs no sign of life.
  }

  fail(name: ErrorName, detail?: string): void {
    this.#settle(failure(this.#id, { name, ...(detail !== undefined && { detail }) }));
  }

  /** Gives up when `signal` aborts. */
  follow(signal: AbortSignal | undefined, abandon: () => void): void {
    if (signal === undefined || this.#settled) return;
    const onAbort = (): void => {
      abandon();
      this.release();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#unfollow = () => signal.removeEventListener('abort', onAbort);
  }

  #settle(response: JsonRpcResponse): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#unfollow();
    this.#resolve(response);
    return true;
  }
}

/** Read as what comes over a wire is, so that nothing passes here which would not pass there. */
function readRequest(message: unknown): Checked<JsonRpcRequest> {
  const frame = parseFrame(JSON.stringify(message ?? null), CLIENT_LIMITS);
  if (frame.kind === 'invalid') return refusal(frame.error, frame.detail);
  if (frame.kind !== 'request') return refusal('invalid_request', 'a request is needed, with an id and a method');
  if (frame.message.method === 'subscriptions/listen')
    return refusal('method_not_found', 'a stream needs a connection; the program has the events of the gateway');
  return { ok: true, value: frame.message };
}

function idOf(message: unknown): JsonRpcId | null {
  const id = isJsonObject(message) ? message['id'] : null;
  return isJsonRpcId(id) ? id : null;
}

/** What a request says of its client where it does not say it itself. */
function envelopeOf(version: string): JsonObject {
  return {
    [PROTOCOL_VERSION_KEY]: MODERN_REVISION,
    [CLIENT_CAPABILITIES_KEY]: {},
    [CLIENT_INFO_KEY]: { name: 'viable-gateway', version },
  };
}

function traceOf(context: RouteOptions['traceContext'] = {}): JsonObject {
  return Object.fromEntries(TRACE_FIELDS.flatMap((name) => (name in context ? [[name, context[name]]] : [])));
}

function failure(id: JsonRpcId | null, { name, detail, data }: Refused): JsonRpcResponse {
  return { jsonrpc: '2.0', id, error: modernError(name, detail, data) };
}

function refusal(name: ErrorName, detail: string, data?: JsonObject): Refused & { readonly ok: false } {
  return { ok: false, name, detail, ...(data && { data }) };
}
