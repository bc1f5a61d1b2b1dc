/** What a client is told when its call got no answer. */
import { gatewayError } from '../protocol/errors.js';
import { type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { type TransportError } from '../transports/outbound/transport.js';

export function callError(server: string, error: TransportError): JsonRpcErrorObject {
  const name =
    error.unsent === true
      ? 'upstream_unavailable'
      : error.kind === 'protocol'
        ? 'upstream_protocol_error'
        : 'upstream_lost';
  return gatewayError(name, `upstream "${server}": ${error.message}`, { server });
}
