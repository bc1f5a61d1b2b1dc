/**
 * Freshness hints: reading them from upstreams, and combining them for merged lists.
 *
 * Nothing here reads a clock. When in doubt a result is private and stale: a wrong `public` leaks across users.
 *
 * Source: MCP specification 2026-07-28, "Utilities › Caching".
 */
import { type JsonObject } from '../jsonrpc.js';
import { MODERN_CLIENT_REQUESTS } from '../methods.js';

export type CacheScope = 'public' | 'private';

export interface CacheHints {
  /** Milliseconds from receipt for which the result may be taken as fresh. A whole number, 0 = never. */
  readonly ttlMs: number;
  /** `private`: only for the authorization context that asked. */
  readonly cacheScope: CacheScope;
}

/** What a server that gives no hints gets: servers of the legacy era. */
export const NO_CACHING: CacheHints = { ttlMs: 0, cacheScope: 'private' };

/** A day. The hint is advice, and a list that never refreshes helps nobody. */
export const MAX_TTL_MS = 86_400_000;

/** The hints of a result. Anything malformed reads as the cautious value. */
export function readCacheHints(result: JsonObject): CacheHints {
  const { ttlMs, cacheScope } = result;
  return {
    ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? Math.min(Math.floor(ttlMs), MAX_TTL_MS) : 0,
    cacheScope: cacheScope === 'public' ? 'public' : 'private',
  };
}

/** The hints of what is made of several results: as fresh as the stalest, private if any is. Of nothing: no caching. */
export function combineCacheHints(hints: Iterable<CacheHints>): CacheHints {
  let combined: CacheHints | undefined;
  for (const { ttlMs, cacheScope } of hints) {
    combined = {
      ttlMs: Math.min(combined?.ttlMs ?? ttlMs, ttlMs),
      cacheScope: cacheScope === 'private' || combined?.cacheScope === 'private' ? 'private' : 'public',
    };
  }
  return combined ?? NO_CACHING;
}

/** The result with these hints in place of its own. */
export function withCacheHints<T extends JsonObject>(result: T, { ttlMs, cacheScope }: CacheHints): T & CacheHints {
  return { ...result, ttlMs, cacheScope };
}

/** True where a complete result of this method must carry hints. */
export function carriesCacheHints(method: string): boolean {
  return MODERN_CLIENT_REQUESTS.get(method)?.cacheable === true;
}
