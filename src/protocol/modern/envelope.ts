/**
 * The envelope: what a modern request says of itself in `params._meta`, and what a modern result says of itself.
 *
 * Invariants: nothing here changes its input. A modern client's own `_meta` (trace context, progress token, vendor
 * keys) survives whatever is added. A legacy client's `_meta` cannot smuggle an envelope in: its session's wins.
 *
 * Source: MCP specification 2026-07-28, "Overview › _meta", "Overview › ResultType", "Utilities › Logging".
 */
import { isJsonObject, type JsonObject } from '../jsonrpc.js';
import { isLogLevel, type LogLevel } from '../methods.js';
import { isModernRevision, MODERN_REVISIONS, type ModernRevision } from '../revisions.js';
import {
  CLIENT_CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  ENVELOPE_KEYS,
  LOG_LEVEL_KEY,
  metaOf,
  PROTOCOL_VERSION_KEY,
  SERVER_INFO_KEY,
  withMeta,
} from './meta.js';

export interface Envelope {
  readonly protocolVersion: ModernRevision;
  readonly clientCapabilities: JsonObject;
  /** `Implementation`, as the client wrote it: unverified, for display and logs alone. */
  readonly clientInfo: JsonObject | undefined;
  /** Without it, no `notifications/message` may be sent for the request. */
  readonly logLevel: LogLevel | undefined;
}

