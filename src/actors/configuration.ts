/**
 * Configuration: makes the running upstreams those that the configuration names, now and after each change of it.
 *
 * Parent: provisioning, after the upstreams' supervisor. Restart: permanent; it starts by comparing, so a restart changes
 * nothing that is right already.
 *
 * Invariants: a configuration that does not load changes nothing; upstreams that are the same before and after are never
 * touched. Reading the file is the one thing that it waits for.
 */
import { CLIENT_TRANSPORTS } from '../admin/protocol.js';
import {
  type Config,
  type ConfigProblem,
  diffConfig,
  isEmptyDiff,
  type LoadResult,
  renderProblems,
  type ServerConfig,
  withoutRestart,
} from '../config/index.js';
import {
  type ActorContext,
  type ActorInit,
  type ActorSystem,
  type Behavior,
  type ChildSpec,
  type ReplyTo,
} from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type OutboundHandlers, type OutboundTransport } from '../transports/outbound/transport.js';
import { type DataPlane } from './data-plane.js';
import { concurrency } from './concurrency.js';
import { upstreamBreaker } from './unit-breakers.js';
import { CATALOGUE, transportBreaker, upstreamId, upstreamLifecycle, upstreamPool, UPSTREAMS } from './names.js';
import { pool } from './pool.js';
import { upstream } from './upstream.js';
import { newUpstreamView, type UpstreamView } from './upstream-view.js';
import { UpstreamGate } from './upstream-gate.js';

export type ConfigurationMessage =
  /** Something may have changed: the file, a SIGHUP, an operator's word. */
  { readonly type: 'configuration/reload'; readonly cause: string; readonly replyTo?: ReplyTo<ReloadOutcome> };

export type ReloadOutcome =
  | {
      readonly applied: true;
      readonly version: number;
      readonly summary: string;
      /** Options of the file that differ from what runs and wait for the next start. */
      readonly restart: readonly string[];
    }
  | { readonly applied: false; readonly problems: string };

/** The running configuration. Written by the configuration actor, read by all. */
export interface RunningConfig {
  /** What is in force: options that wait for the next start are those of this one. */
  current: Config;
  version: number;
  loadedAt: number;
  /** Why the newest version of the file was refused. */
  rejected: string | null;
}

export interface ConfigurationDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly running: RunningConfig;
  readonly views: Map<string, UpstreamView>;
  readonly version: string;
  readonly log: Logger;
  readonly random: () => number;
  readonly load: () => Promise<LoadResult>;
  readonly createTransport: (config: ServerConfig, handlers: OutboundHandlers) => OutboundTransport;
  /** The tree of one upstream from the inits of its actors (`src/supervisors`). */
  readonly buildUpstream: (id: string, inits: ReadonlyMap<string, ActorInit<never>>) => ChildSpec;
  /** Takes over what a reload changed of the gateway's own options. */
  readonly onOptions: (config: Config) => void;
}

export function configuration(deps: ConfigurationDeps) {
  return async (context: ActorContext<ConfigurationMessage>): Promise<Behavior<ConfigurationMessage>> => {
    const behavior = new Configuration(deps, context);
    await behavior.reconcile();
    return behavior;
  };
}

class Configuration implements Behavior<ConfigurationMessage> {
  readonly #deps: ConfigurationDeps;
  readonly #context: ActorContext<ConfigurationMessage>;

  constructor(deps: ConfigurationDeps, context: ActorContext<ConfigurationMessage>) {
    this.#deps = deps;
    this.#context = context;
  }

  async handle(message: ConfigurationMessage): Promise<void> {
    const outcome = await this.#reload(message.cause);
    message.replyTo?.reply(outcome);
  }

  /** Starts what should run and does not, stops what runs and should not. */
  async reconcile(): Promise<void> {
    const { plane, running } = this.#deps;
    const wanted = running.current.servers;
    for (const name of [...plane.gates.keys()]) if (!wanted.has(name)) await this.#remove(name);
    for (const server of wanted.values()) this.#add(server);
  }

