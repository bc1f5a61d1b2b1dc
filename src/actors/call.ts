/**
 * A call: one client request on its way through the gateway, and the messages about it.
 *
 * The client's session makes it, keeps it until it is answered and bounds how many it has. The upstream session holds it
 * under the id that it gave upstream. Exactly one answer: whoever removes the call from the client session's table
 * answers it, and nobody can afterwards.
 */
import { type Principal } from '../auth/principal.js';
import { Deadline, type Ref } from '../kernel/index.js';
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Envelope } from '../protocol/modern/envelope.js';
import { type CallTrace } from '../telemetry/tracing/call-trace.js';
import { type Channel } from '../transports/inbound/channel.js';
import { NO_TOKEN, type Outcome } from './breaker-gate.js';
import { type UpstreamGate } from './upstream-gate.js';

/**
 * Whose call it is: on whose behalf, and what a modern upstream is told of the client. legacy: the envelope made of the
 * session's `initialize`. modern: the request's own, and the headers that the client sent beside those which the gateway knows.
 */
export type Caller = LegacyCaller | ModernCaller;

export interface LegacyCaller {
  readonly era: 'legacy';
  readonly principal: Principal;
  readonly envelope: JsonObject;
}

export interface ModernCaller {
  readonly era: 'modern';
  readonly principal: Principal;
  readonly envelope: Envelope;
  readonly headers: Readonly<Record<string, string>>;
}

/** A client's answer to what a server asked of it, under the server's own id. */
export type ServerAnswer =
  | { readonly id: JsonRpcId; readonly result: JsonObject }
  | { readonly id: JsonRpcId; readonly error: JsonRpcErrorObject };

/** What a server says to one client, over an upstream session that is that client's alone. */
export type ServerEvent =
  | {
      readonly type: 'server/requested';
      readonly from: Ref<UpstreamSessionMessage>;
      readonly id: JsonRpcId;
      readonly method: string;
      readonly params: JsonObject;
    }
  | {
      readonly type: 'server/cancelled';
      readonly from: Ref<UpstreamSessionMessage>;
      readonly id: JsonRpcId;
      readonly reason: unknown;
    }
  | { readonly type: 'server/notified'; readonly method: string; readonly params: JsonObject };

export type CallEvent =
  | { readonly type: 'call/answered'; readonly call: Call; readonly message: JsonRpcResponse }
  | { readonly type: 'call/failed'; readonly call: Call; readonly error: JsonRpcErrorObject }
  | { readonly type: 'call/notified'; readonly call: Call; readonly method: string; readonly params: JsonObject }
  | { readonly type: 'call/expired'; readonly call: Call }
  /** Time to send it once more. */
  | { readonly type: 'call/retry'; readonly call: Call };

export class Call extends Deadline {
  readonly type = 'call';
  /** The client's id, given back with the answer. `1` and `"1"` differ. */
  readonly id: JsonRpcId;
  readonly method: string;
  /** The tool or prompt as the client calls it, `''` for none. */
  readonly target: string;
  /** As the upstream is to see them: its own names and URIs. The progress token is replaced by the upstream session. */
  readonly params: JsonObject;
  readonly replyTo: Ref<CallEvent>;
  readonly gate: UpstreamGate;
  /** Who was told of the call, and is told when it is cancelled. */
  to: Ref<UpstreamSessionMessage>;
  readonly caller: Caller;
  /** The tool that it calls, as its server defined it: says which arguments are mirrored in headers. */
  readonly tool: JsonObject | undefined;
  readonly channel: Channel;
  readonly progressToken: JsonRpcId | undefined;
  /** `performance.now()` at its arrival. */
  readonly startedAt: number;
  /** `null`: nothing is traced. */
  readonly trace: CallTrace | null;
  /** Own URI → URI that the client asked for, where a collision gave the resource another one. */
  readonly renamedUri: { readonly own: string; readonly shown: string } | undefined;
  /** How often the upstream has asked for input before this call. */
  readonly round: number;
  /** Given by the upstream session when it sends the call; 0 before. */
  upstreamId = 0;
  /** The breaker's token, when it is a probe. Taken as it is sent, given up as it ends. */
  token = NO_TOKEN;
  /**
   * Milliseconds that its deadline has left when it first comes due, for its channel to be opened; 0: that is the deadline.
   */
  left = 0;
  /** End of its deadline, milliseconds since the Unix epoch. */
  dueAt = 0;
  /** Times that it was sent again. */
  retries = 0;
  /** People were asked for it: how long it took says nothing of its server. */
  asked = false;
  /** `performance.now()` when it was sent upstream; 0 before. Written by the upstream session. */
  sentAt = 0;
  /** How long its upstream took is on record. Likewise. */
  measured = false;
  /** The session that it was sent over, whatever it was sent to. Likewise. */
  carrier: Ref<UpstreamSessionMessage> | null = null;
  /** Set by the client session; an upstream session that has not sent the call yet drops it. */
  cancelled = false;

  constructor(fields: {
    id: JsonRpcId;
    method: string;
    target: string;
    params: JsonObject;
    replyTo: Ref<CallEvent>;
    gate: UpstreamGate;
    to: Ref<UpstreamSessionMessage>;
    caller: Caller;
    tool: JsonObject | undefined;
    channel: Channel;
    progressToken: JsonRpcId | undefined;
    startedAt: number;
    trace?: CallTrace | null;
    renamedUri?: { readonly own: string; readonly shown: string } | undefined;
    round?: number;
  }) {
    super();
    this.id = fields.id;
    this.method = fields.method;
    this.target = fields.target;
    this.params = fields.params;
    this.replyTo = fields.replyTo;
    this.gate = fields.gate;
    this.to = fields.to;
    this.caller = fields.caller;
    this.tool = fields.tool;
    this.channel = fields.channel;
    this.progressToken = fields.progressToken;
    this.startedAt = fields.startedAt;
    this.trace = fields.trace ?? null;
    this.renamedUri = fields.renamedUri;
    this.round = fields.round ?? 0;
  }

  /** On whose behalf it was made. */
  get principal(): Principal {
    return this.caller.principal;
  }

  override fire(): void {
    const expired = { type: 'call/expired', call: this } as const;
    // The urgent lane has a bound; a deadline must be heard whatever else is going on.
    if (this.replyTo.urgent(expired) === 'full') this.replyTo.answer(expired);
  }
}

/** What an upstream session takes from others. */
export type UpstreamSessionMessage =
  | Call
  /** Urgent: the client gave up. Tells the upstream, unless the call was never sent. */
  | { readonly type: 'call/cancel'; readonly call: Call; readonly reason: string }
  /** The client answered a request of the server's. */
  | { readonly type: 'server-request/answered'; readonly answer: ServerAnswer }
  /** A notification of the client's that concerns the server: its roots have changed. */
  | { readonly type: 'client/said'; readonly method: string; readonly params: JsonObject }
  /** The first one subscribes to this resource. */
  | { readonly type: 'resource/subscribe'; readonly uri: string }
  /** Nobody subscribes to this resource any more. */
  | { readonly type: 'resource/unsubscribe'; readonly uri: string }
  /** The most verbose level that any client wants. */
  | { readonly type: 'log-level'; readonly level: string }
  /** Asks the server whether it is well; `ended` is called once, unless the session ends first. */
  | { readonly type: 'session/check'; readonly ended: (outcome: Outcome) => void }
  /** Take no new call, end when those that run have been answered. */
  | { readonly type: 'session/finish' }
  /** End this session; the upstream's lifecycle decides what comes next. */
  | { readonly type: 'session/close'; readonly reason: string };
