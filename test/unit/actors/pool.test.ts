/** The pool's actor in its tree, over transports that the test plays the server of. */
import assert from 'node:assert/strict';
import { ANONYMOUS, type Principal } from '#src/auth/principal.js';
import { Call, type CallEvent } from '#src/actors/call.js';
import { type Lease, leaseFor, type Lessee } from '#src/actors/lease.js';
import { upstreamPool } from '#src/actors/names.js';
import { type PoolDrained, type PoolMessage } from '#src/actors/pool-messages.js';
import { poolSnapshot } from '#src/actors/pool-book.js';
import { ask, type Ref } from '#src/kernel/index.js';
import { type Lease as Grant } from '#src/vsm/lease.js';
import { type Reading } from '#src/vsm/reading.js';
import { FakeChannel } from '../../support/actors/client-session.js';
import { type FakeTransport } from '../../support/actors/fake-transport.js';
import { NAME, story, UpstreamWorld } from '../../support/actors/upstream-world.js';
import { configOf, FakeRef } from '../../support/actors/world.js';

const TIMEOUT = 1_000;
const IDLE_CHECK = 500;
const PING_WITHIN = 400;

function worldOf(sharing: string, pool: object): UpstreamWorld {
  const options = { size: 2, overflow: 1, checkoutTimeout: TIMEOUT, queue: 2, idleCheck: IDLE_CHECK, ...pool };
  return new UpstreamWorld({ viable: { era: 'legacy', sharing, pool: options, timeouts: { connect: PING_WITHIN } } });
}

function principal(subject: string): Principal {
  return { ...ANONYMOUS, subject, key: `sub:test:${subject}` };
}

