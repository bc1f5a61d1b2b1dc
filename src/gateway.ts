/**
 * The gateway: everything wired together, and the library's face. The one place that knows all parts.
 */
import { Access } from './actors/access.js';
import { AdminAnswers, adminEndpoint } from './actors/admin-endpoint.js';
import { WebFront } from './actors/admin-web.js';
import { catalogue } from './actors/catalogue.js';
import { configuration, type RunningConfig } from './actors/configuration.js';
import { dashboard } from './actors/dashboard.js';
import { DataPlane } from './actors/data-plane.js';
import { type GatewayEnd, type GatewayEvents, type GatewayListener } from './actors/announcements.js';
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
import { type FeatureMetrics, type FeatureName } from './admin/snapshot/features.js';
import { type Config, secretsOf, type ServerConfig } from './config/index.js';
import { type ActorInit, ActorSystem, describeExit, type ExitReason } from './kernel/index.js';
import { admissionInits } from './gateway/admission.js';
import { type GatewayOptions, type RouteOptions, type ShutdownOptions, type TrustedUser } from './gateway/options.js';
import { logReport } from './gateway/reports.js';
import { MessageRouter } from './gateway/routed-messages.js';
import { type UpstreamCredential } from './credentials/credential.js';
import { Security } from './gateway/security.js';
import { GatewayFeatures } from './gateway/features.js';
import { GatewayTelemetry } from './gateway/telemetry.js';
import { Succession } from './gateway/succession.js';
import { type JsonRpcRequest, type JsonRpcResponse } from './protocol/jsonrpc.js';
import { buildSupervisor, buildUpstream } from './supervisors/build.js';
import { TREE } from './supervisors/tree.js';
import { Counters } from './telemetry/counters.js';
import { createLog, type LogOutput } from './telemetry/logger.js';
import { Windows } from './telemetry/windows.js';
import { VERSION } from './gateway/version.js';
import { viabilityInits, viabilityState } from './gateway/viability.js';
import { createOutboundTransport } from './transports/outbound/create.js';
import { createReaper, type Reaper } from './transports/outbound/reaper.js';
import { type OutboundHandlers, type OutboundTransport } from './transports/outbound/transport.js';

/**
 * One MCP endpoint in front of many servers, in your own process. Make it, `start` it, `stop` it; it starts once. Several can
 * run side by side on different ports.
 */
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
  readonly #env: SessionEnvironment;
  readonly #access: Access;
  readonly #router: MessageRouter;
  #outcome: DrainOutcome | null = null;
  /** Resolves when nothing of the gateway is left. */
  readonly ended: Promise<GatewayEnd>;

  /** Puts it together; nothing runs before `start`. */
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
    const onLogLevel: SessionEnvironment['onLogLevel'] = (before, after) => {
      this.#plane.logLevels.change(before, after);
      this.#system.tell(REGISTRY, { type: 'registry/log-level' });
    };
    const { wheel, clock } = this.#system;
    this.#env = { system: this.#system, plane: this.#plane, wheel, clock, version: VERSION, onLogLevel };
    this.#access = new Access(this.#plane);
    this.#router = new MessageRouter(this.#env, this.#access);
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
    const { announcements } = this.#plane;
    this.#succession.drains.follow((drain) => announcements.announce('drain', () => drain));
    announcements.onFault = (event, err) =>
      this.#log.log.error({ event: 'listener_failed', listener: event, err }, `a listener of "${event}" has failed`);
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
    this.#plane.announcements.announce('started', () => ({ url: this.url }));
  }

  /** Stops as `gracefulShutdown` does. Resolves when nothing of the gateway is left. */
  async stop(options?: ShutdownOptions): Promise<void> {
    await this.gracefulShutdown(options);
    await this.ended;
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

  /** Calls `listener` with each event of this name, in the turn in which it happens, until the answer is called. */
  on<E extends keyof GatewayEvents>(event: E, listener: GatewayListener<E>): () => void {
    return this.#plane.announcements.on(event, listener);
  }

  /**
   * Routes one JSON-RPC request for a user, as if it had come from the user's client: the same limits, policy, breakers and
   * traces. The message has the form of MCP 2026-07-28; where it lacks the `_meta` of that revision it gets it. A user without
   * a token is trusted: say so only of somebody whom the program has authenticated.
   *
   * Never rejects: what is refused is answered with an error of the catalogue (docs/errors.md), `unauthenticated` for a token
   * that is not valid or of another subject.
   */
  async routeMessage(
    user: string | TrustedUser,
    message: JsonRpcRequest,
    options: RouteOptions = {},
  ): Promise<JsonRpcResponse> {
    return this.#router.route(user, message, options);
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
    const env = this.#env;
    const access = this.#access;
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
    const http = createHttpFace(front, new WebSocketFront({ system, env, access }, front), plane.options.listen);
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
    const before = this.#plane.options;
    this.#plane.options = this.#features.applied(config.gateway);
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
    const end: GatewayEnd =
      this.#outcome === null
        ? { kind: 'failed', reason: describeExit(reason) }
        : { kind: 'drained', outcome: this.#outcome };
    this.#plane.announcements.announce('ended', () => end);
    return end;
  }
}
