/**
 * Freshness hints: reading them from upstreams, combining them for merged lists, and what may be kept at all.
 *
 * Nothing here reads a clock. When in doubt a result is private and stale: a wrong `public` leaks across users.
 *
 * Source: MCP specification 2026-07-28, "Utilities › Caching".
 */
import { type JsonObject } from '../jsonrpc.js';
import { MODERN_CLIENT_REQUESTS } from '../methods.js';
import { resultType } from './envelope.js';

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

/** The hints to pass on `ageMs` after receipt: a client must not be told again of time that has passed. */
export function agedHints({ ttlMs, cacheScope }: CacheHints, ageMs: number): CacheHints {
  return { ttlMs: Math.max(0, Math.floor(ttlMs - Math.max(0, ageMs))), cacheScope };
}

/** The result with these hints in place of its own. */
export function withCacheHints<T extends JsonObject>(result: T, { ttlMs, cacheScope }: CacheHints): T & CacheHints {
  return { ...result, ttlMs, cacheScope };
}

/** True where a complete result of this method must carry hints. */
export function carriesCacheHints(method: string): boolean {
  return MODERN_CLIENT_REQUESTS.get(method)?.cacheable === true;
}

/**
 * The hints under which this answer may be kept, or `undefined` where it must not be: another method, an interim
 * result, or the result of a retry, which depends on inputs that are no part of the cache key.
 */
export function storableHints(
  method: string,
  params: JsonObject | undefined,
  result: JsonObject,
): CacheHints | undefined {
  if (!carriesCacheHints(method) || resultType(result) !== 'complete') return undefined;
  if (params?.['inputResponses'] !== undefined || params?.['requestState'] !== undefined) return undefined;
  const hints = readCacheHints(result);
  return hints.ttlMs > 0 ? hints : undefined;
}

/**
 * What a kept answer is found by: the method and the params that shape its result, and for a private one the
 * authorization context. `principal` is the gateway's own name for the latter and must tell two access tokens apart.
 */
export function cacheKey(method: string, params: JsonObject | undefined, scope: CacheScope, principal: string): string {
  const { cursor, uri } = params ?? {};
  return JSON.stringify([method, cursor ?? null, uri ?? null, ...(scope === 'private' ? [principal] : [])]);
}
