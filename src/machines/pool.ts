/**
 * A connection pool as a pure function: who holds a worker, who waits, which workers start and end.
 *
 * A worker is one session with an upstream server and may keep state of whoever used it. So each checkout has a key, and
 * the worker that served one key is given to no other: between keys it ends, and another takes its place. Workers come
 * as they are wanted (`warm` of them before that); `size` of them stay when they are given back, those beyond end.
 *
 * Invariants, after every step: available + vacant + inUse − overflow = `size`, where `vacant` is what is missing of `size`
 * (0 when all of its workers live); live and leaving workers together are at most `size` + `overflow`, whatever ends
 * late; a checkout waits only while no worker could serve it; checkouts are served in the order in which they came.
 * Source: poolboy (Erlang) and DBConnection (Elixir) for overflow and queue; HikariCP for the lifetime.
 */

/** One checkout. */
export interface Ticket {
  readonly id: number;
  /** Whose state a worker may hold: a worker that served one key serves no other. */
  readonly key: string;
  /** Whether its worker may wait for the next checkout of the same key; otherwise it ends when it is given back. */
  readonly reusable: boolean;
  readonly since: number;
  /** When it is given up. */
  readonly deadline: number;
}

export interface PoolWorker {
  readonly id: number;
  readonly bornAt: number;
  /** Whom it served last; `null`: nobody ever. */
  readonly key: string | null;
  /** Who holds it; `null` while nobody does. */
  readonly ticket: Ticket | null;
  readonly idleSince: number;
}

export interface PoolSettings {
  /** Workers that stay when they are given back. */
  readonly size: number;
  /** Workers beyond `size`. */
  readonly overflow: number;
  /** Bound of the checkouts that wait. */
  readonly queue: number;
  /** Workers that never served anybody and are kept ready. */
  readonly warm: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
  readonly maxLifetime: number;
}

export interface PoolState {
  readonly settings: PoolSettings;
  /** Bound on all workers from outside, below `size` + `overflow`; `null`: none. */
  readonly limit: number | null;
  readonly draining: boolean;
  /** Live ones, oldest first. */
  readonly workers: readonly PoolWorker[];
  /** Told to end, or ending by themselves, and not gone yet: they take room. */
  readonly leaving: ReadonlySet<number>;
  /** Oldest first. */
  readonly waiting: readonly Ticket[];
  readonly nextWorker: number;
}

export type PoolEvent =
  | { readonly type: 'checkout'; readonly ticket: Ticket }
  /** A checkout is not wanted any more. */
  | { readonly type: 'cancel'; readonly ticket: number }
  /** `clean`: nothing of what its holder did goes on in it. */
  | { readonly type: 'checkin'; readonly worker: number; readonly clean: boolean }
  /** It has begun to end, by itself or because it was told to elsewhere. */
  | { readonly type: 'ending'; readonly worker: number }
  /** Nothing of it is left. */
  | { readonly type: 'gone'; readonly worker: number }
  /** It could not be started at all. */
  | { readonly type: 'stillborn'; readonly worker: number }
  | { readonly type: 'tick' }
  | { readonly type: 'configure'; readonly settings: PoolSettings; readonly limit: number | null }
  | { readonly type: 'drain' }
  | { readonly type: 'resume' };

export type Refusal = 'timeout' | 'queue_full' | 'draining' | 'not_started';

export type PoolEffect =
  /** Start this worker; `ticket` holds it at once, `null`: it waits for its first. */
  | { readonly type: 'start'; readonly worker: number; readonly ticket: Ticket | null }
  /** Give this worker, which nobody holds, to this checkout. */
  | { readonly type: 'grant'; readonly worker: number; readonly ticket: Ticket }
  /** Nobody holds this worker any more, and it stays. */
  | { readonly type: 'park'; readonly worker: number }
  | { readonly type: 'close'; readonly worker: number; readonly why: string }
  /** Its holder finishes what it has begun, then it ends. */
  | { readonly type: 'finish'; readonly worker: number }
  | { readonly type: 'refuse'; readonly ticket: Ticket; readonly why: Refusal };

/** The figures of a pool. */
export interface Ledger {
  /** Workers that nobody holds. */
  readonly available: number;
  /** What is missing of `size`: not started yet, or being replaced. */
  readonly vacant: number;
  readonly inUse: number;
  readonly overflow: number;
  readonly waiting: number;
}

export interface PoolStep {
  readonly state: PoolState;
  readonly effects: readonly PoolEffect[];
}

/** `workers`: those that live already, when a pool takes over what another has left. */
export function newPool(settings: PoolSettings, workers: readonly PoolWorker[] = []): PoolState {
  const nextWorker = Math.max(0, ...workers.map(({ id }) => id)) + 1;
  return { settings, limit: null, draining: false, workers, leaving: new Set(), waiting: [], nextWorker };
}

