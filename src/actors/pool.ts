/**
 * Pool: the sessions with one upstream that not everybody shares. Gives them out as leases, keeps those who wait in order,
 * ends what must not be used again.
 *
 * Parent: upstream:<name>. Restart: permanent; a restarted one adopts the workers that live and who holds them, so that
 * no call over a lease notices. Calls that waited for a worker are answered with an error.
 *
 * Invariants: what is given out and what waits is `src/machines/pool.ts`; a call that waits is here and nowhere else, and is
 * answered once: by its worker, or with why it got none. Calls over a lease that has its worker do not come here.
 */
import { type ServerConfig } from '../config/types.js';
import {
  type ActorContext,
  type Behavior,
  describeExit,
  type ExitReason,
  isAbnormal,
  type ReplyTo,
  type TimerHandle,
} from '../kernel/index.js';
import {
  ledgerOf,
  newPool,
  nextDue,
  type PoolEffect,
  type PoolEvent,
  type PoolSettings,
  type PoolState,
  type PoolWorker,
  type Refusal,
  stepPool,
  type Ticket,
} from '../machines/pool.js';
import { type JsonRpcErrorObject } from '../protocol/jsonrpc.js';
import { type Call, type UpstreamSessionMessage } from './call.js';
import { type Lease } from './lease.js';
import { upstreamSessions } from './names.js';
import { type PoolBook, type WorkerEntry } from './pool-book.js';
import { noSession, refusalError } from './pool-errors.js';
import { type PoolDrained, type PoolMessage } from './pool-messages.js';
import { PoolPain } from './pool-pain.js';
import { type Parked, ParkedCalls, POOL_WAIT } from './pool-parked.js';
import { SharedSessions } from './pool-shared.js';
import { type UpstreamSessionInbox } from './upstream-session.js';
import { startSession, type SessionStartDeps } from './upstream-start.js';

export interface PoolDeps extends SessionStartDeps {
  /** As configured now. */
  readonly config: () => ServerConfig;
}

export function pool(deps: PoolDeps) {
  return (context: ActorContext<PoolMessage>): Behavior<PoolMessage> => new Pool(deps, context);
}

class Pool implements Behavior<PoolMessage> {
  readonly #deps: PoolDeps;
  readonly #context: ActorContext<PoolMessage>;
  readonly #book: PoolBook;
  readonly #shared: SharedSessions;
  readonly #pain: PoolPain;
  readonly #parked = new ParkedCalls();
  /** Workers that were told to end. */
  readonly #told = new Set<number>();
  readonly #drains: { readonly replyTo: ReplyTo<PoolDrained>; readonly left: number }[] = [];
  #config: ServerConfig;
  #state: PoolState;
  #tickets = 0;
  #timer: { readonly at: number; readonly handle: TimerHandle } | null = null;
  /** The most that control lets it have now. */
  readonly #granted = () => this.#deps.gate.allowance.sessions(this.#context.clock.now());

