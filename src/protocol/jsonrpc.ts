/**
 * JSON-RPC 2.0 as MCP uses it: message shapes and their classification.
 *
 * Pure: no I/O, no clock. Source: JSON-RPC 2.0 specification; MCP specification, "Base Protocol › Messages".
 */

/** A request id. MCP forbids `null`; numbers are integers. `1` and `"1"` are different ids. */
export type JsonRpcId = string | number;

/** An object as JSON has it. */
export type JsonObject = { [key: string]: unknown };

/** Asks for something; gets one response. */
export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: JsonObject;
}

/** Says something; gets no response. */
export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

/** The response to a request that went well. */
export interface JsonRpcResult {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly result: JsonObject;
}

/** What went wrong. Codes of the gateway's own: docs/errors.md. */
export interface JsonRpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The response to a request that failed. */
export interface JsonRpcFailure {
  readonly jsonrpc: '2.0';
  /** `null` only when the request's id could not be read. */
  readonly id: JsonRpcId | null;
  readonly error: JsonRpcErrorObject;
}

/** The one response to a request. */
export type JsonRpcResponse = JsonRpcResult | JsonRpcFailure;
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

/** True for an id that MCP allows: a string, or an integer that a double holds exactly (a larger one could not be echoed). */
export function isJsonRpcId(value: unknown): value is JsonRpcId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** True for a JSON object: neither `null` nor an array. For values that came out of `JSON.parse`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The text of a response around a result that is JSON text already, so that a result shared by many clients is
 * serialised once. `resultJson` must be the text of one JSON object.
 */
export function resultText(id: JsonRpcId, resultJson: string): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${resultJson}}`;
}

/** The text of an error response. `id` is `null` when the request's id could not be read (JSON-RPC 2.0, section 5). */
export function errorText(id: JsonRpcId | null, error: JsonRpcErrorObject): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"error":${JSON.stringify(error)}}`;
}

function idText(id: JsonRpcId | null): string {
  return typeof id === 'string' ? JSON.stringify(id) : String(id);
}