describe('pool', () => {
  let world: UpstreamWorld;
  let ids = 0;

  afterEach(() => world.system.shutdown());

  async function start(sharing: string, pool: object = {}): Promise<void> {
    world = worldOf(sharing, pool);
    await world.start();
    // The data path reads it from the gate.
    assert.equal(world.gate.pool?.path, upstreamPool(NAME).path);
  }

  /** A client with a lease, and what it heard. */
  class Client {
    readonly ref = new FakeRef<CallEvent>(`/client-${(ids += 1)}`);
    readonly lease: Lease;
    readonly calls: Call[] = [];

    constructor(over: Partial<Lessee> = {}) {
      const self = { member: this.ref, principal: ANONYMOUS, capabilities: {}, info: undefined, session: true };
      this.lease = leaseFor(world.gate, { ...self, ...over });
    }

    call(): Call {
      const caller = { era: 'legacy', principal: ANONYMOUS, envelope: {} } as const;
      const { gate } = world;
      const params = { tag: `${this.ref.path} ${this.calls.length}` };
      const fields = {
        id: ids,
        method: 'tools/call',
        target: 't',
        params,
        progressToken: undefined,
        startedAt: 0,
        caller,
      };
      const shown = { ...fields, tool: undefined, replyTo: this.ref, gate, to: this.lease, channel: new FakeChannel() };
      const call = new Call(shown);
      assert.equal(this.lease.tell(call), 'ok');
      this.calls.push(call);
      return call;
    }

    cancel(call: Call): void {
      call.cancelled = true;
      this.lease.urgent({ type: 'call/cancel', call, reason: 'never mind' });
    }

    get story(): string[] {
      return story(this.ref);
    }

    leave(clean = true): void {
      this.lease.leave(this.ref, clean);
    }
  }

  async function calling(over: Partial<Lessee> = {}): Promise<Client> {
    const client = new Client(over);
    client.call();
    await world.settle();
    return client;
  }

  /** The transport over which a client's last call went. */
  function serving(client: Client): FakeTransport {
    const tag = client.calls.at(-1)?.params['tag'];
    const transport = world.transports.find((one) =>
      one.requests('tools/call').some(({ params }) => params?.['tag'] === tag),
    );
    return transport ?? assert.fail('no worker serves it');
  }

  const figures = () => {
    const pool = { size: 2, overflow: 1, checkoutTimeout: TIMEOUT, queue: 2, idleCheck: IDLE_CHECK };
    const config = configOf({ mcpServers: { [NAME]: { command: 'none', viable: { pool } } } }).servers.get(NAME);
    const { gate, view, clock } = world;
    return poolSnapshot(config ?? assert.fail(), gate, view.pool, clock.now());
  };

  const workers = (): string[] =>
    world
      .sessions()
      .map(({ path }) => path.split('/').at(-1) ?? '')
      .filter((id) => id.startsWith('worker-'));

  it('gives each client session a worker, up to the bound, and ends it when the client goes', async () => {
    await start('session');
    const first = await calling();
    const second = await calling();
    assert.equal(workers().length, 2);
    assert.notEqual(first.lease.worker, second.lease.worker);
    const { available, vacant, inUse, overflow, size } = figures();
    assert.deepEqual({ inUse, overflow, vacant, available }, { inUse: 2, overflow: 1, vacant: 0, available: 1 });
    assert.equal(available + vacant + inUse - overflow, size);
    first.leave();
    second.leave();
    await world.settle();
    assert.deepEqual(workers(), []);
    assert.deepEqual([figures().inUse, figures().checkouts], [0, 2]);
  });

  it('sends the next calls straight to the worker: a pool that is dead is not missed', async () => {
    await start('session');
    const client = await calling();
    world.gate.pool = null;
    client.call();
    await world.settle();
    const transport = serving(client);
    assert.equal(transport.requests('tools/call').length, 2);
    for (const { id } of transport.requests('tools/call')) transport.answer(id, {});
    await world.settle();
    assert.deepEqual(client.story, ['call/answered', 'call/answered']);
  });

  it('lets those who find none wait in order, and answers with pool_exhausted who waits too long', async () => {
    await start('session');
    const [holder, other] = [await calling(), await calling()];
    const [third, fourth] = [await calling(), await calling()];
    assert.equal(figures().waiting, 2);
    const fifth = await calling();
    assert.deepEqual(fifth.story, ['call/failed pool_exhausted'], 'the queue is full');
    assert.equal(figures().refused, 1);
    await world.advance(TIMEOUT / 2);
    holder.leave();
    await world.settle();
    assert.ok(third.lease.worker, 'first come, first served');
    assert.equal(fourth.lease.worker, null);
    assert.equal(figures().waitP99, TIMEOUT / 2);
    await world.advance(TIMEOUT / 2);
    assert.deepEqual(fourth.story, ['call/failed pool_exhausted']);
    const [event] = fourth.ref.messages;
    assert.ok(event?.type === 'call/failed');
    assert.equal((event.error.data as { retryAfter: number }).retryAfter, 1);
    assert.deepEqual([figures().timeouts, figures().waiting], [1, 0]);
    assert.deepEqual([other.story, third.story], [[], []]);
  });

  it('forgets who gives up while it waits', async () => {
    await start('session');
    const [holder] = [await calling(), await calling()];
    const gone = new Client();
    const call = gone.call();
    await world.settle();
    gone.cancel(call);
    await world.settle();
    assert.equal(figures().waiting, 0);
    const leaving = await calling();
    leaving.leave();
    await world.settle();
    assert.equal(figures().waiting, 0);
    holder.leave();
    await world.settle();
    assert.equal(gone.lease.worker ?? leaving.lease.worker, null);
    assert.deepEqual([gone.story, leaving.story], [[], []]);
  });

  it('keeps the worker of a call for the next call of the same principal, and of nobody else', async () => {
    await start('auto', { size: 2, overflow: 0 });
    const ada = { principal: principal('ada'), capabilities: { sampling: {} }, session: false };
    const bob = { ...ada, principal: principal('bob') };
    const first = await calling(ada);
    const transport = serving(first);
    first.leave();
    await world.settle();
    const again = await calling(ada);
    assert.equal(serving(again), transport);
    assert.equal(transport.requests('initialize').length, 1);
    again.leave();
    await world.settle();
    const foreign = await calling(bob);
    assert.notEqual(serving(foreign), transport);
    assert.notEqual(transport.closedWith, null, 'what served ada has ended');
    assert.equal(workers().length, 1);
  });

  it('does not use a worker again in which something may go on', async () => {
    await start('auto', { size: 2 });
    const terms = { capabilities: { sampling: {} }, session: false };
    const first = await calling(terms);
    const transport = serving(first);
    first.leave(false);
    await world.settle();
    assert.notEqual(transport.closedWith, null);
    assert.notEqual(serving(await calling(terms)), transport);
  });

  it('shares one worker among the sessions of one principal, until the last has gone', async () => {
    await start('principal', { size: 3 });
    const ada = { principal: principal('ada') };
    const [one, two, bob] = [await calling(ada), await calling(ada), await calling({ principal: principal('bob') })];
    assert.equal(one.lease, two.lease);
    assert.notEqual(one.lease.worker, bob.lease.worker);
    assert.equal(workers().length, 2);
    one.leave();
    await world.settle();
    assert.ok(two.lease.worker, 'somebody of hers is still there');
    two.leave();
    await world.settle();
    assert.deepEqual([workers().length, figures().inUse], [2, 1]);
    const back = await calling(ada);
    assert.equal(workers().length, 2);
    assert.notEqual(back.lease, one.lease);
  });

  it('shares nothing among clients that nobody has authenticated', async () => {
    await start('principal');
    const [one, two] = [await calling(), await calling()];
    assert.notEqual(one.lease.worker, two.lease.worker);
  });

  it('replaces a worker that dies under its lease, while those who wait get theirs', async () => {
    await start('session');
    const [first] = [await calling(), await calling()];
    const waiting = await calling();
    assert.ok(world.system.kill(first.lease.worker?.path ?? ''));
    await world.settle();
    assert.deepEqual(first.story, ['call/failed upstream_lost']);
    assert.ok(waiting.lease.worker, 'its place is free');
    assert.equal(figures().lost, 1);
    first.call();
    await world.settle();
    assert.equal(figures().waiting, 1);
    waiting.leave();
    await world.settle();
    assert.ok(first.lease.worker?.alive);
    assert.equal(serving(first).requests('initialize').length, 1);
  });

  it('ends overflow and old workers when they are given back', async () => {
    await start('auto', { size: 2, overflow: 2, maxLifetime: 5_000 });
    const terms = (name: string) => ({ principal: principal(name), capabilities: { roots: {} }, session: false });
    const [ada, bob] = [await calling(terms('ada')), await calling(terms('bob'))];
    bob.leave();
    await world.settle();
    assert.equal(workers().length, 1, 'beyond the size');
    await world.advance(5_000, IDLE_CHECK);
    ada.leave();
    await world.settle();
    assert.equal(workers().length, 0, 'too old');
  });

  it('pings workers that nobody holds, and ends those that do not answer', async () => {
    await start('auto', { size: 2 });
    const client = await calling({ capabilities: { roots: {} }, session: false });
    const transport = serving(client);
    client.leave();
    await world.settle();
    await world.advance(IDLE_CHECK);
    const [ping] = transport.requests('ping');
    assert.ok(ping);
    transport.answer(ping.id);
    await world.advance(PING_WITHIN);
    assert.equal(workers().length, 1);
    await world.advance(IDLE_CHECK);
    assert.equal(transport.requests('ping').length, 2);
    await world.advance(PING_WITHIN);
    assert.equal(workers().length, 0);
    assert.deepEqual([figures().lost, figures().available, figures().vacant], [1, 1, 1]);
  });

  it('keeps some ready that have said nothing to their server yet', async () => {
    await start('session', { size: 2, warm: 1 });
    assert.equal(workers().length, 1);
    const kept = world.transport;
    assert.deepEqual(kept.sent, []);
    const client = await calling({ capabilities: { sampling: {} } });
    assert.equal(serving(client), kept);
    const [initialize] = kept.requests('initialize');
    assert.deepEqual(initialize?.params?.['capabilities'], { sampling: {} });
    await world.advance(PING_WITHIN * 3, PING_WITHIN);
    assert.deepEqual(client.story, [], 'its connect timeout began with its client');
  });

  const granted = (slots: number, floor: number): Grant => ({
    slots,
    rps: null,
    floor: { slots: floor, rps: null },
    expiresAt: world.clock.now() + IDLE_CHECK - 1,
  });

  it('has no more than control grants, and as many as are configured when nothing is granted any more', async () => {
    await start('session', { size: 3, overflow: 3 });
    world.gate.allowance.lease = granted(1, 1);
    const [first, second] = [await calling(), await calling()];
    assert.ok(first.lease.worker);
    assert.equal(second.lease.worker, null);
    assert.deepEqual([figures().waiting, figures().limit], [1, 1]);
    world.gate.allowance.lease = null;
    await world.advance(IDLE_CHECK);
    assert.ok(second.lease.worker);
  });

  it('a grant that control does not renew holds until it expires, and then its floor does', async () => {
    await start('session', { size: 3, overflow: 3 });
    world.gate.allowance.lease = granted(1, 2);
    const [first, second, third] = [await calling(), await calling(), await calling()];
    await world.advance(IDLE_CHECK / 2);
    assert.deepEqual([first.lease.worker !== null, second.lease.worker, figures().limit], [true, null, 1]);
    await world.advance(IDLE_CHECK / 2); // it has expired: two are its own
    assert.ok(second.lease.worker);
    assert.deepEqual([third.lease.worker, figures().limit, figures().waiting], [null, 2, 1]);
  });

  it('drains: nobody new, each worker ends when its calls are answered, and it says so when none is left', async () => {
    await start('session', { size: 3 });
    const client = await calling();
    const idle = await calling();
    const transport = serving(client);
    serving(idle).answer(serving(idle).requests('tools/call')[0]?.id ?? 0, {});
    await world.settle();
    const drained = ask<PoolMessage, PoolDrained>(
      world.system.wheel,
      world.system.whereis(upstreamPool(NAME)),
      (replyTo) => ({ type: 'pool/drain', replyTo }),
      10_000,
    );
    await world.settle();
    assert.equal(workers().length, 1, 'what runs goes on');
    assert.deepEqual((await calling()).story, ['call/failed upstream_unavailable']);
    client.call();
    await world.settle();
    assert.deepEqual(client.story, ['call/failed upstream_unavailable']);
    transport.answer(transport.requests('tools/call')[0]?.id ?? 0, {});
    await world.settle();
    assert.deepEqual(client.story.slice(1), ['call/answered']);
    assert.deepEqual(await drained, { left: 2 });
    assert.deepEqual(workers(), []);
    assert.ok(world.system.kill(upstreamPool(NAME).path));
    await world.settle();
    assert.deepEqual((await calling()).story, ['call/failed upstream_unavailable'], 'a restart does not undo it');
    world.system.tell(upstreamPool(NAME), { type: 'pool/resume' });
    assert.ok((await calling()).lease.worker);
  });

  it('adopts its workers and who holds them when it crashes: no call over a lease is lost', async () => {
    await start('session');
    const [first, second] = [await calling(), await calling()];
    const waiting = await calling();
    const before = first.lease.worker;
    assert.ok(world.system.kill(upstreamPool(NAME).path));
    second.leave(); // while nobody hears it
    await world.settle();
    assert.equal(first.lease.worker, before);
    assert.deepEqual(waiting.story, ['call/failed upstream_unavailable']);
    assert.deepEqual([figures().inUse, workers().length], [1, 1]);
    serving(first).answer(serving(first).requests('tools/call')[0]?.id ?? 0, {});
    await world.settle();
    assert.deepEqual(first.story, ['call/answered']);
    first.leave();
    await world.settle();
    assert.deepEqual([figures().inUse, workers().length], [0, 0]);
  });

  it('ends all workers when the upstream is disabled', async () => {
    await start('session');
    const client = await calling();
    const [waiting] = [await calling(), await calling()].slice(1);
    await world.operate('disable');
    await world.settle();
    assert.deepEqual(workers(), []);
    assert.deepEqual(
      client.story,
      ['call/failed upstream_unavailable'].map(() => client.story[0]),
    );
    assert.deepEqual(waiting?.story, ['call/failed upstream_unavailable']);
  });

  it('shares calls among its shared sessions: each goes to the one with the fewest', async () => {
    await start('shared', { shared: 2 });
    assert.equal(world.transports.length, 2);
    assert.equal(world.gate.others.length, 1);
    const calls = Array.from({ length: 4 }, (_, i) => {
      const to = world.gate.route();
      const replyTo: Ref<CallEvent> = new FakeRef(`/c${i}`);
      const caller = { era: 'legacy', principal: ANONYMOUS, envelope: {} } as const;
      const fields = {
        id: i,
        method: 'tools/call',
        target: 't',
        params: {},
        progressToken: undefined,
        startedAt: 0,
        caller,
      };
      const call = new Call({
        ...fields,
        tool: undefined,
        replyTo,
        gate: world.gate,
        to: to ?? assert.fail(),
        channel: new FakeChannel(),
      });
      to?.tell(call);
      return call;
    });
    await world.settle();
    assert.deepEqual(
      world.transports.map((transport) => transport.requests('tools/call').length),
      [2, 2],
    );
    assert.equal(figures().inUse, 2);
    assert.ok(world.system.kill(world.gate.others[0]?.ref.path ?? ''));
    await world.settle();
    assert.equal(world.gate.others.length, 0);
    assert.equal(calls.filter((call) => call.to === world.gate.session).length, 2);
    await world.advance(IDLE_CHECK);
    assert.equal(world.gate.others.length, 1, 'another took its place');
  });

  it('reports pain while its leases run out and clients wait in vain, and that all is well again', async () => {
    await start('session');
    const readings: Reading[] = [];
    world.plane.algedonic = { report: (reading) => void readings.push(reading) };
    const of = (index: string) => readings.filter((reading) => reading.index === index).map(({ value }) => value);
    const [first, second] = [await calling(), await calling()];
    assert.deepEqual(of('pool_utilisation'), [1]);
    assert.deepEqual(readings.map(({ source, pain, agony }) => [source, pain, agony])[0], [`pool:${NAME}`, 0.9, 1]);
    await calling();
    await world.advance(TIMEOUT, 100);
    assert.equal(of('pool_timeouts')[0], 1);
    first.leave();
    second.leave();
    await world.advance(IDLE_CHECK);
    assert.equal(of('pool_utilisation').at(-1), 0.5);
    assert.equal(of('pool_timeouts').at(-1), 0);
  });
});
