/**
 * One client session against a small model: whatever the client, its upstreams and time do in whatever order, each
 * request is answered exactly once unless it was cancelled or the session closed, and every count comes back to 0.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Call } from '#src/actors/call.js';
import { type JsonObject, type JsonRpcId } from '#src/protocol/jsonrpc.js';
import {
  ClientWorld,
  errorOf,
  FakeChannel,
  MAX_IN_FLIGHT,
  REQUEST_TIMEOUT,
} from '../../support/actors/client-session.js';
import { listing } from '../../support/actors/listings.js';

const SERVERS = ['a', 'b'] as const;
const IDS: readonly JsonRpcId[] = [1, '1', 2, '2', '', '__proto__', 0];
const TICK = 20;

type Step =
  | {
      readonly do: 'call';
      readonly id: JsonRpcId;
      readonly server: string;
      readonly token: JsonRpcId | undefined;
      readonly via: 0 | 1;
    }
  | { readonly do: 'ok' | 'error' | 'internal' | 'fail' | 'progress'; readonly which: number }
  | { readonly do: 'cancel'; readonly id: JsonRpcId }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'gate'; readonly server: string; readonly is: 'ok' | 'full' | 'noproc' | 'away' }
  | { readonly do: 'hang-up'; readonly via: 0 | 1 }
  | { readonly do: 'fail-all' };

const id = fc.constantFrom(...IDS);
const serverName = fc.constantFrom(...SERVERS);
const via = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      id,
      server: serverName,
      token: fc.option(id, { nil: undefined }),
      via,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('ok', 'error', 'internal', 'fail', 'progress'), which: fc.nat(12) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), id }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 300, 980, 1_000, 5_000) }),
  },
  fc.record({
    do: fc.constant('gate' as const),
    server: serverName,
    is: fc.constantFrom('ok', 'full', 'noproc', 'away'),
  }),
  fc.record({ do: fc.constant('hang-up' as const), via }),
  fc.record({ do: fc.constant('fail-all' as const) }),
);

interface Outstanding {
  readonly id: JsonRpcId;
  readonly server: string;
  readonly via: 0 | 1;
  readonly token: JsonRpcId | undefined;
  readonly since: number;
}

/** The session as it should be. */
class Model {
  readonly outstanding = new Map<JsonRpcId, { index: number; call: Outstanding }>();
  readonly wrote: unknown[][] = [[], []];
  readonly released = [0, 0];
  readonly open = [true, true];
  late = 0;
  failed = 0;
  succeeded = 0;

  inFlight(server: string): number {
    return [...this.outstanding.values()].filter(({ call }) => call.server === server).length;
  }

  write(to: 0 | 1, what: unknown): void {
    if (this.open[to]) this.wrote[to]?.push(what);
  }

  /** Takes the call out if it is the one that waits under its id. */
  take(index: number, calls: readonly Outstanding[]): Outstanding | undefined {
    const call = calls[index] as Outstanding;
    if (this.outstanding.get(call.id)?.index === index) {
      this.outstanding.delete(call.id);
      return call;
    }
    this.late += 1;
    return undefined;
  }
}

class Run {
  readonly world = new ClientWorld(SERVERS.map((server) => ({ server, listing: listing({ tools: ['t'] }) })));
  readonly channels = [new FakeChannel(), new FakeChannel()] as const;
  readonly model = new Model();
  readonly calls: Outstanding[] = [];
  readonly real: Call[] = [];

  constructor() {
    this.world.initialize();
  }

  step(step: Step): void {
    switch (step.do) {
      case 'call':
        return this.#call(step);
      case 'ok':
      case 'error':
      case 'internal':
      case 'fail':
      case 'progress':
        if (this.calls.length > 0) this.#upstreamSays(step.do, step.which % this.calls.length);
        return;
      case 'cancel':
        return this.#cancel(step.id);
      case 'wait':
        return this.#wait(step.ms);
      case 'gate':
        return this.#setGate(step.server, step.is);
      case 'hang-up':
        this.channels[step.via].open = false;
        this.model.open[step.via] = false;
        return;
      case 'fail-all':
        return this.#failAll();
    }
  }

