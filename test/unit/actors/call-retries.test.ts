/** Calls that are sent once more, deadlines by tool and progress, and the bounds of what waits: on a client's session. */
import assert from 'node:assert/strict';
import { type Call, type UpstreamSessionMessage } from '#src/actors/call.js';
import { Deadlines } from '#src/actors/deadlines.js';
import { gatewayError, type ErrorName } from '#src/protocol/errors.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { ClientWorld, errorOf, FakeChannel } from '../../support/actors/client-session.js';
import { listing } from '../../support/actors/listings.js';
import { configOf, FakeRef } from '../../support/actors/world.js';

const DEADLINE = 10_000;

function worldOf(retries: JsonObject = {}, tools: readonly JsonObject[] = []): ClientWorld {
  const own = { ...listing({ tools: ['t'], prompts: ['p'] }) };
  const parts = [{ server: 'a', listing: { ...own, tools: [...own.tools, ...tools] } }];
  const world = new ClientWorld(parts);
  world.plane.options = configOf({ gateway: { retries } }).gateway;
  world.gate('a').maxInFlight = 100;
  world.gate('a').deadlines = new Deadlines({ request: DEADLINE, tools: {}, progress: false, max: DEADLINE });
  world.initialize();
  return world;
}

function fail(world: ClientWorld, call: Call, reason: ErrorName): void {
  world.session.lost(call, gatewayError(reason, 'test', { server: 'a' }));
}

/** Lets the longest wait before the next attempt pass, and tells the session what came due. */
function pass(world: ClientWorld, ms = 500): void {
  world.clock.advance(ms);
  for (const message of world.self.messages.splice(0)) {
    if (message.type === 'call/retry') world.session.resend(message.call);
    else if (message.type === 'call/expired') world.session.expired(message.call);
  }
}

const read = (world: ClientWorld, id = 1): void => world.request(id, 'prompts/get', { name: 'a__p' });
const callTool = (world: ClientWorld, id = 1, name = 'a__t'): void => world.request(id, 'tools/call', { name });
const answer = (world: ClientWorld, call: Call): void =>
  world.session.answered(call, { jsonrpc: '2.0', id: 7, result: { fine: true } });

