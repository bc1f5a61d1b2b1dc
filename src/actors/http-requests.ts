/** What the HTTP face reads from a request, and the refusals that need no session. Plain functions. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Principal } from '../auth/principal.js';
import { type Route } from '../protocol/routes.js';
import { type ParsedFrame, type ParsedMessage } from '../protocol/parse.js';
import { isLegacyRevision } from '../protocol/revisions.js';
import { type ErrorReply } from '../transports/inbound/http-reply.js';

/** One HTTP request of a client that may speak to us. */
export interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** What it is addressed to: `null` for everything, an upstream's name, or a toolset. */
  readonly scope: string | null;
  readonly principal: Principal;
}

/** Routes on which nobody is asked who they are. WebSockets are asked when they upgrade. */
export function isOpen({ kind }: Route): boolean {
  return OPEN.has(kind);
}

const OPEN: ReadonlySet<Route['kind']> = new Set([
  'ws',
  'phoenix',
  'health',
  'ready',
  'dashboard',
  'resource-metadata',
  'unknown',
]);

/** What goes with the error of a body that cannot be read. */
export function bodyRefusal(why: 'payload_too_large' | 'parse_error'): ErrorReply {
  if (why === 'parse_error') return { detail: 'the body is not UTF-8' };
  return { headers: { connection: 'close' } }; // the rest of the body is not worth reading
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
  const version = headerOf(req, 'mcp-protocol-version');
  return version === undefined || isLegacyRevision(version);
}

export function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

export function remoteOf(req: IncomingMessage): string {
  return `${req.socket.remoteAddress ?? '?'}:${req.socket.remotePort ?? 0}`;
}
