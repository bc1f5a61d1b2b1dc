/** What the listener answers besides MCP: health, readiness, metrics. Plain functions in I/O callbacks. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
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

function reads(req: IncomingMessage): boolean {
  return req.method === 'GET' || req.method === 'HEAD';
}

function onlyReads(res: ServerResponse): void {
  sendError(res, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });
}
