/**
 * Who measures and traces the requests of one client: how long each took and how it ended. Process-free, and plain memory:
 * what the session is dispatching right now, until the request is answered at once or has become a call, which then
 * carries it.
 */
import { type JsonRpcErrorObject, type JsonRpcRequest, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type IncomingHeaders } from '../protocol/modern/headers.js';
import { CLIENT_REQUESTS, MODERN_CLIENT_REQUESTS, targetOf } from '../protocol/methods.js';
import { OTHER } from '../telemetry/metrics/operations.js';
import { type CallTrace, reasonOf, type RequestOrigin } from '../telemetry/tracing/call-trace.js';
import { type Call } from './call.js';
import { type DataPlane } from './data-plane.js';

export class RequestWatch {
  readonly #plane: Pick<DataPlane, 'tracing' | 'counters'>;
  #method = '';
  #error: JsonRpcErrorObject | null = null;
  /** Of the request that is dispatched now: `performance.now()` at its arrival. */
  startedAt = 0;
  /** Of the request that is dispatched now: the tool or prompt as the client calls it, `''` for none. */
  target = '';
  /** Of the request that is dispatched now; `null`: nothing is traced. */
  trace: CallTrace | null = null;
  /** Where the client's requests come in. */
  origin: RequestOrigin | null = null;

  constructor(plane: Pick<DataPlane, 'tracing' | 'counters'>) {
    this.#plane = plane;
  }

  /** A request is about to be dispatched. */
  begin(request: JsonRpcRequest, headers: IncomingHeaders | undefined): void {
    const { tracing } = this.#plane;
    this.startedAt = performance.now();
    this.#method = request.method;
    this.#error = null;
    this.target = targetOf(request.method, request.params);
    this.trace = tracing === null ? null : tracing.begin(request, headers, this.origin, this.startedAt);
  }

  /** The request that is dispatched now is answered with this error. */
  refused(error: JsonRpcErrorObject): void {
    this.#error = error;
    if (this.trace?.recorded) this.trace.event('viable.refused', { 'viable.reason': reasonOf(error) });
  }

  /** The dispatch is over. `pending`: the request waits for its upstream; else it has been answered. */
  settle(pending: boolean): void {
    const error = this.#error;
    if (pending && error === null) return;
    // Names that nobody offers, and methods that nobody knows, are the client's to invent.
    const target = error === null ? this.target : '';
    const known = CLIENT_REQUESTS.has(this.#method) || MODERN_CLIENT_REQUESTS.has(this.#method);
    const now = performance.now();
    const seconds = (now - this.startedAt) / 1_000;
    const type = error === null ? null : String(error.code);
    this.#plane.counters.durations.server.record('', known ? this.#method : OTHER, target, type, seconds);
    this.trace?.ended(now, type, error ?? undefined);
  }

  /** A call has ended. `failure`: the error when it is the gateway's. Returns how long it took, in milliseconds. */
  ended(call: Call, error: string | null, failure?: JsonRpcErrorObject): number {
    const now = performance.now();
    const ms = now - call.startedAt;
    this.#plane.counters.durations.server.record('', call.method, call.target, error, ms / 1_000);
    call.trace?.ended(now, error, failure);
    return ms;
  }
}

/** `error.type` of the conventions: the JSON-RPC code, or `tool_error`; `null` when it went well. */
export function errorType(answer: JsonRpcResponse): string | null {
  if ('error' in answer) return String(answer.error.code);
  return answer.result['isError'] === true ? 'tool_error' : null;
}
