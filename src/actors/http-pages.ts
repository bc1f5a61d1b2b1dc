/** What the listener answers besides MCP: health, readiness, metrics. Plain functions in I/O callbacks. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type AuthPlane } from '../auth/auth-plane.js';
import { type ResourceMetadata } from '../auth/challenge.js';
import { type Principal } from '../auth/principal.js';
import { TICKET_TTL_MS } from '../auth/tickets.js';
import { type MetricsText } from '../telemetry/metrics/definition.js';
import { sendError, sendJson, sendText } from '../transports/inbound/http-reply.js';
import { type DataPlane } from './data-plane.js';

const NO_STORE = { 'cache-control': 'no-store' };

/** `/healthz`: the process answers. `/readyz`: new clients are taken. */
export function answerHealth(
  req: IncomingMessage,
  res: ServerResponse,
  plane: DataPlane,
  kind: 'health' | 'ready',
): void {
  if (!reads(req)) return onlyReads(res);
  const state = plane.admission.state;
  const good = kind === 'health' || state === 'running' || state === 'handing_over';
  let ready = 0;
  for (const gate of plane.gates.values()) if (gate.session !== null) ready += 1;
  sendJson(res, good ? 200 : 503, { status: state, upstreams: { ready, configured: plane.gates.size } }, NO_STORE);
}

/** `/metrics`. */
export function answerMetrics(req: IncomingMessage, res: ServerResponse, read: () => Promise<MetricsText>): void {
  if (!reads(req)) return onlyReads(res);
  read().then(
    ({ contentType, text }) => sendText(res, 200, contentType, text, NO_STORE),
    () => sendError(res, 'internal_error'),
  );
}

/** RFC 9728. */
export function answerMetadata(
  req: IncomingMessage,
  res: ServerResponse,
  metadata: ResourceMetadata | undefined,
): void {
  if (!reads(req)) return onlyReads(res);
  if (metadata === undefined) return sendError(res, 'unknown_route', { detail: 'clients need no token here' });
  // Public, and read by browsers from any page.
  sendJson(res, 200, metadata, { ...NO_STORE, 'access-control-allow-origin': '*' });
}

/** `POST /mcp/ticket`: for whoever has shown a token. */
export function answerTicket(req: IncomingMessage, res: ServerResponse, auth: AuthPlane, principal: Principal): void {
  req.resume();
  if (req.method !== 'POST') return sendError(res, 'method_not_allowed', { headers: { allow: 'POST' } });
  if (auth.mode === 'off') return sendError(res, 'unknown_route', { detail: 'clients need no ticket here' });
  if (principal.subject === null)
    return sendError(res, 'unauthenticated', { detail: 'a ticket is for who has a token' });
  auth.counters.tickets += 1;
  sendJson(res, 200, { ticket: auth.tickets.issue(principal), expires_in: TICKET_TTL_MS / 1_000 }, NO_STORE);
}

function reads(req: IncomingMessage): boolean {
  return req.method === 'GET' || req.method === 'HEAD';
}

function onlyReads(res: ServerResponse): void {
  sendError(res, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });
}
