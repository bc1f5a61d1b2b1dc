/**
 * Error codes of JSON-RPC 2.0 that blame the message: a server that answers with one of them has been asked wrongly, and
 * may be well.
 */
export const CLIENT_ERROR_CODES: readonly number[] = [-32700, -32600, -32601, -32602];
