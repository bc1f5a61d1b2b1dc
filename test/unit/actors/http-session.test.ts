import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ANONYMOUS } from '#src/auth/principal.js';
import { httpSession, type HttpSessionMessage } from '#src/actors/http-session.js';
import { REGISTRY } from '#src/actors/names.js';
import { actor } from '#src/kernel/index.js';
import { parseFrame } from '#src/protocol/parse.js';
import { HttpExchange } from '#src/transports/inbound/http-exchange.js';
import { World } from '../../support/actors/world.js';

class CountingExchange extends HttpExchange {
  released = 0;

  override release(): void {
    this.released += 1;
  }
}

describe('HTTP session', () => {
  it('gives up each request of a body that comes as it ends', async () => {
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
      const exchange = new CountingExchange(response, plane.outflow, 0, Array.isArray(body));
      const frame = parseFrame(JSON.stringify(body));
      assert.equal(started.ref.accept({ type: 'http/post', frame, exchange, bytes: 1, principal }), 'ok');
      return exchange;
    };
    const request = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' });
    started.ref.tell({ type: 'http/delete', done: () => undefined });
    const batch = post([request(1), { jsonrpc: '2.0', method: 'notifications/x' }, request(2), { odd: true }]);
    const single = post(request(3));
    const notification = post({ jsonrpc: '2.0', method: 'notifications/x' });
    await world.settle();
    assert.deepEqual([batch.released, single.released, notification.released], [3, 1, 0]);
    await system.shutdown();
  });
});
