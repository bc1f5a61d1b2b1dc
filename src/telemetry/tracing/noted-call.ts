/** A request that is recorded by notes; by spans as soon as something comes that notes have no place for. */
import { type JsonRpcErrorObject } from '../../protocol/jsonrpc.js';
import {
  type CallTrace,
  type EventAttributes,
  type EventKind,
  type TraceContext,
  type TracedCall,
  type TracedUpstream,
} from './call-trace.js';
import { type Descriptions } from './descriptions.js';
import { type NotePage } from './note-page.js';
import { type RecordedTrace } from './recorded.js';
import { type SharedFields } from './shared-fields.js';
import { type OwnSpanSink } from './span-sink.js';
import { writtenContext } from './trace-span.js';

/** Makes calls, and spans of what is noted of them. */
export interface CallMaker {
  readonly sink: OwnSpanSink;
  /** `answered`: its CLIENT span has ended. */
  spelled(
    page: NotePage,
    call: number,
    answered: boolean,
    descriptions: Descriptions,
    baggage: string | undefined,
  ): RecordedTrace;
}

export class NotedCall implements CallTrace {
  readonly recorded = true;
  readonly #maker: CallMaker;
  readonly #page: NotePage;
  readonly #call: number;
  readonly #descriptions: Descriptions;
  readonly #baggage: string | undefined;
  #phase: 'begun' | 'sent' | 'received' | 'over' | 'spelled' = 'begun';
  /** What it has become. */
  #spelled: RecordedTrace | null = null;

  /** `call`: its place on that page. `baggage`: as the client sent it. */
  constructor(maker: CallMaker, page: NotePage, call: number, descriptions: Descriptions, baggage: string | undefined) {
    this.#maker = maker;
    this.#page = page;
    this.#call = call;
    this.#descriptions = descriptions;
    this.#baggage = baggage;
  }

  event(what: EventKind, attributes?: EventAttributes): void {
    if (this.#phase !== 'over') this.#spelledOut().event(what, attributes);
  }

  measured(what: SharedFields, value: number): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'begun' && !this.#page.hasEvent(this.#call))
      this.#page.measured(this.#call, what, value, performance.now());
    else this.#spelledOut().measured(what, value);
  }

  sent(call: TracedCall, to: TracedUpstream): TraceContext | null {
    if (this.#phase === 'over') return null;
    if (this.#phase !== 'begun') return this.#spelledOut().sent(call, to);
    this.#phase = 'sent';
    this.#maker.sink.spanStarted();
    const descriptions = this.#descriptions;
    const traceparent = this.#page.sent(
      this.#call,
      call.sentAt,
      descriptions.request(call),
      descriptions.upstream(to),
      call.upstreamId,
    );
    return writtenContext(traceparent, '', this.#baggage);
  }

  received(at: number, error: string | null, failure?: JsonRpcErrorObject): void {
    const isSent = this.#phase === 'sent';
    if (this.#phase === 'spelled' || (isSent && (error !== null || failure !== undefined)))
      return this.#spelledOut().received(at, error, failure);
    if (!isSent) return;
    this.#phase = 'received';
    this.#page.received(this.#call, at);
  }

  ended(at: number, error: string | null, failure?: JsonRpcErrorObject): void {
    if (this.#phase === 'over') return;
    const spans = this.#phase === 'received' ? 2 : 1;
    const { sink } = this.#maker;
    const isUnusual = this.#phase === 'spelled' || this.#phase === 'sent' || error !== null || failure !== undefined;
    if (isUnusual || !sink.hasRoom(spans)) return this.#spelledOut().ended(at, error, failure);
    this.#phase = 'over';
    this.#page.ended(this.#call, at);
    sink.callEnded(this.#page, this.#call, spans);
  }

  #spelledOut(): RecordedTrace {
    if (this.#spelled !== null) return this.#spelled;
    const spelled = this.#maker.spelled(
      this.#page,
      this.#call,
      this.#phase === 'received',
      this.#descriptions,
      this.#baggage,
    );
    this.#page.leave(this.#call);
    this.#phase = 'spelled';
    this.#spelled = spelled;
    return spelled;
  }
}
