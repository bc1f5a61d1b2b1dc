/** Whole HTTP responses with a JSON body: errors before a message is routed, and what is no MCP. */
import { type ServerResponse } from 'node:http';
import { errorEntry, type ErrorName, gatewayError } from '../../protocol/errors.js';
import { errorText, type JsonRpcId } from '../../protocol/jsonrpc.js';

export interface ErrorReply {
  readonly id?: JsonRpcId | null;
  readonly detail?: string;
  /** Default: that of the error in the catalogue. */
  readonly status?: number;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an error of the catalogue with its HTTP status. The body is a JSON-RPC error, so that MCP clients can read it. */
export function sendError(
  res: ServerResponse,
  name: ErrorName,
  { id = null, detail, status = errorEntry(name).httpStatus, data, headers }: ErrorReply = {},
): void {
  const text = errorText(id, gatewayError(name, detail, data));
  sendText(res, status, 'application/json', text, headers);
}

/** The same address on a new connection, where another process accepts. */
export function sendElsewhere(res: ServerResponse): void {
  if (res.destroyed || res.headersSent) return;
  res.writeHead(307, { location: res.req.url ?? '/', connection: 'close', 'content-length': '0' }).end();
}

export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): void {
  sendText(res, status, 'application/json', JSON.stringify(body), headers);
}

export function sendText(
  res: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  res.end(text);
}
