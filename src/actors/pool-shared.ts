/**
 * The sessions of an upstream that clients share besides the first, which is the lifecycle's. Process-free; the pool's.
 *
 * Invariant: while the upstream takes calls there are `shared` − 1 of them, or as many are on their way.
 */
import { type ServerConfig } from '../config/types.js';
import { type ActorContext, type Ref } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type Call } from './call.js';
import { type PoolMessage } from './pool-messages.js';
import { type SessionLoad } from './upstream-gate.js';
import { type UpstreamSessionEvent, type UpstreamSessionInbox } from './upstream-session.js';
import { startSession, type SessionStartDeps } from './upstream-start.js';
import { upstreamSessions } from './names.js';

interface Entry {
  readonly ref: Ref<UpstreamSessionInbox>;
  readonly load: SessionLoad;
  /** It takes calls. */
  ready: boolean;
}

export class SharedSessions {
  readonly #deps: SessionStartDeps;
  readonly #context: ActorContext<PoolMessage>;
  readonly #sessions = new Map<string, Entry>();
  #made = 0;

  constructor(deps: SessionStartDeps, context: ActorContext<PoolMessage>) {
    this.#deps = deps;
    this.#context = context;
    const known = new Map(deps.gate.others.map(({ ref, load }) => [ref.path, load]));
    for (const ref of deps.system.childrenOf<UpstreamSessionInbox>(upstreamSessions(deps.gate.name))) {
      if (!ref.path.includes('/shared-')) continue;
      this.#watch(ref, known.get(ref.path) ?? { calls: 0 }, known.has(ref.path));
      ref.tell({ type: 'session/adopt', owner: context.self });
    }
    this.#publish();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Starts what is missing, ends what is too much. */
  reconcile(config: ServerConfig): void {
    const { gate, log } = this.#deps;
    const wanted = gate.session === null ? this.#sessions.size : config.pool.shared - 1;
    for (let missing = wanted - this.#sessions.size; missing > 0; missing--) {
      const id = `shared-${(this.#made += 1)}-${this.#context.self.incarnation}`;
      const load = { calls: 0 };
      const { era } = gate;
      const start = { id, config, role: 'shared', era, owner: this.#context.self, lease: null, load } as const;
      const started = startSession(this.#deps, start);
      if (started.ok) this.#watch(started.ref, load, false);
      else log.warn({ event: 'pool_not_started', upstream: gate.name }, started.why);
    }
    for (const { ref } of [...this.#sessions.values()].slice(wanted))
      this.#end(ref, 'the pool has become smaller', false);
  }

  /** Ends all of them: at once, or each when its calls are answered. */
  endAll(reason: string, finish: boolean): void {
    for (const { ref } of [...this.#sessions.values()]) this.#end(ref, reason, finish);
  }

  heard(event: UpstreamSessionEvent): void {
    const entry = this.#sessions.get(event.ref.path);
    if (event.type === 'session/ready' && entry) entry.ready = true;
    // The first session takes over what this one is known not to have begun.
    if (event.type === 'session/ended') for (const call of event.unsent) this.#handOver(call, event.why);
    this.#publish();
  }

  down(path: string): void {
    this.#sessions.delete(path);
    this.#publish();
  }

  #end(ref: Ref<UpstreamSessionInbox>, reason: string, finish: boolean): void {
    const entry = this.#sessions.get(ref.path);
    if (entry) entry.ready = false;
    this.#publish();
    if (finish) ref.tell({ type: 'session/finish' });
    else ref.urgent({ type: 'session/close', reason });
  }

  #handOver(call: Call, why: string): void {
    const { gate } = this.#deps;
    if (gate.session?.tell(call) === 'ok') return;
    const error = gatewayError('upstream_unavailable', `upstream "${gate.name}": ${why}`, { server: gate.name });
    call.replyTo.answer({ type: 'call/failed', call, error });
  }

  #watch(ref: Ref<UpstreamSessionInbox>, load: SessionLoad, ready: boolean): void {
    this.#sessions.set(ref.path, { ref, load, ready });
    this.#context.monitor(ref, () => ({ type: 'shared/down', path: ref.path }));
  }

  #publish(): void {
    this.#deps.gate.others = [...this.#sessions.values()].filter(({ ready }) => ready);
  }
}
