/**
 * Whether a call that failed is sent once more, and when. Only what certainly never reached the server, and reads: see
 * `gateway.retries`. Costs nothing on the way of a call that does not fail.
 */
import { type GatewayOptions } from '../config/types.js';
import { backoffDelay } from '../machines/upstream.js';
import { ERRORS } from '../protocol/errors.js';
import { isJsonObject, type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { NO_TOKEN } from './breaker-gate.js';
import { type Call } from './call.js';

const READS: ReadonlySet<string> = new Set(['prompts/get', 'resources/read', 'completion/complete']);

/** Milliseconds to wait before it is sent again; `null`: it is not. Takes from the budget of its server. */
export function retryDelay(
  call: Call,
  error: JsonRpcErrorObject,
  options: GatewayOptions['retries'],
  now: number,
  random: () => number,
): number | null {
  const { gate } = call;
  if (!options.enabled || call.retries >= options.max || !mayRepeat(call, error, options.annotatedTools)) return null;
  // A probe has told what there was to tell, and an open breaker would refuse it.
  if (call.token !== NO_TOKEN || gate.breaker.state !== 'closed') return null;
  const delay = backoffDelay(call.retries + 1, options.backoffBase, options.backoffMax, random);
  if (now + delay >= call.dueAt) return null;
  if (gate.retryBudget.take(gate.calls, now, options)) {
    gate.retries += 1;
    return delay;
  }
  gate.retriesRefused += 1;
  return null;
}

function mayRepeat(call: Call, { code }: JsonRpcErrorObject, annotatedTools: boolean): boolean {
  if (code === ERRORS.upstream_unavailable.code) return true; // it was not sent
  if (code !== ERRORS.upstream_lost.code) return false;
  return READS.has(call.method) || (annotatedTools && isHarmless(call));
}

/** By its server's own word. */
function isHarmless({ method, tool }: Call): boolean {
  const annotations = method === 'tools/call' ? tool?.['annotations'] : undefined;
  if (!isJsonObject(annotations)) return false;
  return annotations['readOnlyHint'] === true || annotations['idempotentHint'] === true;
}
