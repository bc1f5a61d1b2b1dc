/**
 * Bridged call: one call of a modern client to a legacy server that may ask the client something on the way.
 *
 * Parent: connections (partitioned). Restart: temporary. The server sees an ordinary session of one client; the client
 * sees a multi-round-trip request. What the server asks becomes `input_required`, and the call is parked until the client
 * comes back with the answers, on whatever connection.
 *
 * Invariants: at most one of the client's requests waits here at a time; it is answered once; a call that nobody comes
 * back for is cancelled at the server when its time is over.
 * Source: MCP specification 2026-07-28, "Patterns › Multi Round-Trip Requests"; 2025-11-25, "Client Features".
 */
import { randomBytes } from 'node:crypto';
import { type Principal } from '../auth/principal.js';
import { type ActorContext, type Behavior, NORMAL, type Ref, type TimerHandle } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Envelope } from '../protocol/modern/envelope.js';
import {
  fromLegacyRequest,
  fromUrlElicitationError,
  type InputRequest,
  inputRequiredResult,
  matchResponses,
  originalParams,
  readRetry,
  bareResult,
} from '../protocol/modern/mrtr.js';
import { requestDigest, sealState } from '../protocol/modern/request-state.js';
import { type Channel } from '../transports/inbound/channel.js';
import { Call, type UpstreamSessionMessage } from './call.js';
import { type ClientMessage } from './client-message.js';
import { type SessionEnvironment } from './legacy-session.js';
import { type Lease, leaseFor } from './lease.js';
import { type UpstreamGate } from './upstream-gate.js';

export type BridgedCallMessage =
  ClientMessage | UpstreamSessionMessage | { readonly type: 'bridge/expired' | 'bridge/gathered' };

/** Questions within this time of the first are one round. Milliseconds. */
const GATHER_MS = 15;

/** What is said to the bridge's own call goes to the client's. */
const NO_CHANNEL: Channel = {
  answer: () => false,
  notify: () => false,
  release: () => undefined,
  stillWorking: () => undefined,
};

export function bridgedCall(env: SessionEnvironment, gate: UpstreamGate, envelope: Envelope, principal: Principal) {
  return (context: ActorContext<BridgedCallMessage>): Behavior<BridgedCallMessage> =>
    new BridgedCall(env, gate, envelope, principal, context);
}

interface Question {
  readonly from: Ref<UpstreamSessionMessage>;
  readonly id: JsonRpcId;
  readonly request: InputRequest;
}

class BridgedCall implements Behavior<BridgedCallMessage> {
  readonly #env: SessionEnvironment;
  readonly #gate: UpstreamGate;
  readonly #envelope: Envelope;
  readonly #principal: Principal;
  readonly #context: ActorContext<BridgedCallMessage>;
  readonly #callId = randomBytes(12).toString('base64url');
  readonly #questions = new Map<string, Question>();
  /** The client's request that waits here; `null` while the call is parked. */
  #outer: Call | null = null;
  #inner: Call | null = null;
  #lease: Lease | null = null;
  /** The server has answered: nothing of the call goes on there. */
  #over = false;
  /** The server's answer, when it came while nobody waited. */
  #answer: JsonRpcResponse | null = null;
  #asked = 0;
  #gathering = false;
  #round = 0;
  #timer: TimerHandle | null = null;

  constructor(
    env: SessionEnvironment,
    gate: UpstreamGate,
    envelope: Envelope,
    principal: Principal,
    context: ActorContext<BridgedCallMessage>,
  ) {
    this.#env = env;
    this.#gate = gate;
    this.#envelope = envelope;
    this.#principal = principal;
    this.#context = context;
    env.plane.parking.calls.set(this.#callId, context.self);
  }

  handle(message: BridgedCallMessage): void {
    switch (message.type) {
      case 'call':
        return this.#arrived(message);
      case 'call/cancel':
        if (message.call === this.#outer) this.#abandon(message.reason);
        return;
      case 'call/answered':
        this.#over = true;
        return this.#answered(message.message);
      case 'call/failed':
        this.#over = true;
        return this.#finish({ jsonrpc: '2.0', id: 0, error: message.error });
      case 'call/notified':
        if (this.#outer)
          this.#outer.replyTo.tell({
            type: 'call/notified',
            call: this.#outer,
            method: message.method,
            params: message.params,
          });
        return;
      case 'server/requested':
        return this.#question(message.from, message.id, message.method, message.params);
      case 'server/cancelled':
        for (const [key, question] of this.#questions) if (question.id === message.id) this.#questions.delete(key);
        return;
      case 'bridge/gathered':
        this.#gathering = false;
        return this.#park();
      case 'bridge/expired':
        return this.#abandon('the client did not come back with the input');
      default:
        return; // what concerns sessions does not concern one call
    }
  }

  terminate(): void {
    this.#env.plane.parking.calls.delete(this.#callId);
    if (this.#outer)
      this.#reply({ jsonrpc: '2.0', id: 0, error: gatewayError('upstream_lost', 'the bridge was closed') });
    this.#lease?.leave(this.#context.self, this.#over && this.#questions.size === 0);
  }

  /** The client's request: the first one, or a retry that brings answers. */
  #arrived(call: Call): void {
    if (this.#outer) {
      call.replyTo.answer({
        type: 'call/failed',
        call,
        error: gatewayError('invalid_request', 'this retry is being answered already'),
      });
      return;
    }
    this.#timer?.cancel();
    this.#outer = call;
    if (this.#inner === null) return this.#begin(call);
    this.#takeAnswers(call.params);
  }

  #begin(call: Call): void {
    const lease = leaseFor(this.#gate, {
      member: this.#context.self,
      principal: this.#principal,
      capabilities: this.#capabilities(),
      info: this.#envelope.clientInfo,
      session: false,
    });
    this.#lease = lease;
    this.#inner = new Call({
      id: 0,
      method: call.method,
      target: call.target,
      params: originalParams(call.params) ?? {},
      replyTo: this.#context.self,
      gate: this.#gate,
      to: lease,
      caller: call.caller,
      tool: call.tool,
      channel: NO_CHANNEL,
      progressToken: call.progressToken,
      startedAt: call.startedAt,
      trace: call.trace,
    });
    if (lease.tell(this.#inner) === 'ok') return;
    this.#over = true;
    const error = gatewayError('upstream_unavailable', `upstream "${this.#gate.name}" takes no calls now`);
    this.#finish({ jsonrpc: '2.0', id: 0, error });
  }

  #capabilities(): JsonObject {
    const { sampling, elicitation, roots } = this.#envelope.clientCapabilities;
    return {
      ...(sampling !== undefined && { sampling }),
      ...(elicitation !== undefined && { elicitation }),
      ...(roots !== undefined && { roots }),
    };
  }

