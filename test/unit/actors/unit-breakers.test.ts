import assert from 'node:assert/strict';
import { countTransportFailure, transportBreaker } from '#src/actors/unit-breakers.js';
import { type Report } from '#src/kernel/index.js';
import { configOf, live, World } from '../../support/actors/world.js';

const BREAKER = '/front/breakers/sse';
const fault = { type: 'fault', error: new Error('defect') } as const;
const ended = (path: string, reason: Extract<Report, { type: 'child/terminated' }>['reason']): Report => ({
  type: 'child/terminated',
  path,
  incarnation: 1,
  reason,
});

describe('breakers of client transports', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(
      configOf({ gateway: { breaker: { openFor: 1_000, probeAfter: 500, transports: { consecutiveFailures: 3 } } } }),
    );
    await world.boot({ [BREAKER]: live(transportBreaker(world.plane, world.log, 'sse')) });
  });

  const report = async (what: Report): Promise<void> => {
    countTransportFailure(world.plane, what);
    await world.settle();
  };

  it('open by connections that crash, and by none that ends as it should', async () => {
    for (let i = 0; i < 10; i++) {
      await report(ended('/front/connections/p0/sse-1', { type: 'normal' }));
      await report(ended('/front/connections/p0/sse-1', { type: 'killed' }));
      await report(ended('/front/connections/p0/http-1', fault));
      await report(ended('/operations/catalogue', fault));
    }
    assert.equal(world.plane.breakers.sse.state, 'closed');
    for (let i = 0; i < 3; i++) await report(ended(`/front/connections/p0/sse-${i}`, fault));
    assert.equal(world.plane.breakers.sse.state, 'open');
    assert.equal(world.plane.breakers.http.consecutive, 10);
    assert.equal(world.plane.breakers.websocket.failed, 0);
  });

  it('open by connections that cannot be started', async () => {
    for (let i = 0; i < 3; i++)
      await report({ type: 'child/start-failed', path: `/front/connections/p0/sse-${i}`, error: new Error('no') });
    assert.equal(world.plane.breakers.sse.state, 'open');
  });

  it('count WebSockets and Phoenix Channels as one transport', async () => {
    await report(ended('/front/connections/p0/ws-1', fault));
    await report(ended('/front/connections/p1/phx-2', fault));
    assert.equal(world.plane.breakers.websocket.failed, 2);
  });

  it('let newcomers in again when the hold is over, for there is nobody to ask', async () => {
    for (let i = 0; i < 3; i++) await report(ended(`/front/connections/p0/sse-${i}`, fault));
    await world.advance(1_000);
    assert.equal(world.plane.breakers.sse.state, 'half_open');
    await world.advance(500);
    assert.equal(world.plane.breakers.sse.state, 'closed');
  });
});
