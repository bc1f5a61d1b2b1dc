/**
 * A gateway for consoles to talk to: the admin handler over fixtures that a test moves on by hand.
 *
 * No timers: `tick` and `log` push events, so tests wait for effects and never for time.
 */
import type { AdminContext, AdminHandler } from '#src/admin/server.js';
import {
  LOG_LEVELS,
  type AdminError,
  type AdminReply,
  type AdminRequest,
  type GatewaySnapshot,
  type LogLine,
} from '#src/admin/protocol.js';
import { matchActor, nearMisses, treePaths } from '#src/admin/suggest.js';
import { FAKE_CHECK, FAKE_DIFFERENCE, FAKE_RULES, fakeToolsOf } from './policy-fixtures.js';
import { fakeTracing } from './trace-fixtures.js';
import { FAKE_ACTORS, fakeConnections, fakeLog, fakeSnapshot } from './fixtures.js';

interface Follower {
  readonly context: AdminContext;
  readonly request: AdminRequest;
}

export class FakeGateway {
  /** Requests received, in order. */
  readonly received: AdminRequest[] = [];
  readonly history: LogLine[] = Array.from({ length: 30 }, (_, index) => fakeLog(index));
  readonly #followers = new Set<Follower>();
  /** Why nobody may watch; `null`: anybody may. */
  #refused: AdminError | null = null;
  #snapshot: GatewaySnapshot;

  constructor(snapshot: GatewaySnapshot = fakeSnapshot()) {
    this.#snapshot = snapshot;
  }

  get snapshot(): GatewaySnapshot {
    return this.#snapshot;
  }

  /** Streams being followed with this method. */
  followers(method: 'watch' | 'logs'): number {
    return [...this.#followers].filter(({ request }) => request.method === method).length;
  }

  /** Publishes the next snapshot to whoever watches. */
  tick(over: Partial<GatewaySnapshot> = {}): void {
    this.#snapshot = { ...this.#snapshot, ...over };
    for (const { request, context } of this.#followers) if (request.method === 'watch') context.emit(this.#snapshot);
  }

  /** Shows no figures any more, and says why; `null`: it does again. */
  refuse(message: string | null): void {
    this.#refused = message === null ? null : { code: 'feature_unavailable', message };
    if (!this.#refused) return;
    for (const { request, context } of this.#followers)
      if (request.method === 'watch') context.emit({ ended: this.#refused });
  }

  log(entry: LogLine): void {
    this.history.push(entry);
    for (const { request, context } of this.#followers) {
      if (request.method === 'logs' && passes(request, entry)) context.emit(entry);
    }
  }

  readonly handler: AdminHandler = async (request, context): Promise<AdminReply> => {
    this.received.push(request);
    const result = (value: unknown): AdminReply => ({ ok: true, result: value });
    switch (request.method) {
      case 'status':
        return result(this.#snapshot);
      case 'watch':
        if (this.#refused) return { ok: false, error: this.#refused };
        this.#follow(request, context);
        return result(this.#snapshot);
      case 'tree':
        return result(this.#snapshot.tree);
      case 'upstreams':
        return result(this.#snapshot.upstreams);
      case 'connections':
        return result(fakeConnections(this.#snapshot.takenAt));
      case 'actors':
        return result(FAKE_ACTORS.filter(({ path }) => passesFor(path, request.params?.['actor'])));
      case 'logs': {
        if (request.params?.['follow'] === true) this.#follow(request, context);
        const lines = Number(request.params?.['lines'] ?? 100);
        const wanted = this.history.filter((entry) => passes(request, entry));
        return result(lines === 0 ? [] : wanted.slice(-lines));
      }
      case 'send':
        return send(request);
      case 'kill':
        return kill(request, this.#snapshot);
      case 'restart': {
        const { actor } = request.params ?? {};
        if (actor === '/viability/policy') return result({ restarted: actor });
        return { ok: false, error: { code: 'actor_running', message: `${String(actor)} runs.` } };
      }
      case 'alarms':
        return result(this.#snapshot.alarms);
      case 'ack': {
        const alarm = this.#snapshot.alarms.active.find(({ id }) => id === request.params?.['id']);
        return alarm ? result(alarm) : { ok: false, error: { code: 'unknown_alarm', message: 'No such alarm.' } };
      }
      case 'tools':
        return result(fakeToolsOf(request.params?.['server']));
      case 'traces':
        return result(fakeTracing());
      case 'tools-diff':
        return result(FAKE_DIFFERENCE);
      case 'tools-accept':
        return result({ accepted: true });
      case 'tools-lock':
        return result({ locked: 71, file: null });
      case 'policy':
        return result({ ...this.#snapshot.rules, tenantClaim: 'tenant', text: FAKE_RULES });
      case 'features':
        return result([]);
      case 'sampling':
        return result({ tracing: true, samplingRate: request.params?.['rate'] ?? 0.01 });
      case 'policy-check':
        return result(FAKE_CHECK);
      case 'policy-mode':
        return result(this.#snapshot.vsm.policy);
      case 'login-begin':
      case 'login-finish':
      case 'drain':
      case 'cancel-drain':
      case 'upgrade':
      case 'force-shutdown':
      case 'cancel':
        return { ok: false, error: { code: 'unsupported', message: 'The fake gateway cannot do this.' } };
    }
  };

  #follow(request: AdminRequest, context: AdminContext): void {
    const follower = { request, context };
    this.#followers.add(follower);
    context.signal.addEventListener('abort', () => this.#followers.delete(follower));
  }
}

function passesFor(path: string, wanted: unknown): boolean {
  return wanted === undefined || path === wanted;
}

function passes(request: AdminRequest, entry: LogLine): boolean {
  const level = LOG_LEVELS.findIndex((known) => known === request.params?.['level']);
  return LOG_LEVELS.indexOf(entry.level) >= level;
}

function send(request: AdminRequest): AdminReply {
  const { actor, message, args } = request.params ?? {};
  const known = FAKE_ACTORS.find(({ path }) => path === actor)?.messages;
  if (known === undefined) {
    return { ok: false, error: { code: 'unknown_actor', message: `There is no actor ${String(actor)}.` } };
  }
  if (!known.some(({ name }) => name === message)) {
    const suggestions = nearMisses(
      String(message),
      known.map(({ name }) => name),
    );
    return {
      ok: false,
      error: { code: 'unknown_message', message: `It takes no message ${String(message)}.`, suggestions },
    };
  }
  return { ok: true, result: { accepted: message, args: args ?? null } };
}

function kill(request: AdminRequest, snapshot: GatewaySnapshot): AdminReply {
  const match = matchActor(String(request.params?.['actor']), treePaths(snapshot.tree));
  if (match.kind === 'found') return { ok: true, result: { killed: match.path } };
  const suggestions = match.kind === 'unknown' ? match.suggestions : match.candidates;
  return { ok: false, error: { code: 'unknown_actor', message: 'There is no such actor.', suggestions } };
}
