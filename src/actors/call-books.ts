/**
 * The books of S1 about calls, and the bounds that S3 has granted: what the data path adds and reads. Plain memory.
 */
import { gatewayError } from '../protocol/errors.js';
import { type JsonObject, type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { type TransportCounters } from '../telemetry/counters.js';
import { type Call } from './call.js';
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';

/** A call was admitted. */
export function bookStart(counters: TransportCounters, gate: UpstreamGate): void {
  gate.ledger.started += 1;
  counters.unit.started += 1;
  counters.unit.inFlight += 1;
}

/** A call was taken out, whatever becomes of it. */
export function bookTaken(counters: TransportCounters): void {
  counters.unit.inFlight -= 1;
}

/** A call has ended with a definitive reply, or with none. */
export function bookEnd(plane: DataPlane, counters: TransportCounters, call: Call, ok: boolean, ms: number): void {
  const how = ok ? 'absorbed' : 'failed';
  call.gate.ledger.settle(how, ms);
  counters.unit.settle(how, ms);
  plane.viability.operations.settle(call.method, toolName(call.tool), call.principal.role, how);
}

/** A demand was kept out of its server. */
export function bookAttenuated(
  plane: DataPlane,
  counters: TransportCounters,
  request: { readonly method: string; readonly tool?: JsonObject | undefined; readonly gate: UpstreamGate },
  role: string,
): void {
  request.gate.ledger.attenuated += 1;
  counters.unit.attenuated += 1;
  plane.viability.operations.settle(request.method, toolName(request.tool), role, 'attenuated');
}

/** Why S3's bargain has no room for one more call to this server; `undefined` when it has. */
export function beyondGrant(plane: DataPlane, gate: UpstreamGate, now: number): JsonRpcErrorObject | undefined {
  const { slots } = plane.options.vsm.control;
  if (plane.counters.inFlight >= slots)
    return gatewayError('overloaded', `the gateway has ${slots} calls outstanding`, { server: gate.name });
  const { allowance } = gate;
  if (allowance.lease === null) return undefined;
  const granted = allowance.slots(now);
  if (gate.inFlight >= granted) return refused(gate, `it was granted ${granted} calls at a time`);
  if (!allowance.takeRate(now))
    return refused(gate, `it was granted ${Math.round(allowance.rps(now) ?? 0)} calls a second`);
  return undefined;
}

function refused(gate: UpstreamGate, why: string): JsonRpcErrorObject {
  return gatewayError('overloaded', `upstream "${gate.name}": ${why}`, { server: gate.name });
}

function toolName(tool: JsonObject | undefined): string {
  const name = tool?.['name'];
  return typeof name === 'string' ? name : '';
}
