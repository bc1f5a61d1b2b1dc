/**
 * The one catalogue of errors: every condition that the gateway reports to a client, by name.
 *
 * `docs/errors.md` is rendered from it (`renderErrorsPage`). The name is the stable identifier and travels in
 * `error.data.reason`; several names share a JSON-RPC code where the specification gives them one.
 *
 * Codes come from four places. JSON-RPC 2.0 and MCP give theirs. `sdk` marks −32000 and −32001 as the official SDKs'
 * HTTP transports use them; MCP 2026-07-28 leaves −32000…−32019 to that use and keeps −32020…−32099 for itself. Our own
 * conditions (`gateway`) therefore take application codes outside −32768…−32000.
 */
import { AUTH_ERRORS } from './auth-errors.js';
import { ADMIN_ERRORS } from './admin-errors.js';
import { type ErrorEntry } from './error-entry.js';
import { renderCatalogue } from './errors-page.js';
import { type JsonRpcErrorObject } from './jsonrpc.js';
import { MODE_ERRORS } from './mode-errors.js';
import { MODERN_ERRORS } from './modern/error-entries.js';
import { UPSTREAM_ERRORS } from './upstream-errors.js';
import { POOL_ERRORS } from './pool-errors.js';
import { SECURITY_ERRORS } from './security-errors.js';

export { ADMIN_ERRORS, type AdminErrorName } from './admin-errors.js';
export type { AdminErrorEntry, ErrorEntry } from './error-entry.js';

