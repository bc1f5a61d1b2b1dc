/**
 * What a client must have declared before it may be asked for something.
 *
 * Source: MCP specification 2026-07-28, "Multi Round-Trip Requests › Server Requirements", "Client Features ›
 * Elicitation › Capabilities", "› Sampling › Capabilities", "› Roots › Capabilities".
 */
import { isJsonObject, type JsonObject } from '../jsonrpc.js';
import { type InputRequest } from './mrtr.js';

/**
 * The capabilities that this request needs and the client did not declare, in the form of −32021's
 * `requiredCapabilities`; `undefined` where the client may be asked.
 */
export function missingCapabilities(request: InputRequest, declared: JsonObject): JsonObject | undefined {
  switch (request.method) {
    case 'roots/list':
      return isJsonObject(declared['roots']) ? undefined : { roots: {} };
    case 'sampling/createMessage':
      return missingSampling(request.params, declared['sampling']);
    case 'elicitation/create':
      return missingElicitation(request.params?.['mode'], declared['elicitation']);
  }
}

/** `includeContext` without `sampling.context` is a SHOULD of the server; clients ignore what they do not support. */
function missingSampling(params: JsonObject | undefined, sampling: unknown): JsonObject | undefined {
  const usesTools = params?.['tools'] !== undefined || params?.['toolChoice'] !== undefined;
  if (isJsonObject(sampling) && (!usesTools || isJsonObject(sampling['tools']))) return undefined;
  return { sampling: usesTools ? { tools: {} } : {} };
}

/** An empty `elicitation` declares form mode, as clients of 2025-06-18 do. */
function missingElicitation(mode: unknown, elicitation: unknown): JsonObject | undefined {
  const name = mode === 'url' ? 'url' : 'form';
  if (isJsonObject(elicitation)) {
    if (isJsonObject(elicitation[name])) return undefined;
    if (name === 'form' && elicitation['url'] === undefined) return undefined;
  }
  return { elicitation: { [name]: {} } };
}
