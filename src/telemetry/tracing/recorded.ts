/**
 * A request that is recorded: one SERVER span, and a CLIENT child for each time it is sent upstream.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import { type SpanContext, SpanKind } from '@opentelemetry/api';
import { type JsonRpcErrorObject } from '../../protocol/jsonrpc.js';
import { redact } from '../../protocol/redact.js';
import { stripControl } from '../../protocol/text.js';
import {
  type CallTrace,
  type EventAttributes,
  reasonOf,
  type RequestOrigin,
  type TraceContext,
  type TracedCall,
  type TracedRequest,
} from './call-trace.js';
import { type SpanSource, type TraceSpan } from './trace-span.js';

/** Longest text of a client's or server's in an attribute. */
const MAX_TEXT = 256;
const SHORTEST_CREDENTIAL = 20;
const MOST_DESCRIPTIONS = 1_000;

export class RecordedTrace implements CallTrace {
  readonly recorded = true;
  readonly #server: TraceSpan;
  readonly #descriptions: Descriptions;
  readonly #baggage: string | undefined;
  readonly #beganAt = performance.now();
  #client: TraceSpan | null = null;
  /** The failure stands on one span, that of the one who saw it. */
  #failureTold = false;
  #over = false;

  /** `baggage`: as the client sent it. */
  constructor(server: TraceSpan, descriptions: Descriptions, baggage: string | undefined) {
    this.#server = server;
    this.#descriptions = descriptions;
    this.#baggage = baggage;
  }

  event(name: string, attributes?: EventAttributes): void {
    this.#server.event(name, attributes);
  }

  sent(call: TracedCall): TraceContext {
    this.#client?.end(); // sent once more: a retry has a span of its own
    this.#server.event('viable.queue_wait', { 'viable.wait_ms': performance.now() - this.#beganAt });
    const { name, attributes } = this.#descriptions.of(call.method, call.target, call.params);
    const client = this.#server.child(name, SpanKind.CLIENT, attributes);
    client.set('jsonrpc.request.id', String(call.upstreamId));
    client.set('network.transport', call.network);
    client.set('viable.upstream', call.upstream);
    this.#client = client;
    return client.context(this.#baggage);
  }

  received(error: string | null, failure?: JsonRpcErrorObject): void {
    if (this.#client === null) return;
    this.#finish(this.#client, error, failure);
    this.#client = null;
  }

  ended(error: string | null, failure?: JsonRpcErrorObject): void {
    if (this.#over) return;
    this.#over = true;
    this.#finish(this.#server, error, failure);
  }

  #finish(span: TraceSpan, error: string | null, failure: JsonRpcErrorObject | undefined): void {
    if (error !== null) {
      span.set('error.type', error);
      if (/^-?\d+$/.test(error)) span.set('rpc.response.status_code', error);
      span.failed(failure && shown(failure.message));
    }
    if (failure && !this.#failureTold) {
      this.#failureTold = true;
      span.exception(reasonOf(failure), shown(failure.message));
    }
    span.end();
  }
}

/** The span of a request; `null`: it is not recorded. */
export function startServerSpan(
  spans: SpanSource,
  descriptions: Descriptions,
  request: TracedRequest,
  target: string,
  origin: RequestOrigin | null,
  links: readonly SpanContext[],
  parent: SpanContext | null,
): TraceSpan | null {
  const { name, attributes } = descriptions.of(request.method, target, request.params);
  const span = spans.start({ name, kind: SpanKind.SERVER, attributes, parent, links });
  if (span !== null) describe(span, request.id, origin);
  return span;
}

/** What a span is called, and what it says of what is asked for. */
interface Description {
  readonly name: string;
  readonly attributes: EventAttributes;
}

/** The descriptions of what is asked for again and again: made once, and shared by all spans of them. */
export class Descriptions {
  readonly #tools = new Map<string, Description>();

  of(method: string, target: string, params: TracedRequest['params']): Description {
    if (method !== 'tools/call' || target === '') return description(method, shown(target), params);
    let known = this.#tools.get(target);
    if (known !== undefined) return known;
    known = description(method, shown(target), params);
    // Clients may ask for whatever they like.
    if (this.#tools.size >= MOST_DESCRIPTIONS) this.#tools.clear();
    if (target.length <= MAX_TEXT) this.#tools.set(target, known);
    return known;
  }
}

/** `tools/call get_weather`: method and target. `target`: made visible. */
function description(method: string, target: string, params: TracedRequest['params']): Description {
  const name = target === '' ? shown(method) : `${method} ${target}`;
  return { name, attributes: methodAttributes(method, target, params) };
}

/** What the SERVER span says of where the request came in; `origin` is `null` for what the program itself routes. */
function describe(span: TraceSpan, id: TracedRequest['id'], origin: RequestOrigin | null): void {
  span.set('jsonrpc.request.id', String(id));
  if (origin === null) {
    span.set('viable.transport', 'in-process');
    return;
  }
  span.set('network.transport', 'tcp');
  span.set('network.protocol.name', origin.transport === 'websocket' ? 'websocket' : 'http');
  const { remote, sessionId, protocolVersion } = origin;
  span.set('viable.transport', origin.transport);
  span.set('url.path', origin.route);
  const colon = remote.lastIndexOf(':');
  if (colon > 0) {
    span.set('client.address', remote.slice(0, colon));
    span.set('client.port', Number(remote.slice(colon + 1)));
  }
  if (sessionId !== null) span.set('mcp.session.id', sessionId);
  if (protocolVersion !== null) span.set('mcp.protocol.version', protocolVersion);
}

/** `target`: made visible. One literal for each kind of request: an object that is put together from parts costs microseconds. */
function methodAttributes(method: string, target: string, params: TracedRequest['params']): EventAttributes {
  if (target !== '' && method === 'tools/call')
    return { 'mcp.method.name': method, 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': target };
  if (method === 'tools/call') return { 'mcp.method.name': method, 'gen_ai.operation.name': 'execute_tool' };
  if (target !== '' && method === 'prompts/get') return { 'mcp.method.name': method, 'gen_ai.prompt.name': target };
  const uri = params?.['uri'];
  if (typeof uri === 'string' && method.startsWith('resources/'))
    return { 'mcp.method.name': shown(method), 'mcp.resource.uri': shown(uri) };
  return { 'mcp.method.name': shown(method) };
}

/** What somebody else wrote: one line of it, without credentials. A short text holds none. */
function shown(text: string): string {
  const visible = stripControl(text, MAX_TEXT);
  return visible.length < SHORTEST_CREDENTIAL ? visible : redact(visible);
}