  #call({ id: asked, server, token, via: to }: Step & { do: 'call' }): void {
    const { world, model, calls } = this;
    const gate = world.gate(server);
    const ref = world.upstream(server);
    const before = world.calls(server).length;
    const meta = token === undefined ? {} : { _meta: { progressToken: token } };
    world.request(asked, 'tools/call', { name: `${server}__t`, ...meta }, this.channels[to]);
    if (model.outstanding.has(asked)) return model.write(to, [null, 'invalid_request']);
    const refusal =
      model.inFlight(server) >= MAX_IN_FLIGHT
        ? 'overloaded'
        : gate.session === null || ref.result === 'noproc'
          ? 'upstream_unavailable'
          : ref.result === 'full'
            ? 'overloaded'
            : null;
    if (refusal !== null) {
      model.failed += 1;
      return model.write(to, [asked, refusal]);
    }
    assert.equal(world.calls(server).length, before + 1);
    const call: Outstanding = { id: asked, server, via: to, token, since: world.clock.now() };
    model.outstanding.set(asked, { index: calls.length, call });
    calls.push(call);
    this.real.push(world.lastCall(server));
  }

  #upstreamSays(what: 'ok' | 'error' | 'internal' | 'fail' | 'progress', index: number): void {
    const { world, model, calls } = this;
    const call = this.real[index] as Call;
    const { session } = world;
    if (what === 'progress') {
      const { id: asked, token, via: to } = calls[index] as Outstanding;
      if (token === undefined) return; // its upstream was given no token to speak under
      session.notified(call, 'notifications/progress', { progressToken: 77, progress: index });
      if (model.outstanding.get(asked)?.index === index) model.write(to, ['progress', token, index]);
      else model.late += 1;
      return;
    }
    if (what === 'ok') session.answered(call, { jsonrpc: '2.0', id: 99, result: { n: index } });
    else if (what === 'fail') session.failed(call, { code: -1, message: 'lost', data: { reason: 'lost' } });
    else {
      const code = what === 'internal' ? -32603 : -5;
      session.answered(call, { jsonrpc: '2.0', id: 99, error: { code, message: 'x', data: { reason: what } } });
    }
    const taken = model.take(index, calls);
    if (!taken) return;
    if (what === 'fail' || what === 'internal') model.failed += 1;
    else model.succeeded += 1;
    model.write(taken.via, what === 'ok' ? [taken.id, index] : [taken.id, what === 'fail' ? 'lost' : what]);
  }

  #cancel(asked: JsonRpcId): void {
    this.world.notify('notifications/cancelled', { requestId: asked, reason: 'changed my mind' });
    const waiting = this.model.outstanding.get(asked);
    if (!waiting) return;
    this.model.outstanding.delete(asked);
    this.model.released[waiting.call.via] = (this.model.released[waiting.call.via] ?? 0) + 1;
    assert.ok(this.real[waiting.index]?.cancelled);
  }

  #wait(ms: number): void {
    const { world, model, calls } = this;
    world.clock.advance(ms);
    const now = world.clock.now();
    const fired = world.self.messages.splice(0).flatMap((event) => (event.type === 'call/expired' ? [event.call] : []));
    const indexes = fired.map((call) => this.real.indexOf(call));
    for (const { index, call } of model.outstanding.values()) {
      if (now - call.since >= REQUEST_TIMEOUT + TICK) assert.ok(indexes.includes(index), 'expired too late');
    }
    for (const [i, call] of fired.entries()) {
      assert.ok(now - (calls[indexes[i] as number] as Outstanding).since >= REQUEST_TIMEOUT, 'expired too early');
      world.session.expired(call);
      const taken = model.take(indexes[i] as number, calls);
      if (!taken) continue;
      model.failed += 1;
      model.write(taken.via, [taken.id, 'request_timeout']);
    }
  }

  #setGate(server: string, is: 'ok' | 'full' | 'noproc' | 'away'): void {
    const ref = this.world.upstream(server);
    this.world.gate(server).session = is === 'away' ? null : ref;
    ref.result = is === 'away' ? 'ok' : is;
  }

  #failAll(): void {
    this.world.session.failAll('cancelled_by_gateway', 'enough');
    for (const { call } of this.model.outstanding.values()) {
      this.model.failed += 1;
      this.model.write(call.via, [call.id, 'cancelled_by_gateway']);
    }
    this.model.outstanding.clear();
  }

  check(): void {
    const { world, model } = this;
    assert.equal(world.session.inFlight, model.outstanding.size);
    assert.equal(world.plane.counters.inFlight, model.outstanding.size);
    for (const server of SERVERS) assert.equal(world.gate(server).inFlight, model.inFlight(server));
    const wrote = this.channels.map((channel) => channel.written.map(brief));
    assert.deepEqual(wrote, model.wrote);
    assert.deepEqual(
      this.channels.map((channel) => channel.released),
      model.released,
    );
    assert.equal(world.drops('late_answer'), model.late);
    const { succeeded, failed } = world.plane.counters.transports.http;
    assert.deepEqual({ succeeded, failed }, { succeeded: model.succeeded, failed: model.failed });
  }

  /** The client goes; nothing may be written any more, whatever comes. */
  close(): void {
    const { world, model } = this;
    world.session.close('gone');
    for (const { call } of model.outstanding.values()) model.released[call.via] = (model.released[call.via] ?? 0) + 1;
    model.outstanding.clear();
    this.check();
    this.real.forEach((_, index) => this.#upstreamSays('ok', index));
    this.check();
    assert.equal(world.wheel.size, 0);
    assert.ok(this.real.every((call) => call.tick < 0));
  }
}

/** A message to the client in few words: [id, value or reason], or a progress notification. */
function brief(message: JsonObject): unknown[] {
  const params = message['params'] as JsonObject | undefined;
  if (params) return ['progress', params['progressToken'], params['progress']];
  const result = message['result'] as JsonObject | undefined;
  return [message['id'], result ? result['n'] : errorOf(message).reason];
}

describe('legacy session, properties', () => {
  it('answers each request exactly once, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const run = new Run();
        for (const next of steps) {
          run.step(next);
          run.check();
        }
        run.close();
      }),
      { numRuns: 400 },
    );
  });
});
