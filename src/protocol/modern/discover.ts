/**
 * `server/discover`: the gateway's answer over all its upstreams, and the reading of an upstream's.
 *
 * Source: MCP specification 2026-07-28, "Server Features › Discovery", "Versioning › Protocol Version Negotiation".
 */
import { isJsonObject, type JsonObject } from '../jsonrpc.js';
import { MODERN_REVISIONS, mutualModernRevision, type ModernRevision } from '../revisions.js';
import { readCacheHints, type CacheHints } from './caching.js';
import { forwardedCapabilities, resultType } from './envelope.js';
import { metaOf, SERVER_INFO_KEY } from './meta.js';

export interface DiscoverAnswer {
  readonly capabilities: JsonObject;
  /** `Implementation` of the gateway. */
  readonly serverInfo: JsonObject;
  readonly instructions?: string | undefined;
  readonly hints: CacheHints;
}

/** The result of `server/discover`. Its versions are those of −32022's `data.supported` (`unsupportedVersion`). */
export function discoverResult({ capabilities, serverInfo, instructions, hints }: DiscoverAnswer): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [...MODERN_REVISIONS],
    capabilities,
    ...(instructions !== undefined && { instructions }),
    ttlMs: hints.ttlMs,
    cacheScope: hints.cacheScope,
    _meta: { [SERVER_INFO_KEY]: serverInfo },
  };
}

/**
 * Server capabilities of several upstreams as one server's, in the modern spelling. Changes of lists are announced for
 * every list there is: the gateway's lists change when upstreams come and go. `resources.subscribe` stands where any
 * upstream has it. Extensions are united, the first upstream's settings winning; experimental ones stay upstream.
 */
export function aggregateCapabilities(upstreams: Iterable<JsonObject>): JsonObject {
  const merged: Record<string, unknown> = {};
  let extensions: JsonObject | undefined;
  for (const upstream of upstreams) {
    const capabilities = forwardedCapabilities(upstream);
    for (const name of ['tools', 'prompts'] as const) {
      if (isJsonObject(capabilities[name])) merged[name] = { listChanged: true };
    }
    const { resources } = capabilities;
    if (isJsonObject(resources)) merged['resources'] = mergedResources(merged['resources'], resources);
    for (const name of ['completions', 'logging'] as const) {
      if (isJsonObject(capabilities[name])) merged[name] = {};
    }
    if (isJsonObject(capabilities['extensions'])) extensions = { ...capabilities['extensions'], ...extensions };
  }
  if (extensions !== undefined && Object.keys(extensions).length > 0) merged['extensions'] = extensions;
  return merged;
}

function mergedResources(before: unknown, next: JsonObject): JsonObject {
  const subscribe = next['subscribe'] === true || (isJsonObject(before) && before['subscribe'] === true);
  return subscribe ? { subscribe: true, listChanged: true } : { listChanged: true };
}

/** What an upstream says of itself. */
export interface Discovered {
  /** As given; may hold versions that the gateway does not speak, or of the legacy era. */
  readonly supportedVersions: readonly string[];
  /** The newest one that both speak. */
  readonly version: ModernRevision | undefined;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject | undefined;
  readonly instructions: string | undefined;
  readonly hints: CacheHints;
}

/** Reads a `DiscoverResult`, or says what is wrong with it. Lenient where nothing depends on it. */
export function readDiscover(result: JsonObject): Discovered | { readonly fault: string } {
  const { supportedVersions, capabilities, instructions } = result;
  if (resultType(result) !== 'complete') return { fault: 'resultType is not "complete"' };
  if (!isTextArray(supportedVersions)) return { fault: 'supportedVersions is no array of strings' };
  if (!isJsonObject(capabilities)) return { fault: 'capabilities is no object' };
  const serverInfo = metaOf(result)?.[SERVER_INFO_KEY];
  return {
    supportedVersions,
    version: mutualModernRevision(supportedVersions),
    capabilities,
    serverInfo: isJsonObject(serverInfo) ? serverInfo : undefined,
    instructions: typeof instructions === 'string' ? instructions : undefined,
    hints: readCacheHints(result),
  };
}

function isTextArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
