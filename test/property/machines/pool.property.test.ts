/**
 * The pool's model under random checkouts, check-ins, crashes, time-outs and settings, against an account of its own that
 * is kept from the effects alone: what was started, granted, closed, refused.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  capacityOf,
  ledgerOf,
  newPool,
  nextDue,
  type PoolEffect,
  type PoolEvent,
  type PoolSettings,
  type PoolState,
  stepPool,
  type Ticket,
} from '#src/machines/pool.js';

const KEYS = ['ada', 'bob', 'eve'];
const TIMEOUT = 50;

interface Worker {
  readonly bornAt: number;
  /** Everybody who was ever given it. */
  readonly keys: Set<string>;
  holder: Ticket | null;
}

/** What must be true, from the effects alone. */
class Account {
  readonly live = new Map<number, Worker>();
  readonly leaving = new Set<number>();
  /** In the order in which they came. */
  readonly waiting: Ticket[] = [];
  readonly refused = new Map<number, string>();
  readonly served: number[] = [];
  state: PoolState;
  now = 1_000;
  tickets = 0;
  draining = false;
  limit: number | null = null;

  constructor(settings: PoolSettings) {
    this.state = newPool(settings);
  }

  step(event: PoolEvent): void {
    const { state, effects } = stepPool(this.state, event, this.now);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    this.check();
  }

  #perform(effect: PoolEffect): void {
    switch (effect.type) {
      case 'start': {
        assert.ok(!this.live.has(effect.worker) && !this.leaving.has(effect.worker), 'numbers are never used twice');
        const worker = { bornAt: this.now, keys: new Set<string>(), holder: null };
        this.live.set(effect.worker, worker);
        if (effect.ticket) this.#give(worker, effect.ticket);
        return;
      }
      case 'grant': {
        const worker = this.live.get(effect.worker);
        assert.ok(worker, 'only what lives is granted');
        return this.#give(worker, effect.ticket);
      }
      case 'park': {
        const worker = this.live.get(effect.worker);
        assert.ok(worker?.holder, 'only what was held is parked');
        assert.ok(worker.holder.reusable, 'a worker of one client’s alone is not used again');
        worker.holder = null;
        return;
      }
      case 'close':
        assert.ok(this.live.delete(effect.worker), 'only what lives is closed');
        this.leaving.add(effect.worker);
        return;
      case 'finish':
        return;
      case 'refuse': {
        assert.ok(!this.refused.has(effect.ticket.id), 'a checkout is refused once');
        this.refused.set(effect.ticket.id, effect.why);
        const at = this.waiting.findIndex(({ id }) => id === effect.ticket.id);
        if (at >= 0) this.waiting.splice(at, 1);
        return;
      }
    }
  }

  #give(worker: Worker, ticket: Ticket): void {
    assert.equal(worker.holder, null, 'a worker has one holder');
    assert.equal(this.waiting[0]?.id, ticket.id, 'first come, first served');
    this.waiting.shift();
    worker.holder = ticket;
    worker.keys.add(ticket.key);
    assert.equal(worker.keys.size, 1, 'a worker of one key is never another’s');
    this.served.push(ticket.id);
  }

  check(): void {
    const { settings } = this.state;
    const inUse = [...this.live.values()].filter(({ holder }) => holder !== null).length;
    const idle = this.live.size - inUse;
    const ledger = ledgerOf(this.state);
    assert.deepEqual(ledger, {
      available: idle,
      inUse,
      vacant: Math.max(0, settings.size - this.live.size),
      overflow: Math.max(0, this.live.size - settings.size),
      waiting: this.waiting.length,
    });
    assert.equal(ledger.available + ledger.vacant + ledger.inUse - ledger.overflow, settings.size);
    assert.deepEqual(this.state.leaving, this.leaving);
    assert.ok(ledger.waiting <= settings.queue);
    assert.equal(ledger.overflow > 0 && ledger.available > 0, false, 'overflow only when none is idle');
    if (this.waiting.length > 0) {
      assert.ok(this.live.size + this.leaving.size >= capacityOf(this.state), 'nobody waits while there is room');
      const [head] = this.waiting;
      for (const { holder, keys } of this.live.values())
        assert.ok(holder !== null || !(keys.size === 0 || keys.has(head?.key ?? '')), 'nobody waits for what is idle');
      assert.ok(idle === 0 || this.leaving.size >= this.waiting.length, 'what is another’s makes room');
    }
    if (this.draining) assert.equal(this.waiting.length + idle, 0);
    const due = nextDue(this.state);
    if (this.waiting.length > 0) assert.ok(due !== null && due <= Math.min(...this.waiting.map((t) => t.deadline)));
  }

  checkout(key: string, reusable: boolean): void {
    const ticket = { id: (this.tickets += 1), key, reusable, since: this.now, deadline: this.now + TIMEOUT };
    this.waiting.push(ticket);
    const full = this.state.waiting.length >= this.state.settings.queue;
    this.step({ type: 'checkout', ticket });
    const why = this.refused.get(ticket.id);
    if (why === 'queue_full') assert.ok(full);
  }
}

const settings = fc.record({
  size: fc.integer({ min: 0, max: 4 }),
  overflow: fc.integer({ min: 0, max: 3 }),
  queue: fc.integer({ min: 0, max: 4 }),
  warm: fc.integer({ min: 0, max: 2 }),
  idleTimeout: fc.constantFrom(40, 1_000),
  maxLifetime: fc.constantFrom(90, 10_000),
});

