/**
 * Getting to know an upstream over an open transport: its era, what it is, what it can. Process-free.
 *
 * Source: MCP specification 2025-11-25, "Base Protocol › Lifecycle"; 2026-07-28, "Versioning › Backward Compatibility".
 */
import { type Clock } from '../kernel/index.js';
import { type JsonObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { MODERN_REVISION } from '../protocol/revisions.js';
import { type Era, type SessionClient } from './upstream-gate.js';
import { HandshakeError, initialize, modernFacts, type ServerFacts } from './upstream-handshake.js';
import { type FinalVerdict, probeEra } from './upstream-probe.js';
import { LEGACY_WIRE, modernWire, type UpstreamWire } from './upstream-wire.js';

/** Silence of this long is a legacy server's answer to a modern question. */
const MAX_PROBE_MS = 5_000;

export interface GreetingDeps {
  readonly network: 'pipe' | 'tcp';
  readonly era: 'auto' | Era;
  /** A session that is one client's alone is with a server that is known to be legacy. */
  readonly client: SessionClient | null;
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

/** Modern or legacy: as configured, or as the server answers. Rejects with what is wrong, for people. */
export async function greet(deps: GreetingDeps): Promise<Acquaintance> {
  const { client, version, era } = deps;
  const clientInfo: JsonObject = { name: 'viable', title: 'Viable MCP gateway', version };
  const verdict = era === 'auto' && !client ? await probe(deps, clientInfo) : undefined;
  if (verdict?.era === 'none') throw new HandshakeError(refusalOf(verdict));
  if (verdict?.era === 'modern') {
    const { version: revision, discovered } = verdict;
    return { facts: modernFacts(revision, discovered), wire: modernWire(revision, clientInfo) };
  }
  if (era === 'modern' && !client) {
    return { facts: modernFacts(MODERN_REVISION, undefined), wire: modernWire(MODERN_REVISION, clientInfo) };
  }
  const facts = await initialize((method, params) => deps.request(method, params, LEGACY_WIRE), version, client);
  return { facts, wire: LEGACY_WIRE };
}

function probe(deps: GreetingDeps, clientInfo: JsonObject): Promise<FinalVerdict> {
  return probeEra({
    network: deps.network,
    clientInfo,
    ask: (method, params, version) => deps.request(method, params, modernWire(version, clientInfo)),
    wait: (ms) => new Promise((resolve) => void deps.clock.after(ms, resolve)),
    patienceMs: Math.min(MAX_PROBE_MS, deps.connectTimeout / 3),
  });
}

function refusalOf(verdict: Extract<FinalVerdict, { era: 'none' }>): string {
  if (verdict.reason === 'unauthorized') return 'it refuses us: check the credentials in its headers';
  const speaks = (verdict.supported ?? []).join(', ') || 'no known version';
  return `it speaks ${speaks}; this gateway knows ${MODERN_REVISION} and older`;
}
