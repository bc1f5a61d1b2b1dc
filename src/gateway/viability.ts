/** Puts the viable system together: its state, its line, its actors. */
import { getHeapStatistics } from 'node:v8';
import { type RunningConfig } from '../actors/configuration.js';
import { ALGEDONIC, INTELLIGENCE } from '../actors/names.js';
import { type DataPlane } from '../actors/data-plane.js';
import { type ProcessView } from '../actors/metrics.js';
import { type UpstreamView } from '../actors/upstream-view.js';
import { hashTools, lookAt, versionOf } from '../actors/upstream-sight.js';
import { type UpstreamSnapshot } from '../admin/protocol.js';
import { type ServerConfig } from '../config/types.js';
import { type OutboundHandlers, type OutboundTransport } from '../transports/outbound/transport.js';
import { type Sight } from '../vsm/audit-model.js';
import { audit } from '../vsm/actors/audit.js';
import { census } from '../vsm/actors/census.js';
import { control } from '../vsm/actors/control.js';
import { coordination } from '../vsm/actors/coordination.js';
import { intelligence } from '../vsm/actors/intelligence.js';
import { vitalSigns } from '../actors/vital-signs.js';
import { type ActorSystem } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type Windows } from '../telemetry/windows.js';
import { algedonic } from '../vsm/actors/algedonic.js';
import { AlgedonicLine } from '../vsm/actors/algedonic-line.js';
import { policy } from '../vsm/actors/policy.js';
import { Webhook } from '../vsm/actors/webhook.js';
import { LastResort } from '../vsm/last-resort.js';
import { ViabilityState } from '../vsm/view.js';

/** Its memory, which outlives every actor of it. */
export function viabilityState(now: () => number, log: Logger): ViabilityState {
  const lastResort = new LastResort(({ source, index, message }) => {
    log.fatal({ event: 'alarm_last_resort', source, index }, `alarm that nobody decides on: ${message}`);
  }, now);
  return new ViabilityState(now(), lastResort);
}

export interface ViabilityParts {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly random: () => number;
  readonly windows: Windows;
  readonly process: ProcessView;
  readonly views: ReadonlyMap<string, UpstreamView>;
  readonly url: () => string;
  readonly upstreams: () => readonly UpstreamSnapshot[];
  readonly running: RunningConfig;
  readonly version: string;
  readonly createTransport: (config: ServerConfig, handlers: OutboundHandlers) => OutboundTransport;
}

/** The inits of its actors by path. Connects `plane.algedonic` to the channel. */
export function viabilityInits(parts: ViabilityParts): Record<string, unknown> {
  const { system, plane, log, random, windows, process, views, url } = parts;
  const state = plane.viability;
  const line = new AlgedonicLine(system, ALGEDONIC, state);
  plane.algedonic = line;
  plane.pleasure = line;
  plane.auth.onRotation = (source, what) =>
    void system.whereis(INTELLIGENCE)?.tell({ type: 'intelligence/environment', source, what });
  const { clock } = system;
  const { counters } = plane;
  const options = () => plane.options.vsm.webhook;
  const sink = new Webhook({ options, clock, random, log, counters, gateway: url });
  return {
    '/vitals/vital-signs': vitalSigns({ system, plane, windows, process, views }),
    '/viability/policy': policy({ system, plane, state, log }),
    '/viability/algedonic': algedonic({ system, plane, state, line, log, sink }),
    '/viability/intelligence': intelligence({ system, plane, log }),
    '/viability/control': control({ system, plane, log, resources: resources(plane, parts.upstreams) }),
    '/viability/audit': audit({ system, plane, log, random, ...auditing(parts) }),
    '/viability/coordination': coordination({ plane, log }),
    '/operations/census': census({ system, plane, facts: unitFacts(views) }),
  };
}

/** What S3* may visit, how, and which books it compares. */
function auditing({ system, plane, views, upstreams, running, version, createTransport }: ViabilityParts) {
  const { clock } = system;
  const configOf = (name: string) => running.current.servers.get(name);
  return {
    candidates: () =>
      [...views].flatMap(([name, { phase }]) => {
        const config = configOf(name);
        const visitable = config && (config.target.transport !== 'stdio' || plane.options.vsm.audit.stdio);
        return phase === 'ready' && visitable === true ? [name] : [];
      }),
    visit: async (name: string, signal: AbortSignal): Promise<Sight> => {
      const config = configOf(name);
      if (!config) return { ok: false, why: 'it is configured no more' };
      const { timeout } = plane.options.vsm.audit;
      return lookAt(config, { clock, version, createTransport, timeout }, signal);
    },
    ledgers: () => ({
      inFlight: plane.counters.inFlight,
      units: upstreams().map(({ name, inFlight, pool }) => ({
        unit: `upstream:${name}`,
        inFlight,
        // What is missing of its size is as good as there.
        pool: { ...pool, available: pool.available + pool.vacant },
      })),
    }),
  };
}

/** Version and tools of an upstream, as its session has told them. The hash is made once a listing. */
function unitFacts(views: ReadonlyMap<string, UpstreamView>) {
  const hashes = new WeakMap<object, string>();
  return (name: string) => {
    const view = views.get(name);
    const listing = view?.phase === 'ready' ? view.listing : null;
    let toolsHash = listing ? (hashes.get(listing) ?? null) : null;
    if (listing && toolsHash === null) hashes.set(listing, (toolsHash = hashTools(listing.tools)));
    return { version: view?.phase === 'ready' && view.facts ? versionOf(view.facts) : null, toolsHash };
  };
}

/** What is used of what the gateway has. The event loop's share of the time is its utilisation since the last look. */
function resources(plane: DataPlane, upstreams: () => readonly UpstreamSnapshot[]) {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const { slots, rate } = plane.options.vsm.control;
    const asked = [...plane.viability.cycles.values()].filter(({ unit }) => unit.startsWith('upstream:'));
    const fullest = Math.max(0, ...upstreams().map(({ pool }) => pool.utilisation));
    return {
      pool: upstreams().length === 0 ? null : { used: fullest, limit: 1 },
      'in-flight': { used: plane.counters.inFlight, limit: slots },
      rate: rate === null ? null : { used: asked.reduce((sum, cycle) => sum + cycle.rate, 0), limit: rate },
      heap: { used, limit },
      'event loop': { used: utilization, limit: 1 },
    };
  };
}
