/**
 * The gateway: everything wired together, and the library's face. The one place that knows all parts.
 */
import { readFileSync } from 'node:fs';
import { Access } from './actors/access.js';
import { AdminAnswers, adminEndpoint } from './actors/admin-endpoint.js';
import { WebFront } from './actors/admin-web.js';
import { catalogue } from './actors/catalogue.js';
import { configuration, type RunningConfig } from './actors/configuration.js';
import { dashboard } from './actors/dashboard.js';
import { DataPlane } from './actors/data-plane.js';
import { type DrainOutcome } from './actors/drain/messages.js';
import { GatewayView } from './actors/gateway-view.js';
import { HttpFront } from './actors/http-front.js';
import { type SessionEnvironment } from './actors/legacy-session.js';
import { createHttpFace } from './actors/listener.js';
import { metrics, type ProcessView } from './actors/metrics.js';
import { AUTHENTICATOR, CONFIGURATION, DRAIN, REGISTRY } from './actors/names.js';
import { sessionRegistry } from './actors/session-registry.js';
import { countTransportFailure, transportBreaker } from './actors/unit-breakers.js';
import { type UpstreamView } from './actors/upstream-view.js';
import { WebSocketFront } from './actors/websocket-front.js';
import { defaultSocketPath } from './admin/discover.js';
import { type AdminHandler } from './admin/handler.js';
import { CLIENT_TRANSPORTS, type GatewaySnapshot } from './admin/protocol.js';
import { type Config, type LoadResult, secretsOf, type ServerConfig } from './config/index.js';
import { type ActorInit, ActorSystem, type Clock, describeExit, type ExitReason } from './kernel/index.js';
import { admissionInits } from './gateway/admission.js';
import { logReport } from './gateway/reports.js';
import { type UpstreamCredential } from './credentials/credential.js';
import { Security } from './gateway/security.js';
import { type FeatureMetrics, type FeatureName, GatewayFeatures } from './gateway/features.js';
import { GatewayTelemetry } from './gateway/telemetry.js';
import { Succession } from './gateway/succession.js';
import { type Predecessor } from './handover/predecessor.js';
import { buildSupervisor, buildUpstream } from './supervisors/build.js';
import { TREE } from './supervisors/tree.js';
import { Counters } from './telemetry/counters.js';
import { createLog, type LogOutput } from './telemetry/logger.js';
import { Windows } from './telemetry/windows.js';
import { viabilityInits, viabilityState } from './gateway/viability.js';
import { createOutboundTransport } from './transports/outbound/create.js';
import { createReaper, type Reaper } from './transports/outbound/reaper.js';
import { type OutboundHandlers, type OutboundTransport } from './transports/outbound/transport.js';

export interface GatewayOptions {
  readonly config: Config;
  /** Reads the configuration again, for a reload. Absent: `config` is all there is. */
  readonly reload?: () => Promise<LoadResult>;
  /** Default: a log on stderr at the configured level. */
  readonly log?: LogOutput;
  /** Show the terminal dashboard. Default false. */
  readonly dashboard?: boolean;
  /** The process that this one takes over from. */
  readonly predecessor?: Predecessor | null;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Why the gateway ended. */
export type GatewayEnd =
  | { readonly kind: 'drained'; readonly outcome: DrainOutcome }
  /** The root of the tree gave up: its restart intensity was exceeded. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface ShutdownOptions {
  /** Milliseconds that work in flight may take. Default `gateway.draining.defaultTimeout`. */
  readonly timeout?: number;
  /** Called with how it ended, before the promise resolves. */
  readonly callback?: (outcome: DrainOutcome) => void;
}