  async #reload(cause: string): Promise<ReloadOutcome> {
    const { system, running, log } = this.#deps;
    const loaded = await this.#deps.load();
    if (!loaded.ok) return this.#refuse(loaded.problems, cause);
    const diff = diffConfig(running.current, loaded.config);
    running.rejected = null;
    const { restart } = diff.gateway;
    if (restart.length > 0)
      log.warn({ event: 'configuration_restart', options: restart }, 'these options take effect at the next start');
    if (isEmptyDiff({ ...diff, gateway: { ...diff.gateway, restart: [] } }))
      return { applied: true, version: running.version, summary: summaryOf('nothing has changed', restart), restart };
    running.current = { ...loaded.config, gateway: withoutRestart(running.current.gateway, loaded.config.gateway) };
    running.version += 1;
    running.loadedAt = this.#context.clock.now();
    this.#deps.onOptions(running.current);
    if (diff.gateway.applied.some((path) => /^gateway\.(?:catalogue|toolsets)\b/.test(path)))
      system.tell(CATALOGUE, { type: 'catalogue/reconfigured' });
    for (const transport of CLIENT_TRANSPORTS)
      system.tell(transportBreaker(transport), { type: 'breaker/reconfigured' });
    if (diff.gateway.applied.some((path) => path.startsWith('gateway.policy')))
      system.tell(CATALOGUE, { type: 'catalogue/policy-changed' });
    for (const name of [...diff.removed, ...diff.reconnect]) await this.#remove(name);
    for (const server of loaded.config.servers.values()) this.#add(server);
    this.#reorderGates();
    for (const name of diff.changed) {
      system.tell(upstreamLifecycle(name), { type: 'upstream/reconfigured' });
      system.tell(upstreamPool(name), { type: 'pool/reconfigured' });
    }
    const { added, removed, changed, gateway } = diff;
    const summary = `added ${added.length}, removed ${removed.length}, changed ${changed.length} upstreams`;
    log.info(
      { event: 'configuration', cause, version: running.version, added, removed, changed, options: gateway.applied },
      `configuration applied: ${summary}`,
    );
    const { version } = running;
    this.#deps.plane.announcements.announce('configuration/applied', () => ({ version, summary }));
    return { applied: true, version, summary: summaryOf(summary, restart), restart };
  }

  #refuse(problems: readonly ConfigProblem[], cause: string): ReloadOutcome {
    const { running, log } = this.#deps;
    const text = renderProblems(problems, running.current.source.file);
    running.rejected = text;
    log.error(
      { event: 'configuration_refused', cause, problems },
      'the changed configuration was refused; the old one stays',
    );
    this.#deps.plane.announcements.announce('configuration/refused', () => ({ problems: text }));
    return { applied: false, problems: text };
  }

  async #remove(name: string): Promise<void> {
    const { system, plane, views } = this.#deps;
    await system.stopChild(UPSTREAMS, upstreamId(name));
    plane.gates.delete(name);
    plane.counters.durations.forget(name);
    views.delete(name);
    system.tell(CATALOGUE, { type: 'catalogue/withdrawn', server: name });
  }

  #add(server: ServerConfig): void {
    const { system, plane, views, log } = this.#deps;
    const gate =
      plane.gates.get(server.name) ?? new UpstreamGate(server.name, server.maxInFlight, server.timeouts.request);
    const view = views.get(server.name) ?? newUpstreamView(this.#context.clock.now());
    // Clients may have asked before this upstream was configured.
    gate.logLevel ??= plane.logLevel;
    plane.gates.set(server.name, gate);
    views.set(server.name, view);
    const started = system.startChild(UPSTREAMS, this.#upstreamSpec(server.name, gate, view));
    if (!started.ok && started.why !== 'already_started') {
      log.error(
        { event: 'upstream_not_started', upstream: server.name, why: started.why },
        started.error?.message ?? started.why,
      );
    }
  }

  #upstreamSpec(name: string, gate: UpstreamGate, view: UpstreamView): ChildSpec {
    const { system, plane, running, version, log, random, createTransport, buildUpstream } = this.#deps;
    const config = (): ServerConfig => {
      const server = running.current.servers.get(name);
      if (!server) throw new Error(`upstream "${name}" is configured no more`);
      return server;
    };
    const deps = { system, plane, gate, config, version, log, random, createTransport, view };
    const inits: Record<string, unknown> = {
      '/lifecycle': upstream(deps),
      '/pool': pool(deps),
      '/breaker': upstreamBreaker(deps),
      '/concurrency': concurrency(deps),
    };
    return buildUpstream(upstreamId(name), new Map(Object.entries(inits)) as ReadonlyMap<string, ActorInit<never>>);
  }

  /** Gates in the order of the configuration: that of the merged lists and of the consoles. */
  #reorderGates(): void {
    const { plane, running } = this.#deps;
    const kept = [...running.current.servers.keys()].map((name) => [name, plane.gates.get(name)] as const);
    plane.gates.clear();
    for (const [name, gate] of kept) if (gate) plane.gates.set(name, gate);
  }
}

function summaryOf(what: string, restart: readonly string[]): string {
  return restart.length === 0 ? what : `${what}; at the next start: ${restart.join(', ')}`;
}
