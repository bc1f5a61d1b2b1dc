/**
 * Why a call is not sent: breaker, concurrency, no session. Every check is a plain memory read; what is refused is told
 * when to come back.
 */
import { type RequestTransport } from '../admin/protocol.js';
import { type Clock } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { type BreakerGate } from './breaker-gate.js';
import { beyondGrant } from './call-books.js';
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Seconds to wait where nothing says how long: in half-open, a probe is on its way. */
const SOON_S = 1;

/** Why this server gets no further call now, in the order of the checks; `undefined` when it does. */
export function admit(plane: DataPlane, gate: UpstreamGate, clock: Clock): JsonRpcErrorObject | undefined {
  if (plane.quietUntil !== null) return stopping(plane.quietUntil, clock);
  if (gate.drainsUntil !== null) return drained(gate, gate.drainsUntil, clock);
  if (gate.breaker.refuses) {
    gate.breaker.refused += 1;
    return breakerOpen(gate, clock);
  }
  if (gate.inFlight >= gate.maxInFlight) return overloaded(gate, `it has ${gate.maxInFlight} calls outstanding`);
  if (gate.inFlight >= gate.limit) {
    gate.overLimit += 1;
    return overloaded(gate, `it answers slower with more than ${Math.floor(gate.limit)} calls at a time`);
  }
  return beyondGrant(plane, gate, clock.now());
}

/** Whole seconds until a time, at least 1. */
function secondsUntil(at: number, clock: Clock): number {
  return Math.max(SOON_S, Math.ceil((at - clock.now()) / 1_000));
}

/** Seconds until a breaker that refuses may let a probe through. `forced`: for as long as an operator wants. */
export function retryAfterOf({ until, memory }: BreakerGate, clock: Clock): number {
  if (until !== null) return secondsUntil(until, clock);
  return memory?.phase === 'forced' ? Math.ceil(memory.context.rules.maxOpenFor / 1_000) : SOON_S;
}

export function transportTrouble(transport: RequestTransport): string {
  return `transport "${transport}" fails inside the gateway`;
}

/** The refusal of a client transport's breaker. */
export function transportOpen(transport: RequestTransport, gate: BreakerGate, clock: Clock): JsonRpcErrorObject {
  gate.refused += 1;
  return gatewayError('breaker_open', transportTrouble(transport), {
    transport,
    retryAfter: retryAfterOf(gate, clock),
  });
}

/** The breaker's refusal; of a server that cannot be reached, what keeps it away. */
export function breakerOpen(gate: UpstreamGate, clock: Clock): JsonRpcErrorObject {
  const { breaker, name } = gate;
  if (breaker.cause === 'unreachable' && gate.session === null) return unavailable(gate, clock);
  const why = breaker.state === 'open' ? 'it has failed too often' : 'a probe is on its way';
  const detail = `upstream "${name}": ${breaker.cause === 'operator' && breaker.state === 'open' ? 'an operator has opened it' : why}`;
  return gatewayError('breaker_open', detail, { server: name, retryAfter: retryAfterOf(breaker, clock) });
}

export function overloaded(gate: UpstreamGate, why: string): JsonRpcErrorObject {
  return gatewayError('overloaded', `upstream "${gate.name}": ${why}`, { server: gate.name, retryAfter: SOON_S });
}

export function unavailable(gate: UpstreamGate, clock: Clock): JsonRpcErrorObject {
  const soon = gate.awaited === null ? undefined : SOON_S;
  const retryAfter = gate.retryAt === null ? soon : secondsUntil(gate.retryAt, clock);
  const data = { server: gate.name, ...(retryAfter === undefined ? {} : { retryAfter }) };
  return gatewayError('upstream_unavailable', `upstream "${gate.name}": ${gate.trouble}`, data);
}

export function drained(gate: UpstreamGate, until: number, clock: Clock): JsonRpcErrorObject {
  const retryAfter = Math.max(1, Math.ceil((until - clock.now()) / 1_000));
  const detail = `upstream "${gate.name}" is being taken out of service`;
  return gatewayError('draining', detail, { server: gate.name, retryAfter });
}

/** The gateway stops in a moment: what began now would be cut. */
export function stopping(until: number, clock: Clock): JsonRpcErrorObject {
  return gatewayError('draining', 'it takes no more requests', { retryAfter: secondsUntil(until, clock) });
}
