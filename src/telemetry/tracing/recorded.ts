/**
 * A request that is recorded: one SERVER span, and a CLIENT child for each time it is sent upstream.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
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

/** Longest text of a client's or server's in an attribute. */
const MAX_TEXT = 256;
const SHORTEST_CREDENTIAL = 20;

export class RecordedTrace implements CallTrace {
  readonly recorded = true;
  readonly #tracer: Tracer;
  readonly #server: Span;
  readonly #context: Context;
  readonly #baggage: string | undefined;
  readonly #beganAt = performance.now();
  #client: Span | null = null;
  /** The failure stands on one span, that of the one who saw it. */
  #failureTold = false;
  #over = false;

  /** `context`: holds the SERVER span. `baggage`: as the client sent it. */
  constructor(tracer: Tracer, server: Span, context: Context, baggage: string | undefined) {
    this.#tracer = tracer;
    this.#server = server;
    this.#context = context;
    this.#baggage = baggage;
  }

  event(name: string, attributes: EventAttributes = {}): void {
    this.#server.addEvent(name, attributes);
  }

  sent(call: TracedCall): TraceContext {
    this.#client?.end(); // sent once more: a retry has a span of its own
    this.#server.addEvent('viable.queue_wait', { 'viable.wait_ms': performance.now() - this.#beganAt });
    const target = shown(call.target);
    const attributes = methodAttributes(call.method, target, call.params);
    const client = this.#tracer.startSpan(
      spanName(call.method, target),
      { kind: SpanKind.CLIENT, attributes },
      this.#context,
    );
    client.setAttribute('jsonrpc.request.id', String(call.upstreamId));
    client.setAttribute('network.transport', call.network);
    client.setAttribute('viable.upstream', call.upstream);
    this.#client = client;
    return formatContext(client.spanContext(), this.#baggage);
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

  #finish(span: Span, error: string | null, failure: JsonRpcErrorObject | undefined): void {
    if (error !== null) {
      span.setAttribute('error.type', error);
      if (/^-?\d+$/.test(error)) span.setAttribute('rpc.response.status_code', error);
      span.setStatus({
        code: SpanStatusCode.ERROR,
        ...(failure && { message: shown(failure.message) }),
      });
    }
    if (failure && !this.#failureTold) {
      this.#failureTold = true;
      span.recordException({ name: reasonOf(failure), message: shown(failure.message) });
    }
    span.end();
  }
}

/** The span of a request. What a sampler may ask for is given at its start; the rest is spared the SDK's copies of that. */
export function startServerSpan(
  tracer: Tracer,
  request: TracedRequest,
  target: string,
  origin: RequestOrigin | null,
  links: Link[],
  parent: Context,
): Span {
  const visible = shown(target);
  const span = tracer.startSpan(
    spanName(request.method, visible),
    { kind: SpanKind.SERVER, attributes: methodAttributes(request.method, visible, request.params), links },
    parent,
  );
  if (span.isRecording()) describe(span, request.id, origin);
  return span;
}

/** `tools/call get_weather`: method and target. */
function spanName(method: string, target: string): string {
  return target === '' ? shown(method) : `${method} ${target}`;
}

/** What the SERVER span says of where the request came in; `origin` is `null` for what the program itself routes. */
function describe(span: Span, id: TracedRequest['id'], origin: RequestOrigin | null): void {
  span.setAttribute('jsonrpc.request.id', String(id));
  if (origin === null) {
    span.setAttribute('viable.transport', 'in-process');
    return;
  }
  span.setAttribute('network.transport', 'tcp');
  span.setAttribute('network.protocol.name', origin.transport === 'websocket' ? 'websocket' : 'http');
  const { remote, sessionId, protocolVersion } = origin;
  span.setAttribute('viable.transport', origin.transport);
  span.setAttribute('url.path', origin.route);
  const colon = remote.lastIndexOf(':');
  if (colon > 0) {
    span.setAttribute('client.address', remote.slice(0, colon));
    span.setAttribute('client.port', Number(remote.slice(colon + 1)));
  }
  if (sessionId !== null) span.setAttribute('mcp.session.id', sessionId);
  if (protocolVersion !== null) span.setAttribute('mcp.protocol.version', protocolVersion);
}

/** `target`: made visible. One literal for each kind of request: an object that is put together from parts costs microseconds. */
function methodAttributes(method: string, target: string, params: TracedRequest['params']): Attributes {
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

/** The context of a span, as it is sent on. */
export function formatContext(span: SpanContext, baggage?: string): TraceContext {
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  const tracestate = span.traceState?.serialize() ?? '';
  const traceparent = `00-${span.traceId}-${span.spanId}-${flags}`;
  if (tracestate === '' && baggage === undefined) return { traceparent };
  return { traceparent, ...(tracestate !== '' && { tracestate }), ...(baggage !== undefined && { baggage }) };
}

/** The context with this span as the active one. */
export function within(context: Context, span: Span): Context {
  return trace.setSpan(context, span);
}
