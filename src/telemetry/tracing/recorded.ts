/**
 * A request that is recorded: one SERVER span, and a CLIENT child for each time it is sent upstream.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import { SpanKind } from '@opentelemetry/api';
import { type JsonRpcErrorObject } from '../../protocol/jsonrpc.js';
import { targetOf } from '../../protocol/methods.js';
import {
  type CallTrace,
  type TracedUpstream,
  type EventAttributes,
  reasonOf,
  type TraceContext,
  type TracedCall,
} from './call-trace.js';
import { type Descriptions, shown } from './descriptions.js';
import { type TraceSpan } from './trace-span.js';

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

  sent(call: TracedCall, to: TracedUpstream): TraceContext {
    this.#client?.end(); // sent once more: a retry has a span of its own
    const now = performance.now();
    this.#server.event('viable.queue_wait', { 'viable.wait_ms': now - this.#beganAt }, now);
    const { method, params, upstreamId } = call;
    const description = this.#descriptions.request(method, targetOf(method, params), params);
    const client = this.#server.child(SpanKind.CLIENT, description, this.#descriptions.upstream(to), upstreamId, now);
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