  constructor(deps: PoolDeps, context: ActorContext<PoolMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#book = deps.view.pool;
    this.#config = deps.config();
    this.#pain = new PoolPain(deps.gate.name, () => deps.plane.algedonic);
    this.#shared = new SharedSessions(deps, context);
    this.#state = newPool(this.#settings(), this.#adopt());
    deps.gate.pool = context.self;
    this.#configure();
    this.#context.after(this.#config.pool.idleCheck, { type: 'pool/idle-check' });
    if (this.#book.draining) this.#drain(undefined);
    for (const { lease } of [...this.#book.workers.values()]) if (lease?.alive === false) this.#return(lease);
  }

  handle(message: PoolMessage): void {
    switch (message.type) {
      case 'pool/send':
        return this.#send(message.lease, message.message);
      case 'pool/return':
        return this.#return(message.lease);
      case 'worker/down':
        return this.#down(message.worker, message.reason);
      case 'pool/tick':
        this.#timer = null;
        this.#sweep();
        return this.#step({ type: 'tick' });
      case 'pool/idle-check':
        return this.#idleCheck();
      case 'pool/reconfigured':
        this.#config = this.#deps.config();
        return this.#configure();
      case 'pool/upstream-ready':
        return this.#configure();
      case 'pool/flush':
        return this.#flush(message.reason);
      case 'pool/drain':
        return this.#drain(message.replyTo);
      case 'pool/resume':
        this.#book.draining = false;
        this.#step({ type: 'resume' });
        this.#configure();
        return message.replyTo?.reply(this.#book.ledger);
      case 'session/opened':
      case 'session/ready':
      case 'session/listed':
      case 'session/ended':
        return this.#shared.heard(message);
      case 'shared/down':
        this.#shared.down(message.path);
        return this.#checkDrained();
    }
  }

  terminate(reason: ExitReason): void {
    if (this.#deps.gate.pool === this.#context.self) this.#deps.gate.pool = null;
    const why = isAbnormal(reason) ? 'its pool is being restarted' : 'the upstream is being stopped';
    for (const { calls } of this.#parked.all())
      for (const call of calls) this.#fail(call, noSession(this.#config.name, why));
  }

  unhandled(message: PoolMessage): void {
    if (message.type === 'pool/send' && message.message.type === 'call')
      this.#fail(message.message, noSession(this.#config.name, 'its pool is being restarted'));
    if (message.type === 'session/ended') this.#shared.heard(message);
  }

  /** What lives of the incarnation before. Workers that nobody has written down are ended: nothing is known of them. */
  #adopt(): PoolWorker[] {
    const { system, gate } = this.#deps;
    const { workers } = this.#book;
    const live = system.childrenOf<UpstreamSessionInbox>(upstreamSessions(gate.name));
    for (const [id, { ref, lease }] of workers) {
      if (live.includes(ref)) continue;
      if (lease?.worker === ref) lease.worker = null;
      workers.delete(id);
    }
    const known = new Set([...workers.values()].map(({ ref }) => ref));
    for (const ref of live)
      if (ref.path.includes('/worker-') && !known.has(ref)) ref.urgent({ type: 'session/close', reason: 'superseded' });
    return [...workers.values()].map((entry) => {
      this.#watch(entry);
      const { id, bornAt, key, lease } = entry;
      return { id, bornAt, key, ticket: lease && this.#ticket(lease), idleSince: this.#context.clock.now() };
    });
  }

  #settings(): PoolSettings {
    const { gate } = this.#deps;
    const { size, shared, overflow, queue, warm, idleTimeout, maxLifetime } = this.#config.pool;
    // Nothing is kept ready for a server that needs no leases, or that is not there.
    const ready = gate.session !== null && gate.era === 'legacy' && this.#config.sharing !== 'shared';
    return { size: size - shared, overflow, queue, warm: ready ? warm : 0, idleTimeout, maxLifetime };
  }

  #configure(): void {
    this.#shared.reconcile(this.#config);
    this.#step({ type: 'configure', settings: this.#settings(), limit: this.#granted() });
  }

  #ticket(lease: Lease): Ticket {
    const { key, reusable } = lease.terms;
    const since = this.#context.clock.now();
    return { id: (this.#tickets += 1), key, reusable, since, deadline: since + this.#config.pool.checkoutTimeout };
  }

  /** What could not go straight to a worker. */
  #send(lease: Lease, message: UpstreamSessionMessage): void {
    this.#sweep();
    const { worker } = lease;
    switch (message.type) {
      case 'call':
        if (worker) return this.#forward(worker, message);
        return this.#park(lease, message);
      case 'call/cancel':
        worker?.urgent(message);
        return this.#cancel(this.#parked.drop(lease, message.call));
      default:
        worker?.tell(message); // without a worker nobody needs to know
    }
  }

  #park(lease: Lease, call: Call): void {
    if (call.cancelled || !lease.alive) return;
    const waiting = this.#parked.of(lease);
    if (waiting) return void waiting.calls.push(call);
    const ticket = this.#ticket(lease);
    this.#parked.begin(ticket, lease, call);
    if (this.#granted() !== this.#state.limit) this.#configure();
    this.#step({ type: 'checkout', ticket });
  }

  #cancel(parked: Parked | undefined): void {
    if (!parked) return;
    this.#parked.take(parked.ticket.id);
    this.#step({ type: 'cancel', ticket: parked.ticket.id });
  }

  #return(lease: Lease): void {
    this.#cancel(this.#parked.of(lease));
    this.#sweep();
    const entry = this.#book.heldBy(lease);
    if (entry) this.#step({ type: 'checkin', worker: entry.id, clean: lease.clean });
  }

  /** Workers that have begun to end are nobody's any more: their exit is told when their process is gone. */
  #sweep(): void {
    for (const entry of this.#book.workers.values()) {
      if (entry.ref.alive || !this.#state.workers.some(({ id }) => id === entry.id)) continue;
      this.#book.release(entry);
      this.#step({ type: 'ending', worker: entry.id });
    }
  }

  #down(id: number, reason: ExitReason): void {
    const { log, gate } = this.#deps;
    const entry = this.#book.workers.get(id);
    if (!entry) return;
    this.#book.release(entry);
    this.#book.workers.delete(id);
    if (!this.#told.delete(id)) {
      this.#book.lost += 1;
      log.warn({ event: 'pool_worker_lost', upstream: gate.name }, `a session was lost: ${describeExit(reason)}`);
    }
    this.#step({ type: 'gone', worker: id });
  }

  #idleCheck(): void {
    this.#context.after(this.#config.pool.idleCheck, { type: 'pool/idle-check' });
    this.#sweep();
    const within = this.#config.timeouts.connect;
    for (const { ref, lease } of this.#book.workers.values()) {
      if (lease === null) ref.tell({ type: 'session/ping', within });
      // Members leave by themselves; this is for one that could not.
      else for (const member of lease.members) if (!member.alive) lease.leave(member, false);
    }
    this.#configure();
    this.#step({ type: 'tick' });
    this.#pain.inVain(this.#book);
  }

