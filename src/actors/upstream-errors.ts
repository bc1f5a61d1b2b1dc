/** What is said when an upstream gave no answer. Pure. */
import { gatewayError } from '../protocol/errors.js';
import { type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { type TransportError } from '../transports/outbound/transport.js';
import { type Call } from './call.js';

/** One request failed; the session goes on. */
export function callError(server: string, error: TransportError): JsonRpcErrorObject {
  const name =
    error.unsent === true
      ? 'upstream_unavailable'
      : error.kind === 'protocol'
        ? 'upstream_protocol_error'
        : 'upstream_lost';
  return gatewayError(name, `upstream "${server}": ${error.message}`, { server });
}

/** The session ended: what was never sent may be sent again, the rest may have run. */
export function lostError(server: string, call: Call, why: string): JsonRpcErrorObject {
  const name = call.upstreamId === 0 ? 'upstream_unavailable' : 'upstream_lost';
  return gatewayError(name, `upstream "${server}": ${why}`, { server });
}

/** The upstream does not take what is written. */
export function slowError(server: string): JsonRpcErrorObject {
  return gatewayError('overloaded', `upstream "${server}" reads too slowly`, { server });
}

/** Why a handshake took too long: `methods` were asked and not answered. */
export function lateMessage(methods: readonly string[], timeout: number): string {
  const what = methods.length > 0 ? `no answer to ${[...new Set(methods)].join(', ')}` : 'not connected';
  return `${what} within ${timeout} ms`;
}
