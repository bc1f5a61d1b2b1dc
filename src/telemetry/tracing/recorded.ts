/**
 * A request that is recorded: one SERVER span, and a CLIENT child for each time it is sent upstream.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import {
  type Attributes,
  type Context,
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
    const attributes: Attributes = {
      ...methodAttributes(call.method, call.target, call.params),
      'jsonrpc.request.id': String(call.upstreamId),
      'network.transport': call.network,
      'viable.upstream': call.upstream,
    };
    const name = spanName(call.method, call.target);
    this.#client = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, this.#context);
    return formatContext(this.#client.spanContext(), this.#baggage);
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

/** `tools/call get_weather`: method and target. */
export function spanName(method: string, target: string): string {
  return shown(target === '' ? method : `${method} ${target}`);
}

/** What the SERVER span says of the request and of where it came in. */
export function serverAttributes(request: TracedRequest, target: string, origin: RequestOrigin | null): Attributes {
  const { method, params, id } = request;
  const remote = origin?.remote ?? '';
  const colon = remote.lastIndexOf(':');
  return {
    ...methodAttributes(method, target, params),
    'jsonrpc.request.id': String(id),
    'network.transport': 'tcp',
    'network.protocol.name': origin?.transport === 'websocket' ? 'websocket' : 'http',
    'viable.transport': origin?.transport,
    'url.path': origin?.route,
    'client.address': colon > 0 ? remote.slice(0, colon) : undefined,
    'client.port': colon > 0 ? Number(remote.slice(colon + 1)) : undefined,
    'mcp.session.id': origin?.sessionId ?? undefined,
    'mcp.protocol.version': origin?.protocolVersion ?? undefined,
  };
}

/** What somebody else wrote: one line of it, without credentials. */
function shown(text: string): string {
  return redact(stripControl(text, MAX_TEXT));
}

/** The SDK leaves out what is `undefined`. */
function methodAttributes(method: string, target: string, params: TracedRequest['params']): Attributes {
  const name = target === '' ? undefined : shown(target);
  const uri = params?.['uri'];
  const ofResource = typeof uri === 'string' && method.startsWith('resources/');
  return {
    'mcp.method.name': shown(method),
    'gen_ai.operation.name': method === 'tools/call' ? 'execute_tool' : undefined,
    'gen_ai.tool.name': method === 'tools/call' ? name : undefined,
    'gen_ai.prompt.name': method === 'prompts/get' ? name : undefined,
    'mcp.resource.uri': ofResource ? shown(uri) : undefined,
  };
}

/** The context of a span, as it is sent on. */
export function formatContext(span: SpanContext, baggage?: string): TraceContext {
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  const tracestate = span.traceState?.serialize() ?? '';
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    ...(tracestate !== '' && { tracestate }),
    ...(baggage !== undefined && { baggage }),
  };
}

/** The context with this span as the active one. */
export function within(context: Context, span: Span): Context {
  return trace.setSpan(context, span);
}
