/**
 * Upstream: the lifecycle of one configured server. Starts its session, waits and tries again when it is lost, tells the
 * catalogue what it offers, keeps the gate that the data path reads.
 *
 * Parent: upstream:<name>. Restart: permanent; a restarted one adopts the session that runs, so that no call notices.
 *
 * Invariants: at most one session at a time; `gate.session` is set exactly while the phase is `ready`; a failure that is
 * the server's, not ours, is a phase (`backoff`) and never a crash, so it cannot use up a restart intensity.
 * The phases are `src/machines/upstream.ts`.
 */
import { type ServerConfig } from '../config/types.js';
import {
  type ActorContext,
  type Behavior,
  describeExit,
  type ExitReason,
  isAbnormal,
  type Ref,
  type ReplyTo,
  type TimerHandle,
} from '../kernel/index.js';
import { backoffDelay, type UpstreamEvent, type UpstreamPhase, UpstreamStepper } from '../machines/upstream.js';
import { gatewayError } from '../protocol/errors.js';
import { compileFilter } from '../protocol/globs.js';
import { type Listing } from '../routing/routing-table.js';
import { type Call, type UpstreamSessionMessage } from './call.js';
import { DEFAULT_LEVEL } from './client-profile.js';
import { CATALOGUE, upstreamPool, upstreamSessions } from './names.js';
import { type ServerFacts } from './upstream-handshake.js';
import { Deadlines } from './deadlines.js';
import { FailurePolicy } from './outcomes.js';
import { type UpstreamSessionEvent, type UpstreamSessionInbox } from './upstream-session.js';
import { startSession, type SessionStartDeps } from './upstream-start.js';

export type UpstreamMessage =
  | UpstreamSessionEvent
  | { readonly type: 'session/down'; readonly session: Ref<UpstreamSessionInbox>; readonly reason: ExitReason }
  /** The same in the normal lane: behind what the session itself said of its end. */
  | { readonly type: 'session/over'; readonly session: Ref<UpstreamSessionInbox>; readonly reason: ExitReason }
  | { readonly type: 'upstream/connect' }
  | { readonly type: 'retry/due' }
  /** Its configuration has changed in a way that the running session does not mind. */
  | { readonly type: 'upstream/reconfigured' }
  /** The catalogue has forgotten: offer once more. */
  | { readonly type: 'upstream/offer-again' }
  /** What it offers may not be what was read: read it again. */
  | { readonly type: 'upstream/relist' }
  /** `null`: no client asks for a level any more. */
  | { readonly type: 'upstream/log-level'; readonly level: string | null }
  | { readonly type: 'upstream/reconnect'; readonly replyTo?: ReplyTo<UpstreamPhase> }
  | { readonly type: 'upstream/disable'; readonly replyTo?: ReplyTo<UpstreamPhase> }
  | { readonly type: 'upstream/enable'; readonly replyTo?: ReplyTo<UpstreamPhase> };

export interface UpstreamDeps extends SessionStartDeps {
  /** As configured now; a reload that needs no new session replaces it under a running one. */
  readonly config: () => ServerConfig;
}

/** A session that was ready this long clears the failures before it. */
const STABLE_MS = 10_000;

export function upstream(deps: UpstreamDeps) {
  return (context: ActorContext<UpstreamMessage>): Behavior<UpstreamMessage> => new Upstream(deps, context);
}

class Upstream implements Behavior<UpstreamMessage> {
  readonly #deps: UpstreamDeps;
  readonly #context: ActorContext<UpstreamMessage>;
  readonly #machine: UpstreamStepper;
  #config: ServerConfig;
  #toolFilter: (name: string) => boolean;
  #session: Ref<UpstreamSessionInbox> | null = null;
  /** Told to close; its end is no failure of the server's. */
  #dismissed: Ref<UpstreamSessionInbox> | null = null;
  /** The last one that said itself that it has ended. */
  #toldEnd: Ref<UpstreamSessionMessage> | null = null;
  #readySince = 0;
  #retry: TimerHandle | null = null;
  #made = 0;
  /** Calls that a forgetful server is known not to have begun; they go to the next session. Bounded by the gate. */
  #parked: Call[] = [];
  /** The server died of the question for its era: it is legacy. Forgotten when the process is another's. */
  #skipProbe = false;

