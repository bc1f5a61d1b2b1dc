/** What an upstream session is told, what it tells, and what it needs. */
import { type ActorSystem, type Ref } from '../kernel/index.js';
import { type JsonRpcId, type JsonRpcMessage } from '../protocol/jsonrpc.js';
import { type Listing } from '../routing/routing-table.js';
import { type Counters } from '../telemetry/counters.js';
import { type Logger } from '../telemetry/logger.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '../transports/outbound/transport.js';
import { type Call, type UpstreamSessionMessage } from './call.js';
import { type Lease } from './lease.js';
import { type Era, type SessionLoad, type UpstreamGate } from './upstream-gate.js';
import { type ServerFacts } from './upstream-handshake.js';
import { type RelistingMessage } from './upstream-relisting.js';

/** What the session tells the lifecycle actor. After `session/ended` it exits. */
export type UpstreamSessionEvent =
  | { readonly type: 'session/opened'; readonly ref: Ref<UpstreamSessionMessage>; readonly pid: number | undefined }
  | {
      readonly type: 'session/ready';
      readonly ref: Ref<UpstreamSessionMessage>;
      readonly facts: ServerFacts;
      readonly listing: Listing;
    }
  | { readonly type: 'session/listed'; readonly ref: Ref<UpstreamSessionMessage>; readonly listing: Listing }
  /** `unsent`: calls that the upstream is known not to have begun, for the next session. */
  | {
      readonly type: 'session/ended';
      readonly ref: Ref<UpstreamSessionMessage>;
      readonly why: string;
      /** The upstream knows the session no more: a new one is worth trying at once. */
      readonly forgotten: boolean;
      /** It ended while its era was being found out: the question may have been too much for it. */
      readonly probing: boolean;
      readonly unsent: readonly Call[];
    };

export interface UpstreamSessionDeps {
  readonly system: ActorSystem;
  readonly server: string;
  readonly version: string;
  /** primary: lists what the server offers. shared: serves clients besides. leased: serves whoever holds it. */
  readonly role: 'primary' | 'shared' | 'leased';
  /** Who is told how it is, until another adopts the session; `null` for one that is leased. */
  readonly owner: Ref<UpstreamSessionEvent> | null;
  /** How the server's era is known. */
  readonly era: 'auto' | Era;
  /** Reached over Streamable HTTP. */
  readonly http: boolean;
  /** Who holds a leased session from the start; `null`: it is kept ready for its first. */
  readonly lease: Lease | null;
  readonly gate: UpstreamGate;
  readonly load: SessionLoad;
  readonly counters: Counters;
  readonly log: Logger;
  readonly connectTimeout: number;
  readonly shutdownGrace: number;
  readonly relistDelay: number;
  readonly createTransport: (handlers: OutboundHandlers) => OutboundTransport;
  /** Called with the number of bytes that were no message. */
  readonly onJunk: (bytes: number) => void;
}

export type UpstreamSessionInbox =
  | UpstreamSessionMessage
  /** Somebody else holds it now, or nobody. */
  | { readonly type: 'session/lease'; readonly lease: Lease | null }
  /** Ends the session unless the server answers a ping within so many milliseconds. */
  | { readonly type: 'session/ping'; readonly within: number }
  | { readonly type: 'ping/late'; readonly id: number }
  /** A restarted lifecycle actor takes the session over. */
  | { readonly type: 'session/adopt'; readonly owner: Ref<UpstreamSessionEvent> }
  | { readonly type: 'transport/opened'; readonly error: TransportError | undefined }
  | { readonly type: 'transport/received'; readonly message: JsonRpcMessage }
  | { readonly type: 'transport/request-failed'; readonly id: JsonRpcId; readonly error: TransportError }
  | { readonly type: 'transport/closed'; readonly error: TransportError }
  | { readonly type: 'handshake/done'; readonly facts: ServerFacts; readonly listing: Listing }
  | { readonly type: 'handshake/failed'; readonly error: Error }
  | RelistingMessage
  | { readonly type: 'handshake/late' }
  /** doubted: the server may be another one. changed: it is, and of the other era. */
  | { readonly type: 'era/doubted' | 'era/changed' }
  /** Time to open the stream of a modern server's changes again. */
  | { readonly type: 'listen/again' };