type Act = (account: Account) => void;

const nth = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)];
const at = fc.nat(20);

const everyday: fc.WeightedArbitrary<Act>[] = [
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(...KEYS), fc.boolean()).map(([key, reusable]): Act => (a) => {
      // What is one client's alone has a key of its own.
      a.checkout(reusable ? key : `${key} ${a.tickets}`, reusable);
    }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(at, fc.boolean()).map(([n, clean]): Act => (a) => {
      const held = nth(
        [...a.live].filter(([, { holder }]) => holder !== null),
        n,
      );
      if (!held) return;
      const [worker, { holder }] = held;
      const parked = new Set(a.live.keys());
      a.step({ type: 'checkin', worker, clean });
      if (!clean || !holder?.reusable) assert.ok(!a.live.has(worker) && parked.has(worker), 'it ends');
    }),
  },
  {
    weight: 2,
    arbitrary: at.map((n): Act => (a) => {
      const worker = nth([...a.leaving], n);
      if (worker === undefined) return;
      a.leaving.delete(worker);
      a.step({ type: 'gone', worker });
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(at, fc.constantFrom<'ending' | 'gone'>('ending', 'gone')).map(([n, type]): Act => (a) => {
      const worker = nth([...a.live.keys()], n);
      if (worker === undefined) return;
      a.live.delete(worker);
      if (type === 'ending') a.leaving.add(worker);
      a.step({ type, worker });
    }),
  },
  {
    weight: 1,
    arbitrary: at.map((n): Act => (a) => {
      const ticket = nth(a.waiting, n);
      if (!ticket) return;
      a.waiting.splice(a.waiting.indexOf(ticket), 1);
      a.step({ type: 'cancel', ticket: ticket.id });
    }),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 60 }).map((ms): Act => (a) => {
      a.now += ms;
      a.step({ type: 'tick' });
      for (const { deadline } of a.waiting) assert.ok(deadline > a.now, 'nobody waits past the deadline');
      for (const { holder, bornAt } of a.live.values())
        assert.ok(holder !== null || a.now - bornAt < a.state.settings.maxLifetime, 'no idle one is too old');
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Act>((a) => {
      a.draining = !a.draining;
      a.step({ type: a.draining ? 'drain' : 'resume' });
    }),
  },
];

const reconfigured: fc.WeightedArbitrary<Act> = {
  weight: 1,
  arbitrary: fc.tuple(settings, fc.option(fc.nat(6))).map(([next, limit]): Act => (a) => {
    // Nobody is turned away who waits already.
    const kept = { ...next, queue: Math.max(next.queue, a.waiting.length) };
    a.step({ type: 'configure', settings: kept, limit });
  }),
};

const steady = fc.oneof(...everyday);
const acts = fc.oneof(...everyday, reconfigured);

describe('pool model, properties', () => {
  it('keeps its ledger, order and bounds, and never gives one key’s worker to another', () => {
    fc.assert(
      fc.property(settings, fc.array(acts, { maxLength: 80, size: 'max' }), (first, script) => {
        const account = new Account(first);
        for (const act of script) act(account);
      }),
      { numRuns: 1_500 },
    );
  });

  it('has at most size + overflow workers, those that end late included, while its settings stay', () => {
    fc.assert(
      fc.property(settings, fc.array(steady, { maxLength: 80, size: 'max' }), (first, script) => {
        const account = new Account(first);
        const bound = first.size + first.overflow;
        for (const act of script) {
          act(account);
          assert.ok(account.live.size + account.leaving.size <= bound);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('serves everybody who waits, if holders give back and nobody waits too long', () => {
    const keys = fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 40 });
    const possible = settings.filter(({ size, overflow }) => size + overflow > 0);
    fc.assert(
      fc.property(possible, keys, (first, wanted) => {
        const account = new Account({ ...first, queue: 100 });
        for (const key of wanted) account.checkout(key, true);
        for (let turns = 0; account.served.length < wanted.length; turns++) {
          assert.ok(turns < 500, 'it stands still');
          const held = [...account.live].find(([, { holder }]) => holder !== null);
          if (held) account.step({ type: 'checkin', worker: held[0], clean: true });
          for (const worker of [...account.leaving]) {
            account.leaving.delete(worker);
            account.step({ type: 'gone', worker });
          }
        }
        assert.deepEqual(
          account.served,
          [...account.served].sort((a, b) => a - b),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('takes over what lives of a pool before it: the ledger is right from the start', () => {
    fc.assert(
      fc.property(settings, fc.array(acts, { maxLength: 60, size: 'max' }), (first, script) => {
        const account = new Account(first);
        for (const act of script) act(account);
        const { state } = account;
        const heir = newPool(state.settings, state.workers);
        const { state: settled } = stepPool(
          heir,
          { type: 'configure', settings: state.settings, limit: state.limit },
          account.now,
        );
        const before = ledgerOf(state);
        const after = ledgerOf(settled);
        assert.equal(after.inUse, before.inUse);
        assert.equal(after.available + after.vacant + after.inUse - after.overflow, state.settings.size);
        assert.ok(Math.min(...settled.workers.map(({ id }) => id), settled.nextWorker) <= settled.nextWorker);
        assert.ok(settled.workers.every(({ id }) => id < settled.nextWorker));
      }),
      { numRuns: 300 },
    );
  });
});
