/**
 * The part of the error catalogue that only clients of the modern era (2026-07-28) see. `errors.ts` is the catalogue.
 *
 * Source: MCP specification 2026-07-28, "Overview › Error Codes", "› _meta", "Multi Round-Trip Requests › Error Handling".
 */
import { type ErrorEntry } from '../error-entry.js';

export const MODERN_ERRORS = {
  invalid_envelope: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 400,
    retryable: false,
    message: 'Invalid params: _meta',
    meaning:
      'A modern request lacks the protocol version or the client capabilities in params._meta, or a field there is malformed.',
    remedy: 'The message names the field. Every request carries them; legacy clients begin with initialize instead.',
    data: { field: 'the key in _meta' },
  },
  invalid_request_state: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 200,
    retryable: false,
    message: 'Invalid params: requestState',
    meaning:
      'The retry carries a requestState that the gateway did not issue, or issued to another principal or for another request, or that has expired or been used.',
    remedy: 'Send the original request again, without requestState and inputResponses.',
  },
  invalid_input_responses: {
    code: -32602,
    origin: 'mcp',
    httpStatus: 200,
    retryable: false,
    message: 'Invalid params: inputResponses',
    meaning: 'The retry’s inputResponses are no object, or an entry is no result of the request that it answers.',
    remedy: 'Send for each key of inputRequests the result of that request.',
    data: { key: 'the key in inputResponses, if it is one entry' },
  },
  header_mismatch: {
    code: -32020,
    origin: 'mcp',
    httpStatus: 400,
    retryable: false,
    message: 'Header mismatch',
    meaning:
      'A header that a modern request must carry (MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Param-…) is missing, malformed, or says something else than the body. What was routed by the header might not be what runs.',
    remedy:
      'The message names the header. Where it is Mcp-Param-…, list the tools again: the tool’s input schema may have changed.',
    data: { header: 'the header' },
  },
  missing_client_capability: {
    code: -32021,
    origin: 'mcp',
    httpStatus: 400,
    retryable: false,
    message: 'Missing required client capability',
    meaning: 'The request needs something of the client that it did not declare in its capabilities.',
    remedy: 'Declare the capability in params._meta if the client has it.',
    data: { requiredCapabilities: 'the capabilities that are missing, as a client declares them' },
  },
  unsupported_protocol_version: {
    code: -32022,
    origin: 'mcp',
    httpStatus: 400,
    retryable: false,
    message: 'Unsupported protocol version',
    meaning:
      'The field protocolVersion in params._meta names a version that the gateway does not serve without a session.',
    remedy: 'Choose one of data.supported, or begin with initialize for a version of the legacy era.',
    data: { supported: 'modern versions that the gateway speaks', requested: 'the version asked for' },
  },
} as const satisfies Record<string, ErrorEntry>;
