/**
 * What HTTP request headers allow: content negotiation, and the checks against DNS rebinding.
 *
 * Pure rules over header values; the listener turns a `false` into the status of the error catalogue. Sources: RFC 9110
 * (Accept, Content-Type, Host), RFC 6454 (Origin), MCP specification, "Transports › Security Warning".
 */
import { isIP } from 'node:net';

/** True where a POST may be answered with JSON or with an event stream, as the answer will need. */
export function acceptsJsonAndSse(accept: string | undefined): boolean {
  return accepts(accept, 'application', 'json') && accepts(accept, 'text', 'event-stream');
}

/** True where a GET may be answered with an event stream. */
export function acceptsSse(accept: string | undefined): boolean {
  return accepts(accept, 'text', 'event-stream');
}

/** The header that MCP SDKs send, word for word: most requests need no parsing. */
const USUAL_ACCEPT = 'application/json, text/event-stream';

/** The most specific media range decides (RFC 9110, section 12.5.1). No header accepts nothing: MCP requires one. */
function accepts(accept: string | undefined, type: string, subtype: string): boolean {
  if (accept === undefined) return false;
  if (accept === USUAL_ACCEPT) return true;
  let best = 0;
  let accepted = false;
  for (const range of accept.split(',')) {
    const [media = '', ...parameters] = range.split(';');
    const name = media.trim().toLowerCase();
    const rank = name === `${type}/${subtype}` ? 3 : name === `${type}/*` ? 2 : name === '*/*' ? 1 : 0;
    if (rank < best || rank === 0) continue;
    accepted = (rank === best && accepted) || !parameters.some(isZeroQuality);
    best = rank;
  }
  return accepted;
}

function isZeroQuality(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=');
  return name.trim().toLowerCase() === 'q' && Number(value.trim()) === 0;
}

/** True for `application/json`, in UTF-8 if a charset is given (RFC 8259 knows no other). */
export function isJsonContentType(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  if (contentType === 'application/json') return true;
  const [media = '', ...parameters] = contentType.split(';');
  if (media.trim().toLowerCase() !== 'application/json') return false;
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() !== 'charset') return true;
    return ['utf-8', '"utf-8"'].includes(value.trim().toLowerCase());
  });
}

/** A host name or address in lower case, IPv6 without brackets; the port as written. */
interface Authority {
  readonly host: string;
  readonly port: string | undefined;
}

/**
 * Reads `host[:port]`. Refuses everything that is no plain one: userinfo, paths, spaces, an IPv6 address without
 * brackets. A final dot of a name is dropped.
 */
function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const [, v6, name, port] = match;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6.toLowerCase(), port } : undefined;
  if (name === undefined) return undefined;
  return { host: name.endsWith('.') ? name.slice(0, -1).toLowerCase() : name.toLowerCase(), port };
}

const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::([0-9]{1,5}))?$/;

/** `localhost`, 127.0.0.0/8 in plain dotted form, `::1`. Nothing that only some resolver takes for loopback. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/**
 * True where the `Host` header names a host that the gateway is known by.
 *
 * On a loopback address: loopback names with any port, and `allowedHosts`. On any other address also the bound address
 * and every IP literal: an attacker can point a name at an address, but cannot make a page's origin an address that is
 * not his. `allowedHosts` holds `name` (any port), `name:port` or `*`.
 */
export function checkHost(
  hostHeader: string | undefined,
  bindHost: string,
  allowedHosts: readonly string[] = [],
): boolean {
  const authority = hostHeader === undefined ? undefined : parseAuthority(hostHeader);
  if (authority === undefined) return false;
  const { host } = authority;
  if (isLoopbackHost(host)) return true;
  if (!isLoopbackHost(bindHost) && (isIP(host) !== 0 || host === bindHost.toLowerCase())) return true;
  return allowedHosts.some((allowed) => allowed === '*' || matchesAuthority(authority, allowed));
}

function matchesAuthority({ host, port }: Authority, allowed: string): boolean {
  // A bare IPv6 address is easily written into a configuration file.
  const entry = parseAuthority(isIP(allowed) === 6 ? `[${allowed}]` : allowed);
  return entry?.host === host && (entry.port === undefined || entry.port === port);
}

/**
 * True where the `Origin` header is absent (no browser), a loopback page, a listed origin, or the page that the gateway
 * itself served under an IP literal. `null` and anything else that is no origin is refused. Call it after `checkHost`.
 *
 * `host` is the `Host` header. `allowedOrigins` holds origins as browsers send them (`https://app.example.com`), of any
 * scheme, or `*`.
 */
export function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowedOrigins: readonly string[] = [],
): boolean {
  if (origin === undefined) return true;
  const wanted = origin.toLowerCase();
  if (wanted === 'null') return false;
  if (allowedOrigins.some((allowed) => allowed === '*' || originOf(allowed) === wanted)) return true;
  const scheme = WEB_SCHEMES.find((candidate) => wanted.startsWith(candidate));
  if (scheme === undefined) return false;
  const authority = parseAuthority(wanted.slice(scheme.length));
  if (authority === undefined) return false;
  if (isLoopbackHost(authority.host)) return true;
  return isIP(authority.host) !== 0 && host?.toLowerCase() === wanted.slice(scheme.length);
}

const WEB_SCHEMES = ['http://', 'https://'] as const;

/** People write a final slash into configuration files, browsers do not send it. */
function originOf(text: string): string {
  return (text.endsWith('/') ? text.slice(0, -1) : text).toLowerCase();
}

export { parseRoute, type Route, type RouteKind } from './routes.js';
