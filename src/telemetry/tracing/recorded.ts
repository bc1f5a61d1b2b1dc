/**
 * A request that is recorded: one SERVER span, and a CLIENT child for each time it is sent upstream.
 *
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Spans".
 */
import { SpanKind } from '@opentelemetry/api';
import { type JsonRpcErrorObject } from '../../protocol/jsonrpc.js';
import {
  type CallTrace,
  type TracedUpstream,
  type EventAttributes,
  type EventKind,
  reasonOf,
  type TraceContext,
  type TracedCall,
} from './call-trace.js';
import { type Descriptions, shown } from './descriptions.js';
import { QUEUE_WAIT } from './queue-wait.js';
import { type SharedFields } from './shared-fields.js';
import { type TraceSpan } from './trace-span.js';

export class RecordedTrace implements CallTrace {
  readonly recorded = true;
  readonly #server: TraceSpan;
  readonly #descriptions: Descriptions;
  readonly #baggage: string | undefined;
  readonly #beganAt: number;
  #client: TraceSpan | null;
  /** The failure stands on one span, that of the one who saw it. */
  #failureTold = false;
  #over = false;

  /** `beganAt`: as `performance.now()` has it. `baggage`: as the client sent it. `client`: it is under way upstream. */
  constructor(
    server: TraceSpan,
    descriptions: Descriptions,
    beganAt: number,
    baggage: string | undefined,
    client: TraceSpan | null = null,
  ) {
    this.#server = server;
    this.#client = client;
    this.#descriptions = descriptions;
    this.#beganAt = beganAt;
    this.#baggage = baggage;
  }

  event(what: EventKind, attributes?: EventAttributes): void {
    this.#server.event(what, attributes);
  }

  measured(what: SharedFields, value: number): void {
    this.#server.measured(what, value);
  }

  sent(call: TracedCall, to: TracedUpstream): TraceContext {
    const { upstreamId, sentAt } = call;
    this.#client?.end(sentAt); // sent once more: a retry has a span of its own
    this.#server.measured(QUEUE_WAIT, sentAt - this.#beganAt, sentAt);
    const description = this.#descriptions.request(call);
    const client = this.#server.child(
      SpanKind.CLIENT,
      description,
      this.#descriptions.upstream(to),
      upstreamId,
      sentAt,
    );
    this.#client = client;
    return client.context(this.#baggage);
  }

  received(at: number, error: string | null, failure?: JsonRpcErrorObject): void {
    if (this.#client === null) return;
    this.#finish(this.#client, at, error, failure);
    this.#client = null;
  }

  ended(at: number, error: string | null, failure?: JsonRpcErrorObject): void {
    if (this.#over) return;
    this.#over = true;
    this.#finish(this.#server, at, error, failure);
  }

  #finish(span: TraceSpan, at: number, error: string | null, failure: JsonRpcErrorObject | undefined): void {
    if (error !== null) {
      span.set('error.type', error);
      if (/^-?\d+$/.test(error)) span.set('rpc.response.status_code', error);
      span.failed(failure && shown(failure.message));
    }
    if (failure && !this.#failureTold) {
      this.#failureTold = true;
      span.exception(reasonOf(failure), shown(failure.message), at);
    }
    span.end(at);
  }
}
