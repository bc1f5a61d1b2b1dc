/** Spans of requests that are refused before there is a session: no credential, no JSON, no such session. Plain functions. */
import { type IncomingMessage } from 'node:http';
import { errorEntry, type ErrorName, gatewayError } from '../protocol/errors.js';
import { type JsonRpcId } from '../protocol/jsonrpc.js';
import { parseRoute, type Route } from '../protocol/routes.js';
import { stripControl } from '../protocol/text.js';
import { type RequestTracer } from '../telemetry/tracing/call-trace.js';
import { remoteOf } from './http-requests.js';

/** Where MCP is spoken, as a route without the names that clients put into it. */
const ROUTES: Readonly<Partial<Record<Route['kind'], string>>> = {
  aggregate: '/mcp',
  server: '/mcp/s/{server}',
  toolset: '/mcp/t/{toolset}',
  sse: '/mcp/sse',
  messages: '/mcp/messages',
  ws: '/mcp/ws',
  phoenix: '/mcp/ws/websocket',
  ticket: '/mcp/ticket',
};

const MAX_TEXT = 256;

export interface Refused {
  readonly error: string;
  readonly message: string;
  readonly status: number;
  readonly id?: JsonRpcId | null | undefined;
}

/** `tracing` is `null` when nothing is traced. What is no route of MCP's is no request of it. */
export function traceRefusal(tracing: RequestTracer | null, req: IncomingMessage, refused: () => Refused): void {
  if (tracing === null) return;
  const { url = '/', method = 'GET', headers } = req;
  const route = ROUTES[parseRoute(url).kind];
  if (route === undefined) return;
  const { error, message, status, id } = refused();
  const remote = remoteOf(req);
  const attributes = {
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'url.path': stripControl(url.split('?')[0] ?? '', MAX_TEXT),
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'client.address': remote.slice(0, remote.lastIndexOf(':')),
    ...(id !== undefined && id !== null && { 'jsonrpc.request.id': String(id) }),
  };
  tracing.refused({ name: `${method} ${route}`, error, message: stripControl(message, MAX_TEXT), attributes }, headers);
}

/** An error of the catalogue, as its span tells it. */
export function refusedAs(
  name: ErrorName,
  { detail, id }: { readonly detail?: string; readonly id?: JsonRpcId | null },
): Refused {
  const { message } = gatewayError(name, detail);
  return { error: name, message, status: errorEntry(name).httpStatus, id };
}
