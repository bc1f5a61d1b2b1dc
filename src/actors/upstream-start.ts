/** Starts a session with an upstream below its supervisor, for the lifecycle actor or for the pool. */
import { type ServerConfig } from '../config/types.js';
import { actor, type ActorSystem, type Ref, type StartResult } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type OutboundHandlers, type OutboundTransport } from '../transports/outbound/transport.js';
import { type DataPlane } from './data-plane.js';
import { type Lease } from './lease.js';
import { upstreamSessions } from './names.js';
import { type Era, type SessionLoad, type UpstreamGate } from './upstream-gate.js';
import { upstreamSession, type UpstreamSessionEvent, type UpstreamSessionInbox } from './upstream-session.js';
import { type UpstreamView } from './upstream-view.js';

export interface SessionStartDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly gate: UpstreamGate;
  readonly version: string;
  readonly log: Logger;
  readonly createTransport: (config: ServerConfig, handlers: OutboundHandlers) => OutboundTransport;
  readonly view: UpstreamView;
}

export interface SessionStart {
  readonly id: string;
  readonly config: ServerConfig;
  /** primary: lists what the server offers. shared: serves clients besides. leased: serves whoever holds it. */
  readonly role: 'primary' | 'shared' | 'leased';
  readonly era: 'auto' | Era;
  /** Who is told how it is; `null`: nobody but those who monitor it. */
  readonly owner: Ref<UpstreamSessionEvent> | null;
  /** Who holds it from the start. */
  readonly lease: Lease | null;
  readonly load: SessionLoad;
}

/** Wait after a server's `list_changed` before its lists are read again: servers announce several at once. */
const RELIST_DELAY_MS = 50;

export function startSession(deps: SessionStartDeps, start: SessionStart): StartResult<UpstreamSessionInbox> {
  const { system, plane, gate, version, log, view } = deps;
  const { config, id, role, owner, lease, load, era } = start;
  const { shutdownGrace } = plane.options.upstreams;
  return system.startChild<UpstreamSessionInbox>(
    upstreamSessions(config.name),
    actor<UpstreamSessionInbox>({
      id,
      restart: 'temporary',
      shutdownMs: shutdownGrace + 2_000,
      mailbox: { normal: 16_384 },
      init: upstreamSession({
        system,
        server: config.name,
        version,
        role,
        owner,
        lease,
        gate,
        load,
        era,
        http: config.target.transport === 'http',
        counters: plane.counters,
        log,
        connectTimeout: config.timeouts.connect,
        shutdownGrace,
        relistDelay: RELIST_DELAY_MS,
        createTransport: (handlers) => deps.createTransport(config, handlers),
        onJunk: (bytes) => {
          view.junkBytes += bytes;
        },
      }),
    }),
  );
}