export function ledgerOf({ settings, workers, waiting }: PoolState): Ledger {
  const inUse = workers.filter(({ ticket }) => ticket !== null).length;
  return {
    available: workers.length - inUse,
    vacant: Math.max(0, settings.size - workers.length),
    inUse,
    overflow: Math.max(0, workers.length - settings.size),
    waiting: waiting.length,
  };
}

/** The most workers there may be now. */
export function capacityOf({ settings: { size, overflow }, limit }: Pick<PoolState, 'settings' | 'limit'>): number {
  return Math.min(size + overflow, limit ?? Infinity);
}

/** The earliest time at which a `tick` has something to do; `null` when none has. */
export function nextDue({ workers, waiting, settings }: PoolState): number | null {
  const due = waiting.map(({ deadline }) => deadline);
  for (const { ticket, key, idleSince, bornAt } of workers) {
    if (ticket !== null) continue;
    due.push(bornAt + settings.maxLifetime);
    if (key !== null) due.push(idleSince + settings.idleTimeout);
  }
  return due.length === 0 ? null : Math.min(...due);
}

export function stepPool(state: PoolState, event: PoolEvent, now: number): PoolStep {
  const draft = new Draft(state, now);
  draft.apply(event);
  return { state: draft.state(), effects: draft.effects };
}

/** A state on its way to the next one. */
class Draft {
  readonly effects: PoolEffect[] = [];
  readonly #before: PoolState;
  readonly #now: number;
  readonly #leaving: Set<number>;
  #settings: PoolSettings;
  #limit: number | null;
  #draining: boolean;
  #workers: PoolWorker[];
  #waiting: Ticket[];
  #nextWorker: number;

  constructor(before: PoolState, now: number) {
    this.#before = before;
    this.#now = now;
    this.#settings = before.settings;
    this.#limit = before.limit;
    this.#draining = before.draining;
    this.#workers = [...before.workers];
    this.#leaving = new Set(before.leaving);
    this.#waiting = [...before.waiting];
    this.#nextWorker = before.nextWorker;
  }

  state(): PoolState {
    return {
      ...this.#before,
      settings: this.#settings,
      limit: this.#limit,
      draining: this.#draining,
      workers: this.#workers,
      leaving: this.#leaving,
      waiting: this.#waiting,
      nextWorker: this.#nextWorker,
    };
  }

  apply(event: PoolEvent): void {
    switch (event.type) {
      case 'checkout':
        return this.#checkout(event.ticket);
      case 'cancel':
        this.#waiting = this.#waiting.filter(({ id }) => id !== event.ticket);
        return this.#serve(); // what the first could not use may suit the next
      case 'checkin':
        this.#checkin(event.worker, event.clean);
        return this.#serve();
      case 'ending':
        if (this.#remove(event.worker)) this.#leaving.add(event.worker);
        return this.#serve();
      case 'gone':
        this.#remove(event.worker);
        this.#leaving.delete(event.worker);
        return this.#serve();
      case 'stillborn':
        return this.#stillborn(event.worker);
      case 'tick':
        return this.#tick();
      case 'configure':
        this.#settings = event.settings;
        this.#limit = event.limit;
        this.#shrink();
        this.#serve();
        return this.#warm();
      case 'drain':
        return this.#drain();
      case 'resume':
        this.#draining = false;
        return this.#warm();
    }
  }

  #checkout(ticket: Ticket): void {
    if (this.#draining) return this.#refuse(ticket, 'draining');
    this.#waiting.push(ticket);
    this.#serve();
    if (this.#waiting.length > this.#settings.queue && this.#waiting.at(-1) === ticket) {
      this.#waiting.pop();
      this.#refuse(ticket, 'queue_full');
    }
    this.#warm();
  }

  #checkin(id: number, clean: boolean): void {
    const worker = this.#workers.find((one) => one.id === id);
    const ticket = worker?.ticket;
    if (worker === undefined || !ticket) return;
    const why = this.#whyNotKeep(worker, ticket, clean);
    if (why !== undefined) return this.#close(worker, why);
    this.#replace({ ...worker, ticket: null, idleSince: this.#now });
    this.effects.push({ type: 'park', worker: id });
  }

