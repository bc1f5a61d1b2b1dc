/** When a call comes due: first to open its channel, then for good. */
import assert from 'node:assert/strict';
import { type CallEvent, type Caller, type UpstreamSessionMessage } from '#src/actors/call.js';
import { CallTable } from '#src/actors/call-table.js';
import { ANONYMOUS } from '#src/auth/principal.js';
import { DataPlane } from '#src/actors/data-plane.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { TimerWheel, VirtualClock } from '#src/kernel/index.js';
import { Counters } from '#src/telemetry/counters.js';
import { FakeChannel } from '../../support/actors/client-session.js';
import { configOf, FakeRef } from '../../support/actors/world.js';

/** The wheel's resolution: a deadline comes at most this late, in milliseconds. */
const TICK = 20;
const LEGACY: Caller = { era: 'legacy', principal: ANONYMOUS, envelope: {} };
const MODERN = {
  era: 'modern',
  principal: ANONYMOUS,
  envelope: { protocolVersion: '2026-07-28', clientCapabilities: {} },
  headers: {},
} as unknown as Caller;

class TableWorld {
  readonly clock = new VirtualClock(1_000);
  readonly wheel = new TimerWheel(this.clock);
  readonly self = new FakeRef<CallEvent>();
  readonly upstream = new FakeRef<UpstreamSessionMessage>();
  readonly channel = new FakeChannel();
  readonly gate: UpstreamGate;
  readonly table: CallTable;

  constructor(openStreamAfter: number, requestTimeout: number) {
    const plane = new DataPlane(configOf({ gateway: { requests: { openStreamAfter } } }).gateway, new Counters());
    this.gate = new UpstreamGate('up', 10, requestTimeout);
    this.table = new CallTable(
      { plane, wheel: this.wheel, clock: this.clock },
      this.self,
      plane.counters.transports.http,
    );
  }

  start(caller: Caller): void {
    const { gate, upstream: to, channel } = this;
    const refusal = this.table.start({ id: 1, method: 'tools/call', params: {}, gate, to, caller, channel });
    assert.equal(refusal, undefined);
  }

  /** Moves time on; whether each call that came due meanwhile was over. */
  advance(ms: number): boolean[] {
    this.clock.advance(ms);
    return this.self.messages.splice(0).map((event) => {
      assert.equal(event.type, 'call/expired');
      return this.table.overdue(event.call);
    });
  }
}

describe('a call that is refused because of its upstream', () => {
  it('counts as a call of its that failed, whatever the reason', () => {
    const world = new TableWorld(200, 1_000);
    const { gate, table, channel } = world;
    const start = (id: number, to: FakeRef<UpstreamSessionMessage> | null): string => {
      const request = { id, method: 'tools/call', params: {}, gate, to, caller: LEGACY, channel };
      return String((table.start(request)?.data as { reason?: string } | undefined)?.reason);
    };
    assert.equal(start(1, world.upstream), 'undefined');
    assert.deepEqual([gate.calls, gate.failures], [1, 0]);
    assert.equal(start(2, null), 'upstream_unavailable');
    world.upstream.result = 'full';
    assert.equal(start(3, world.upstream), 'overloaded');
    gate.maxInFlight = 1;
    assert.equal(start(4, world.upstream), 'overloaded');
    assert.deepEqual([gate.calls, gate.failures, gate.inFlight], [4, 3, 1]);
  });
});

describe('a call comes due', () => {
  it('twice in the legacy era: its channel is opened, and it has the rest of its time', () => {
    const world = new TableWorld(200, 1_000);
    world.start(LEGACY);
    assert.deepEqual(world.advance(199), []);
    assert.deepEqual(world.advance(TICK), [false]);
    assert.equal(world.channel.signs, 1);
    assert.deepEqual(world.advance(1_000 - 200 - TICK), [], 'not before its time');
    assert.deepEqual(world.advance(2 * TICK), [true]);
    assert.equal(world.channel.signs, 1);
  });

  it('once in the modern era, whose streams cannot be resumed', () => {
    const world = new TableWorld(200, 1_000);
    world.start(MODERN);
    assert.deepEqual(world.advance(999), []);
    assert.deepEqual(world.advance(TICK), [true]);
    assert.equal(world.channel.signs, 0);
  });

  it('once when its time is shorter than that of the first look', () => {
    const world = new TableWorld(200, 200);
    world.start(LEGACY);
    assert.deepEqual(world.advance(200 + TICK), [true]);
    assert.equal(world.channel.signs, 0);
  });

  it('not again when it was answered between the two', () => {
    const world = new TableWorld(200, 1_000);
    world.start(LEGACY);
    assert.deepEqual(world.advance(200 + TICK), [false]);
    const call = world.table.get(1);
    assert.ok(call && world.table.take(call));
    assert.deepEqual(world.advance(5_000), []);
    assert.equal(world.wheel.size, 0);
    assert.equal(world.gate.inFlight, 0);
  });

  it('a first look that meets an answered call has nothing to open', () => {
    const world = new TableWorld(200, 1_000);
    world.start(LEGACY);
    world.clock.advance(200 + TICK);
    const call = world.table.get(1);
    assert.ok(call && world.table.take(call));
    const [event] = world.self.messages.splice(0);
    assert.ok(event?.type === 'call/expired');
    assert.equal(world.table.overdue(event.call), true);
    assert.equal(world.table.take(event.call), false, 'it cannot be answered a second time');
    assert.equal(world.channel.signs, 0);
    assert.equal(world.wheel.size, 0);
  });

  it('later when somebody is being asked, and then for good', () => {
    const world = new TableWorld(200, 1_000);
    world.start(LEGACY);
    world.table.extend(world.upstream, 10_000);
    assert.deepEqual(world.advance(9_999), []);
    assert.deepEqual(world.advance(TICK), [true]);
  });
});
