/**
 * A transport whose requests carry a credential: it opens when there is a token, and a refused token ends the session as if
 * the server had forgotten it, so that what was refused is sent in the next one, with another token.
 */
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '../transports/outbound/transport.js';
import { type UpstreamCredential } from './credential.js';

export function authorizedTransport(
  credential: UpstreamCredential,
  handlers: OutboundHandlers,
  create: (handlers: OutboundHandlers) => OutboundTransport,
): OutboundTransport {
  let over = false;
  const end = (error: TransportError): void => {
    if (over) return;
    over = true;
    handlers.onClosed(error);
  };
  const inner = create({
    ...handlers,
    onRequestFailed: (id, error) => {
      if (over) return;
      if (error.kind !== 'unauthorized' || error.status !== 401 || !credential.refused())
        return handlers.onRequestFailed(id, error);
      const lost: TransportError = { ...error, kind: 'session_lost', unsent: true };
      handlers.onRequestFailed(id, lost);
      end(lost);
    },
    onClosed: end,
  });
  return {
    network: inner.network,
    pid: inner.pid,
    open: async (signal) => {
      const why = await credential.ready();
      if (why !== undefined) return { kind: 'unauthorized', message: `no credential for it: ${why}`, unsent: true };
      return inner.open(signal);
    },
    send: (message, headers) => inner.send(message, headers),
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
    listen: () => inner.listen(),
    abandon: (id) => inner.abandon(id),
    close: (graceMs) => inner.close(graceMs),
  };
}
