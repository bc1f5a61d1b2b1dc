import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ANONYMOUS } from '#src/auth/principal.js';
import { httpSession, type HttpSessionMessage } from '#src/actors/http-session.js';
import { type SessionState } from '#src/handover/messages.js';
import { REGISTRY } from '#src/actors/names.js';
import { actor } from '#src/kernel/index.js';
import { type ErrorName } from '#src/protocol/errors.js';
import { parseFrame } from '#src/protocol/parse.js';
import { type EventStream } from '#src/transports/inbound/event-stream.js';
import { HttpExchange } from '#src/transports/inbound/http-exchange.js';
import { World } from '../../support/actors/world.js';

class CountingExchange extends HttpExchange {
  readonly refused: string[] = [];

  override refuse(name: ErrorName): void {
    this.refused.push(name);
  }
}

describe('HTTP session', () => {
  it('refuses a body that comes as it ends: nothing of it was begun', async () => {
    const world = new World();
    await world.boot({ '/clients': 'dynamic', [REGISTRY.path]: 'recorder' });
    const { system, plane, clock } = world;
    const env = { system, plane, wheel: system.wheel, clock, version: '1', onLogLevel: () => undefined };
    const principal = ANONYMOUS;
    const facts = {
      sessionId: 's',
      transport: 'http',
      scope: null,
      principal,
      remote: 'here',
      address: 'here',
      route: '/mcp',
    } as const;
    const init = httpSession(env, facts);
    const started = system.startChild(
      '/clients',
      actor<HttpSessionMessage>({ id: 'http-1', restart: 'temporary', init }),
    );
    assert.ok(started.ok);
    await world.settle();
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const post = (body: unknown): CountingExchange => {
      const exchange = new CountingExchange(response, plane.outflow, () => '', 0, Array.isArray(body));
      const frame = parseFrame(JSON.stringify(body));
      assert.equal(started.ref.accept({ type: 'http/post', frame, exchange, bytes: 1, principal }), 'ok');
      return exchange;
    };
    const request = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' });
    started.ref.tell({ type: 'http/delete', done: () => undefined, elsewhere: () => undefined });
    const batch = post([request(1), { jsonrpc: '2.0', method: 'notifications/x' }, request(2), { odd: true }]);
    const single = post(request(3));
    await world.settle();
    assert.deepEqual([batch.refused, single.refused], [['session_not_found'], ['session_not_found']]);
    await system.shutdown();
  });
});

describe('HTTP session that goes to another process', () => {
  async function sessionIn(world: World, state?: SessionState) {
    world.plane.handover = {
      session: (left) => {
        states.push(structuredClone(left));
        world.plane.moved.add(left.id);
      },
      socket: () => undefined,
    };
    await world.boot({ '/clients': 'dynamic', [REGISTRY.path]: 'recorder' });
    const { system, plane, clock } = world;
    const levels: string[] = [];
    const env = {
      system,
      plane,
      wheel: system.wheel,
      clock,
      version: '1',
      onLogLevel: (_: string | null, level: string | null) => levels.push(level ?? 'none'),
    };
    const facts = {
      sessionId: 's',
      transport: 'http',
      scope: null,
      principal: ANONYMOUS,
      remote: 'here',
      address: 'here',
      route: '/mcp',
    } as const;
    const init = httpSession(env, facts, state);
    const started = system.startChild<HttpSessionMessage>(
      '/clients',
      actor<HttpSessionMessage>({ id: 'http-1', restart: 'temporary', init }),
    );
    assert.ok(started.ok);
    await world.settle();
    return { ref: started.ref, levels };
  }
  const states: SessionState[] = [];
  const worlds: World[] = [];

  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.system.shutdown();
    states.length = 0;
  });

  function newWorld(): World {
    const world = new World();
    worlds.push(world);
    return world;
  }

  const LEFT: SessionState = {
    id: 's',
    scope: null,
    principal: ANONYMOUS,
    remote: 'here',
    address: 'here',
    route: '/mcp',
    phase: 'ready',
    initialize: { protocolVersion: '2025-06-18', capabilities: { roots: {} }, clientInfo: { name: 'c', version: '1' } },
    logLevel: 'error',
    subscriptions: [],
    replay: {
      streams: 3,
      numbers: 9,
      events: [
        [0, 8, '{"a":1}'],
        [0, 9, '{"b":2}'],
      ],
    },
  };

  it('is there what it was here: a state that comes goes on the same', async () => {
    const world = newWorld();
    const { ref, levels } = await sessionIn(world, LEFT);
    assert.deepEqual(levels, ['error']);
    assert.equal(world.plane.sessions.get('s')?.inspect().protocolVersion, '2025-06-18');
    ref.urgent({ type: 'client/hand-over', force: false });
    await world.settle();
    assert.deepEqual(states, [LEFT]);
    assert.equal(world.plane.sessions.size, 0);
  });

  it('a client that had lost its stream gets from the next process what it missed', async () => {
    const world = newWorld();
    const { ref } = await sessionIn(world, LEFT);
    const sent: unknown[] = [];
    const stream = {
      send: (event: unknown) => sent.push(event),
      onClose: () => undefined,
      end: () => undefined,
      open: true,
    };
    ref.tell({
      type: 'http/get',
      lastEventId: '0-8',
      accept: () => stream as unknown as EventStream,
      refuse: () => assert.fail(),
      elsewhere: () => assert.fail(),
      principal: ANONYMOUS,
    });
    await world.settle();
    assert.deepEqual(sent, [{ id: '0-9', data: '{"b":2}' }]);
  });

  it('what comes behind it is sent after it', async () => {
    const world = newWorld();
    const { ref } = await sessionIn(world, LEFT);
    const went: string[] = [];
    const exchange = { elsewhere: () => went.push('post') } as unknown as HttpExchange;
    ref.urgent({ type: 'client/hand-over', force: false });
    const frame = parseFrame('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    ref.tell({ type: 'http/post', frame, exchange, bytes: 1, principal: ANONYMOUS });
    ref.tell({ type: 'http/delete', done: () => went.push('done'), elsewhere: () => went.push('delete') });
    await world.settle();
    assert.equal(states.length, 1);
    assert.deepEqual(went, ['post', 'delete']);
  });
});
