/**
 * How a request is written for an upstream of either era: its envelope, its headers, its progress token. Pure.
 *
 * Source: MCP specification 2026-07-28, "Base Protocol › Request Metadata", "Streamable HTTP › Request Metadata".
 */
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { addEnvelope, forwardEnvelope, legacyEnvelope, stripEnvelope } from '../protocol/modern/envelope.js';
import { requestHeaders, scanParamHeaders } from '../protocol/modern/headers.js';
import { originalParams } from '../protocol/modern/mrtr.js';
import { type ModernRevision } from '../protocol/revisions.js';
import { type TraceContext, withContext } from '../telemetry/tracing/call-trace.js';
import { type Call } from './call.js';
import { ALL_CAPABILITIES } from './upstream-handshake.js';

export interface Outgoing {
  readonly params: JsonObject;
  /** For a modern upstream that is reached over HTTP. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface UpstreamWire {
  /** `context`: of the trace that the call belongs to. */
  call(call: Call, id: number, context: TraceContext | undefined): Outgoing;
  /** A request or notification of the gateway's own. */
  own(method: string, params: JsonObject | undefined): Outgoing | undefined;
}

/** Legacy upstreams were told by `initialize` whom they serve. */
export const LEGACY_WIRE: UpstreamWire = {
  call(call, id, context) {
    const { caller } = call;
    const own = caller.era === 'modern' ? stripEnvelope(originalParams(call.params) ?? {}) : call.params;
    const params = context ? withContext(own, context) : own;
    return { params: call.progressToken === undefined ? params : withProgressToken(params, id) };
  },
  own: (_method, params) => params && { params },
};

/** Modern upstreams are told with every request. */
export function modernWire(version: ModernRevision, clientInfo: JsonObject): UpstreamWire {
  const envelope = legacyEnvelope({ capabilities: ALL_CAPABILITIES, clientInfo }, version);
  return {
    call(call, id, context) {
      const { caller, method } = call;
      const given =
        caller.era === 'modern'
          ? forwardEnvelope(call.params, caller.envelope, version)
          : addEnvelope(call.params, caller.envelope);
      const own = context ? withContext(given, context) : given;
      const params = call.progressToken === undefined ? own : withProgressToken(own, id);
      const forwarded = caller.era === 'modern' ? caller.headers : {};
      const scan = method === 'tools/call' && call.tool ? scanParamHeaders(call.tool['inputSchema']) : undefined;
      return { params, headers: requestHeaders(version, { method, params }, scan?.ok ? scan.headers : [], forwarded) };
    },
    own(method, given) {
      const params = addEnvelope(given, envelope);
      return { params, headers: requestHeaders(version, { method, params }) };
    },
  };
}

/** A copy of `params` whose progress token is `token`; the client's own object stays as it was. */
function withProgressToken(params: JsonObject, token: number): JsonObject {
  const meta = params['_meta'];
  return { ...params, _meta: { ...(isJsonObject(meta) ? meta : {}), progressToken: token } };
}
