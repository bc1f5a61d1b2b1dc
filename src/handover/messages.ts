/**
 * What a gateway and its successor tell each other over the IPC channel between them. Both are processes of the same user
 * and the same program, maybe of two versions: the first message names the version of this protocol.
 */
import { type Principal } from '../auth/principal.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type LogLevel } from '../protocol/methods.js';
import { type ReplayState } from '../transports/inbound/replay-log.js';

export const HANDOVER_PROTOCOL = 1;

/** A legacy session of Streamable HTTP, as it goes from one process to the next. Small: nothing of it is in flight. */
export interface SessionState {
  readonly id: string;
  readonly scope: string | null;
  readonly principal: Principal;
  readonly remote: string;
  readonly address: string;
  readonly route: string;
  readonly phase: 'new' | 'initializing' | 'ready';
  /** Params of its `initialize`, with the version that was agreed on; `null` before. */
  readonly initialize: JsonObject | null;
  readonly logLevel: LogLevel | null;
  /** URIs as the client knows them. */
  readonly subscriptions: readonly string[];
  /** For `Last-Event-ID`; `null` when it never had a stream. */
  readonly replay: ReplayState | null;
}

/** From the process that serves to its successor. */
export type ToSuccessor =
  /** With the listening socket. */
  | { readonly type: 'handover/listen'; readonly protocol: number }
  /** With a connection between two requests. */
  | { readonly type: 'handover/socket' }
  | { readonly type: 'session/handed'; readonly state: SessionState }
  /** It has calls in flight here; it follows when they are answered. */
  | { readonly type: 'session/busy'; readonly id: string }
  | { readonly type: 'session/unknown'; readonly id: string }
  /** What was said for a session that is not there any more. */
  | { readonly type: 'session/returned'; readonly id: string; readonly key: string; readonly text: string }
  /** Nothing is left to be handed over. */
  | { readonly type: 'handover/over' };

/** From the successor. */
export type ToPredecessor =
  /** Its configuration is loaded, its upstreams are up or their time is over. */
  | { readonly type: 'successor/prepared'; readonly protocol: number }
  | { readonly type: 'successor/serving' }
  /** A client has come with this session. */
  | { readonly type: 'session/claim'; readonly id: string }
  /** Notifications and answers of a client for a session that is busy there. */
  | { readonly type: 'session/said'; readonly id: string; readonly key: string; readonly text: string };
