/** Small questions about a request of Streamable HTTP. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type ParsedFrame, type ParsedMessage } from '../protocol/parse.js';
import { isLegacyRevision } from '../protocol/revisions.js';
import { sendError } from '../transports/inbound/http-reply.js';

const VERSION_HEADER = 'mcp-protocol-version';

export function refuseBody(res: ServerResponse, why: 'payload_too_large' | 'parse_error'): void {
  if (why === 'parse_error') sendError(res, why, { detail: 'the body is not UTF-8' });
  else sendError(res, why, { headers: { connection: 'close' } }); // the rest of the body is not worth reading
}

/** How many answers the frame asks for. */
export function countAnswers(frame: ParsedFrame): number {
  if (frame.kind !== 'batch') return wantsAnswer(frame) ? 1 : 0;
  let count = 0;
  for (const item of frame.items) if (wantsAnswer(item)) count += 1;
  return count;
}

function wantsAnswer(message: ParsedMessage): boolean {
  return message.kind === 'request' || message.kind === 'invalid';
}

export function goodVersion(req: IncomingMessage): boolean {
  const version = headerOf(req, VERSION_HEADER);
  return version === undefined || isLegacyRevision(version);
}

export function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

export function remoteOf(req: IncomingMessage): string {
  return `${req.socket.remoteAddress ?? '?'}:${req.socket.remotePort ?? 0}`;
}
