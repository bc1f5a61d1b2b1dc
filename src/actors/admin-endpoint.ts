/**
 * Admin endpoint: answers the consoles on the admin socket.
 *
 * Parent: consoles. Restart: permanent. Figures are read from plain memory; only `send` asks an actor, with a deadline.
 */
import { type ADMIN_PARAMS, type AdminParams } from '../admin/requests.js';
import {
  type AdminActor,
  type AdminError,
  type AdminMethod,
  type AdminReply,
  type AdminRequest,
  type ConnectionSnapshot,
  type DrainSnapshot,
  LOG_LEVELS,
  type LogLevel,
  type LogLine,
  type WatchEnded,
} from '../admin/protocol.js';
import { type FeatureName } from '../admin/snapshot/features.js';
import { type AdminContext, type AdminServer, startAdminServer } from '../admin/server.js';
import { matchActor, nearMisses } from '../admin/suggest.js';
import {
  actorName,
  type ActorSystem,
  ask,
  AskError,
  type Behavior,
  type Ref,
  type TimerHandle,
  toError,
} from '../kernel/index.js';
import { type UpstreamCredential } from '../credentials/credential.js';
import { type PinBook } from '../pinning/pin-book.js';
import { type Logger, type LogRing } from '../telemetry/logger.js';
import { adminEvent, isReadOnly } from './admin-audit.js';
import { checkPolicy, policyDetails } from './admin-policy.js';
import { answerLogin, type LoginParams } from './admin-login.js';
import { restartActor } from './admin-restart.js';
import { ToolAnswers } from './admin-tools.js';
import { describeMessage, messagesOf } from './admin-messages.js';
import { type DataPlane } from './data-plane.js';
import { type GatewayView } from './gateway-view.js';
import { type DrainBoard } from './drain/board.js';
import { type DrainMessage, type DrainReply } from './drain/messages.js';
import { acknowledge, policyMode } from './admin-viability.js';
import { type HandoverMessage } from './handover.js';
import { DRAIN, HANDOVER, UPSTREAMS } from './names.js';
import { alarmsSnapshot } from './viability-view.js';

export interface AdminAnswersDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly view: GatewayView;
  readonly drains: DrainBoard;
  readonly ring: LogRing;
  readonly log: Logger;
  readonly book: PinBook;
  /** The credential of a configured server; `undefined` when it has none of its own. */
  readonly credentialOf?: (server: string) => UpstreamCredential | undefined;
  readonly features: FeatureAnswers;
}

/** Switches and measures the features of the gateway. */
export interface FeatureAnswers {
  features(action?: 'enable' | 'disable', name?: FeatureName, windowMs?: number): Promise<AdminReply>;
  sampling(rate?: number): AdminReply;
  /** The newest traces. */
  traces(limit?: number): AdminReply;
}

export interface AdminEndpointDeps {
  readonly log: Logger;
  readonly path: () => string;
  /** Whether the socket is taken from the process that has it. */
  readonly takeOver: () => boolean;
  readonly answers: AdminAnswers;
}

const DASHBOARDS_OFF: AdminError = {
  code: 'feature_unavailable',
  message: 'Dashboards are switched off; `viable features enable dashboard` switches them on.',
};
const ASK_TIMEOUT_MS = 5_000;
const DEFAULT_LOG_LINES = 100;
const DEFAULT_WATCH_MS = 1_000;

type Params = { readonly [M in keyof typeof ADMIN_PARAMS]: AdminParams<M> };

export function adminEndpoint(deps: AdminEndpointDeps) {
  return async (): Promise<Behavior<never>> => {
    const server: AdminServer = await startAdminServer({
      path: deps.path(),
      takeOver: deps.takeOver(),
      handler: (request, context) => deps.answers.answer(request, context),
      onError: (error) => deps.log.warn({ event: 'admin_error', error: error.message }, 'admin socket'),
    });
    return { handle: () => undefined, terminate: () => server.close() };
  };
}

/** What every console is answered, on whichever way it came. */
export class AdminAnswers {
  readonly #deps: AdminAnswersDeps;
  readonly #tools: ToolAnswers;

  constructor(deps: AdminAnswersDeps) {
    this.#deps = deps;
    this.#tools = new ToolAnswers(deps.system, deps.plane, deps.book);
  }

  async answer(request: AdminRequest, context: AdminContext): Promise<AdminReply> {
    // `parseAdminRequest` has checked the parameters of this method.
    const reply = await this.#method(request.method, request.params ?? {}, context);
    const { audit } = this.#deps.plane;
    if (audit.enabled && !isReadOnly(request.method)) audit.record(adminEvent(request, reply));
    return reply;
  }

