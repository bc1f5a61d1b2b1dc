/**
 * A direct look at an upstream, past its pool and its sessions: a connection of its own, the greeting, a ping, the list of
 * tools, goodbye. For S3*.
 */
import { createHash } from 'node:crypto';
import { type ServerConfig } from '../config/types.js';
import { type Clock, toError } from '../kernel/index.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type OutboundHandlers, type OutboundTransport } from '../transports/outbound/transport.js';
import { type Sight } from '../vsm/audit-model.js';
import { PendingRequests } from './pending-requests.js';
import { greet } from './upstream-greeting.js';
import { listAll, type ServerFacts } from './upstream-handshake.js';
import { RequestFailed } from './upstream-probe.js';
import { OwnRequests } from './upstream-requests.js';
import { LEGACY_WIRE, type UpstreamWire } from './upstream-wire.js';

export interface SightDeps {
  readonly clock: Clock;
  readonly version: string;
  readonly createTransport: (config: ServerConfig, handlers: OutboundHandlers) => OutboundTransport;
  /** Milliseconds for the whole look. */
  readonly timeout: number;
}

/** Never rejects. */
export async function lookAt(config: ServerConfig, deps: SightDeps, signal: AbortSignal): Promise<Sight> {
  const pending = new PendingRequests();
  const fail = (why: string): void => {
    for (const entry of pending.takeAll()) if (entry.type === 'own') entry.fail(new RequestFailed(why));
  };
  const transport = deps.createTransport(config, {
    onMessage: (message) => {
      if ('method' in message) {
        // What it asks of its client is nothing that an auditor could answer.
        if ('id' in message) transport.send({ jsonrpc: '2.0', id: message.id, error: REFUSED });
        return;
      }
      const waiting = pending.take(message.id);
      if (waiting?.type === 'own') waiting.settle(message);
    },
    onRequestFailed: (id, error) => {
      const waiting = pending.take(id);
      if (waiting?.type === 'own') waiting.fail(new RequestFailed(error.message, error));
    },
    onClosed: (error) => fail(error.message),
    onDoubt: () => undefined,
    onStderr: () => undefined,
    onJunk: () => undefined,
  });
  const late = deps.clock.after(deps.timeout, () => fail(`no answer within ${deps.timeout} ms`));
  const abandoned = (): void => fail('the look was given up');
  signal.addEventListener('abort', abandoned, { once: true });
  try {
    return await visit(config, deps, transport, pending, signal);
  } catch (cause) {
    return { ok: false, why: toError(cause).message };
  } finally {
    late.cancel();
    signal.removeEventListener('abort', abandoned);
    await transport.close(GOODBYE_MS);
  }
}

const REFUSED = { code: -32601, message: 'Method not found' };
const GOODBYE_MS = 500;

async function visit(
  config: ServerConfig,
  { clock, version, timeout }: SightDeps,
  transport: OutboundTransport,
  pending: PendingRequests,
  signal: AbortSignal,
): Promise<Sight> {
  const refused = await transport.open(signal);
  if (refused) return { ok: false, why: refused.message };
  let wire: UpstreamWire = LEGACY_WIRE;
  const http = config.target.transport === 'http';
  const requests = new OwnRequests({
    pending,
    transport: () => transport,
    wire: () => wire,
    http,
    odd: () => undefined,
    onSlow: () => undefined,
  });
  const request = requests.request.bind(requests);
  const { network } = transport;
  const greeting = { network, era: config.era, client: null, version, connectTimeout: timeout, clock, request };
  const { facts, wire: spoken } = await greet(greeting);
  wire = spoken;
  if (facts.era === 'legacy') {
    transport.setProtocolVersion(facts.protocolVersion);
    requests.notify('notifications/initialized');
  }
  const before = clock.now();
  await request(facts.era === 'legacy' ? 'ping' : 'server/discover');
  const latencyMs = clock.now() - before;
  const { tools } = await listAll(
    (method, params) => request(method, params),
    toolsOnly(facts),
    () => undefined,
  );
  return { ok: true, latencyMs, version: versionOf(facts), toolsHash: hashTools(tools) };
}

function toolsOnly(facts: ServerFacts): ServerFacts {
  const { tools } = facts.capabilities;
  return { ...facts, capabilities: tools === undefined ? {} : { tools } };
}

/** `name/version`, as the server says it. */
export function versionOf({ serverInfo }: ServerFacts): string | null {
  return serverInfo && `${serverInfo.name}/${serverInfo.version}`;
}

/** SHA-256 of a list of tools, whatever their order. */
export function hashTools(tools: readonly JsonObject[]): string {
  const texts = tools.map((tool) => JSON.stringify(tool)).sort();
  return createHash('sha256').update(texts.join('\n')).digest('hex');
}
