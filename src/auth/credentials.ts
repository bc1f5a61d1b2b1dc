/**
 * Where a client puts its credential, and where it may not. Pure.
 *
 * Header on every route; `?token=` and `?ticket=` where a client may be unable to send headers: the SSE stream and
 * WebSockets; tickets alone on the dashboard, whose page opens such; the subprotocol `bearer.<token>` on WebSockets. More than one is refused, as is one in the wrong place.
 * Sources: RFC 6750, 2; MCP specification, "Authorization › Token Requirements"; the seed document, "Client Authentication".
 */
import { type IncomingHttpHeaders } from 'node:http';
import { type RouteKind } from '../protocol/routes.js';

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'ticket'; readonly ticket: string }
  /** In a form or place that is not accepted. */
  | { readonly kind: 'refused'; readonly why: string };

const NONE: Credential = { kind: 'none' };
const BEARER = /^bearer +([A-Za-z0-9._~+/=-]+)$/i;
const TOKEN_SUBPROTOCOL = 'bearer.';

/** `queryToken`: whether `?token=` is accepted at all. */
export function credentialOf(
  { url = '/', headers }: { readonly url?: string | undefined; readonly headers: IncomingHttpHeaders },
  kind: RouteKind,
  queryToken: boolean,
): Credential {
  const { authorization } = headers;
  const fromHeader = authorization === undefined ? NONE : bearer(authorization);
  if (isHeaderAlone(url, kind)) return fromHeader;
  const query = url.indexOf('?');
  const socket = isSocket(kind);
  const found = [fromHeader, fromQuery(url, query, kind, queryToken), socket ? fromSubprotocol(headers) : NONE];
  const given = found.filter((credential) => credential !== NONE);
  if (given.length > 1) return { kind: 'refused', why: 'give one credential, in one place' };
  return given[0] ?? NONE;
}

/** Whether the header is the only place that a credential could be in: most requests, of which nothing more is parsed. */
export function isHeaderAlone(url: string, kind: RouteKind): boolean {
  return !isSocket(kind) && !url.includes('?');
}

function isSocket(kind: RouteKind): boolean {
  return kind === 'ws' || kind === 'phoenix';
}

/** What an `Authorization` header holds. */
export function bearer(authorization: string): Credential {
  const token = BEARER.exec(authorization)?.[1];
  return token === undefined
    ? { kind: 'refused', why: 'the Authorization header must be "Bearer <token>"' }
    : { kind: 'token', token };
}

function fromQuery(url: string, query: number, kind: RouteKind, queryToken: boolean): Credential {
  if (query < 0) return NONE;
  const params = new URLSearchParams(url.slice(query + 1));
  const tokens = [...params.getAll('token'), ...params.getAll('access_token')];
  const tickets = params.getAll('ticket');
  if (tokens.length + tickets.length === 0) return NONE;
  const ticketOnly = kind === 'dashboard' && tokens.length === 0;
  const allowed = kind === 'sse' || kind === 'ws' || kind === 'phoenix' || ticketOnly;
  if (!allowed) return { kind: 'refused', why: 'a credential must not be in the address here' };
  if (tokens.length + tickets.length > 1) return { kind: 'refused', why: 'give one credential, in one place' };
  const [ticket] = tickets;
  if (ticket !== undefined) return { kind: 'ticket', ticket };
  if (!queryToken) return { kind: 'refused', why: 'tokens in the address are switched off; get a ticket' };
  return { kind: 'token', token: tokens[0] ?? '' };
}

function fromSubprotocol(headers: IncomingHttpHeaders): Credential {
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined || !offered.includes(TOKEN_SUBPROTOCOL)) return NONE;
  const tokens = offered
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(TOKEN_SUBPROTOCOL));
  if (tokens.length > 1) return { kind: 'refused', why: 'give one credential, in one place' };
  const [token] = tokens;
  return token === undefined ? NONE : { kind: 'token', token: token.slice(TOKEN_SUBPROTOCOL.length) };
}
