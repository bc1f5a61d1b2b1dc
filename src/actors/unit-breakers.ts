/** The breakers of upstreams and of client transports: what is different about each. */
import { type ClientTransport } from '../admin/protocol.js';
import { type BreakerSettings, type ServerConfig } from '../config/types.js';
import { type ActorInit, type ActorSystem, type Report } from '../kernel/index.js';
import { type BreakerRules } from '../machines/breaker.js';
import { type Logger } from '../telemetry/logger.js';
import { breaker, type BreakerMessage } from './breaker.js';
import { NO_TOKEN } from './breaker-gate.js';
import { transportUnit, upstreamUnit } from './breaker-view.js';
import { type DataPlane } from './data-plane.js';
import { CATALOGUE } from './names.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Beyond the deadline of a probe, before it counts as lost. Milliseconds. */
const PROBE_GRACE_MS = 1_000;

export interface UpstreamBreakerDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly gate: UpstreamGate;
  /** As configured now. */
  readonly config: () => ServerConfig;
  readonly log: Logger;
}

export function upstreamBreaker({ system, plane, gate, config, log }: UpstreamBreakerDeps): ActorInit<BreakerMessage> {
  return breaker({
    plane,
    unit: upstreamUnit(gate.name),
    gate: gate.breaker,
    log,
    rules: () => config().breaker,
    flap: () => config().breaker.flap,
    probeAfter: () => config().breaker.probeAfter,
    probeTimeout: () => gate.deadlines.request + PROBE_GRACE_MS,
    reachable: () => gate.session !== null,
    probe: (ended) => gate.session?.tell({ type: 'session/check', ended }) === 'ok',
    changed: () => void system.tell(CATALOGUE, { type: 'catalogue/breaker', server: gate.name }),
  });
}

export function transportBreaker(plane: DataPlane, log: Logger, transport: ClientTransport): ActorInit<BreakerMessage> {
  return breaker({
    plane,
    unit: transportUnit(transport),
    gate: plane.breakers[transport],
    log,
    rules: () => transportRules(plane.options.breaker),
    flap: () => plane.options.breaker.flap,
    probeAfter: () => plane.options.breaker.probeAfter,
    probeTimeout: () => plane.options.requests.timeout + PROBE_GRACE_MS,
    reachable: () => true,
    // There is nobody to ask: newcomers are let in again and show it.
    probe: (ended) => {
      ended('success');
      return true;
    },
  });
}

/** Client connections by the ids of their actors. */
const CONNECTION_IDS: readonly (readonly [RegExp, ClientTransport])[] = [
  [/^\/front\/connections\/.*\/(?:http|socket)-\d+$/, 'http'],
  [/^\/front\/connections\/.*\/sse-\d+$/, 'sse'],
  [/^\/front\/connections\/.*\/(?:ws|phx)-\d+$/, 'websocket'],
];

/** A report of a connection that has crashed, or could not be started, counts against its transport. */
export function countTransportFailure(plane: DataPlane, report: Report): void {
  const crashed = report.type === 'child/terminated' && report.reason.type === 'fault';
  if (!crashed && report.type !== 'child/start-failed') return;
  const transport = CONNECTION_IDS.find(([path]) => path.test(report.path))?.[1];
  if (transport) plane.breakers[transport].count('failure', NO_TOKEN);
}

function transportRules({ transports, ...rest }: BreakerSettings): BreakerRules {
  return { ...rest, ...transports };
}
