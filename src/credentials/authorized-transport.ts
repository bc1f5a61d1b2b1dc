/**
 * A transport whose requests carry a credential: it opens when there is a token, and a refused token ends the session as if
 * the server had forgotten it, so that what was refused is sent in the next one, with another token.
 */
import { type JsonRpcId } from '../protocol/jsonrpc.js';
import { type Clock, systemClock } from '../transports/outbound/clock.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '../transports/outbound/transport.js';
import { type UpstreamCredential } from './credential.js';

/** After a refusal, how long what else is on its way has to be refused too, or answered. Milliseconds. */
const GRACE_MS = 500;

export function authorizedTransport(
  credential: UpstreamCredential,
  handlers: OutboundHandlers,
  create: (handlers: OutboundHandlers) => OutboundTransport,
  clock: Clock = systemClock,
): OutboundTransport {
  let over = false;
  /** Set once the token was refused: nothing is sent with it any more. */
  let lost: TransportError | null = null;
  const waiting = new Set<JsonRpcId>();
  const end = (error: TransportError): void => {
    if (over) return;
    over = true;
    handlers.onClosed(error);
  };
  const settled = (id: JsonRpcId): void => {
    waiting.delete(id);
    if (lost !== null && waiting.size === 0) end(lost);
  };
  const inner = create({
    ...handlers,
    onRequestFailed: (id, error) => {
      if (over) return;
      const refused = error.kind === 'unauthorized' && error.status === 401;
      if (refused && lost === null && credential.refused()) {
        const because: TransportError = { ...error, kind: 'session_lost', unsent: true };
        lost = because;
        clock.after(GRACE_MS, () => end(because));
      }
      handlers.onRequestFailed(id, refused && lost !== null ? lost : error);
      settled(id);
    },
    onMessage: (message, bytes) => {
      handlers.onMessage(message, bytes);
      if (!('method' in message) && message.id !== null) settled(message.id);
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
    send: (message, ...more) => {
      const id = 'method' in message && 'id' in message ? message.id : undefined;
      if (id === undefined) return inner.send(message, ...more);
      const because = lost;
      if (because !== null) {
        queueMicrotask(() => {
          if (!over) handlers.onRequestFailed(id, because);
        });
        return true;
      }
      waiting.add(id);
      return inner.send(message, ...more);
    },
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
    listen: () => inner.listen(),
    abandon: (id) => inner.abandon(id),
    close: (graceMs) => inner.close(graceMs),
  };
}
