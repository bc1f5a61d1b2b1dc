/**
 * Sessions of Streamable HTTP that are not here: gone to a successor, or still with the predecessor (docs/adr/0012). Plain
 * functions in I/O callbacks.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Principal } from '../auth/principal.js';
import { type SessionState } from '../handover/messages.js';
import { type ActorSystem, actor, type Ref } from '../kernel/index.js';
import { type ParsedFrame, parseFrame } from '../protocol/parse.js';
import { sendElsewhere, sendError } from '../transports/inbound/http-reply.js';
import { type DataPlane } from './data-plane.js';
import { isSecure } from './http-sockets.js';
import { httpSession, type HttpSessionMessage } from './http-session.js';
import { type SessionEnvironment } from './legacy-session.js';
import { CONNECTIONS } from './names.js';

/** Whether the connection of a request ends with its response, because its client has to go where it cannot be passed on to. */
export function endsWith({ admission }: DataPlane, { socket }: IncomingMessage): boolean {
  return admission.state === 'draining' || (admission.state === 'handing_over' && isSecure(socket));
}

interface Visitor {
  readonly res: ServerResponse;
  readonly principal: Principal;
}

/**
 * For a request whose session is not here: `then` is called once when it has come or is known to be nowhere, unless the
 * client is answered otherwise.
 * @param frame the body; `null` for GET and DELETE
 */
export function elsewhere(
  plane: DataPlane,
  { res, principal }: Visitor,
  id: string,
  frame: ParsedFrame | null,
  then: () => void,
): void {
  const { predecessor, moved } = plane;
  if (moved.has(id)) return sendElsewhere(res);
  if (!predecessor?.open || plane.sessions.get(id)) return then();
  if (frame?.kind === 'notification' || frame?.kind === 'response') {
    // Not held: calls that run there may wait for it.
    predecessor.said(id, principal.key, JSON.stringify(frame.message));
    return void res.writeHead(202).end();
  }
  predecessor.claim(id, (claim) => {
    if (claim === 'overloaded') sendError(res, 'overloaded');
    else then();
  });
}

/** Goes on with a session that another process has given up. */
export function adoptSession(system: ActorSystem, env: SessionEnvironment, name: string, state: SessionState): void {
  const { id: sessionId, scope, principal, remote, address, route } = state;
  const facts = { sessionId, transport: 'http', scope, principal, remote, address, route } as const;
  system.startChild<HttpSessionMessage>(
    CONNECTIONS,
    actor<HttpSessionMessage>({ id: name, restart: 'temporary', init: httpSession(env, facts, state) }),
  );
}

/** A notification or answer that had gone to the predecessor, for a session that is here by now. */
export function saidElsewhere(plane: DataPlane, id: string, key: string, text: string): void {
  const entry = plane.sessions.get(id);
  if (entry?.transport !== 'http' || entry.principal.key !== key) return plane.counters.drop('client_gone');
  (entry.ref as Ref<HttpSessionMessage>).tell({ type: 'http/said', frame: parseFrame(text) });
}