/** Every error, by name. */
export const ERRORS = {
  parse_error: {
    code: -32700,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Parse error',
    meaning: 'The frame is not valid JSON.',
    remedy: 'Send one JSON object in UTF-8 for each HTTP body, WebSocket message or line.',
  },
  invalid_request: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request',
    meaning:
      'The JSON is no JSON-RPC 2.0 message as MCP allows it: wrong jsonrpc, id, method, params, result or error.',
    remedy: 'The message says which member is wrong. Ids are strings or integers, params and results are objects.',
  },
  too_deep: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request: nested too deeply',
    meaning: 'Arrays and objects are nested deeper than the gateway reads. Nothing of the message was looked at.',
    remedy: 'Flatten the arguments.',
  },
  too_many_values: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request: too many values',
    meaning:
      'A frame of a client holds more than 100,000 members and elements, or more than 10,000 member names that differ. Reading it would keep everybody waiting, so nothing of it was looked at.',
    remedy: 'Send data of that size as text, or in several calls.',
  },
  duplicate_key: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request: duplicate member name',
    meaning:
      'A member of the envelope or of params stands twice, or differs from another one in case alone. Two parsers may read it differently, so what was authorised might not be what runs.',
    remedy: 'Write each member once, in the spelling of the specification.',
  },
  batch_unsupported: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request: batches are not part of this protocol version',
    meaning: 'A JSON array of messages came in a session whose protocol version has no batches. Only 2025-03-26 has.',
    remedy: 'Send the messages one by one.',
  },
  already_initialized: {
    code: -32600,
    origin: 'json-rpc',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid Request: the session is initialized already',
    meaning: 'A second initialize came in one session.',
    remedy: 'Open a new session: on HTTP send initialize without Mcp-Session-Id, on WebSocket connect again.',
  },
  method_not_found: {
    code: -32601,
    origin: 'json-rpc',
    httpStatus: 200,
    retryable: false,
    modern: { httpStatus: 404 },
    message: 'Method not found',
    meaning:
      'No MCP method of the version in use has this name, or no upstream offers the capability behind it. In the modern era this includes methods that it removed: initialize, ping, logging/setLevel, resources/subscribe.',
    remedy: 'Look at the capabilities in the result of initialize or server/discover.',
    data: { method: 'the method asked for' },
  },
  invalid_params: {
    code: -32602,
    origin: 'json-rpc',
    httpStatus: 200,
    retryable: false,
    message: 'Invalid params',
    meaning: 'A parameter that the gateway itself needs is missing or of the wrong type.',
    remedy: 'The message names the parameter.',
  },
  unknown_tool: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 200,
    retryable: false,
    message: 'Unknown tool',
    meaning:
      'No server offers a tool of this name, or it is hidden from this client. Names of a server that has not listed anything yet get `upstream_unavailable`.',
    remedy:
      'List the tools again. On /mcp and /mcp/t/<toolset> names are <server>__<tool>, on /mcp/s/<server> the plain ones.',
    data: { name: 'the name asked for', near: 'of call_tool: names that were probably meant, best first' },
  },
  unknown_prompt: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 200,
    retryable: false,
    message: 'Unknown prompt',
    meaning: 'As `unknown_tool`, of a prompt.',
    remedy: 'List the prompts again. On /mcp names are <server>__<prompt>, on /mcp/s/<server> they are the plain ones.',
    data: { name: 'the name asked for' },
  },
  invalid_cursor: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 200,
    retryable: false,
    message: 'Invalid cursor',
    meaning: 'The cursor was not issued for this list.',
    remedy: 'List from the start, without a cursor.',
  },
  resource_not_found: {
    code: -32002,
    origin: 'mcp',
    httpStatus: 200,
    modern: { code: -32602 },
    retryable: false,
    message: 'Resource not found',
    meaning:
      'No server lists this URI or has a template that matches it, or it is hidden from this client. Of a server that has not listed anything yet, only its own endpoint and URIs of the form viable://<server>/… say whose they are: those get `upstream_unavailable`.',
    remedy: 'List the resources and templates again.',
    data: { uri: 'the URI asked for' },
  },
  ...MODERN_ERRORS,
  ...SECURITY_ERRORS,
  internal_error: {
    code: -32603,
    origin: 'json-rpc',
    httpStatus: 500,
    retryable: false,
    message: 'Internal error',
    meaning: 'A defect of the gateway. The actor concerned was restarted by its supervisor.',
    remedy: 'Report it with the log lines of that moment.',
  },
  not_initialized: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 400,
    retryable: false,
    message: 'Bad Request: not initialized',
    meaning: 'A request other than initialize and ping came before the session was initialized.',
    remedy: 'Send initialize, wait for its result, send notifications/initialized.',
  },
  unsupported_version: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 400,
    retryable: false,
    message: 'Bad Request: unsupported protocol version',
    meaning: 'The MCP-Protocol-Version header names a version that the gateway does not speak or did not negotiate.',
    remedy: 'Send the version from the result of initialize.',
    data: { supported: 'versions that the gateway speaks', requested: 'the version asked for' },
  },
  session_not_found: {
    code: -32001,
    origin: 'sdk',
    httpStatus: 404,
    retryable: false,
    message: 'Session not found',
    meaning: 'The session ended, expired, is another client’s, or never was.',
    remedy: 'Start a new session with initialize, without Mcp-Session-Id. MCP clients do so by themselves.',
  },
  session_required: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 400,
    retryable: false,
    message: 'Bad Request: Mcp-Session-Id header is required',
    meaning: 'A message other than initialize came without a session.',
    remedy: 'Send the Mcp-Session-Id header of the answer to initialize.',
  },
  session_exists: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 409,
    retryable: false,
    message: 'Conflict: the session has a stream already',
    meaning: 'A second GET stream was asked for in one session. The first one is not touched.',
    remedy: 'Close the first stream, or use it.',
  },
  not_acceptable: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 406,
    retryable: false,
    message: 'Not Acceptable',
    meaning: 'The Accept header does not allow what the gateway may answer with.',
    remedy: 'POST with "Accept: application/json, text/event-stream", GET with "Accept: text/event-stream".',
  },
  unsupported_media_type: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 415,
    retryable: false,
    message: 'Unsupported Media Type: Content-Type must be application/json',
    meaning: 'The body is not declared as JSON in UTF-8.',
    remedy: 'Send "Content-Type: application/json".',
  },
  method_not_allowed: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 405,
    retryable: false,
    message: 'Method Not Allowed',
    meaning: 'The path exists, the HTTP method does not on it. The Allow header lists those that do.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  payload_too_large: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 413,
    retryable: false,
    message: 'Payload Too Large',
    meaning: 'The body or message is larger than the configured limit. On WebSocket the connection closes with 1009.',
    remedy: 'Send less, or raise the limit in the configuration.',
    data: { limit: 'bytes allowed' },
  },
  forbidden_origin: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 403,
    retryable: false,
    message: 'Forbidden: Origin not allowed',
    meaning: 'A web page of an unknown origin called: the shape of a DNS rebinding attack.',
    remedy: 'If the page is yours, add its origin to gateway.listen.allowedOrigins.',
  },
  forbidden_host: {
    code: -32000,
    origin: 'sdk',
    httpStatus: 403,
    retryable: false,
    message: 'Forbidden: Host not allowed',
    meaning: 'The Host header names a host that the gateway is not known by: the shape of a DNS rebinding attack.',
    remedy: 'If the name is yours, add it to gateway.listen.allowedHosts.',
  },
  unknown_route: {
    code: -31001,
    origin: 'gateway',
    httpStatus: 404,
    retryable: false,
    message: 'Not Found',
    meaning:
      'The gateway has no such path, no server of that name behind /mcp/s/, or no toolset of that name behind /mcp/t/.',
    remedy: 'MCP clients connect to /mcp.',
  },
  too_many_sessions: {
    code: -31002,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'Too many sessions',
    meaning: 'The configured number of sessions or connections is reached.',
    remedy: 'Try again after the time in Retry-After, end sessions with DELETE, or raise the limit.',
    data: { limit: 'sessions allowed' },
  },
  ...UPSTREAM_ERRORS,
  ...POOL_ERRORS,
  draining: {
    code: -31015,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'Being taken out of service',
    meaning:
      'The gateway, or the part of it that the request is for (a server, this session, the sessions of this client, the listener), finishes what it has begun and takes nothing new. The request was not sent to any server.',
    remedy: 'Connect again after `retryAfter` seconds.',
    data: {
      server: 'name of the server, if one is the reason',
      retryAfter: 'seconds to wait, also in Retry-After where the error is the whole HTTP answer',
    },
  },
  ...AUTH_ERRORS,
  ...MODE_ERRORS,
  cancelled_by_gateway: {
    code: -31016,
    origin: 'gateway',
    httpStatus: 200,
    retryable: false,
    message: 'Cancelled by the gateway',
    meaning:
      'The gateway gave the request up: its deadline at shutdown passed, or an operator ended the session or server. The call may have run.',
    remedy: 'Find out whether it took effect before sending it again.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof ERRORS;

/** The catalogue's entry, for its status and meaning. */
export function errorEntry(name: ErrorName): ErrorEntry {
  return ERRORS[name];
}

/**
 * Builds `error` of a response. `detail` is appended to the message and must be free of secrets and control characters;
 * `data` adds members beside `reason`.
 */
export function gatewayError(
  name: ErrorName,
  detail?: string,
  data?: Readonly<Record<string, unknown>>,
): JsonRpcErrorObject {
  const { code, message } = ERRORS[name];
  return {
    code,
    message: detail === undefined ? message : `${message}: ${detail}`,
    data: { ...data, reason: name },
  };
}

/**
 * `gatewayError` for a client of the modern era. Where its HTTP answer has no other status yet, that is
 * `modernHttpStatus(name)`; once a stream has begun, the error is an event in it.
 */
export function modernError(
  name: ErrorName,
  detail?: string,
  data?: Readonly<Record<string, unknown>>,
): JsonRpcErrorObject {
  const error = gatewayError(name, detail, data);
  const code = errorEntry(name).modern?.code;
  return code === undefined ? error : { ...error, code };
}

/** HTTP status of an error that is the whole answer to a modern request. */
export function modernHttpStatus(name: ErrorName): number {
  const entry = errorEntry(name);
  return entry.modern?.httpStatus ?? entry.httpStatus;
}

/** The text of `docs/errors.md`. */
export function renderErrorsPage(): string {
  return renderCatalogue(ERRORS, ADMIN_ERRORS);
}