  #question(from: Ref<UpstreamSessionMessage>, id: JsonRpcId, method: string, params: JsonObject): void {
    const request = fromLegacyRequest({ jsonrpc: '2.0', id, method, params });
    if (request === undefined) {
      from.answer({ type: 'server-request/answered', answer: { id, error: gatewayError('method_not_found', method) } });
      return;
    }
    this.#questions.set(`q${(this.#asked += 1)}`, { from, id, request });
    // What a server asks in one breath is put to the client in one round.
    if (!this.#gathering) this.#context.after(GATHER_MS, { type: 'bridge/gathered' });
    this.#gathering = true;
  }

  /** Answers the client with what is asked of it, and waits for it to come back. */
  #park(): void {
    const outer = this.#outer;
    if (outer === null || this.#questions.size === 0) return;
    const { plane, clock } = this.#env;
    this.#round += 1;
    const requests = new Map([...this.#questions].map(([key, { request }]) => [key, request]));
    const binding = { principal: outer.principal.key, request: requestDigest(outer.method, outer.params) };
    const parked = {
      callId: this.#callId,
      nodeId: plane.parking.nodeId,
      upstream: this.#gate.name,
      round: this.#round,
    };
    const { timeout } = plane.options.input;
    const state = sealState(plane.parking.keys, parked, binding, clock.now() + timeout, randomBytes);
    this.#timer = this.#context.after(timeout, { type: 'bridge/expired' });
    const serverInfo = { name: 'viable', title: 'Viable MCP gateway', version: this.#env.version };
    this.#reply({ jsonrpc: '2.0', id: 0, result: inputRequiredResult(requests, state, serverInfo) });
  }

  #takeAnswers(params: JsonObject): void {
    const retry = readRetry(params);
    const responses = 'error' in retry ? undefined : retry.responses;
    const asked = new Map([...this.#questions].map(([key, { request }]) => [key, request]));
    const matched = matchResponses(asked, responses ?? new Map());
    if ('error' in matched) {
      return this.#refuseRound(gatewayError(matched.error, matched.detail, matched.data));
    }
    for (const [key, result] of matched.answered) {
      const question = this.#questions.get(key);
      this.#questions.delete(key);
      question?.from.answer({
        type: 'server-request/answered',
        answer: { id: question.id, result: bareResult(result) },
      });
    }
    if (this.#answer) return this.#finish(this.#answer);
    if (this.#questions.size > 0) this.#park();
  }

  /** The round is answered with an error; the call stays parked, so that the client can mend its answer. */
  #refuseRound(error: JsonRpcErrorObject): void {
    this.#timer = this.#context.after(this.#env.plane.options.input.timeout, { type: 'bridge/expired' });
    this.#reply({ jsonrpc: '2.0', id: 0, error });
  }

  #answered(answer: JsonRpcResponse): void {
    const urls = 'error' in answer ? fromUrlElicitationError(answer.error) : undefined;
    if (urls && this.#outer) {
      const serverInfo = { name: 'viable', version: this.#env.version };
      return this.#finish({ jsonrpc: '2.0', id: 0, result: inputRequiredResult(urls, undefined, serverInfo) });
    }
    if (this.#outer) this.#finish(answer);
    else this.#answer = answer;
  }

  #finish(answer: JsonRpcResponse): void {
    this.#reply(answer);
    this.#context.exit(NORMAL);
  }

  #reply(message: JsonRpcResponse): void {
    const outer = this.#outer;
    this.#outer = null;
    outer?.replyTo.answer({ type: 'call/answered', call: outer, message });
  }

  /** Nobody wants the answer any more. */
  #abandon(reason: string): void {
    this.#outer = null;
    if (this.#inner && !this.#over) {
      this.#inner.cancelled = true;
      this.#lease?.urgent({ type: 'call/cancel', call: this.#inner, reason });
    }
    this.#context.exit(NORMAL);
  }
}
