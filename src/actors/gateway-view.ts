/**
 * What consoles see of the gateway, put together from plain memory at one instant: no actor is asked or stopped.
 */
import {
  type BreakerSnapshot,
  CLIENT_TRANSPORTS,
  type ClientTransport,
  REQUEST_TRANSPORTS,
  type GatewayPhase,
  type GatewaySnapshot,
  type UpstreamSnapshot,
} from '../admin/protocol.js';
import { type AuditSnapshot } from '../admin/snapshot/audit.js';
import { type ActorSystem } from '../kernel/index.js';
import { type TelemetrySnapshot } from '../admin/snapshot/telemetry.js';
import { type PinBook } from '../pinning/pin-book.js';
import { type Windows } from '../telemetry/windows.js';
import { authSnapshot } from './auth-view.js';
import { type BreakerGate } from './breaker-gate.js';
import { breakerSnapshot, breakerSource, type BreakerUnit, transportUnit, upstreamUnit } from './breaker-view.js';
import { rulesSnapshot } from './admin-policy.js';
import { pinningSnapshot } from './admin-tools.js';
import { type RunningConfig } from './configuration.js';
import { type DataPlane } from './data-plane.js';
import { type DrainBoard } from './drain/board.js';
import { type HandoverRecord } from './handover.js';
import { processFigures, type ProcessView } from './metrics.js';
import { type UpstreamView, upstreamSnapshot } from './upstream-view.js';
import { alarmsSnapshot, vsmSnapshot } from './viability-view.js';

const NO_PINNING: GatewaySnapshot['pinning'] = { mode: 'off', pinned: 0, quarantined: 0, fault: null };

export interface GatewayViewDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly running: RunningConfig;
  readonly views: ReadonlyMap<string, UpstreamView>;
  readonly windows: Windows;
  readonly process: ProcessView;
  readonly drains: DrainBoard;
  readonly handover: HandoverRecord;
  readonly version: string;
  readonly startedAt: number;
  readonly url: () => string;
  readonly audit?: () => AuditSnapshot | null;
  readonly telemetry: () => TelemetrySnapshot;
  readonly book?: PinBook;
}

export class GatewayView {
  readonly #deps: GatewayViewDeps;

  constructor(deps: GatewayViewDeps) {
    this.#deps = deps;
  }

  upstreams(): UpstreamSnapshot[] {
    const { plane, views, running, system } = this.#deps;
    const now = system.clock.now();
    return [...running.current.servers.values()].flatMap((config) => {
      const gate = plane.gates.get(config.name);
      const view = views.get(config.name);
      return gate && view ? [upstreamSnapshot(config, gate, view, now, plane.options.retries)] : [];
    });
  }

  breakers(): BreakerSnapshot[] {
    const { system, plane } = this.#deps;
    const now = system.clock.now();
    const { coordination } = plane.viability;
    const seen = (unit: BreakerUnit, gate: BreakerGate, retryAt?: number | null): BreakerSnapshot =>
      breakerSnapshot(unit, gate, coordination.penaltyOf(breakerSource(unit), now), now, retryAt);
    const upstreams = [...plane.gates].map(([name, gate]) => seen(upstreamUnit(name), gate.breaker, gate.retryAt));
    const transports = CLIENT_TRANSPORTS.map((name) => seen(transportUnit(name), plane.breakers[name]));
    return [...upstreams, ...transports];
  }

  snapshot(): GatewaySnapshot {
    const { system, plane, windows, running } = this.#deps;
    const now = system.clock.now();
    const drains = this.#deps.drains.snapshots();
    return {
      name: 'viable',
      version: this.#deps.version,
      node: process.version,
      pid: process.pid,
      url: this.#deps.url(),
      takenAt: now,
      startedAt: this.#deps.startedAt,
      phase: this.#phase(),
      drain: drains.find(({ id, outcome }) => id === 'gateway' && outcome !== 'cancelled') ?? null,
      drains,
      handover: this.#deps.handover.snapshot,
      connections: this.#connections(),
      throughput: { perSecond: windows.perSecond, messagesTotal: plane.counters.messages },
      errors: windows.errorRates(),
      requests: this.#requests(),
      drops: this.#drops(),
      upstreams: this.upstreams(),
      breakers: this.breakers(),
      alarms: alarmsSnapshot(plane),
      vsm: vsmSnapshot(plane, now),
      tree: system.snapshot(),
      auth: authSnapshot(plane.auth),
      process: processFigures(this.#deps.process),
      config: {
        file: running.current.source.file,
        loadedAt: running.loadedAt,
        version: running.version,
        rejected: running.rejected,
      },
      audit: this.#deps.audit?.() ?? null,
      telemetry: this.#deps.telemetry(),
      rules: rulesSnapshot(plane, now),
      pinning: this.#deps.book ? pinningSnapshot(this.#deps.book) : NO_PINNING,
    };
  }

  #phase(): GatewayPhase {
    const { state } = this.#deps.plane.admission;
    return state === 'handing_over' ? 'draining' : state;
  }

  #connections(): GatewaySnapshot['connections'] {
    const { transports, sockets } = this.#deps.plane.counters;
    const byTransport = Object.fromEntries(CLIENT_TRANSPORTS.map((name) => [name, transports[name].open])) as Record<
      ClientTransport,
      number
    >;
    return { byTransport, total: CLIENT_TRANSPORTS.reduce((sum, name) => sum + byTransport[name], 0), sockets };
  }

  #requests(): GatewaySnapshot['requests'] {
    const { counters } = this.#deps.plane;
    let answered = 0;
    let failed = 0;
    for (const name of REQUEST_TRANSPORTS) {
      answered += counters.transports[name].succeeded;
      failed += counters.transports[name].failed;
    }
    return { inFlight: counters.inFlight, answered, failed, ...this.#deps.windows.latency() };
  }

  #drops(): GatewaySnapshot['drops'] {
    const all = new Map<string, number>([...this.#deps.system.drops(), ...this.#deps.plane.counters.drops]);
    return [...all].map(([reason, count]) => ({ reason, count }));
  }
}
