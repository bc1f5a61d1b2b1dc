import assert from 'node:assert/strict';
import { ANONYMOUS } from '#src/auth/principal.js';
import { type ClientMessage } from '#src/actors/client-message.js';
import { type LogLevels } from '#src/actors/log-levels.js';
import { REGISTRY, upstreamLifecycle } from '#src/actors/names.js';
import { type RegistryMessage, sessionRegistry } from '#src/actors/session-registry.js';
import { UpstreamGate } from '#src/actors/upstream-gate.js';
import { ask } from '#src/kernel/index.js';
import { FakeRef, live, World } from '../../support/actors/world.js';

describe('session registry', () => {
  let world: World;
  const clients = new Map<string, FakeRef<ClientMessage>>();

  beforeEach(async () => {
    world = new World();
    clients.clear();
    world.plane.gates.set('a', new UpstreamGate('a', 1, 1));
    await world.boot({
      [REGISTRY.path]: live(sessionRegistry({ system: world.system, plane: world.plane })),
      [upstreamLifecycle('a').path]: 'recorder',
    });
    for (const [id, scope] of [
      ['all', null],
      ['on a', 'a'],
      ['on b', 'b'],
    ] as const) {
      const ref = new FakeRef<ClientMessage>(`/${id}`);
      clients.set(id, ref);
      world.plane.sessions.add({
        id,
        scope,
        ref,
        principal: ANONYMOUS,
        transport: 'http',
        inFlight: 0,
        streaming: false,
        lastSeenAt: 0,
        quietUntil: null,
        inspect: () => assert.fail(),
      });
    }
  });

  afterEach(() => world.system.shutdown());

  async function tell(message: RegistryMessage): Promise<void> {
    assert.equal(world.system.tell(REGISTRY, message), 'ok');
    await world.settle();
  }

  /** What each client was told since the last look. */
  const heard = (): Record<string, ClientMessage[]> =>
    Object.fromEntries([...clients].map(([id, ref]) => [id, ref.messages.splice(0)]));

  it('announces changed lists to those who see them, once a list', async () => {
    await tell({
      type: 'registry/lists-changed',
      changes: [
        { scope: null, kind: 'tools' },
        { scope: 'a', kind: 'resources' },
        { scope: 'a', kind: 'resourceTemplates' },
      ],
    });
    const text = (kind: string): string => `{"jsonrpc":"2.0","method":"notifications/${kind}/list_changed"}`;
    assert.deepEqual(heard(), {
      all: [{ type: 'client/broadcast', text: text('tools') }],
      'on a': [{ type: 'client/broadcast', text: text('resources') }],
      'on b': [],
    });
  });

  it('passes log messages on to the aggregate and the server’s own endpoint', async () => {
    const params = { level: 'info', data: 'x' };
    await tell({ type: 'registry/log-message', server: 'a', params });
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params });
    const message = { type: 'client/log-message', params, text };
    assert.deepEqual(heard(), { all: [message], 'on a': [message], 'on b': [] });
  });

  it('asks upstreams for the most verbose level that anybody wants', async () => {
    const change = async (...levels: Parameters<LogLevels['change']>): Promise<void> => {
      world.plane.logLevels.change(...levels);
      await tell({ type: 'registry/log-level' });
    };
    for (const level of ['error', 'warning', 'alert', 'warning', 'debug'] as const) await change(null, level);
    const told = (): unknown[] =>
      world.take(upstreamLifecycle('a').path).map((message) => (message as { level?: unknown }).level);
    assert.deepEqual(told(), ['error', 'warning', 'debug']);
    await change('debug', null);
    assert.deepEqual(told(), ['warning'], 'who wanted more is gone');
    await change('warning', 'notice');
    await change('warning', null);
    assert.deepEqual(told(), ['notice'], 'one of two that want the same');
    for (const level of ['notice', 'error', 'alert'] as const) await change(level, null);
    assert.deepEqual(told(), ['error', 'alert', null], 'nobody asks for any');
  });

  it('counts sessions, and what a full mailbox did not take', async () => {
    const count = ask<RegistryMessage, number>(
      world.system.wheel,
      world.system.whereis(REGISTRY),
      (replyTo) => ({ type: 'registry/count', replyTo }),
      100,
    );
    await world.settle();
    assert.equal(await count, 3);
    const full = clients.get('all');
    assert.ok(full);
    full.result = 'full';
    await tell({ type: 'registry/log-message', server: 'b', params: {} });
    assert.equal(world.plane.counters.drops.get('notification_overflow'), 1);
    assert.equal(heard()['on b']?.length, 1);
  });
});
