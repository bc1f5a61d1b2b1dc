/**
 * What the params of any client request must be before they are read or passed on. Pure.
 *
 * Source: MCP specification, "Base Protocol › _meta": an object where it is there.
 */
import { isJsonObject, type JsonObject } from './jsonrpc.js';

/** Why these params are none; `undefined` when they may be. Holds nothing of the input. */
export function paramsFault(params: JsonObject): string | undefined {
  const meta = params['_meta'];
  return meta === undefined || isJsonObject(meta) ? undefined : '"_meta" must be an object';
}
