/**
 * Results and errors of one era as the other era's clients can read them.
 *
 * Source: MCP specification 2026-07-28, "Overview › Error Codes", "› ResultType", "Utilities › Caching", and its
 * changelog; 2025-11-25, schema (`CallToolResult.structuredContent` and `Tool.outputSchema` are objects there).
 */
import { gatewayError } from '../errors.js';
import { isJsonObject, type JsonObject, type JsonRpcErrorObject } from '../jsonrpc.js';
import { type CacheHints, carriesCacheHints, NO_CACHING, withCacheHints } from './caching.js';
import { modernResult } from './envelope.js';
import { SERVER_INFO_KEY, withoutMeta } from './meta.js';
import { URL_ELICITATION_REQUIRED } from './mrtr.js';

/** A legacy upstream's result for a modern client: complete, named, and with cache hints where the method has them. */
export function resultForModern(
  method: string,
  result: JsonObject,
  serverInfo: JsonObject,
  hints: CacheHints = NO_CACHING,
): JsonObject {
  const hinted = carriesCacheHints(method) ? withCacheHints(result, hints) : result;
  return modernResult({ ...hinted, resultType: 'complete' }, serverInfo);
}

/**
 * A modern upstream's complete result for a legacy client. `structuredContent` may be any value since 2026-07-28; one
 * that is no object is left out, as legacy clients refuse the whole result for it (servers repeat it in `content`).
 */
export function resultForLegacy(method: string, result: JsonObject): JsonObject {
  const bare: JsonObject = { ...withoutMeta(result, [SERVER_INFO_KEY]) };
  delete bare['resultType'];
  if (carriesCacheHints(method)) {
    delete bare['ttlMs'];
    delete bare['cacheScope'];
  }
  if (method === 'tools/call' && !isJsonObject(bare['structuredContent'])) delete bare['structuredContent'];
  if (method === 'tools/list' && Array.isArray(bare['tools'])) {
    bare['tools'] = (bare['tools'] as readonly unknown[]).map((tool) =>
      isJsonObject(tool) ? toolForLegacy(tool) : tool,
    );
  }
  return bare;
}

/** A tool without an output schema that legacy clients would refuse the list for. Same object where it is fine. */
export function toolForLegacy(tool: JsonObject): JsonObject {
  const { outputSchema } = tool;
  if (outputSchema === undefined || (isJsonObject(outputSchema) && outputSchema['type'] === 'object')) return tool;
  const plain = { ...tool };
  delete plain['outputSchema'];
  return plain;
}

const LEGACY_RESOURCE_NOT_FOUND = -32002;

/**
 * True for a modern upstream's error that is about the hop from the gateway, not about the client's request: −32020
 * (list its tools again and retry once with the right headers) and −32022 (discover it again). Never relayed as it is.
 */
export function isHopError(error: JsonRpcErrorObject): boolean {
  return error.code === -32020 || error.code === -32022;
}

/**
 * An upstream's error for a modern client. Codes that modern servers must not emit, or that MCP reserves and the
 * upstream took for something else, give way; message and data stay. Turn −32042 into input requests first
 * (`fromUrlElicitationError`).
 */
export function errorForModern(error: JsonRpcErrorObject): JsonRpcErrorObject {
  const { code } = error;
  if (code === LEGACY_RESOURCE_NOT_FOUND) return { ...error, code: -32602 };
  if (code === URL_ELICITATION_REQUIRED || isHopError(error)) return gatewayError('upstream_protocol_error');
  return code <= -32020 && code >= -32099 && code !== -32021 ? { ...error, code: -32603 } : error;
}

/** An upstream's error for a legacy client. */
export function errorForLegacy(error: JsonRpcErrorObject): JsonRpcErrorObject {
  return isHopError(error) ? gatewayError('upstream_protocol_error') : error;
}