describe('calls that failed', () => {
  it('a read that was lost is sent once more, and answered once', () => {
    const world = worldOf();
    read(world);
    fail(world, world.lastCall('a'), 'upstream_lost');
    assert.deepEqual(world.channel.take(), []);
    assert.equal(world.gate('a').inFlight, 1, 'it still counts');
    pass(world);
    assert.equal(world.calls('a').length, 2);
    answer(world, world.lastCall('a'));
    assert.deepEqual(
      world.channel.take().map((sent) => [sent['id'], sent['result']]),
      [[1, { fine: true }]],
    );
    assert.deepEqual([world.gate('a').inFlight, world.gate('a').retries, world.plane.counters.inFlight], [0, 1, 0]);
  });

  it('a tool call that may have run is not', () => {
    const world = worldOf();
    callTool(world);
    fail(world, world.lastCall('a'), 'upstream_lost');
    assert.equal(errorOf(world.channel.take()[0]).reason, 'upstream_lost');
    pass(world);
    assert.equal(world.calls('a').length, 1);
  });

  it('a tool call that was never sent is', () => {
    const world = worldOf();
    callTool(world);
    fail(world, world.lastCall('a'), 'upstream_unavailable');
    pass(world);
    assert.equal(world.calls('a').length, 2);
  });

  it('a tool call is, where its tool says that it does no harm and the configuration believes it', () => {
    const tool = (name: string, annotations: JsonObject): JsonObject => ({ name, inputSchema: {}, annotations });
    const tools = [tool('safe', { readOnlyHint: true }), tool('again', { idempotentHint: true }), tool('harm', {})];
    for (const [annotatedTools, name, attempts] of [
      [true, 'a__safe', 2],
      [true, 'a__again', 2],
      [true, 'a__harm', 1],
      [false, 'a__safe', 1],
    ] as const) {
      const world = worldOf({ annotatedTools }, tools);
      callTool(world, 1, name);
      fail(world, world.lastCall('a'), 'upstream_lost');
      pass(world);
      assert.equal(world.calls('a').length, attempts, `${name} ${annotatedTools}`);
    }
  });

  it('what broke the protocol, was overloaded or came too late is not sent again', () => {
    for (const reason of ['upstream_protocol_error', 'overloaded', 'request_timeout'] as const) {
      const world = worldOf();
      read(world);
      fail(world, world.lastCall('a'), reason);
      assert.equal(errorOf(world.channel.take()[0]).reason, reason);
    }
  });

  it('no more than `max` times, then the error is told', () => {
    const world = worldOf({ max: 2 });
    read(world);
    for (let i = 0; i < 3; i++) {
      assert.equal(world.calls('a').length, i + 1);
      fail(world, world.lastCall('a'), 'upstream_lost');
      pass(world, 2_000);
    }
    assert.equal(errorOf(world.channel.take()[0]).reason, 'upstream_lost');
    assert.equal(world.calls('a').length, 3);
  });

  it('no more than the budget has, and what it has not is counted', () => {
    const world = worldOf({ ratio: 0, perSecond: 0 });
    for (const id of [1, 2, 3]) read(world, id);
    const calls = world.calls('a');
    for (const call of calls) fail(world, call, 'upstream_lost');
    assert.equal(world.channel.take().length, 2);
    const { retries, retriesRefused } = world.gate('a');
    assert.deepEqual([retries, retriesRefused], [1, 2]);
  });

  it('not past the deadline, which is that of the first attempt', () => {
    const world = worldOf({ backoffBase: 1 });
    read(world);
    world.clock.advance(DEADLINE - 100);
    fail(world, world.lastCall('a'), 'upstream_lost');
    pass(world, 50);
    assert.equal(world.calls('a').length, 2);
    pass(world, 200);
    assert.equal(errorOf(world.channel.take()[0]).reason, 'request_timeout');
    assert.equal(world.cancelled('a').length, 1);
    answer(world, world.lastCall('a'));
    assert.deepEqual(world.channel.take(), []);
  });

  it('not when its client has given up meanwhile', () => {
    const world = worldOf();
    read(world);
    fail(world, world.lastCall('a'), 'upstream_lost');
    world.notify('notifications/cancelled', { requestId: 1 });
    pass(world);
    assert.equal(world.calls('a').length, 1);
    assert.equal(world.plane.counters.inFlight, 0);
  });

  it('not while the breaker is open, and a probe never', () => {
    const world = worldOf();
    const { breaker } = world.gate('a');
    read(world);
    breaker.state = 'open';
    fail(world, world.lastCall('a'), 'upstream_lost');
    assert.equal(errorOf(world.channel.take()[0]).reason, 'upstream_lost');
    breaker.state = 'half_open';
    breaker.tokenFree = true;
    breaker.token = 5;
    read(world, 2);
    fail(world, world.lastCall('a'), 'upstream_lost');
    assert.equal(world.calls('a').length, 2);
    assert.equal(world.channel.take().length, 1);
  });

  it('goes to the session that there is then', () => {
    const world = worldOf();
    read(world);
    const next = new FakeRef<UpstreamSessionMessage>('/next');
    fail(world, world.lastCall('a'), 'upstream_lost');
    world.gate('a').session = next;
    pass(world);
    assert.equal(next.messages.length, 1);
    world.notify('notifications/cancelled', { requestId: 1 });
    assert.deepEqual(
      next.messages.map((message) => message.type),
      ['call', 'call/cancel'],
    );
  });

  it('is answered when there is no session even then', () => {
    const world = worldOf({ max: 1 });
    read(world);
    fail(world, world.lastCall('a'), 'upstream_lost');
    world.gate('a').session = null;
    pass(world);
    assert.equal(errorOf(world.channel.take()[0]).reason, 'upstream_unavailable');
  });
});