  constructor(deps: UpstreamDeps, context: ActorContext<UpstreamMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#config = deps.config();
    const disabled = deps.view.disabled ?? this.#config.disabled;
    this.#machine = new UpstreamStepper(disabled);
    this.#toolFilter = compileFilter(this.#config.filter);
    this.#configureGate();
    const [running, ...others] = this.#sharedSessions();
    for (const other of others) other.tell({ type: 'session/close', reason: 'superseded' });
    if (deps.gate.session !== (running ?? null)) this.#withdrawGate('its session ended');
    if (running) this.#adopt(running);
    else if (!disabled) context.self.tell({ type: 'upstream/connect' });
    this.#show();
  }

  /** The others are the pool's to adopt. */
  #sharedSessions(): Ref<UpstreamSessionInbox>[] {
    const sessions = this.#deps.system.childrenOf<UpstreamSessionInbox>(upstreamSessions(this.#config.name));
    return sessions.filter((session) => session.path.includes('/session-'));
  }

  handle(message: UpstreamMessage): void {
    switch (message.type) {
      case 'upstream/connect':
        return this.#connect();
      case 'session/opened':
        if (!this.#isCurrent(message.ref)) return;
        this.#deps.view.pid = message.pid ?? null;
        this.#step({ type: 'opened' });
        return;
      case 'session/ready':
        return this.#becameReady(message.ref, message.facts, message.listing);
      case 'session/listed':
        if (this.#isCurrent(message.ref)) this.#offer(message.listing);
        return;
      case 'session/ended':
        if (message.probing && this.#isCurrent(message.ref)) this.#skipProbe = true;
        return this.#ended(message.ref, message.why, message.forgotten, message.unsent);
      case 'session/down':
        // Urgent, so it may overtake `session/ended`, without which the next session would begin too early.
        this.#context.self.answer({ ...message, type: 'session/over' });
        return;
      case 'session/over':
        return this.#over(message.session, message.reason);
      case 'retry/due':
        this.#retry = null;
        if (this.#step({ type: 'retry' }) === 'backoff') this.#connect();
        return;
      case 'upstream/reconfigured':
        this.#config = this.#deps.config();
        this.#toolFilter = compileFilter(this.#config.filter);
        this.#configureGate();
        this.#deps.gate.breaker.actor?.tell({ type: 'breaker/reconfigured' });
        return this.#offerAgain();
      case 'upstream/offer-again':
        return this.#offerAgain();
      case 'upstream/relist':
        this.#session?.tell({ type: 'relist/due' });
        return;
      case 'upstream/log-level':
        return this.#setLogLevel(message.level);
      case 'upstream/reconnect':
      case 'upstream/disable':
      case 'upstream/enable':
        this.#operate(message.type);
        message.replyTo?.reply(this.#machine.phase);
        return;
    }
  }

  terminate(reason: ExitReason): void {
    // After a crash the session goes on and the next incarnation adopts it: callers need not know.
    if (!isAbnormal(reason)) this.#withdrawGate('the upstream is being stopped');
    this.#failParked('the upstream is being stopped');
    this.#deps.view.phase = 'stopped';
  }

  unhandled(message: UpstreamMessage): void {
    if (message.type !== 'session/ended') return;
    for (const call of message.unsent) this.#fail(call, message.why);
  }

  /** Sessions that become ready later read it from the gate. */
  #setLogLevel(level: string | null): void {
    this.#deps.gate.logLevel = level;
    const sessions = this.#deps.system.childrenOf<UpstreamSessionInbox>(upstreamSessions(this.#config.name));
    for (const session of sessions) session.tell({ type: 'log-level', level: level ?? DEFAULT_LEVEL });
  }

  #operate(command: 'upstream/reconnect' | 'upstream/disable' | 'upstream/enable'): void {
    const event = {
      'upstream/reconnect': 'reconnect',
      'upstream/disable': 'disable',
      'upstream/enable': 'enable',
    } as const;
    if (command !== 'upstream/reconnect') this.#deps.view.disabled = command === 'upstream/disable';
    const before = this.#step({ type: event[command] });
    const phase = this.#machine.phase;
    if (before === phase) return;
    this.#closeSession(command === 'upstream/disable' ? 'disabled by an operator' : 'reconnected by an operator');
    if (phase === 'connecting') this.#connect();
  }

  #configureGate(): void {
    this.#deps.gate.maxInFlight = this.#config.maxInFlight;
    this.#deps.gate.deadlines = new Deadlines(this.#config.timeouts);
    this.#deps.gate.sharing = this.#config.sharing;
    this.#deps.gate.failurePolicy = new FailurePolicy(this.#config.breaker.failures);
    this.#await();
  }

  #await(): void {
    const awaited = { prefix: this.#config.prefix, toolFilter: this.#toolFilter };
    this.#deps.gate.awaited = this.#machine.phase === 'disabled' ? null : awaited;
  }

  #offerAgain(): void {
    if (this.#machine.phase === 'ready' && this.#deps.view.listing) this.#offer(this.#deps.view.listing);
  }

  #connect(): void {
    if (this.#machine.phase !== 'connecting' || this.#session) return;
    this.#deps.gate.sessionLoad = { calls: 0 };
    const started = startSession(this.#deps, {
      id: `session-${(this.#made += 1)}-${this.#context.self.incarnation}`,
      config: this.#config,
      role: 'primary',
      era: this.#skipProbe ? 'legacy' : this.#config.era,
      owner: this.#context.self,
      lease: null,
      load: this.#deps.gate.sessionLoad,
    });
    if (started.ok) this.#watch(started.ref);
    else this.#lost(`its session could not be started: ${started.error?.message ?? started.why}`, false);
  }

  #watch(session: Ref<UpstreamSessionInbox>): void {
    this.#session = session;
    this.#context.monitor(session, (reason) => ({ type: 'session/down', session, reason }));
  }

  /** Restarted over a session that runs: it says by itself how far it is. */
  #adopt(session: Ref<UpstreamSessionInbox>): void {
    this.#watch(session);
    session.tell({ type: 'session/adopt', owner: this.#context.self });
    if (this.#machine.phase === 'disabled') this.#closeSession('disabled by an operator');
    else this.#step({ type: 'opened' });
  }

  #becameReady(ref: Ref<UpstreamSessionMessage>, facts: ServerFacts, listing: Listing): void {
    const { gate, view, log } = this.#deps;
    const config = this.#config;
    if (!this.#isCurrent(ref)) return;
    if (view.facts !== null && this.#readySince > 0) view.reconnects += 1;
    view.facts = facts;
    this.#readySince = this.#context.clock.now();
    this.#step({ type: 'ready' });
    gate.session = ref;
    gate.era = facts.era;
    gate.retryAt = null;
    this.#deps.gate.breaker.actor?.tell({ type: 'breaker/reachable' });
    this.#deps.system.tell(upstreamPool(config.name), { type: 'pool/upstream-ready' });
    this.#offer(listing);
    for (const call of this.#parked.splice(0))
      if (ref.tell(call) !== 'ok') this.#fail(call, 'its new session was lost at once');
    log.info(
      {
        event: 'upstream_ready',
        upstream: config.name,
        protocol: facts.protocolVersion,
        server: facts.serverInfo,
        tools: listing.tools.length,
      },
      `upstream "${config.name}" is ready`,
    );
  }

  #offer(listing: Listing): void {
    const { system, gate, view } = this.#deps;
    const config = this.#config;
    view.listing = listing;
    const { name, prefix, breaker } = config;
    const server = { name, prefix, toolFilter: this.#toolFilter, gate, presence: breaker.catalogue };
    system.tell(CATALOGUE, { type: 'catalogue/offered', server, listing });
  }

  /** Whether what this session says still counts: urgent commands overtake what it has said before. */
  #isCurrent(ref: Ref<UpstreamSessionMessage>): boolean {
    return ref === this.#session && ref !== this.#dismissed;
  }

  #ended(ref: Ref<UpstreamSessionMessage>, why: string, forgotten: boolean, unsent: readonly Call[]): void {
    this.#toldEnd = ref;
    this.#parked.push(...unsent);
    if (!this.#isCurrent(ref)) this.#failParked(why);
    else this.#lost(why, forgotten);
  }

  #over(session: Ref<UpstreamSessionInbox>, reason: ExitReason): void {
    if (session !== this.#session) return;
    this.#session = null;
    this.#deps.view.pid = null;
    if (session !== this.#dismissed && session !== this.#toldEnd) {
      // Why, a session that did not crash told the incarnation before this one.
      this.#lost(isAbnormal(reason) ? `its session crashed: ${describeExit(reason)}` : 'its session ended', false);
    }
    // The next session starts when the last has let go of its process or sockets.
    if (this.#machine.phase === 'connecting') this.#connect();
  }

  #lost(why: string, forgotten: boolean): void {
    const { log, gate, plane, view } = this.#deps;
    const config = this.#config;
    const now = this.#context.clock.now();
    const stable = this.#machine.phase === 'ready' && now - this.#readySince >= STABLE_MS;
    const before = this.#step({ type: 'lost', stable });
    if (before === this.#machine.phase) return;
    view.lastError = { at: now, message: plane.redact(why) };
    if (before !== 'ready' && !forgotten) this.#deps.gate.breaker.actor?.tell({ type: 'breaker/unreachable' });
    const { backoffBase, backoffMax } = plane.options.upstreams;
    const first = this.#machine.failures <= 1;
    const delay =
      forgotten && first ? 0 : backoffDelay(this.#machine.failures, backoffBase, backoffMax, this.#deps.random);
    gate.retryAt = now + delay;
    this.#withdrawGate(why);
    if (!forgotten) this.#failParked(why);
    this.#retry = this.#context.after(delay, { type: 'retry/due' });
    log.warn(
      { event: 'upstream_lost', upstream: config.name, retryInMs: Math.round(delay), failures: this.#machine.failures },
      `upstream "${config.name}": ${why}`,
    );
  }

  #withdrawGate(why: string): void {
    const { gate, plane, system } = this.#deps;
    const { name } = this.#config;
    const wasUp = gate.session !== null;
    gate.session = null;
    gate.trouble = why;
    system.tell(CATALOGUE, { type: 'catalogue/unavailable', server: name });
    if (wasUp) plane.announcements.announce('upstream/down', () => ({ name, reason: why }));
  }

  #closeSession(reason: string): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#deps.gate.retryAt = null;
    this.#withdrawGate(reason);
    this.#deps.system.tell(upstreamPool(this.#config.name), { type: 'pool/flush', reason });
    this.#dismissed = this.#session;
    this.#session?.urgent({ type: 'session/close', reason });
    if (this.#machine.phase === 'disabled') this.#failParked(reason);
  }

  #failParked(why: string): void {
    for (const call of this.#parked.splice(0)) this.#fail(call, why);
  }

  #fail(call: Call, why: string): void {
    const server = this.#config.name;
    const error = gatewayError('upstream_unavailable', `upstream "${server}": ${why}`, { server });
    call.replyTo.answer({ type: 'call/failed', call, error });
  }

  #step(event: UpstreamEvent): UpstreamPhase {
    const before = this.#machine.send(event);
    if (before === this.#machine.phase) return before;
    this.#await();
    this.#show();
    return before;
  }

  #show(): void {
    const { view } = this.#deps;
    const now = this.#context.clock.now();
    view.phase = this.#machine.phase;
    view.since = now;
    view.downSince = view.phase === 'ready' ? null : (view.downSince ?? now);
  }
}