/** Version of this package. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export class Gateway {
  readonly #system: ActorSystem;
  readonly #plane: DataPlane;
  readonly #running: RunningConfig;
  readonly #log: LogOutput;
  readonly #view: GatewayView;
  readonly #windows: Windows;
  readonly #address: { host: string; port: number };
  readonly #reaper: Reaper = createReaper();
  readonly #options: GatewayOptions;
  readonly #views = new Map<string, UpstreamView>();
  readonly #process: ProcessView = { cpuPercent: null, loopDelayP99: null };
  readonly #random: () => number;
  readonly #security: Security;
  readonly #telemetry: GatewayTelemetry;
  readonly #succession: Succession;
  readonly #features: GatewayFeatures;
  #outcome: DrainOutcome | null = null;
  /** Resolves when nothing of the gateway is left. */
  readonly ended: Promise<GatewayEnd>;

  constructor(options: GatewayOptions) {
    const { config } = options;
    const gateway = config.gateway;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#log = options.log ?? createLog(gateway.logging.level, false);
    this.#log.hide(secretsOf(config));
    this.#system = new ActorSystem({
      ...(options.clock && { clock: options.clock }),
      onReport: (report) => {
        countTransportFailure(this.#plane, report);
        logReport(this.#log.log, report, this.#plane.admission.state === 'starting');
      },
    });
    const now = this.#system.clock.now();
    this.#running = { current: config, version: 1, loadedAt: now, rejected: null };
    const viability = viabilityState(() => this.#system.clock.now(), this.#log.log);
    this.#plane = new DataPlane(gateway, new Counters(), viability, this.#system.clock);
    this.#plane.redact = (text) => this.#log.redact(text);
    this.#security = new Security({
      plane: this.#plane,
      clock: this.#system.clock,
      version: VERSION,
      log: this.#log.log,
      configFile: config.source.file,
    });
    this.#telemetry = new GatewayTelemetry({
      system: this.#system,
      plane: this.#plane,
      view: () => this.#view,
      log: this.#log.log,
      random: this.#random,
      version: VERSION,
    });
    this.#succession = new Succession(
      this.#plane,
      this.#system.clock,
      options.predecessor ?? null,
      (name) => this.#running.current.servers.get(name)?.disabled === false,
    );
    this.#features = new GatewayFeatures({
      system: this.#system,
      plane: this.#plane,
      telemetry: this.#telemetry,
      switchAudit: (on) => this.#security.switchAudit(on),
    });
    this.#windows = new Windows(this.#plane.counters, gateway.dashboard.historySize);
    this.#address = { host: gateway.listen.host, port: gateway.listen.port };
    this.#view = new GatewayView({
      system: this.#system,
      plane: this.#plane,
      running: this.#running,
      views: this.#views,
      windows: this.#windows,
      process: this.#process,
      drains: this.#succession.drains,
      handover: this.#succession.record,
      version: VERSION,
      startedAt: now,
      url: () => this.url,
      audit: () => this.#security.auditSnapshot(),
      telemetry: () => this.#telemetry.snapshot(),
      book: this.#security.book,
    });
    this.ended = this.#system.terminated.then((reason) => this.#finish(reason));
  }

  /** Where MCP clients connect, `http://127.0.0.1:4000/mcp`. Its port is final once `start` has resolved. */
  get url(): string {
    const { host, port } = this.#address;
    const scheme = this.#plane.options.listen.tls.cert === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`;
  }

  /** Path of the admin socket. */
  get adminSocket(): string {
    return this.#plane.options.admin.socket ?? defaultSocketPath(this.#address.port);
  }

  /** Boots the tree. Resolves when clients are served; upstreams appear as they come up. Rejects when it cannot listen. */
  async start(): Promise<void> {
    await this.#system.boot(buildSupervisor(TREE, this.#inits()));
    this.#plane.admission = { state: 'running' };
    this.#succession.serve();
  }

  /**
   * Refuses newcomers, tells the clients, lets what is in flight finish, stops. Resolves with how it went, `cancelled` when
   * an operator called it off and the gateway serves on. A second call joins the first; its times are ignored.
   */
  async gracefulShutdown({ timeout, callback }: ShutdownOptions = {}): Promise<DrainOutcome> {
    const cancelled = this.#succession.calledOff();
    const sent = this.#system.urgent(DRAIN, {
      type: 'drain/begin',
      reason: 'shutdown',
      ...(timeout !== undefined && { timeoutMs: timeout }),
    });
    if (sent !== 'ok') this.#stop('forced');
    const ended = this.ended.then((end) => (end.kind === 'drained' ? end.outcome : 'forced'));
    const outcome = await Promise.race([ended, cancelled]);
    callback?.(outcome);
    return outcome;
  }

  /** Stops at once; what is in flight is answered with an error. */
  async forceShutdown(): Promise<void> {
    if (this.#system.urgent(DRAIN, { type: 'drain/force', reason: 'forced' }) !== 'ok') this.#stop('forced');
    await this.ended;
  }

  /** Everything that the dashboards show, taken now. */
  getDashboardMetrics(): GatewaySnapshot {
    return this.#view.snapshot();
  }

  /** Every feature, and what it costs: CPU and memory, measured for `windowMs` from now on (default 1,000). */
  getFeatureMetrics({ windowMs }: { readonly windowMs?: number } = {}): Promise<FeatureMetrics> {
    return this.#features.byName(windowMs);
  }

  /** Takes effect at once, and holds until it is enabled again. Throws when the feature cannot be switched. */
  disableFeature(name: FeatureName): void {
    this.#features.switch(name, false);
  }

  /** Undoes `disableFeature`; `tracing` also where no collector is configured. */
  enableFeature(name: FeatureName): void {
    this.#features.switch(name, true);
  }

  /** Share of the traces that begin here which is recorded, 0 to 1. Takes effect with the next request. */
  setTracingSampleRate(rate: number): void {
    this.#features.samplingRate = rate;
  }

  /** Reads the configuration again and applies the difference. A wrong one is refused and logged; the old one stays. */
  reload(cause: string): void {
    this.#system.tell(CONFIGURATION, { type: 'configuration/reload', cause });
  }

  #inits(): ReadonlyMap<string, ActorInit<never>> {
    const system = this.#system;
    const plane = this.#plane;
    const random = this.#random;
    const { log, ring } = this.#log;
    const env: SessionEnvironment = {
      system,
      plane,
      wheel: system.wheel,
      clock: system.clock,
      version: VERSION,
      onLogLevel: (level) => void system.tell(REGISTRY, { type: 'registry/log-level', level }),
    };
    const access = new Access(plane);
    const answers = new AdminAnswers({
      system,
      plane,
      view: this.#view,
      drains: this.#succession.drains,
      ring,
      log,
      book: this.#security.book,
      features: this.#features.admin,
      credentialOf: (name) => this.#credentialOf(name),
    });
    const handler: AdminHandler = (request, context) => answers.answer(request, context);
    const web = new WebFront({ system, plane, log, handler, rightOf: (req) => access.consoleRight(req) });
    const front = new HttpFront(
      { system, env, access, web, metrics: () => this.#telemetry.metricsText() },
      this.#succession.sockets,
    );
    const http = createHttpFace(front, new WebSocketFront({ system, env, access }, front));
    const inits: Record<string, unknown> = {
      ...this.#security.inits(),
      ...this.#telemetry.inits(),
      '/vitals/metrics': metrics({ windows: this.#windows, process: this.#process }),
      ...viabilityInits({
        system,
        plane,
        log,
        random,
        windows: this.#windows,
        process: this.#process,
        views: this.#views,
        url: () => this.url,
        running: this.#running,
        upstreams: () => this.#view.upstreams(),
        version: VERSION,
        createTransport: (config, handlers) => this.#createTransport(config, handlers),
      }),
      ...admissionInits({ plane, log }),
      '/operations/catalogue': catalogue({ system, plane, log, book: this.#security.book }),
      '/operations/provisioning/configuration': configuration({
        system,
        plane,
        running: this.#running,
        views: this.#views,
        version: VERSION,
        log,
        random,
        load:
          this.#options.reload ?? (() => Promise.resolve({ ok: true, config: this.#running.current, warnings: [] })),
        createTransport: (config, handlers) => this.#createTransport(config, handlers),
        buildUpstream,
        onOptions: (config) => this.#applyOptions(config),
      }),
      '/front/session-registry': sessionRegistry({ system, plane }),
      ...Object.fromEntries(
        CLIENT_TRANSPORTS.map((name) => [`/front/breakers/${name}`, transportBreaker(plane, log, name)]),
      ),
      ...this.#succession.inits({
        system,
        env,
        front,
        http,
        address: this.#address,
        log,
        random,
        onEnd: (outcome) => this.#stop(outcome),
      }),
      '/consoles/admin': adminEndpoint({
        answers,
        log,
        path: () => this.adminSocket,
        takeOver: () => this.#succession.takesOver,
      }),
    };
    if (this.#options.dashboard === true) inits['/consoles/dashboard'] = this.#dashboard();
    return new Map(Object.entries(inits)) as ReadonlyMap<string, ActorInit<never>>;
  }

  #dashboard(): ReturnType<typeof dashboard> {
    return dashboard({
      log: this.#log.log,
      socketPath: () => this.adminSocket,
      refreshInterval: () => this.#plane.options.dashboard.refreshInterval,
      onScreen: (taken) => this.#log.setQuiet(taken),
      onInterrupt: () => void this.gracefulShutdown(),
      crashes: { count: 0 },
    });
  }

  #credentialOf(name: string): UpstreamCredential | undefined {
    const config = this.#running.current.servers.get(name);
    return config && this.#security.credentials.of(config);
  }

  #createTransport(config: ServerConfig, handlers: OutboundHandlers): OutboundTransport {
    return this.#security.credentials.transport(config, handlers, (wrapped, authorization) =>
      createOutboundTransport(config.target, wrapped, {
        reaper: this.#reaper,
        limits: {
          maxMessageBytes: config.maxMessageBytes,
          maxBufferedBytes: this.#plane.options.upstreams.maxBufferedBytes,
        },
        authorization,
      }),
    );
  }

  #applyOptions(config: Config): void {
    // What needs a restart stays as it was at the start.
    const {
      listen,
      dashboard: { enabled, refreshInterval },
      admin,
      auth: { mode, revocations },
    } = this.#plane.options;
    const before = this.#plane.options;
    const next = config.gateway;
    this.#plane.options = this.#features.applied({
      ...next,
      listen,
      admin,
      auth: { ...next.auth, mode, revocations },
      dashboard: { ...next.dashboard, enabled, refreshInterval },
    });
    if (this.#plane.auth.configure(this.#plane.options))
      this.#system.tell(AUTHENTICATOR, { type: 'authenticator/refresh' });
    this.#security.reconfigured();
    this.#log.log.level = config.gateway.logging.level;
    this.#windows.history = config.gateway.dashboard.historySize;
    this.#telemetry.reconfigured(before);
  }

  #stop(outcome: DrainOutcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    void this.#system.shutdown();
  }

  async #finish(reason: ExitReason): Promise<GatewayEnd> {
    await this.#reaper.stop();
    this.#features.close();
    if (this.#outcome !== null) return { kind: 'drained', outcome: this.#outcome };
    return { kind: 'failed', reason: describeExit(reason) };
  }
}
