/** Starts a session with an upstream below its supervisor, for the lifecycle actor or for the pool. */
import { type ServerConfig } from '../config/types.js';
import { actor, type ActorSystem, type Ref, type StartResult } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import {
  type OutboundHandlers,
  type OutboundTransport,
  type TransportError,
} from '../transports/outbound/transport.js';
import { coordinationRules } from '../vsm/coordination-model.js';
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
  readonly random: () => number;
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
        createTransport: (handlers) => whenItsTurn(deps, role, deps.createTransport(config, handlers)),
        onJunk: (bytes) => {
          view.junkBytes += bytes;
        },
      }),
    }),
  );
}

/** Opens the transport when coordination says that it is its turn. The primary's turn is its backoff. */
function whenItsTurn(
  { plane, gate, system, random }: SessionStartDeps,
  role: SessionStart['role'],
  transport: OutboundTransport,
): OutboundTransport {
  if (role === 'primary') return transport;
  const { clock } = system;
  const rules = coordinationRules(plane.options.vsm);
  const wait = plane.viability.coordination.connectDelay(gate.name, clock.now(), rules, random);
  if (wait === 0) return transport;
  const open = transport.open.bind(transport);
  transport.open = async (signal) => {
    await new Promise<void>((resolve) => {
      const timer = clock.after(wait, resolve);
      const stop = (): void => {
        timer.cancel();
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
    });
    return signal.aborted ? GIVEN_UP : open(signal);
  };
  return transport;
}

const GIVEN_UP: TransportError = { kind: 'closed', message: 'given up before its turn came', unsent: true };
