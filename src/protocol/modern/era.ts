/**
 * Which era a message is of, and whether a modern one may be served.
 *
 * The body decides: `initialize` is legacy, an envelope is modern, anything else legacy. The `MCP-Protocol-Version`
 * header is held against it and never outweighs it, but where it names the modern era a body without envelope is an
 * error, not a legacy message.
 *
 * Source: MCP specification 2026-07-28, "Versioning › Backward Compatibility", "Streamable HTTP › Server Validation".
 */
import { type ErrorName } from '../errors.js';
import { type JsonRpcMessage, type JsonRpcNotification, type JsonRpcRequest } from '../jsonrpc.js';
import { isModernRevision, namesModernEra } from '../revisions.js';
import { claimsEnvelope, type Envelope, type EnvelopeFault, readEnvelope, unsupportedVersion } from './envelope.js';
import { checkStandardHeaders, METHOD_HEADER, single, VERSION_HEADER } from './headers.js';
import { headerFault, type IncomingHeaders } from './param-headers.js';

/** A refusal: build it with `modernError(error, detail, data)` and answer with `modernHttpStatus(error)`. */
export interface Refusal {
  readonly era: 'refused';
  readonly error: ErrorName;
  readonly detail?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type Admission =
  | { readonly era: 'legacy' }
  | { readonly era: 'modern'; readonly kind: 'request'; readonly message: JsonRpcRequest; readonly envelope: Envelope }
  | { readonly era: 'modern'; readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | Refusal;

const LEGACY: Admission = { era: 'legacy' };

/** True for a message of a batch that no batch may hold: the modern era has none. */
export function isModernMessage(message: JsonRpcMessage): boolean {
  return 'method' in message && claimsEnvelope(message.params);
}

/**
 * One message from a channel without headers: stdio, WebSocket. A modern notification carries no envelope, so whose it
 * is, the channel's reader tells by the request that it refers to.
 */
export function admitMessage(message: JsonRpcMessage): Admission {
  if (!isModernMessage(message) || isHandshake(message)) return LEGACY;
  return admitModern(message as JsonRpcRequest | JsonRpcNotification);
}

/**
 * One message that was POSTed. For a modern request all of its headers are checked but `Mcp-Param-*`, which needs the
 * tool's schema (`checkParamHeaders`).
 */
export function admitHttpMessage(message: JsonRpcMessage, headers: IncomingHeaders): Admission {
  const version = single(headers, VERSION_HEADER);
  const headerIsModern = version !== undefined && namesModernEra(version);
  if (!('method' in message)) {
    return headerIsModern ? refused('invalid_request', 'clients send no responses in this protocol version') : LEGACY;
  }
  if (isHandshake(message)) {
    return headerIsModern ? mismatch(VERSION_HEADER, 'names a version that has no initialize') : LEGACY;
  }
  if (isModernMessage(message)) return admitModernHttp(message, headers);
  if (!headerIsModern) return LEGACY;
  if (!isModernRevision(version)) return refusal(unsupportedVersion(version));
  if ('id' in message) return admitModern(message); // for want of an envelope it says which field is missing
  return checkNotification(message, headers) ?? { era: 'modern', kind: 'notification', message };
}

/** `initialize` without a usable modern envelope. With one, it is a modern request for a method that does not exist. */
function isHandshake(message: JsonRpcMessage): boolean {
  return 'method' in message && message.method === 'initialize' && !readEnvelope(message.params).ok;
}

function admitModern(message: JsonRpcRequest | JsonRpcNotification): Admission {
  if (!('id' in message)) return { era: 'modern', kind: 'notification', message };
  const reading = readEnvelope(message.params);
  return reading.ok ? { era: 'modern', kind: 'request', message, envelope: reading.envelope } : refusal(reading);
}

/** A disagreement is told first: while header and body differ, no version is known that the rest could be judged by. */
function admitModernHttp(message: JsonRpcRequest | JsonRpcNotification, headers: IncomingHeaders): Admission {
  const admission = admitModern(message);
  if (!('id' in message)) return checkNotification(message, headers) ?? admission;
  if (admission.era === 'refused' && admission.error === 'invalid_envelope') return admission;
  const fault = checkStandardHeaders(headers, message);
  return fault === undefined ? admission : { era: 'refused', ...fault };
}

/** The specification leaves the headers of notifications open: what is there must not lie. */
function checkNotification(message: JsonRpcNotification, headers: IncomingHeaders): Refusal | undefined {
  const method = single(headers, METHOD_HEADER);
  if (method === undefined || method === message.method) return undefined;
  return mismatch(METHOD_HEADER, 'differs from the method in the body');
}

function mismatch(header: string, what: string): Refusal {
  return { era: 'refused', ...headerFault(header, what) };
}

function refused(error: ErrorName, detail: string): Refusal {
  return { era: 'refused', error, detail };
}

function refusal({ error, detail, data }: EnvelopeFault): Refusal {
  return { era: 'refused', error, data, ...(detail !== undefined && { detail }) };
}