describe('deadlines', () => {
  const deadlines = (over: Partial<ConstructorParameters<typeof Deadlines>[0]>): Deadlines =>
    new Deadlines({ request: 200, tools: {}, progress: false, max: 100_000, ...over });

  it('are those of the first pattern that fits the tool, else the server’s', () => {
    const times = deadlines({ tools: { 'slow_*': 5_000, slow_one: 9_000, exact: 50 } });
    const of = (name: string): number => times.of({ name });
    assert.deepEqual([of('slow_one'), of('exact'), of('exactly'), of('t')], [5_000, 50, 200, 200]);
    assert.equal(of('slow_one'), 5_000);
    assert.equal(times.of(undefined), 200);
  });

  it('end a call in one typed error and a cancel, each at its own time', () => {
    const world = worldOf();
    world.gate('a').deadlines = deadlines({ tools: { t: 1_000 } });
    callTool(world, 1);
    read(world, 2);
    pass(world, 100);
    pass(world, 150);
    assert.deepEqual(
      world.channel.take().map((sent) => [sent['id'], errorOf(sent).data['timeoutMs']]),
      [[2, 200]],
    );
    pass(world, 700);
    assert.deepEqual(world.channel.take(), []);
    pass(world, 100);
    assert.deepEqual(
      world.channel.take().map((sent) => [sent['id'], errorOf(sent).data['timeoutMs']]),
      [[1, 1_000]],
    );
    assert.equal(world.cancelled('a').length, 2);
  });

  it('begin anew with each progress, where that is wanted', () => {
    const world = worldOf();
    world.gate('a').deadlines = deadlines({ progress: true });
    callTool(world);
    for (let i = 0; i < 5; i++) {
      pass(world, 150);
      world.session.notified(world.lastCall('a'), 'notifications/progress', { progress: i });
    }
    assert.ok(world.channel.take().every((sent) => sent['method'] === 'notifications/progress'));
    pass(world, 230);
    assert.equal(errorOf(world.channel.take()[0]).reason, 'request_timeout');
  });

  it('do not, where it is not', () => {
    const world = worldOf();
    world.gate('a').deadlines = deadlines({});
    callTool(world);
    pass(world, 150);
    world.session.notified(world.lastCall('a'), 'notifications/progress', { progress: 1 });
    pass(world, 80);
    assert.equal(errorOf(world.channel.take()[1]).reason, 'request_timeout');
  });
});

describe('the adaptive limit', () => {
  it('keeps calls out at once, below the configured bound', () => {
    const world = worldOf();
    const gate = world.gate('a');
    gate.limit = 2.9;
    const channel = new FakeChannel();
    for (const id of [1, 2, 3, 4]) world.request(id, 'tools/call', { name: 'a__t' }, channel);
    const refused = channel.take();
    assert.deepEqual(
      refused.map((sent) => [sent['id'], errorOf(sent).reason, errorOf(sent).data['retryAfter']]),
      [[4, 'overloaded', 1]],
    );
    assert.deepEqual([gate.overLimit, gate.peak], [1, 3]);
  });

  it('learns how long the server took, and not how long people did', () => {
    const world = worldOf();
    const gate = world.gate('a');
    callTool(world, 1);
    const call = world.lastCall('a');
    call.sentAt = call.startedAt + 1;
    answer(world, call);
    callTool(world, 2);
    world.lastCall('a').sentAt = 1;
    world.session.heard({
      type: 'server/requested',
      from: world.upstream('a'),
      id: 1,
      method: 'ping',
      params: {},
    });
    answer(world, world.lastCall('a'));
    callTool(world, 3);
    answer(world, world.lastCall('a')); // it was never sent: there is nothing to learn
    assert.equal(
      [...gate.answers.all()].reduce((sum, { count }) => sum + count, 0),
      1,
    );
  });
});
