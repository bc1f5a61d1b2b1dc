/**
 * What the data path knows of tracing: a port, and the trace context that travels with a request. Nothing here knows an
 * SDK; without tracing a request carries `null`.
 *
 * Sources: W3C Trace Context; W3C Baggage; MCP specification 2026-07-28, "Request Metadata" (`traceparent`,
 * `tracestate`, `baggage` in `_meta`, without a prefix).
 */
import { isJsonObject, type JsonObject, type JsonRpcErrorObject } from '../../protocol/jsonrpc.js';
import { type IncomingHeaders } from '../../protocol/modern/headers.js';
import { addMeta, metaOf } from '../../protocol/modern/meta.js';
import { type SharedFields } from './shared-fields.js';

/** The context of a trace as it is written in headers and in `_meta`. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

export const TRACE_FIELDS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Where a request came in. Asked only when it is traced. */
export interface RequestOrigin {
  readonly transport: 'http' | 'sse' | 'websocket';
  readonly sessionId: string | null;
  /** Socket address of the client, `address:port`. */
  readonly remote: string;
  /** Path that it connected to. */
  readonly route: string;
  readonly protocolVersion: string | null;
  /** What spans say of it; kept by whoever traces. */
  described: SharedFields | null;
  /** `traceparent` of the request that opened the connection, where requests have no headers of their own. */
  readonly openedBy?: string | undefined;
}

export interface TracedRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params?: JsonObject;
}

/** What goes upstream, as the server knows it. */
export interface TracedCall {
  readonly method: string;
  readonly params: JsonObject;
  readonly upstreamId: number;
  /** `performance.now()`. */
  readonly sentAt: number;
}

/** Where it goes. */
export interface TracedUpstream {
  readonly upstream: string;
  readonly network: 'pipe' | 'tcp';
  /** As of `RequestOrigin`. */
  described: SharedFields | null;
}

export type EventAttributes = Readonly<Record<string, string | number | boolean>>;

/** The name of an event; of one that comes again and again, with what it says each time. */
export type EventKind = string | SharedFields;

/**
 * The trace of one request of a client, from its arrival to its answer. `at`: `performance.now()` of what it is told, which its
 * teller has read to measure it; spans and histograms say the same of a request.
 */
export interface CallTrace {
  /** False: whatever is told to it goes nowhere, so it need not be made. */
  readonly recorded: boolean;
  /** Something worth knowing happened: a wait, a decision. */
  event(what: EventKind, attributes?: EventAttributes): void;
  /** As `event`, of a kind that measures something. */
  measured(what: SharedFields, value: number): void;
  /** The request is about to be sent upstream. Returns the context to send with it; `null` when it has none. */
  sent(call: TracedCall, to: TracedUpstream): TraceContext | null;
  /** The upstream has answered (`error` is `error.type`, `null` when it went well), or there will be no answer (`failure`). */
  received(at: number, error: string | null, failure?: JsonRpcErrorObject): void;
  /** The client is answered, or wants no answer any more. The first call counts. */
  ended(at: number, error: string | null, failure?: JsonRpcErrorObject): void;
}

/** A request that got no further than the door: there is no method to name it by, or nobody to handle it. */
export interface RefusedRequest {
  /** Of the span: HTTP method and route, `POST /mcp`. */
  readonly name: string;
  /** Of the catalogue. */
  readonly error: string;
  readonly message: string;
  readonly attributes: EventAttributes;
}

/** Begins traces; `null` in its place when tracing is off. */
export interface RequestTracer {
  /**
   * `headers`: of the HTTP request that brought it; `undefined` on transports without. `at`: as for `CallTrace`. `null`: it is not recorded,
   * and has brought no context that would go on.
   */
  begin(
    request: TracedRequest,
    headers: IncomingHeaders | undefined,
    origin: RequestOrigin | null,
    at: number,
  ): CallTrace | null;
  /** One SERVER span with the error, as sampled as any other request. `headers`: of the HTTP request. */
  refused(request: RefusedRequest, headers: IncomingHeaders | undefined): void;
  /**
   * A step of the control plane that is worth a trace: a decision of the viable system. Ended by whoever began it.
   * `cause`: the context that led to it; the step becomes its child.
   */
  step(name: string, attributes: EventAttributes, cause?: TraceContext | null): ControlStep;
}

/** One span of the control plane. */
export interface ControlStep {
  /** For whatever this step causes; `null` when it is not traced. */
  readonly context: TraceContext | null;
  event(name: string, attributes?: EventAttributes): void;
  end(error?: string): void;
}

/** A context in headers: anything else than visible ASCII would let a client write headers of its own upstream. */
const HEADER_SAFE = /^[\x20-\x7e]*$/;
const MAX_FIELD = { traceparent: 256, tracestate: 1_024, baggage: 8_192 } as const;

function field(carrier: Readonly<Record<string, unknown>>, name: (typeof TRACE_FIELDS)[number]): string | undefined {
  const value = carrier[name];
  return typeof value === 'string' && value.length <= MAX_FIELD[name] && HEADER_SAFE.test(value) ? value : undefined;
}

/** The context that a carrier holds, unchecked but for its alphabet and length; `null` when it holds none. */
export function readContext(carrier: Readonly<Record<string, unknown>> | undefined): TraceContext | null {
  if (carrier === undefined) return null;
  const traceparent = field(carrier, 'traceparent');
  if (traceparent === undefined) return null;
  const tracestate = field(carrier, 'tracestate');
  const baggage = field(carrier, 'baggage');
  if (tracestate === undefined && baggage === undefined) return { traceparent };
  return { traceparent, ...(tracestate !== undefined && { tracestate }), ...(baggage !== undefined && { baggage }) };
}

/**
 * A copy of `params` with the context in its `_meta`, in place of any that is there; as it is when that is the same. For
 * JSON: a member that must go is `undefined`. Baggage needs no trace, so the client's own stays where there is no other.
 */
export function withContext(params: JsonObject, context: TraceContext): JsonObject {
  const meta = metaOf(params);
  if (meta?.['traceparent'] === context.traceparent) return params;
  const { traceparent, tracestate, baggage = meta?.['baggage'] } = context;
  if (meta === undefined && tracestate === undefined && baggage === undefined) return addMeta(params, { traceparent });
  return { ...params, _meta: { ...meta, traceparent, tracestate, baggage } };
}

/** Name of the error in the catalogue, or its code. */
export function reasonOf({ code, data }: JsonRpcErrorObject): string {
  const reason = isJsonObject(data) ? data['reason'] : undefined;
  return typeof reason === 'string' ? reason : String(code);
}
