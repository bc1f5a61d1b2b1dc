/**
 * What the data path counts. Plain numbers, incremented in place; the metrics actor reads them once a second and makes
 * the windows. Formulas: `windows.ts`.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { UnitLedger } from '../vsm/unit-model.js';
import { CLIENT_TRANSPORTS, REQUEST_TRANSPORTS, type RequestTransport } from '../admin/protocol.js';
import { Denials } from './denials.js';
import { Durations } from './metrics/operations.js';

/** Counts of one transport since the start. */
export interface TransportCounters {
  readonly transport: RequestTransport;
  /** Open sessions (Streamable HTTP) or connections (HTTP+SSE, WebSocket). */
  open: number;
  messagesIn: number;
  messagesOut: number;
  /** Requests that got a definitive answer. */
  succeeded: number;
  /** Requests that failed through an upstream, the transport or time. The client's own mistakes are in neither. */
  failed: number;
  /** Its books, as an S1 unit. */
  readonly unit: UnitLedger;
}

/** Why something was thrown away. */
export type Drop =
  | 'unknown_response_id' // an upstream answered what nobody asked
  | 'late_answer' // the call had been answered, cancelled or had expired
  | 'client_gone' // an answer or notification whose client had left
  | 'notification_overflow' // a client's or session's mailbox was full
  | 'upstream_junk' // bytes from an upstream that are no message
  | 'unroutable_notification' // a notification that belongs to no call and no list
  | 'webhook_overflow' // an alarm for a webhook that is too slow
  | 'webhook_failed' // an alarm that the webhook did not take
  | 'slow_reader' // a client that was cut off, because it did not read what was sent to it
  | 'upstream_slow' // a notification or answer to an upstream that does not read
  | 'refused_server_request'; // a request from an upstream that this gateway does not serve

export class Counters {
  readonly transports: Readonly<Record<RequestTransport, TransportCounters>>;
  readonly drops = new Map<Drop, number>();
  /** What the policy kept from clients. */
  readonly denials = new Denials();
  /** Client requests that wait for an upstream. */
  inFlight = 0;
  /** Open TCP sockets of the HTTP listener. */
  sockets = 0;
  /** Latency of answered calls in microseconds; taken and replaced by the metrics actor. */
  latency: RecordableHistogram = newLatencyHistogram();
  /** How long operations and sessions take, for collectors. */
  readonly durations = new Durations();

  constructor() {
    this.transports = Object.fromEntries(
      REQUEST_TRANSPORTS.map((transport) => [
        transport,
        { transport, open: 0, messagesIn: 0, messagesOut: 0, succeeded: 0, failed: 0, unit: new UnitLedger() },
      ]),
    ) as Record<RequestTransport, TransportCounters>;
  }

  drop(reason: Drop, count = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + count);
  }

  /** Transports that are shown: those of clients always, the other one once it has been used. */
  get shown(): readonly RequestTransport[] {
    return this.transports['in-process'].messagesIn > 0 ? REQUEST_TRANSPORTS : CLIENT_TRANSPORTS;
  }

  /** Messages that crossed the client side, both ways, since the start. */
  get messages(): number {
    let total = 0;
    for (const name of REQUEST_TRANSPORTS)
      total += this.transports[name].messagesIn + this.transports[name].messagesOut;
    return total;
  }
}

/** One microsecond to one hour, three significant digits. */
export function newLatencyHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });
}