  #flush(reason: string): void {
    for (const parked of this.#parked.all()) {
      this.#cancel(parked);
      for (const call of parked.calls) this.#fail(call, noSession(this.#config.name, reason));
    }
    this.#shared.endAll(reason, false);
    for (const { id } of this.#state.workers) {
      const entry = this.#book.workers.get(id);
      if (entry) this.#close(entry, reason);
      this.#step({ type: 'ending', worker: id });
    }
  }

  #drain(replyTo: ReplyTo<PoolDrained> | undefined): void {
    this.#book.draining = true;
    this.#step({ type: 'drain' });
    this.#shared.endAll('the upstream drains', true);
    const left = this.#state.workers.length + this.#shared.size;
    if (replyTo) this.#drains.push({ replyTo, left });
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (!this.#state.draining || this.#book.workers.size + this.#shared.size > 0) return;
    for (const { replyTo, left } of this.#drains.splice(0)) replyTo.reply({ left });
  }

  #step(event: PoolEvent): void {
    const { state, effects } = stepPool(this.#state, event, this.#context.clock.now());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#publish();
  }

  #perform(effect: PoolEffect): void {
    if (effect.type === 'start') return this.#start(effect.worker, effect.ticket);
    if (effect.type === 'refuse') return this.#refuse(effect.ticket, effect.why);
    const entry = this.#book.workers.get(effect.worker);
    if (!entry) return;
    switch (effect.type) {
      case 'grant':
        return this.#grant(entry, effect.ticket);
      case 'park':
        this.#book.release(entry);
        entry.ref.tell({ type: 'session/lease', lease: null });
        return;
      case 'close':
        return this.#close(entry, effect.why);
      case 'finish':
        this.#told.add(entry.id);
        entry.ref.tell({ type: 'session/finish' });
        return;
    }
  }

  #start(id: number, ticket: Ticket | null): void {
    const { log, gate } = this.#deps;
    const lease = ticket && (this.#parked.get(ticket.id)?.lease ?? null);
    const started = startSession(this.#deps, {
      id: `worker-${id}-${this.#context.self.incarnation}`,
      config: this.#config,
      role: 'leased',
      era: this.#config.era,
      owner: null,
      lease,
      load: { calls: 0 },
    });
    if (!started.ok) {
      log.warn({ event: 'pool_not_started', upstream: gate.name }, started.error?.message ?? started.why);
      return this.#step({ type: 'stillborn', worker: id });
    }
    const bornAt = this.#context.clock.now();
    const entry: WorkerEntry = { id, ref: started.ref, bornAt, key: ticket?.key ?? null, lease: null };
    this.#book.workers.set(id, entry);
    this.#watch(entry);
    if (ticket) this.#bind(entry, ticket);
  }

  #watch({ id, ref }: WorkerEntry): void {
    this.#context.monitor(ref, (reason) => ({ type: 'worker/down', worker: id, reason }));
  }

  #grant(entry: WorkerEntry, ticket: Ticket): void {
    const lease = this.#parked.get(ticket.id)?.lease;
    if (lease) entry.ref.tell({ type: 'session/lease', lease });
    this.#bind(entry, ticket);
  }

  #bind(entry: WorkerEntry, ticket: Ticket): void {
    const parked = this.#parked.take(ticket.id);
    if (!parked) return;
    const book = this.#book;
    const now = this.#context.clock.now();
    const { lease, calls } = parked;
    book.workers.set(entry.id, { ...entry, key: ticket.key, lease });
    book.checkouts += 1;
    book.waited(now - ticket.since, now);
    lease.worker = entry.ref;
    lease.clean = true;
    for (const call of calls) {
      call.trace?.measured(POOL_WAIT, now - ticket.since);
      this.#forward(entry.ref, call);
    }
  }

  #close(entry: WorkerEntry, reason: string): void {
    this.#book.release(entry);
    this.#told.add(entry.id);
    entry.ref.urgent({ type: 'session/close', reason });
  }

  #refuse({ id }: Ticket, why: Refusal): void {
    const parked = this.#parked.take(id);
    if (!parked) return;
    const book = this.#book;
    if (why === 'timeout') book.timeouts += 1;
    if (why === 'queue_full') book.refused += 1;
    for (const call of parked.calls) this.#fail(call, refusalError(this.#config, why));
    this.#pain.inVain(book);
  }

  #forward(worker: { tell(call: Call): string }, call: Call): void {
    if (!call.cancelled && worker.tell(call) !== 'ok')
      this.#fail(call, noSession(this.#config.name, 'its session was lost at once'));
  }

  #fail(call: Call, error: JsonRpcErrorObject): void {
    if (!call.cancelled) call.replyTo.answer({ type: 'call/failed', call, error });
  }

  #publish(): void {
    const ledger = ledgerOf(this.#state);
    this.#book.ledger = ledger;
    this.#pain.utilisation(ledger, this.#state.settings.size + this.#state.settings.overflow);
    this.#arm();
    this.#checkDrained();
  }

  #arm(): void {
    const at = nextDue(this.#state);
    if (at === (this.#timer?.at ?? null)) return;
    this.#timer?.handle.cancel();
    const wait = (at ?? 0) - this.#context.clock.now();
    this.#timer = at === null ? null : { at, handle: this.#context.after(Math.max(0, wait), { type: 'pool/tick' }) };
  }
}
