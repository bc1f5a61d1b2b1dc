/** The calls that one upstream session sends: answers each to the client that asked, and measures how long it took. Process-free. */
import { type JsonRpcErrorObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Durations } from '../telemetry/metrics/operations.js';
import { type Call } from './call.js';
import { errorType, targetOf } from './request-watch.js';

export class CallReplies {
  readonly #upstream: string;
  readonly #durations: Durations;
  readonly #openedAt = performance.now();

  constructor(upstream: string, durations: Durations) {
    this.#upstream = upstream;
    this.#durations = durations;
  }

  /** The call is about to be sent. */
  sent(call: Call): void {
    call.sentAt = performance.now();
  }

  answered(call: Call, message: JsonRpcResponse): void {
    this.#record(call, errorType(message));
    call.replyTo.answer({ type: 'call/answered', call, message });
  }

  /** There is no answer of the server's. */
  failed(call: Call, error: JsonRpcErrorObject): void {
    this.#record(call, String(error.code));
    call.replyTo.answer({ type: 'call/failed', call, error });
  }

  /** Nobody wants the answer any more. */
  cancelled(call: Call): void {
    this.#record(call, 'cancelled');
  }

  /** The session is over. */
  closed(): void {
    this.#durations.clientSessions.record(this.#upstream, (performance.now() - this.#openedAt) / 1_000);
  }

  /** A call that was not sent is no operation. */
  #record(call: Call, error: string | null): void {
    if (call.sentAt === 0) return;
    const seconds = (performance.now() - call.sentAt) / 1_000;
    this.#durations.client.record(this.#upstream, call.method, targetOf(call.method, call.params), error, seconds);
    call.sentAt = 0;
  }
}
