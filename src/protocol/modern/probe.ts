/**
 * Finding out which era an upstream speaks: a pure state machine around one `server/discover`.
 *
 * `startProbe` says what to ask; `stepProbe` takes what came back and says what it means. The era is a property of the
 * server: keep a verdict for the life of the process (stdio) or origin (HTTP), and probe again after a reconnection or
 * when it is proved wrong. Legacy servers answer unknown requests in any way or not at all, so the fallback hangs on no
 * single error code: what is not recognisably modern is legacy.
 *
 * Source: MCP specification 2026-07-28, "stdio › Backward Compatibility", "Streamable HTTP › Backward Compatibility",
 * "Versioning › Backward Compatibility with Initialization-Based Versions".
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../jsonrpc.js';
import { MODERN_REVISION, mutualModernRevision, namesModernEra, type ModernRevision } from '../revisions.js';
import { readDiscover, type Discovered } from './discover.js';
import { CLIENT_CAPABILITIES_KEY, CLIENT_INFO_KEY, PROTOCOL_VERSION_KEY } from './meta.js';

export interface ProbeState {
  readonly channel: 'stdio' | 'http';
  /** The version to ask with. */
  readonly version: ModernRevision;
  /** Versions asked with, this one included. */
  readonly asked: readonly ModernRevision[];
  /** Answers so far that told nothing. */
  readonly failures: number;
}

/** What came back on a probe. */
export type ProbeOutcome =
  /**
   * stdio: the response. HTTP: the response and its status; `message` is `undefined` where the body was empty or no
   * JSON-RPC response with our id or none.
   */
  | { readonly kind: 'answer'; readonly status?: number; readonly message: JsonRpcResponse | undefined }
  /** No answer within the probe's time. */
  | { readonly kind: 'timeout' }
  /** stdio: the process ended. HTTP: refused, reset, DNS, TLS. */
  | { readonly kind: 'failed' };

export type ProbeVerdict =
  /** `discovered` is missing where the server refused the probe itself in a modern way. */
  | { readonly era: 'modern'; readonly version: ModernRevision; readonly discovered: Discovered | undefined }
  /** Send `initialize`. `respawn`: the process that was probed is gone. */
  | { readonly era: 'legacy'; readonly reason: LegacyReason; readonly respawn?: true }
  /** Ask again: at once with another version, or after a pause when nothing was learnt. */
  | { readonly era: 'retry'; readonly reason: 'version' | 'unavailable'; readonly state: ProbeState }
  /** Neither `initialize` nor another version helps. */
  | {
      readonly era: 'none';
      readonly reason: 'unauthorized' | 'no_common_version';
      readonly supported?: readonly string[];
    };

export type LegacyReason =
  | 'no_answer' // silence, or the process ended
  | 'no_modern_answer' // an answer that only a legacy server gives
  | 'offers_legacy_versions' // a modern answer, whose versions are all legacy ones
  | 'keeps_failing'; // let `initialize` find out

/** Answers that tell nothing before `initialize` is tried all the same. */
const MAX_FAILURES = 2;

export function startProbe(channel: 'stdio' | 'http', version: ModernRevision = MODERN_REVISION): ProbeState {
  return { channel, version, asked: [version], failures: 0 };
}

/** The probe's request. Its capabilities are empty: it stands for no client. */
export function probeRequest(state: ProbeState, id: string, clientInfo: JsonObject): JsonRpcRequest {
  const _meta = {
    [PROTOCOL_VERSION_KEY]: state.version,
    [CLIENT_CAPABILITIES_KEY]: {},
    [CLIENT_INFO_KEY]: clientInfo,
  };
  return { jsonrpc: '2.0', id, method: 'server/discover', params: { _meta } };
}

/** What the outcome means. Pure. */
export function stepProbe(state: ProbeState, outcome: ProbeOutcome): ProbeVerdict {
  switch (outcome.kind) {
    case 'failed':
      return state.channel === 'stdio' ? { era: 'legacy', reason: 'no_answer', respawn: true } : unavailable(state);
    case 'timeout':
      return state.channel === 'stdio' ? { era: 'legacy', reason: 'no_answer' } : unavailable(state);
    case 'answer':
      return judge(state, outcome.status ?? 200, outcome.message);
  }
}

/** 401 and 403 come before MCP; 408, 429 and 5xx without a JSON-RPC body from something in front of it. */
function judge(state: ProbeState, status: number, message: JsonRpcResponse | undefined): ProbeVerdict {
  if (message !== undefined && 'result' in message) return judgeResult(message.result, state);
  if (message !== undefined && isModernError(message.error)) return judgeModernError(state, message.error);
  if (status === 401 || status === 403) return { era: 'none', reason: 'unauthorized' };
  if (message === undefined && (status >= 500 || status === 408 || status === 429)) return unavailable(state);
  return { era: 'legacy', reason: 'no_modern_answer' };
}

function judgeResult(result: JsonObject, state: ProbeState): ProbeVerdict {
  const discovered = readDiscover(result);
  if ('fault' in discovered) return { era: 'legacy', reason: 'no_modern_answer' };
  const { version, supportedVersions } = discovered;
  if (version !== undefined) return { era: 'modern', version, discovered };
  return withoutCommonVersion(state, supportedVersions);
}

/** Modern codes. Legacy servers use −32602 and −32601 too, and in the modern era `server/discover` gets neither. */
export function isModernError({ code }: JsonRpcErrorObject): boolean {
  return code === -32020 || code === -32021 || code === -32022;
}

function judgeModernError(state: ProbeState, { code, data }: JsonRpcErrorObject): ProbeVerdict {
  if (code !== -32022) return { era: 'modern', version: state.version, discovered: undefined };
  const supported: unknown = isJsonObject(data) ? data['supported'] : undefined;
  if (!Array.isArray(supported)) return { era: 'legacy', reason: 'no_modern_answer' };
  const versions = supported.filter((item) => typeof item === 'string');
  const version = mutualModernRevision(versions.filter((item) => !(state.asked as readonly string[]).includes(item)));
  if (version === undefined) return withoutCommonVersion(state, versions);
  return { era: 'retry', reason: 'version', state: { ...state, version, asked: [...state.asked, version] } };
}

/** A dual-era server may list legacy versions, which are negotiated by `initialize`. */
function withoutCommonVersion(state: ProbeState, supported: readonly string[]): ProbeVerdict {
  const offersLegacy = supported.some((version) => version !== state.version && !namesModernEra(version));
  if (offersLegacy) return { era: 'legacy', reason: 'offers_legacy_versions' };
  return { era: 'none', reason: 'no_common_version', supported };
}

function unavailable(state: ProbeState): ProbeVerdict {
  const failures = state.failures + 1;
  if (failures > MAX_FAILURES) return { era: 'legacy', reason: 'keeps_failing' };
  return { era: 'retry', reason: 'unavailable', state: { ...state, failures } };
}