  async #method(method: AdminMethod, params: Params[AdminMethod], context: AdminContext): Promise<AdminReply> {
    const { system, view } = this.#deps;
    switch (method) {
      case 'status':
        return done(view.snapshot());
      case 'tree':
        return done(system.snapshot());
      case 'connections':
        return done(this.#connections());
      case 'upstreams':
        return done(view.upstreams());
      case 'actors':
        return done(this.#actors((params as Params['actors']).actor));
      case 'send':
        return this.#send(params as Params['send']);
      case 'kill':
        return this.#kill(params as Params['kill']);
      case 'restart':
        return this.#restart(params as Params['restart']);
      case 'drain':
        return this.#drain(params as Params['drain'], context);
      case 'upgrade':
        return this.#upgrade(params as Params['upgrade']);
      case 'cancel-drain':
        return this.#cancelDrain(params as Params['cancel-drain']);
      case 'force-shutdown':
        return this.#ask<DrainMessage>(system.whereis(DRAIN), (replyTo) => ({
          type: 'drain/force',
          reason: 'operator',
          replyTo,
        }));
      case 'logs':
        return done(this.#logs(params as Params['logs'], context));
      case 'watch':
        if (!this.#deps.plane.dashboards) return { ok: false, error: DASHBOARDS_OFF };
        return done(this.#watch(params as Params['watch'], context));
      case 'features': {
        const { action, name, windowMs } = params as Params['features'];
        return this.#deps.features.features(action, name, windowMs);
      }
      case 'sampling':
        return this.#deps.features.sampling((params as Params['sampling']).rate);
      case 'traces':
        return this.#deps.features.traces((params as Params['traces']).limit);
      case 'alarms':
        return done(alarmsSnapshot(this.#deps.plane));
      case 'ack':
        return acknowledge(system, (params as Params['ack']).id);
      case 'login-begin':
      case 'login-finish':
        return this.#login(method, params as LoginParams);
      case 'tools':
        return this.#tools.list((params as Params['tools']).server);
      case 'tools-diff':
        return this.#tools.diff((params as Params['tools-diff']).name);
      case 'tools-accept':
        return this.#tools.accept((params as Params['tools-accept']).name);
      case 'tools-lock':
        return this.#tools.lock();
      case 'policy':
        return done(policyDetails(this.#deps.plane, system.clock.now()));
      case 'policy-check':
        return done(checkPolicy(this.#deps.plane, params as Params['policy-check']));
      case 'policy-mode':
        return policyMode(system, this.#deps.plane, (params as Params['policy-mode']).mode);
      case 'cancel':
        return done({ cancelled: false }); // streams are cancelled by the server; none of this id is left
    }
  }

  #login(method: 'login-begin' | 'login-finish', params: LoginParams): Promise<AdminReply> {
    const { system, credentialOf } = this.#deps;
    return answerLogin(method, params, credentialOf?.(params.server), system);
  }

  /** Begins a drain; with `follow`, every change of it is an event. */
  async #drain({ follow, target, timeoutMs, graceMs }: Params['drain'], context: AdminContext): Promise<AdminReply> {
    const reply = await this.#ask<DrainMessage>(this.#deps.system.whereis(DRAIN), (replyTo) => ({
      type: 'drain/begin',
      reason: 'operator',
      ...(target !== undefined && { target }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(graceMs !== undefined && { graceMs }),
      replyTo,
    }));
    const begun = drainReply(reply);
    if (!begun.ok || follow !== true) return begun;
    const { id, startedAt } = begun.result as DrainSnapshot;
    const stop = this.#deps.drains.follow((snapshot) => {
      if (snapshot.id === id && snapshot.startedAt === startedAt) context.emit(snapshot);
    });
    context.signal.addEventListener('abort', stop, { once: true });
    const now = this.#deps.drains.snapshot(id); // it may have ended meanwhile
    return now?.startedAt === startedAt ? done(now) : begun;
  }

  #upgrade({ exec, config, timeoutMs }: Params['upgrade']): Promise<AdminReply> {
    return this.#ask<HandoverMessage>(this.#deps.system.whereis(HANDOVER), (replyTo) => ({
      type: 'handover/begin',
      command: { ...(exec !== undefined && { exec }), ...(config !== undefined && { config }) },
      ...(timeoutMs !== undefined && { timeoutMs }),
      replyTo,
    }));
  }

  async #cancelDrain({ target }: Params['cancel-drain']): Promise<AdminReply> {
    const reply = await this.#ask<DrainMessage>(this.#deps.system.whereis(DRAIN), (replyTo) => ({
      type: 'drain/cancel',
      ...(target !== undefined && { target }),
      replyTo,
    }));
    return drainReply(reply);
  }

  #connections(): ConnectionSnapshot[] {
    return [...this.#deps.plane.sessions.all()].map((entry) => entry.inspect());
  }

  /** All that take messages; or the one at `only`, with the messages of whoever listens for it. */
  #actors(only?: string): AdminActor[] {
    const actors: AdminActor[] = [];
    for (const path of only === undefined ? this.#deps.system.paths() : [only]) {
      const messages = messagesOf(only === undefined ? path : listenerFor(path));
      if (messages.length > 0) actors.push({ path, messages: messages.map(describeMessage) });
    }
    return actors;
  }

  async #send({ actor, message, args }: Params['send']): Promise<AdminReply> {
    const found = this.#find(actor);
    if (typeof found !== 'string') return { ok: false, error: found };
    const path = listenerFor(found);
    const messages = messagesOf(path);
    const known = messages.find(({ name }) => name === message);
    if (!known) {
      const names = messages.map(({ name }) => name);
      const offer = names.length === 0 ? `${path} takes no admin messages` : `${path} takes: ${names.join(', ')}`;
      return refuse('unknown_message', `There is no message "${message}"; ${offer}.`, nearMisses(message, names));
    }
    const parsed = known.args.safeParse(args ?? {});
    if (!parsed.success) {
      const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
      return refuse('invalid_arguments', `${issues.join('; ')}.`);
    }
    return this.#ask(this.#deps.system.whereis(actorName<unknown>(path)), (replyTo) =>
      known.message(parsed.data, replyTo),
    );
  }

  async #kill({ actor: name, forGood = false }: Params['kill']): Promise<AdminReply> {
    const { system } = this.#deps;
    const found = this.#find(name);
    if (typeof found !== 'string') return { ok: false, error: found };
    if (found === '/')
      return refuse('actor_unavailable', 'Nobody would restart the root; `viable drain` stops the gateway.');
    if (!(forGood ? await system.stopForGood(found) : system.kill(found)))
      return refuse('actor_unavailable', `${found} does not run now.`);
    const how = forGood ? 'stopped for good' : 'killed';
    this.#deps.log.warn({ event: 'killed', actor: found, forGood }, `${how} by an operator: ${found}`);
    return done({ killed: found });
  }

  async #restart({ actor }: Params['restart']): Promise<AdminReply> {
    const found = this.#find(actor);
    return typeof found === 'string'
      ? restartActor(this.#deps.system, found, this.#deps.log)
      : { ok: false, error: found };
  }

  #find(name: string): string | AdminError {
    const match = matchActor(
      name,
      [...this.#deps.system.paths()].filter((path) => path !== ''),
    );
    switch (match.kind) {
      case 'found':
        return match.path;
      case 'ambiguous':
        return {
          code: 'ambiguous_actor',
          message: `Several actors are called "${name}"; give the whole path.`,
          suggestions: match.candidates,
        };
      case 'unknown':
        return {
          code: 'unknown_actor',
          message: `There is no actor "${name}"; \`viable tree\` lists them.`,
          suggestions: match.suggestions,
        };
    }
  }

  async #ask<M>(
    target: Ref<M> | undefined,
    message: (replyTo: { reply(value: unknown): void }) => M,
  ): Promise<AdminReply> {
    try {
      return done(await ask<M, unknown>(this.#deps.system.wheel, target, message, ASK_TIMEOUT_MS));
    } catch (cause) {
      const why = cause instanceof AskError && cause.why === 'timeout' ? 'actor_timeout' : 'actor_unavailable';
      return refuse(why, this.#deps.plane.redact(`${toError(cause).message}.`));
    }
  }

  #logs(
    { lines = DEFAULT_LOG_LINES, level = 'trace', follow = false }: Params['logs'],
    context: AdminContext,
  ): LogLine[] {
    const least = LOG_LEVELS.indexOf(level);
    const wanted = (line: { level: LogLevel }): boolean => LOG_LEVELS.indexOf(line.level) >= least;
    if (follow) {
      const stop = this.#deps.ring.follow((line) => {
        if (wanted(line)) context.emit(line);
      });
      context.signal.addEventListener('abort', stop, { once: true });
    }
    return this.#deps.ring.last(lines, wanted);
  }

  #watch({ intervalMs = DEFAULT_WATCH_MS }: Params['watch'], context: AdminContext): unknown {
    const { system, view } = this.#deps;
    const next = (): TimerHandle =>
      system.clock.after(intervalMs, () => {
        if (!this.#deps.plane.dashboards) return context.emit({ ended: DASHBOARDS_OFF } satisfies WatchEnded);
        timer = next();
        context.emit(view.snapshot());
      });
    let timer = next();
    context.signal.addEventListener('abort', () => timer.cancel(), { once: true });
    return view.snapshot();
  }
}

/** An upstream is its supervisor to people, and so is the drain; the actor within is who listens. */
function listenerFor(path: string): string {
  if (path.startsWith(`${UPSTREAMS}/`) && path.split('/').length === 5) return `${path}/lifecycle`;
  return DRAIN.path === `${path}/gateway` ? DRAIN.path : path;
}

function drainReply(reply: AdminReply): AdminReply {
  const result = reply.ok ? (reply.result as DrainReply | undefined) : undefined;
  if (result === undefined || !('refused' in result)) return reply;
  const { code, message, asked, names } = result.refused;
  return refuse(code, message, nearMisses(asked, names));
}

function done(result: unknown): AdminReply {
  return { ok: true, result };
}

function refuse(code: string, message: string, suggestions: readonly string[] = []): AdminReply {
  return { ok: false, error: { code, message, ...(suggestions.length > 0 && { suggestions }) } };
}
