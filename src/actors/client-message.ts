/**
 * What a client's session is told, whatever its transport. Each transport's actor adds its own messages.
 */
import { type ClientTransport } from '../admin/protocol.js';
import { type Verdict } from '../auth/authenticator.js';
import { type ReplyTo } from '../kernel/index.js';
import { type JsonObject, type JsonRpcId } from '../protocol/jsonrpc.js';
import { type SseEvent } from '../protocol/sse.js';
import { type CallEvent, type ServerEvent } from './call.js';

export type ClientTransportKind = ClientTransport;

/** A resource that a client has subscribed to, under the URI that it knows. `params` are the server's, with its own URI. */
export interface ResourceUpdated {
  readonly type: 'resource/updated';
  readonly server: string;
  readonly params: JsonObject;
  readonly uri: string;
}

export type ClientMessage =
  | CallEvent
  | ServerEvent
  | ResourceUpdated
  /** A list of this scope has changed; for clients with streams of the modern era. */
  | { readonly type: 'client/list-changed'; readonly scope: string | null; readonly method: string }
  /** A ready notification for this session, the same text for all. */
  | { readonly type: 'client/broadcast'; readonly text: string }
  /** A log message of an upstream; passes if its level does. */
  | { readonly type: 'client/log-message'; readonly params: JsonObject; readonly text: string }
  /** The gateway drains: tell the client in its transport's own way. Times in milliseconds. */
  | { readonly type: 'client/shutdown-pending'; readonly notice: ShutdownNotice }
  /** Go to the successor, if nothing is in flight; with `force` what is in flight is answered with an error first. */
  | { readonly type: 'client/hand-over'; readonly force: boolean }
  | { readonly type: 'client/idle-check' }
  /** The credential of this client may have ended, by time or by revocation. */
  | CredentialDue
  /** A token that came in band was looked at. */
  | { readonly type: 'client/reauthenticated'; readonly verdict: Verdict }
  /** The client did not answer in time what a server asked during the call of this id. */
  | { readonly type: 'client/input-late'; readonly id: JsonRpcId }
  /** End the connection: `code` and `reason` in the transport's own terms. */
  | {
      readonly type: 'client/close';
      readonly reason: CloseReason;
      /** Only if nothing of it waits for an answer. */
      readonly ifIdle?: true;
      readonly replyTo?: ReplyTo<{ closed: string }>;
    };

/** Source: the seed document, "Client Notifications"; names as its clients read them. */
export interface ShutdownNotice {
  readonly type: 'shutdown_pending';
  readonly message: string;
  /** Wait this long before connecting again. Different for each client, so that they do not come as a herd. */
  readonly reconnect_after: number;
  /** Until the gateway closes what is still open. */
  readonly remaining: number;
}

/** The notice on an event stream. `retry` makes readers that come back by themselves wait as long as they were told. */
export function noticeEvent(notice: ShutdownNotice): SseEvent {
  return { event: notice.type, retry: notice.reconnect_after, data: JSON.stringify(notice) };
}

/** It is time to look at the credential behind a connection: it nears its end, or something was revoked. */
export interface CredentialDue {
  readonly type: 'client/credential-due';
}

/** What a client is told of its credential while it is connected. Times in milliseconds since the epoch. */
export interface CredentialNotice {
  /** `expiring` comes a minute before the end, `renewed` and `refused` after a token in band, the others at the end. */
  readonly state: 'expiring' | 'renewed' | 'refused' | 'expired' | 'revoked';
  readonly expires_at: number | null;
  readonly reason?: string;
}

export type CloseReason = 'idle' | 'shutdown' | 'operator' | 'slow_reader' | 'expired' | 'revoked';