/** Why a request is no modern one. `error` is a name in the catalogue; `detail` holds nothing of the input. */
export interface EnvelopeFault {
  readonly ok: false;
  readonly error: 'invalid_envelope' | 'unsupported_protocol_version';
  readonly detail?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type EnvelopeReading = { readonly ok: true; readonly envelope: Envelope } | EnvelopeFault;

/** Longest version that is echoed in an error. */
const MAX_ECHO = 64;

/** True where the message speaks of itself as a modern one does: a broken envelope is an error, not a legacy message. */
export function claimsEnvelope(params: JsonObject | undefined): boolean {
  const meta = metaOf(params);
  return meta !== undefined && ENVELOPE_KEYS.some((key) => Object.hasOwn(meta, key));
}

/**
 * Reads the envelope of a request. The version comes first: what the other fields look like in a version that we do not
 * speak is not ours to judge.
 */
export function readEnvelope(params: JsonObject | undefined): EnvelopeReading {
  const meta = metaOf(params);
  const version = meta?.[PROTOCOL_VERSION_KEY];
  if (meta === undefined || typeof version !== 'string') {
    return faulty(PROTOCOL_VERSION_KEY, version === undefined ? 'is required' : 'must be a string');
  }
  if (!isModernRevision(version)) return unsupportedVersion(version);
  const capabilities = meta[CLIENT_CAPABILITIES_KEY];
  if (!isJsonObject(capabilities)) {
    return faulty(CLIENT_CAPABILITIES_KEY, capabilities === undefined ? 'is required' : 'must be an object');
  }
  const clientInfo = meta[CLIENT_INFO_KEY];
  if (clientInfo !== undefined && !isImplementation(clientInfo)) {
    return faulty(CLIENT_INFO_KEY, 'must be an object with name and version');
  }
  const logLevel = meta[LOG_LEVEL_KEY];
  if (logLevel !== undefined && !isLogLevel(logLevel)) return faulty(LOG_LEVEL_KEY, 'must be a log level');
  return { ok: true, envelope: { protocolVersion: version, clientCapabilities: capabilities, clientInfo, logLevel } };
}

function faulty(field: string, what: string): EnvelopeFault {
  return { ok: false, error: 'invalid_envelope', detail: `${field} ${what}`, data: { field } };
}

/** The fault of a version that the gateway does not speak, with the list that `server/discover` advertises too. */
export function unsupportedVersion(requested: string): EnvelopeFault {
  const data = { supported: [...MODERN_REVISIONS], requested: requested.slice(0, MAX_ECHO) };
  return { ok: false, error: 'unsupported_protocol_version', data };
}

function isImplementation(value: unknown): value is JsonObject {
  return isJsonObject(value) && typeof value['name'] === 'string' && typeof value['version'] === 'string';
}

/** What a legacy session knows of its client: the params of `initialize`, and the last `logging/setLevel`. */
export interface LegacyClient {
  readonly capabilities: JsonObject;
  readonly clientInfo?: JsonObject | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/**
 * The envelope of every request that a legacy session's client causes at a modern upstream. Build it once a session,
 * and again when the log level changes; `addEnvelope` puts it into a request.
 */
export function legacyEnvelope(client: LegacyClient, version: ModernRevision): JsonObject {
  return {
    [PROTOCOL_VERSION_KEY]: version,
    [CLIENT_CAPABILITIES_KEY]: modernCapabilities(client.capabilities),
    ...(client.clientInfo !== undefined && { [CLIENT_INFO_KEY]: client.clientInfo }),
    ...(client.logLevel !== undefined && { [LOG_LEVEL_KEY]: client.logLevel }),
  };
}

/**
 * Declared capabilities of a legacy client, as the modern era spells them: `roots.listChanged` and the experimental
 * `tasks` of 2025-11-25 have no counterpart.
 */
export function modernCapabilities(capabilities: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(forwardedCapabilities(capabilities))
      .filter(([name]) => name !== 'tasks')
      .map(([name, value]) => [name, name === 'roots' ? {} : value]),
  );
}

/** Extensions that need methods of their own, which the gateway does not route. */
const UNROUTED_EXTENSIONS: readonly string[] = ['io.modelcontextprotocol/tasks'];

/**
 * Capabilities, of a client or a server, without the extensions that end at the gateway: an upstream that believes the
 * client has `io.modelcontextprotocol/tasks` answers with task handles that nobody could poll. Same object where there
 * is nothing to remove.
 */
export function forwardedCapabilities(capabilities: JsonObject): JsonObject {
  const { extensions } = capabilities;
  if (!isJsonObject(extensions) || !UNROUTED_EXTENSIONS.some((name) => Object.hasOwn(extensions, name))) {
    return capabilities;
  }
  const kept = Object.entries(extensions).filter(([name]) => !UNROUTED_EXTENSIONS.includes(name));
  return { ...capabilities, extensions: Object.fromEntries(kept) };
}

/** Params of a legacy client's request with the session's envelope, for a modern upstream. */
export function addEnvelope(params: JsonObject | undefined, envelope: JsonObject): JsonObject {
  const meta = metaOf(params);
  const own = meta === undefined ? undefined : Object.entries(meta).filter(([key]) => !isEnvelopeKey(key));
  return { ...params, _meta: own === undefined ? envelope : { ...Object.fromEntries(own), ...envelope } };
}

function isEnvelopeKey(key: string): boolean {
  return (ENVELOPE_KEYS as readonly string[]).includes(key);
}

/**
 * Params of a modern client's request for a modern upstream: its own capabilities, identity, log level and trace pass,
 * the version becomes the one that the upstream speaks. Same object where nothing changes.
 */
export function forwardEnvelope(params: JsonObject, envelope: Envelope, version: ModernRevision): JsonObject {
  const capabilities = forwardedCapabilities(envelope.clientCapabilities);
  const isSame = capabilities === envelope.clientCapabilities && metaOf(params)?.[PROTOCOL_VERSION_KEY] === version;
  if (isSame) return params;
  return withMeta(params, { [PROTOCOL_VERSION_KEY]: version, [CLIENT_CAPABILITIES_KEY]: capabilities });
}

/** Params of a modern client's request for a legacy upstream, which was told all this by `initialize`. */
export function stripEnvelope(params: JsonObject): JsonObject {
  const meta = metaOf(params);
  if (meta === undefined) return params;
  const own = Object.entries(meta).filter(([key]) => !isEnvelopeKey(key));
  const bare = { ...params };
  delete bare['_meta'];
  return own.length === 0 ? bare : { ...bare, _meta: Object.fromEntries(own) };
}

export type ResultType = 'complete' | 'input_required' | 'unknown';

/**
 * What kind of result it is. Servers of the legacy era do not say: absent is `complete`. `unknown` is an extension's,
 * or no string: a client that did not ask for that extension must treat it as invalid.
 */
export function resultType(result: JsonObject): ResultType {
  const type = result['resultType'];
  if (type === undefined || type === 'complete') return 'complete';
  return type === 'input_required' ? 'input_required' : 'unknown';
}

/**
 * A result as modern clients read it: with `resultType`, and with `serverInfo` where the server did not name itself.
 * Same object where it has both.
 */
export function modernResult(result: JsonObject, serverInfo: JsonObject): JsonObject {
  const named = metaOf(result)?.[SERVER_INFO_KEY] !== undefined;
  if (named && result['resultType'] !== undefined) return result;
  const typed = result['resultType'] === undefined ? { ...result, resultType: 'complete' } : result;
  return named ? typed : withMeta(typed, { [SERVER_INFO_KEY]: serverInfo });
}
