/**
 * The `_meta` keys of the modern era, and how `_meta` is read and changed without touching the message it came in.
 *
 * Source: MCP specification 2026-07-28, "Overview › _meta".
 */
import { isJsonObject, type JsonObject } from '../jsonrpc.js';

export const PROTOCOL_VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CLIENT_INFO_KEY = 'io.modelcontextprotocol/clientInfo';
export const CLIENT_CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';
export const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel';
export const SERVER_INFO_KEY = 'io.modelcontextprotocol/serverInfo';
export const SUBSCRIPTION_ID_KEY = 'io.modelcontextprotocol/subscriptionId';

/** The fields that make a request a modern one. */
export const ENVELOPE_KEYS = [PROTOCOL_VERSION_KEY, CLIENT_CAPABILITIES_KEY, CLIENT_INFO_KEY, LOG_LEVEL_KEY] as const;

/** `_meta` of params or of a result; `undefined` where there is none or it is no object. */
export function metaOf(holder: JsonObject | undefined): JsonObject | undefined {
  const meta = holder?.['_meta'];
  return isJsonObject(meta) ? meta : undefined;
}

/** A copy of `holder` whose `_meta` has these members added or replaced. */
export function withMeta<T extends JsonObject>(holder: T, members: JsonObject): T & { _meta: JsonObject } {
  return { ...holder, _meta: { ...metaOf(holder), ...members } };
}

/**
 * A copy of `params`, which have no `_meta`, with this one. Of the call of a tool a literal: to add a member to a copy of an object
 * costs forty times as much on Node 20.
 */
export function addMeta(params: JsonObject, meta: JsonObject): JsonObject {
  for (const name in params) if (name !== 'name' && name !== 'arguments') return { ...params, _meta: meta };
  return { name: params['name'], arguments: params['arguments'], _meta: meta };
}

/** A copy of `holder` without these members of `_meta`, and without `_meta` when nothing is left of it. */
export function withoutMeta<T extends JsonObject>(holder: T, keys: readonly string[]): T {
  const meta = metaOf(holder);
  if (meta === undefined || !keys.some((key) => Object.hasOwn(meta, key))) return holder;
  const kept = Object.entries(meta).filter(([key]) => !keys.includes(key));
  if (kept.length > 0) return { ...holder, _meta: Object.fromEntries(kept) };
  const bare = { ...holder };
  delete bare['_meta'];
  return bare;
}
