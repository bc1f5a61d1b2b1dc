/**
 * What the data path knows of an upstream: a handful of plain fields that it reads without asking anybody.
 *
 * Written by the upstream's own actors (lifecycle fields) and by the client sessions (load fields), read by all. One
 * object for each configured upstream, for as long as it is configured, whatever happens to its actors.
 */
import { type Ref } from '../kernel/index.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type UpstreamSessionMessage } from './call.js';
import { type ClientMessage } from './client-message.js';

/**
 * Who shares an upstream session. `auto`: clients that a server may ask something (they declared sampling, elicitation or
 * roots) have one each, the others share one. `shared`: all share one, and no server can ask. `session`: one each, for
 * servers that keep state by session.
 */
export type Sharing = 'auto' | 'shared' | 'session';

/** legacy: 2024-11-05 … 2025-11-25, sessions. modern: 2026-07-28, stateless. */
export type Era = 'legacy' | 'modern';

/** The client behind a session that is its alone. */
export interface SessionClient {
  readonly ref: Ref<ClientMessage>;
  /** As the client declared them. */
  readonly capabilities: JsonObject;
  readonly info: JsonObject | undefined;
}

export class UpstreamGate {
  readonly name: string;
  /** The session that takes calls; `null` while there is none. */
  session: Ref<UpstreamSessionMessage> | null = null;
  /** One line that says why there is no session, for errors and consoles. */
  trouble = 'not connected yet';
  /** Epoch milliseconds of the next connection attempt, `null` when none is planned. */
  retryAt: number | null = null;
  /**
   * Opens a session for one client alone, over which the server may ask that client (sampling, elicitation, roots) and
   * keep state for it. `null` while the upstream takes no calls. Returns why it cannot be opened. Set by the lifecycle.
   */
  openSession: ((client: SessionClient) => Ref<UpstreamSessionMessage> | string) | null = null;
  sharing: Sharing = 'auto';
  /** Sessions that are one client's alone. Written by those sessions. */
  ownSessions = 0;
  /** The most verbose level of log messages that clients have asked for; `null` until one does. */
  logLevel: string | null = null;
  /** Of the server that answers now. */
  era: Era = 'legacy';
  /** Own URI → the sessions that subscribe to it, each with the URI that it knows. */
  readonly subscriptions = new Map<string, Map<Ref<ClientMessage>, string>>();
  /** It takes no new calls until then, while those that run finish; `null` while it is not drained. Written by its drain. */
  drainsUntil: number | null = null;
  /** Calls sent and not yet answered. */
  inFlight = 0;
  /** Calls for it, those that were refused because of it included. */
  calls = 0;
  /** Of these, those that ended with an error of the gateway's or an internal one of its own. */
  failures = 0;
  /** Bound of `inFlight`; past it a call is answered "overloaded" at once. */
  maxInFlight: number;
  /** Milliseconds from a call to its answer. */
  requestTimeout: number;

  constructor(name: string, maxInFlight: number, requestTimeout: number) {
    this.name = name;
    this.maxInFlight = maxInFlight;
    this.requestTimeout = requestTimeout;
  }
}
