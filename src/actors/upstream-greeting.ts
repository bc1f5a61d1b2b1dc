/**
 * Getting to know an upstream over an open transport: its era, what it is, what it can. Process-free.
 *
 * Source: MCP specification 2025-11-25, "Base Protocol › Lifecycle"; 2026-07-28, "Versioning › Backward Compatibility".
 */
import { type Clock, type TimerHandle } from '../kernel/index.js';
import { type JsonObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { isModernError } from '../protocol/modern/probe.js';
import { MODERN_REVISION } from '../protocol/revisions.js';
import { type TransportError } from '../transports/outbound/transport.js';
import { type Era } from './upstream-gate.js';
import { HandshakeError, initialize, modernFacts, type ServerFacts } from './upstream-handshake.js';
import { type FinalVerdict, probeEra } from './upstream-probe.js';
import { LEGACY_WIRE, modernWire, type UpstreamWire } from './upstream-wire.js';

/** HTTP statuses with which a server of sessions refuses a request that has none. */
const NO_SESSION_STATUSES: readonly (number | undefined)[] = [400, 404, 405];
/** The same as JSON-RPC codes, as the official SDKs give them; modern servers have no use for them. */
const NO_SESSION_CODES: readonly number[] = [-32000, -32001];

/** Whether an answer can only come from a server of the other era: another program listens at the address now. */
export function disprovesEra(era: Era, answer: JsonRpcResponse | TransportError): boolean {
  if ('kind' in answer)
    return era === 'modern' && answer.kind === 'http_status' && NO_SESSION_STATUSES.includes(answer.status);
  if (!('error' in answer)) return false;
  return era === 'legacy' ? isModernError(answer.error) : NO_SESSION_CODES.includes(answer.error.code);
}

/** Silence of this long is a legacy server's answer to a modern question. */
const MAX_PROBE_MS = 5_000;

export interface GreetingDeps {
  readonly network: 'pipe' | 'tcp';
  readonly era: 'auto' | Era;
  /** Whose session it is to be, as `initialize` tells the server; `null`: the gateway's. */
  readonly client: { readonly capabilities: JsonObject; readonly info: JsonObject | undefined } | null;
  readonly version: string;
  readonly connectTimeout: number;
  readonly clock: Clock;
  readonly request: (method: string, params: JsonObject | undefined, wire: UpstreamWire) => Promise<JsonRpcResponse>;
}

export interface Acquaintance {
  readonly facts: ServerFacts;
  /** How it is spoken to from now on. */
  readonly wire: UpstreamWire;
}

/** What servers are told of the gateway itself. */
export function gatewayInfo(version: string): JsonObject {
  return { name: 'viable', title: 'Viable MCP gateway', version };
}

/** Modern or legacy: as configured, or as the server answers. Rejects with what is wrong, for people. */
export async function greet(deps: GreetingDeps): Promise<Acquaintance> {
  const { client, version, era } = deps;
  const clientInfo = gatewayInfo(version);
  const verdict = era === 'auto' ? await askEra(deps, clientInfo) : undefined;
  if (verdict?.era === 'none') throw new HandshakeError(refusalOf(verdict));
  if (verdict?.era === 'modern') {
    const { version: revision, discovered } = verdict;
    return { facts: modernFacts(revision, discovered), wire: modernWire(revision, clientInfo) };
  }
  if (era === 'modern') {
    return { facts: modernFacts(MODERN_REVISION, undefined), wire: modernWire(MODERN_REVISION, clientInfo) };
  }
  const facts = await initialize((method, params) => deps.request(method, params, LEGACY_WIRE), version, client);
  return { facts, wire: LEGACY_WIRE };
}

/** Asks the server for its era. No timer outlives the answer: it would hold up the end of a program that is done. */
export async function askEra(
  deps: Omit<GreetingDeps, 'era' | 'client' | 'version'>,
  clientInfo: JsonObject,
): Promise<FinalVerdict> {
  const timers: TimerHandle[] = [];
  try {
    return await probeEra({
      network: deps.network,
      clientInfo,
      ask: (method, params, version) => deps.request(method, params, modernWire(version, clientInfo)),
      wait: (ms) => new Promise((resolve) => timers.push(deps.clock.after(ms, resolve))),
      patienceMs: Math.min(MAX_PROBE_MS, deps.connectTimeout / 3),
    });
  } finally {
    for (const timer of timers) timer.cancel();
  }
}

function refusalOf(verdict: Extract<FinalVerdict, { era: 'none' }>): string {
  if (verdict.reason === 'unauthorized') return 'it refuses us: check the credentials in its headers';
  const speaks = (verdict.supported ?? []).join(', ') || 'no known version';
  return `it speaks ${speaks}; this gateway knows ${MODERN_REVISION} and older`;
}
