/**
 * JSON-RPC 2.0 as MCP uses it: message shapes and their classification.
 *
 * Pure: no I/O, no clock. Source: JSON-RPC 2.0 specification; MCP specification, "Base Protocol › Messages".
 */

/** A request id. MCP forbids `null`; numbers are integers. `1` and `"1"` are different ids. */
export type JsonRpcId = string | number;

export type JsonObject = { [key: string]: unknown };

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: JsonObject;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

export interface JsonRpcResult {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly result: JsonObject;
}

export interface JsonRpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface JsonRpcFailure {
  readonly jsonrpc: '2.0';
  /** `null` only when the request's id could not be read. */
  readonly id: JsonRpcId | null;
  readonly error: JsonRpcErrorObject;
}

export type JsonRpcResponse = JsonRpcResult | JsonRpcFailure;
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;
