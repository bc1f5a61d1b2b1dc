/**
 * The upstream of every measurement as a pure function: an MCP 2025-11-25 server with one tool, `echo`, which answers
 * its `message` argument. The HTTP and the stdio upstream differ in how they carry these messages only.
 */
import { type JsonObject, type JsonRpcId, type JsonRpcResponse } from '#src/protocol/jsonrpc.js';

export const PROTOCOL_VERSION = '2025-11-25';

/** A message as it comes off the wire, not yet known to be anything. */
export type WireMessage = JsonObject & { readonly method?: string; id?: JsonRpcId; readonly params?: JsonObject };

const TOOL = {
  name: 'echo',
  description: 'Answers its message.',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
};

const METHOD_NOT_FOUND = -32601;

/** The answer to one message; `undefined` for a notification. */
export function answer(message: WireMessage): JsonRpcResponse | undefined {
  const { id } = message;
  if (id === undefined) return undefined;
  const result = resultOf(message);
  if (result !== undefined) return { jsonrpc: '2.0', id, result };
  return { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
}

function resultOf(message: WireMessage): JsonObject | undefined {
  switch (message.method) {
    case 'tools/call': {
      const { arguments: given } = message.params ?? {};
      const { message: text } = (given ?? {}) as { message?: unknown };
      return { content: [{ type: 'text', text }] };
    }
    case 'initialize':
      return {
        protocolVersion: PROTOCOL_VERSION,
        capabilities: { tools: {} },
        serverInfo: { name: 'bench-upstream', version: '1.0.0' },
      };
    case 'tools/list':
      return { tools: [TOOL] };
    case 'ping':
      return {};
    default:
      return undefined;
  }
}
