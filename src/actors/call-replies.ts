/**
 * The calls that one upstream session sends: answers each to the client that asked, measures and traces how long it took.
 * Process-free.
 */
import { type JsonRpcErrorObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { targetOf } from '../protocol/methods.js';
import { type Durations } from '../telemetry/metrics/operations.js';
import { type TraceContext, type TracedUpstream } from '../telemetry/tracing/call-trace.js';
import { type Call } from './call.js';
import { errorType } from './request-watch.js';

export class CallReplies implements TracedUpstream {
  readonly upstream: string;
  readonly #durations: Durations;
  readonly #network: () => 'pipe' | 'tcp';
  readonly #openedAt = performance.now();
  described: TracedUpstream['described'] = null;

  constructor(upstream: string, durations: Durations, network: () => 'pipe' | 'tcp') {
    this.upstream = upstream;
    this.#durations = durations;
    this.#network = network;
  }

  get network(): 'pipe' | 'tcp' {
    return this.#network();
  }

  /** The call is about to be sent, under the id that it has been given. Returns the trace context to send with it. */
  sent(call: Call): TraceContext | null {
    call.sentAt = performance.now();
    call.measured = false;
    if (call.trace === null) return null;
    return call.trace.sent(call, this);
  }

  answered(call: Call, message: JsonRpcResponse): void {
    this.#record(call, errorType(message));
    call.replyTo.answer({ type: 'call/answered', call, message });
  }

  /** There is no answer of the server's. */
  failed(call: Call, error: JsonRpcErrorObject): void {
    this.#record(call, String(error.code), error);
    call.replyTo.answer({ type: 'call/failed', call, error });
  }

  /** Nobody wants the answer any more. */
  cancelled(call: Call): void {
    this.#record(call, 'cancelled');
  }

  /** The session is over. */
  closed(): void {
    this.#durations.clientSessions.record(this.upstream, (performance.now() - this.#openedAt) / 1_000);
  }

  /** A call that was not sent is no operation. */
  #record(call: Call, error: string | null, failure?: JsonRpcErrorObject): void {
    if (call.sentAt === 0 || call.measured) return;
    call.measured = true;
    const now = performance.now();
    const seconds = (now - call.sentAt) / 1_000;
    this.#durations.client.record(this.upstream, call.method, targetOf(call.method, call.params), error, seconds);
    call.trace?.received(now, error, failure);
  }
}
