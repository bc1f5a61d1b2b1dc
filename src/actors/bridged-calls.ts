/**
 * Where a modern client's call goes: straight to the upstream's session, to a bridge when it needs a session that not
 * everybody shares (a legacy server may want to ask the client something, or keeps state), or back to the bridge that waits for what this retry brings. Process-free.
 *
 * Source: MCP specification 2026-07-28, "Patterns › Multi Round-Trip Requests › Server Requirements".
 */
import { actor, type Ref } from '../kernel/index.js';
import { type ErrorName } from '../protocol/errors.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { readRetry } from '../protocol/modern/mrtr.js';
import { isOwnState, openState, requestDigest } from '../protocol/modern/request-state.js';
import { MODERN_CLIENT_REQUESTS } from '../protocol/methods.js';
import { bridgedCall, type BridgedCallMessage } from './bridged-call.js';
import { type ModernCaller, type UpstreamSessionMessage } from './call.js';
import { ASKABLE } from './client-links.js';
import { needsLease } from './lease.js';
import { type SessionEnvironment } from './legacy-session.js';
import { CONNECTIONS } from './names.js';
import { type UpstreamGate } from './upstream-gate.js';

export type BridgeRoute = Ref<UpstreamSessionMessage> | { readonly error: ErrorName; readonly detail: string } | null;

export class BridgedCalls {
  readonly #env: SessionEnvironment;

  constructor(env: SessionEnvironment) {
    this.#env = env;
  }

  route(gate: UpstreamGate, method: string, params: JsonObject, caller: ModernCaller): BridgeRoute {
    if (gate.session === null || gate.era === 'modern' || gate.breaker.refuses) return gate.route();
    const askable = ASKABLE.some((name) => caller.envelope.clientCapabilities[name] !== undefined);
    const alone = needsLease(gate, askable);
    if (MODERN_CLIENT_REQUESTS.get(method)?.multiRoundTrip !== true)
      return alone && gate.sharing !== 'auto' ? this.#start(gate, caller) : gate.route();
    const retry = readRetry(params);
    if ('error' in retry) return { error: retry.error, detail: retry.detail };
    if (retry.requestState !== undefined && isOwnState(retry.requestState))
      return this.#parked(retry.requestState, method, params, caller);
    if (retry.requestState !== undefined)
      return { error: 'invalid_request_state', detail: 'it is none of this gateway' };
    return alone ? this.#start(gate, caller) : gate.route();
  }

  #parked(state: string, method: string, params: JsonObject, { principal }: ModernCaller): BridgeRoute {
    const { plane, clock } = this.#env;
    const binding = { principal: principal.key, request: requestDigest(method, params) };
    const opened = openState(plane.parking.keys, state, binding, clock.now());
    if (!opened.ok)
      return {
        error: 'invalid_request_state',
        detail: opened.reason === 'expired' ? 'it has expired' : 'it is not for this request',
      };
    const bridge = plane.parking.calls.get(opened.call.callId);
    if (!bridge?.alive) return { error: 'invalid_request_state', detail: 'the call does not wait any more' };
    return bridge;
  }

  #start(gate: UpstreamGate, { envelope, principal }: ModernCaller): BridgeRoute {
    const { plane, system } = this.#env;
    if (plane.parking.calls.size >= plane.options.input.maxParked)
      return { error: 'overloaded', detail: 'too many calls wait for input' };
    const started = system.startChild<BridgedCallMessage>(
      CONNECTIONS,
      actor<BridgedCallMessage>({
        id: `bridge-${plane.parking.nextId()}`,
        restart: 'temporary',
        init: bridgedCall(this.#env, gate, envelope, principal),
      }),
    );
    if (!started.ok) return { error: 'overloaded', detail: 'no bridge can be started' };
    return started.ref;
  }
}
