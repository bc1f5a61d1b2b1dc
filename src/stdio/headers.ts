/**
 * The HTTP headers that a message of the modern era needs, read from its body. Pure.
 *
 * Source: MCP specification 2026-07-28, "Transports › Streamable HTTP › Standard Headers" and "Header Value Encoding".
 */
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** `undefined` for a message of the legacy era, which carries no version in `_meta`. */
export function modernHeaders(method: string, params: JsonObject = {}): Record<string, string> | undefined {
  const meta = params['_meta'];
  const version = isJsonObject(meta) ? meta[VERSION] : undefined;
  if (typeof version !== 'string') return undefined;
  const name = method === 'resources/read' ? params['uri'] : named(method) ? params['name'] : undefined;
  return {
    'mcp-protocol-version': headerValue(version),
    'mcp-method': headerValue(method),
    ...(typeof name === 'string' && { 'mcp-name': headerValue(name) }),
  };
}

function named(method: string): boolean {
  return method === 'tools/call' || method === 'prompts/get';
}

/** What HTTP cannot carry, and what would be read as encoded, goes in base64. */
function headerValue(text: string): string {
  if (SAFE.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))) return text;
  return `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
