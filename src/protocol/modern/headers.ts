/**
 * The headers of a modern HTTP request: those that must mirror the body, checked and built.
 *
 * The body is the source of truth; a header that disagrees is refused with −32020 and HTTP 400, so that nothing can be
 * routed by one and run by the other. `Mcp-Param-*` is in `param-headers.ts`, the encoding in `header-values.ts`.
 *
 * Source: MCP specification 2026-07-28, "Streamable HTTP › Request Metadata", "› Server Validation".
 */
import { type JsonObject } from '../jsonrpc.js';
import { type ModernRevision } from '../revisions.js';
import { decodeHeaderValue, encodeHeaderValue, trimField } from './header-values.js';
import { metaOf, PROTOCOL_VERSION_KEY } from './meta.js';
import {
  addParamHeaders,
  headerFault,
  type HeaderFault,
  type IncomingHeaders,
  type ParamHeader,
} from './param-headers.js';

export { addParamHeaders, checkParamHeaders, forwardedParamHeaders, scanParamHeaders } from './param-headers.js';
export type { HeaderFault, IncomingHeaders, ParamHeader, ParamScan } from './param-headers.js';

export const VERSION_HEADER = 'mcp-protocol-version';
export const METHOD_HEADER = 'mcp-method';
export const NAME_HEADER = 'mcp-name';

/** Requests that carry `Mcp-Name`, and the member of params that it mirrors. */
const NAME_SOURCE: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

interface RequestLike {
  readonly method: string;
  readonly params?: JsonObject;
}

/**
 * Compares the standard headers of a modern request with its body. Where params lacks the name itself there is nothing
 * to compare: the request then fails as invalid params.
 */
export function checkStandardHeaders(incoming: IncomingHeaders, message: RequestLike): HeaderFault | undefined {
  const { method, params } = message;
  const version = single(incoming, VERSION_HEADER);
  if (version === undefined) return headerFault(VERSION_HEADER, 'is missing');
  if (version !== metaOf(params)?.[PROTOCOL_VERSION_KEY]) {
    return headerFault(VERSION_HEADER, 'differs from the version in the body');
  }
  const named = single(incoming, METHOD_HEADER);
  if (named === undefined) return headerFault(METHOD_HEADER, 'is missing');
  if (named !== method) return headerFault(METHOD_HEADER, 'differs from the method in the body');
  const source = NAME_SOURCE.get(method);
  return source === undefined ? undefined : checkName(single(incoming, NAME_HEADER), params?.[source]);
}

function checkName(raw: string | undefined, value: unknown): HeaderFault | undefined {
  if (typeof value !== 'string') return undefined;
  if (raw === undefined) return headerFault(NAME_HEADER, 'is missing');
  const name = decodeHeaderValue(raw);
  if (name === undefined) return headerFault(NAME_HEADER, 'has invalid characters or encoding');
  return name === value ? undefined : headerFault(NAME_HEADER, 'differs from the name in the body');
}

/** Node joins a repeated field with commas, which then equals nothing in the body. */
export function single(incoming: IncomingHeaders, field: string): string | undefined {
  const value = incoming[field];
  return typeof value === 'string' ? trimField(value) : value?.join(', ');
}

/**
 * The headers of a request to a modern HTTP upstream, from the message as it goes out: with the upstream's own name of
 * the tool. `declared` are the tool's mirrored parameters in the upstream's schema, `forwarded` what the client sent
 * beside them (`forwardedParamHeaders`).
 */
export function requestHeaders(
  version: ModernRevision,
  message: RequestLike,
  declared: readonly ParamHeader[] = [],
  forwarded: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { method, params } = message;
  const headers: Record<string, string> = { ...forwarded, [VERSION_HEADER]: version, [METHOD_HEADER]: method };
  const source = NAME_SOURCE.get(method);
  const name = source === undefined ? undefined : params?.[source];
  if (typeof name === 'string') headers[NAME_HEADER] = encodeHeaderValue(name);
  return method === 'tools/call' ? addParamHeaders(headers, declared, params?.['arguments']) : headers;
}