  #whyNotKeep(worker: PoolWorker, ticket: Ticket, clean: boolean): string | undefined {
    if (!ticket.reusable) return 'what it knows is its client’s alone';
    if (!clean) return 'what its client began goes on in it';
    if (this.#draining) return 'the pool drains';
    if (this.#isOld(worker)) return 'it is older than its lifetime';
    if (this.#count() > this.#capacity()) return 'there are more sessions than are granted';
    if (this.#workers.length <= this.#base()) return undefined;
    // Beyond the size it stays only for somebody who waits and may have it.
    return this.#waiting[0]?.key === worker.key ? undefined : 'it was one beyond the size';
  }

  /** Gives workers to those who wait, oldest first, until the first for whom there is none. */
  #serve(): void {
    for (let head = this.#waiting[0]; head; head = this.#waiting[0]) {
      const key = head.key;
      const idle = this.#idle();
      const fit = idle.find((worker) => worker.key === key) ?? idle.find((worker) => worker.key === null);
      const room = this.#count() < this.#capacity();
      if (fit) this.#grant(fit, head);
      else if (room && (idle.length === 0 || this.#workers.length < this.#base())) this.#start(head);
      else if (!room && this.#leaving.size >= this.#waiting.length) return;
      else if (!this.#evict(idle)) return;
    }
  }

  /** Ends the worker of another that has been idle for longest; whether there was one. */
  #evict(idle: readonly PoolWorker[]): boolean {
    const [first, ...others] = idle;
    if (first === undefined) return false;
    const oldest = others.reduce((old, worker) => (worker.idleSince < old.idleSince ? worker : old), first);
    this.#close(oldest, 'another client needs its place');
    return true;
  }

  #grant(worker: PoolWorker, ticket: Ticket): void {
    this.#waiting.shift();
    this.#replace({ ...worker, ticket, key: ticket.key });
    this.effects.push({ type: 'grant', worker: worker.id, ticket });
  }

  #start(ticket: Ticket | null): void {
    if (ticket) this.#waiting.shift();
    const id = this.#nextWorker++;
    this.#workers.push({ id, bornAt: this.#now, key: ticket?.key ?? null, ticket, idleSince: this.#now });
    this.effects.push({ type: 'start', worker: id, ticket });
  }

  /** Starts what is missing of the workers that are kept ready. */
  #warm(): void {
    if (this.#draining || this.#waiting.length > 0) return;
    let missing = this.#settings.warm - this.#idle().filter(({ key }) => key === null).length;
    for (; missing > 0 && this.#workers.length < this.#base() && this.#count() < this.#capacity(); missing--)
      this.#start(null);
  }

  #stillborn(id: number): void {
    const ticket = this.#remove(id)?.ticket;
    if (ticket) this.#refuse(ticket, 'not_started');
    this.#serve();
  }

  #tick(): void {
    const late = this.#waiting.filter(({ deadline }) => deadline <= this.#now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > this.#now);
    for (const ticket of late) this.#refuse(ticket, 'timeout');
    for (const worker of this.#idle()) {
      const unused = worker.key !== null && this.#now - worker.idleSince >= this.#settings.idleTimeout;
      if (unused) this.#close(worker, 'nobody needs it');
      else if (this.#isOld(worker)) this.#close(worker, 'it is older than its lifetime');
    }
    this.#serve();
    this.#warm();
  }

  /** There may be fewer now: idle ones end, longest idle first; those in use end when they are given back. */
  #shrink(): void {
    const idle = [...this.#idle()].sort((a, b) => a.idleSince - b.idleSince);
    for (const worker of idle) {
      if (this.#workers.length <= this.#base()) return;
      this.#close(worker, 'the pool has become smaller');
    }
  }

  #drain(): void {
    this.#draining = true;
    for (const ticket of this.#waiting.splice(0)) this.#refuse(ticket, 'draining');
    for (const worker of this.#idle()) this.#close(worker, 'the pool drains');
    for (const { id } of this.#workers) this.effects.push({ type: 'finish', worker: id });
  }

  #refuse(ticket: Ticket, why: Refusal): void {
    this.effects.push({ type: 'refuse', ticket, why });
  }

  #close(worker: PoolWorker, why: string): void {
    this.#remove(worker.id);
    this.#leaving.add(worker.id);
    this.effects.push({ type: 'close', worker: worker.id, why });
  }

  #remove(id: number): PoolWorker | undefined {
    const worker = this.#workers.find((one) => one.id === id);
    if (worker) this.#workers = this.#workers.filter((one) => one !== worker);
    return worker;
  }

  #replace(worker: PoolWorker): void {
    this.#workers = this.#workers.map((one) => (one.id === worker.id ? worker : one));
  }

  #idle(): PoolWorker[] {
    return this.#workers.filter(({ ticket }) => ticket === null);
  }

  #isOld({ bornAt }: PoolWorker): boolean {
    return this.#now - bornAt >= this.#settings.maxLifetime;
  }

  #count(): number {
    return this.#workers.length + this.#leaving.size;
  }

  #capacity(): number {
    return capacityOf({ settings: this.#settings, limit: this.#limit });
  }

  #base(): number {
    return Math.min(this.#settings.size, this.#capacity());
  }
}
