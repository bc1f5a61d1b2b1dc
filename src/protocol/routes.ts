/** The HTTP paths of the gateway: request target → route. Pure; never throws on a malformed target. */

export type Route =
  /** `/mcp`: Streamable HTTP, every upstream, prefixed names. */
  | { readonly kind: 'aggregate' }
  /** `/mcp/s/<name>`: Streamable HTTP, one upstream. The name is decoded, and may be of no upstream. */
  | { readonly kind: 'server'; readonly name: string }
  /** `/mcp/t/<name>`: Streamable HTTP, the named toolset. Decoded too, and may be none. */
  | { readonly kind: 'toolset'; readonly name: string }
  /** `/mcp/sse`, `/mcp/messages`: HTTP+SSE of 2024-11-05. */
  | { readonly kind: 'sse' }
  | { readonly kind: 'messages' }
  /** `/mcp/ws`: JSON-RPC over WebSocket; `/mcp/ws/websocket`: Phoenix Channels. */
  | { readonly kind: 'ws' }
  | { readonly kind: 'phoenix' }
  /** `/mcp/ticket`: a single-use credential for an address. */
  | { readonly kind: 'ticket' }
  /** `/mcp/dashboard` and what is below; `path` is empty, or begins with a slash. Not decoded. */
  | { readonly kind: 'dashboard'; readonly path: string }
  | { readonly kind: 'metrics' }
  /** `/healthz`: liveness; `/readyz`: readiness. */
  | { readonly kind: 'health' }
  | { readonly kind: 'ready' }
  /** RFC 9728, at the root and with the path of the protected resource. */
  | { readonly kind: 'resource-metadata' }
  | { readonly kind: 'unknown' };

export type RouteKind = Route['kind'];

const FIXED: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/mcp', { kind: 'aggregate' }],
  ['/mcp/sse', { kind: 'sse' }],
  ['/mcp/messages', { kind: 'messages' }],
  ['/mcp/ws', { kind: 'ws' }],
  ['/mcp/ws/websocket', { kind: 'phoenix' }],
  ['/mcp/ticket', { kind: 'ticket' }],
  ['/mcp/dashboard', { kind: 'dashboard', path: '' }],
  ['/metrics', { kind: 'metrics' }],
  ['/healthz', { kind: 'health' }],
  ['/readyz', { kind: 'ready' }],
  ['/.well-known/oauth-protected-resource', { kind: 'resource-metadata' }],
  ['/.well-known/oauth-protected-resource/mcp', { kind: 'resource-metadata' }],
]);

const DASHBOARD = '/mcp/dashboard';
const UNKNOWN: Route = { kind: 'unknown' };
const NAMED = { '/mcp/s/': 'server', '/mcp/t/': 'toolset' } as const;
const MAX_NAME = 256;

/**
 * The route of a request target, with or without its query. One final slash is ignored. Only the name of a
 * server or toolset is decoded, as one path segment: no other spelling reaches a route, so what is checked by path is what is served.
 */
export function parseRoute(target: string): Route {
  const query = target.indexOf('?');
  const full = query < 0 ? target : target.slice(0, query);
  const path = full.length > 1 && full.endsWith('/') ? full.slice(0, -1) : full;
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return fixed;
  if (path.startsWith(`${DASHBOARD}/`)) return { kind: 'dashboard', path: path.slice(DASHBOARD.length) };
  const place = path.slice(0, '/mcp/s/'.length);
  if (place !== '/mcp/s/' && place !== '/mcp/t/') return UNKNOWN;
  const name = decodeSegment(path.slice(place.length));
  return name === undefined ? UNKNOWN : { kind: NAMED[place], name };
}

function decodeSegment(segment: string): string | undefined {
  if (segment === '' || segment.includes('/') || segment.length > MAX_NAME * 3) return undefined;
  if (!segment.includes('%')) return segment.length > MAX_NAME ? undefined : segment;
  try {
    const name = decodeURIComponent(segment);
    return name.length > MAX_NAME ? undefined : name;
  } catch {
    return undefined;
  }
}
