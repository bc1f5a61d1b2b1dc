/**
 * The HTTP face of the gateway: from a request on a socket to the session that it is for. Plain functions in I/O
 * callbacks, no mailbox: what needs one begins behind it.
 *
 * Order of checks: host and origin, route, method, headers, size, frame, session. The first that fails answers.
 * Sources: MCP specification 2025-11-25, "Transports"; `docs/errors.md`.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type ClientTransport } from '../admin/protocol.js';
import { type Principal } from '../auth/principal.js';
import { type ActorSystem, actor, type Ref } from '../kernel/index.js';
import { type ErrorName, modernError, modernHttpStatus } from '../protocol/errors.js';
import { errorText, type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { acceptsJsonAndSse, acceptsSse, isJsonContentType } from '../protocol/http-rules.js';
import { CLIENT_LIMITS, type ParsedFrame, parseFrame } from '../protocol/parse.js';
import { admitHttpMessage } from '../protocol/modern/era.js';
import { type Envelope } from '../protocol/modern/envelope.js';
import { parseRoute, type Route } from '../protocol/routes.js';
import { scopePath, toolsetScope } from '../routing/scopes.js';
import { EventStream } from '../transports/inbound/event-stream.js';
import { HttpExchange } from '../transports/inbound/http-exchange.js';
import { type ErrorReply, sendElsewhere, sendError, sendJson, sendText } from '../transports/inbound/http-reply.js';
import { type MetricsText } from '../telemetry/metrics/definition.js';
import { readBody } from '../transports/inbound/read-body.js';
import { type Access, type Refusal } from './access.js';
import { NO_TOKEN } from './breaker-gate.js';
import { type DataPlane } from './data-plane.js';
import { guard } from './http-guard.js';
import { answerHealth, answerMetadata, answerMetrics, answerTicket } from './http-pages.js';
import { type Arrival, countAnswers, bodyRefusal, goodVersion, headerOf, isOpen, remoteOf } from './http-requests.js';
import { type HttpSockets } from './http-sockets.js';
import { elsewhere, endsWith } from './http-elsewhere.js';
import { httpSession, type HttpSessionMessage } from './http-session.js';
import { type SessionEnvironment } from './legacy-session.js';
import { CONNECTIONS } from './names.js';
import { begun, type Closed, closedTo, tooLate } from './newcomers.js';
import { refusedAs, traceRefusal } from './refusal-trace.js';
import { type WebFront } from './admin-web.js';
import { sseConnection, type SseConnectionMessage } from './sse-connection.js';

export interface FrontDeps {
  readonly system: ActorSystem;
  readonly env: SessionEnvironment;
  readonly access: Access;
  readonly web: WebFront;
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<MetricsText>;
}

const SESSION_HEADER = 'mcp-session-id';

export class HttpFront {
  readonly #system: ActorSystem;
  readonly #env: SessionEnvironment;
  readonly #plane: DataPlane;
  readonly web: WebFront;
  readonly #metricsText: () => Promise<MetricsText>;
  readonly #access: Access;
  #made = 0;
  readonly #connections: HttpSockets;

  constructor({ system, env, access, web, metrics }: FrontDeps, sockets: HttpSockets) {
    this.#access = access;
    this.#metricsText = metrics;
    this.#system = system;
    this.#env = env;
    this.#connections = sockets;
    this.#plane = env.plane;
    this.web = web;
  }

  /** The id of the next session actor. */
  nextSessionName(): string {
    return `http-${(this.#made += 1)}`;
  }

  /** Handles one request; answers it whatever happens. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    this.#connections.began(req.socket, res);
    const refusal = guard(this.#plane, req);
    if (refusal !== undefined) return this.#fail(res, refusal);
    // Whoever keeps the connection would have it closed between two requests.
    if (endsWith(this.#plane, req)) res.shouldKeepAlive = false;
    const route = parseRoute(req.url ?? '/');
    if (isOpen(route)) return this.#answerOpen(route, req, res);
    const known = this.#access.recall(req, route.kind);
    if (known) return this.#serve(route, req, res, known);
    this.#access.identify(req, route.kind, (identity) => {
      if (res.destroyed) return;
      if (identity.ok) this.#serve(route, req, res, identity.principal);
      else this.#refuse(req, res, identity.refusal.name, identity.refusal.reply);
    });
  }

  /** What anybody may ask. */
  #answerOpen(route: Route, req: IncomingMessage, res: ServerResponse): void {
    switch (route.kind) {
      case 'ws':
      case 'phoenix':
        return this.#fail(res, 'unknown_route', { detail: 'this path takes WebSocket connections' });
      case 'health':
      case 'ready':
        return answerHealth(req, res, this.#plane, route.kind);
      case 'dashboard':
        return this.#access.note(req, () => this.web.handle(req, res, route.path));
      case 'resource-metadata':
        return answerMetadata(req, res, this.#access.metadata(req));
      default:
        return this.#fail(res, 'unknown_route', {
          detail: 'MCP is served at /mcp, /mcp/s/<upstream>, /mcp/t/<toolset>, /mcp/sse and /mcp/ws',
        });
    }
  }

  #serve(route: Route, req: IncomingMessage, res: ServerResponse, principal: Principal): void {
    switch (route.kind) {
      case 'aggregate':
        return this.#streamableHttp({ req, res, scope: null, principal });
      case 'server':
        if (!this.#plane.gates.has(route.name))
          return this.#fail(res, 'unknown_route', { detail: 'there is no upstream of this name' });
        return this.#streamableHttp({ req, res, scope: route.name, principal });
      case 'toolset': {
        const scope = toolsetScope(route.name);
        if (this.#plane.routing.scope(scope) === undefined)
          return this.#fail(res, 'unknown_route', { detail: 'there is no toolset of this name' });
        return this.#streamableHttp({ req, res, scope, principal });
      }
      case 'sse':
        if (req.method !== 'GET') return this.#notAllowed(res, 'GET');
        return this.#openSse({ req, res, scope: null, principal });
      case 'messages':
        if (req.method !== 'POST') return this.#notAllowed(res, 'POST');
        return this.#sseMessage({ req, res, scope: null, principal });
      case 'ticket':
        return answerTicket(req, res, this.#plane.auth, principal);
      case 'metrics': {
        const refusal = this.#access.require(principal, 'metrics', req);
        if (refusal) return this.#refuse(req, res, refusal.name, refusal.reply);
        return answerMetrics(req, res, this.#metricsText);
      }
      default:
        return this.#answerOpen(route, req, res);
    }
  }

  /** Why no new session is taken now, with what the client is to be told; `undefined` when one is. */
  closedToNewcomers(principal: Principal, transport: ClientTransport): Closed | undefined {
    return closedTo(this.#plane, this.#env.clock, principal, transport);
  }

  #streamableHttp(arrival: Arrival): void {
    switch (arrival.req.method) {
      case 'POST':
        return this.#post(arrival);
      case 'GET':
        return this.#get(arrival);
      case 'DELETE':
        return this.#delete(arrival);
      default:
        return this.#notAllowed(arrival.res, 'POST, GET, DELETE');
    }
  }

  #post(arrival: Arrival): void {
    const { req, res } = arrival;
    if (!isJsonContentType(req.headers['content-type'])) return this.#refuse(req, res, 'unsupported_media_type');
    if (!acceptsJsonAndSse(req.headers.accept)) return this.#refuse(req, res, 'not_acceptable');
    this.#connections.works(req.socket, headerOf(req, SESSION_HEADER) ?? null);
    readBody(req, this.#plane.intake, (body) => {
      this.#connections.read(req.socket);
      if (!body.ok) return this.#fail(res, body.why, bodyRefusal(body.why));
      const frame = parseFrame(body.text, CLIENT_LIMITS);
      if (frame.kind === 'invalid')
        return this.#fail(res, frame.error, { id: frame.id, detail: frame.detail, status: 400 });
      const late = tooLate(this.#plane.quietUntil ?? this.#connections.quietUntil, this.#env.clock, frame);
      if (late) return this.#fail(res, 'draining', late);
      const limited = this.#access.limitFrame(arrival.principal, req, frame, arrival.scope);
      if (limited) return this.#refuseFrame(res, frame, limited);
      this.#byEra(arrival, frame, body.bytes);
    });
  }

  /** A request of the modern era runs in its connection's actor, everything else in its session. */
  #byEra(arrival: Arrival, frame: ParsedFrame, bytes: number): void {
    const { req, res } = arrival;
    if (frame.kind === 'batch' || frame.kind === 'invalid') return this.#legacy(arrival, frame, bytes);
    const admission = admitHttpMessage(frame.message, req.headers);
    switch (admission.era) {
      case 'legacy':
        return this.#legacy(arrival, frame, bytes);
      case 'refused': {
        const id = frame.kind === 'request' ? frame.message.id : null;
        const error = modernError(admission.error, admission.detail, admission.data);
        const status = modernHttpStatus(admission.error);
        traceRefusal(this.#plane.tracing, req, () => ({ error: admission.error, message: error.message, status, id }));
        return sendText(res, status, 'application/json', errorText(id, error));
      }
      case 'modern':
        if (admission.kind === 'notification') return void res.writeHead(202).end();
        return this.#modern(arrival, admission.message, admission.envelope);
    }
  }

  #legacy(arrival: Arrival, frame: ParsedFrame, bytes: number): void {
    if (!goodVersion(arrival.req)) return this.#fail(arrival.res, 'unsupported_version');
    this.#route(arrival, frame, bytes);
  }

  #modern({ req, res, scope, principal }: Arrival, message: JsonRpcRequest, envelope: Envelope): void {
    const closed = this.closedToNewcomers(principal, 'http');
    if (closed && closed.name !== 'too_many_sessions')
      return this.#fail(res, closed.name, { ...closed.reply, id: message.id });
    const token = this.#plane.breakers.http.take();
    const exchange = new HttpExchange(res, this.#plane.outflow, this.#access.scopeChallenge, 1, false);
    const connection = this.#connections.get(req.socket);
    const { headers } = req;
    const sent = connection?.accept({ type: 'http/request', message, envelope, headers, scope, principal, exchange });
    if (sent !== 'ok') exchange.refuse('overloaded');
    if (token !== NO_TOKEN) begun(this.#plane.breakers.http, token, sent === 'ok');
  }

  #route(arrival: Arrival, frame: ParsedFrame, bytes: number): void {
    const { req, res } = arrival;
    const sessionId = headerOf(req, SESSION_HEADER);
    if (sessionId === undefined) {
      if (frame.kind === 'request' && frame.message.method === 'initialize') return this.#begin(arrival, frame, bytes);
      return this.#fail(res, 'session_required', { id: frame.kind === 'request' ? frame.message.id : null });
    }
    const session = this.#session(sessionId, arrival);
    if (session) return this.#deliver(session, arrival, frame, bytes, null);
    elsewhere(this.#plane, arrival, sessionId, frame, () => {
      const come = this.#session(sessionId, arrival);
      if (come) this.#deliver(come, arrival, frame, bytes, null);
      else this.#fail(res, 'session_not_found', { id: frame.kind === 'request' ? frame.message.id : null });
    });
  }

  #deliver(
    session: Ref<HttpSessionMessage>,
    { res, principal }: Arrival,
    frame: ParsedFrame,
    bytes: number,
    newId: string | null,
  ): void {
    const requests = countAnswers(frame);
    const { outflow } = this.#plane;
    const exchange = new HttpExchange(res, outflow, this.#access.scopeChallenge, requests, frame.kind === 'batch');
    exchange.sessionId = newId;
    const sent = session.accept({ type: 'http/post', frame, exchange, bytes, principal });
    if (sent === 'full') return exchange.refuse('overloaded');
    if (sent === 'noproc') return exchange.refuse('session_not_found');
    if (requests === 0) exchange.accepted();
  }

  #begin(arrival: Arrival, frame: ParsedFrame, bytes: number): void {
    const { req, res, scope, principal } = arrival;
    const closed = this.closedToNewcomers(principal, 'http');
    if (closed) return this.#fail(res, closed.name, closed.reply);
    const token = this.#plane.breakers.http.take();
    const sessionId = randomUUID();
    const remote = remoteOf(req);
    const address = this.#plane.auth.addresses.of(req);
    const route = scopePath(scope);
    const facts = { sessionId, transport: 'http', scope, principal, remote, address, route } as const;
    const started = this.#system.startChild<HttpSessionMessage>(
      CONNECTIONS,
      actor<HttpSessionMessage>({
        id: this.nextSessionName(),
        restart: 'temporary',
        init: httpSession(this.#env, facts),
      }),
    );
    begun(this.#plane.breakers.http, token, started.ok);
    if (!started.ok) return this.#fail(res, 'too_many_sessions', { headers: { 'retry-after': '1' } });
    this.#deliver(started.ref, arrival, frame, bytes, sessionId);
  }

  #get(arrival: Arrival): void {
    const { req, res } = arrival;
    if (!acceptsSse(req.headers.accept)) return this.#fail(res, 'not_acceptable');
    if (!goodVersion(req)) return this.#fail(res, 'unsupported_version');
    const sessionId = headerOf(req, SESSION_HEADER);
    if (sessionId === undefined) return this.#fail(res, 'session_required');
    this.#toSession(sessionId, arrival, {
      type: 'http/get',
      lastEventId: headerOf(req, 'last-event-id'),
      principal: arrival.principal,
      accept: () => new EventStream(res, this.#plane.outflow),
      refuse: () => this.#fail(res, 'session_exists'),
      elsewhere: () => sendElsewhere(res),
    });
  }

  #delete(arrival: Arrival): void {
    const { req, res } = arrival;
    const sessionId = headerOf(req, SESSION_HEADER);
    if (sessionId === undefined) return this.#fail(res, 'session_required');
    this.#toSession(sessionId, arrival, {
      type: 'http/delete',
      done: () => sendJson(res, 200, { deleted: true }),
      elsewhere: () => sendElsewhere(res),
    });
  }

  #toSession(id: string, arrival: Arrival, message: HttpSessionMessage): void {
    const deliver = (): void => {
      const sent = this.#session(id, arrival)?.accept(message);
      if (sent !== 'ok') this.#fail(arrival.res, sent === 'full' ? 'overloaded' : 'session_not_found');
    };
    if (this.#session(id, arrival)) deliver();
    else elsewhere(this.#plane, arrival, id, null, deliver);
  }

  /** The session of this id on this route, if it is the principal's. A WebSocket's or another endpoint's session is none. */
  #session(id: string, { scope, principal }: Arrival): Ref<HttpSessionMessage> | undefined {
    const entry = this.#plane.sessions.get(id);
    if (entry?.transport !== 'http' || entry.scope !== scope || entry.principal.key !== principal.key) return undefined;
    return entry.ref as Ref<HttpSessionMessage>;
  }

  #openSse({ req, res, principal }: Arrival): void {
    const closed = this.closedToNewcomers(principal, 'sse');
    if (closed) return this.#fail(res, closed.name, closed.reply);
    if (!acceptsSse(req.headers.accept ?? 'text/event-stream')) return this.#fail(res, 'not_acceptable');
    const token = this.#plane.breakers.sse.take();
    const facts = {
      sessionId: randomUUID(),
      transport: 'sse',
      scope: null,
      principal,
      address: this.#plane.auth.addresses.of(req),
      remote: remoteOf(req),
      route: '/mcp/sse',
    } as const;
    const started = this.#system.startChild<SseConnectionMessage>(
      CONNECTIONS,
      actor<SseConnectionMessage>({
        id: `sse-${(this.#made += 1)}`,
        restart: 'temporary',
        init: (context) =>
          sseConnection(this.#env, this.#access, facts, new EventStream(res, this.#plane.outflow))(context),
      }),
    );
    begun(this.#plane.breakers.sse, token, started.ok);
    if (!started.ok) this.#fail(res, 'too_many_sessions', { headers: { 'retry-after': '1' } });
  }

  #sseMessage({ req, res, principal }: Arrival): void {
    if (!isJsonContentType(req.headers['content-type'])) return this.#refuse(req, res, 'unsupported_media_type');
    const sessionId = new URLSearchParams((req.url ?? '').split('?')[1]).get('sessionId');
    if (sessionId === null) return this.#refuse(req, res, 'session_required');
    this.#connections.works(req.socket, null);
    readBody(req, this.#plane.intake, (body) => {
      if (!body.ok) return this.#fail(res, body.why, bodyRefusal(body.why));
      const frame = parseFrame(body.text, CLIENT_LIMITS);
      if (frame.kind === 'invalid')
        return this.#fail(res, frame.error, { id: frame.id, detail: frame.detail, status: 400 });
      const entry = this.#plane.sessions.get(sessionId);
      if (entry?.transport !== 'sse' || entry.principal.key !== principal.key)
        return this.#fail(res, 'session_not_found');
      const { bytes } = body;
      const sent = (entry.ref as Ref<SseConnectionMessage>).accept({
        type: 'sse/posted',
        frame,
        bytes,
        headers: req.headers,
        principal,
      });
      if (sent !== 'ok') return this.#fail(res, sent === 'full' ? 'overloaded' : 'session_not_found');
      res.writeHead(202).end();
    });
  }

  /** An error before there is a session: answered, and traced if anything is. */
  #fail(res: ServerResponse, name: ErrorName, reply: ErrorReply = {}): void {
    traceRefusal(this.#plane.tracing, res.req, () => refusedAs(name, reply));
    sendError(res, name, reply);
  }

  #notAllowed(res: ServerResponse, allow: string): void {
    this.#fail(res, 'method_not_allowed', { headers: { allow } });
  }

  /** Refuses before the body was read: it is thrown away, so that the connection can go on. */
  #refuse(req: IncomingMessage, res: ServerResponse, name: ErrorName, reply: ErrorReply = {}): void {
    req.resume();
    this.#fail(res, name, reply);
  }

  #refuseFrame(res: ServerResponse, frame: ParsedFrame, { name, reply }: Refusal): void {
    this.#fail(res, name, { ...reply, id: frame.kind === 'request' ? frame.message.id : null });
  }
}
