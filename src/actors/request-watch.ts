/**
 * Who measures the requests of one client: how long each took and how it ended. Process-free, and plain memory: what the
 * session is dispatching right now, until the request is answered at once or has become a call, which then carries it.
 */
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { CLIENT_REQUESTS, MODERN_CLIENT_REQUESTS } from '../protocol/methods.js';
import { type Durations, OTHER } from '../telemetry/metrics/operations.js';
import { type Call } from './call.js';

export class RequestWatch {
  readonly #durations: Durations;
  #method = '';
  #error: string | null = null;
  /** Of the request that is dispatched now: `performance.now()` at its arrival. */
  startedAt = 0;
  /** Of the request that is dispatched now: the tool or prompt as the client calls it, `''` for none. */
  target = '';

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  /** A request is about to be dispatched. */
  begin(method: string, params: JsonObject | undefined): void {
    this.startedAt = performance.now();
    this.#method = method;
    this.#error = null;
    this.target = targetOf(method, params);
  }

  /** The request that is dispatched now is answered with this error. */
  refused(error: JsonRpcErrorObject): void {
    this.#error = String(error.code);
  }

  /** The dispatch is over. `pending`: the request waits for its upstream; else it has been answered. */
  settle(pending: boolean): void {
    if (pending && this.#error === null) return;
    // Names that nobody offers, and methods that nobody knows, are the client's to invent.
    const target = this.#error === null ? this.target : '';
    const known = CLIENT_REQUESTS.has(this.#method) || MODERN_CLIENT_REQUESTS.has(this.#method);
    const seconds = (performance.now() - this.startedAt) / 1_000;
    this.#durations.server.record('', known ? this.#method : OTHER, target, this.#error, seconds);
  }

  /** A call has ended. Returns how long it took, in milliseconds. */
  ended(call: Call, error: string | null): number {
    const ms = performance.now() - call.startedAt;
    this.#durations.server.record('', call.method, call.target, error, ms / 1_000);
    return ms;
  }
}

/** `error.type` of the conventions: the JSON-RPC code, or `tool_error`; `null` when it went well. */
export function errorType(answer: JsonRpcResponse): string | null {
  if ('error' in answer) return String(answer.error.code);
  return answer.result['isError'] === true ? 'tool_error' : null;
}

/** The tool or prompt that a request names, `''` for none. */
export function targetOf(method: string, params: JsonObject | undefined): string {
  if (params === undefined || (method !== 'tools/call' && method !== 'prompts/get')) return '';
  const name = params['name'];
  return typeof name === 'string' ? name : '';
}
