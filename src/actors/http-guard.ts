/** Against DNS rebinding: who may speak to us at all, by host and origin. Plain function. */
import { type IncomingMessage } from 'node:http';
import { checkHost, checkOrigin } from '../protocol/http-rules.js';
import { stripControl } from '../protocol/text.js';
import { type DataPlane } from './data-plane.js';
import { remoteOf } from './http-requests.js';

/** `undefined` when it may. What may not is put on record. */
export function guard(plane: DataPlane, req: IncomingMessage): 'forbidden_host' | 'forbidden_origin' | undefined {
  const { host, allowedHosts, allowedOrigins } = plane.options.listen;
  const { host: named, origin } = req.headers;
  if (!checkHost(named, host, allowedHosts)) return forbidden(plane, req, 'host', 'forbidden_host');
  if (!checkOrigin(origin, named, allowedOrigins)) return forbidden(plane, req, 'origin', 'forbidden_origin');
  return undefined;
}

function forbidden<E extends 'forbidden_host' | 'forbidden_origin'>(
  plane: DataPlane,
  req: IncomingMessage,
  kind: 'host' | 'origin',
  outcome: E,
): E {
  const name = stripControl(req.headers[kind] ?? '', 256);
  plane.audit.record({ type: 'denial', outcome, kind, name, remote: remoteOf(req) });
  return outcome;
}
