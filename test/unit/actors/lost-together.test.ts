/** What the breaker counts when calls are lost with their session. */
import assert from 'node:assert/strict';
import { type BreakerNews } from '#src/actors/breaker-gate.js';
import { type Call, type UpstreamSessionMessage } from '#src/actors/call.js';
import { FailurePolicy } from '#src/actors/outcomes.js';
import { type UpstreamGate } from '#src/actors/upstream-gate.js';
import { gatewayError } from '#src/protocol/errors.js';
import { ClientWorld, MAX_IN_FLIGHT } from '../../support/actors/client-session.js';
import { listing } from '../../support/actors/listings.js';
import { FakeRef } from '../../support/actors/world.js';

describe('calls that are lost together', () => {
  let world: ClientWorld;
  let gate: UpstreamGate;
  let made = 0;

  beforeEach(() => {
    world = new ClientWorld([{ server: 'a', listing: listing({ tools: ['t'] }) }]);
    gate = world.gate('a');
    gate.failurePolicy = new FailurePolicy({
      timeout: true,
      lost: true,
      unavailable: true,
      protocol: true,
      errorCodes: [],
      toolErrors: false,
    });
    world.initialize();
  });

  /** So many calls on their way over a worker, whatever they were sent to. */
  function over(worker: FakeRef<UpstreamSessionMessage>, count: number = MAX_IN_FLIGHT): Call[] {
    return Array.from({ length: count }, () => {
      world.request((made += 1), 'tools/call', { name: 'a__t' });
      const call = world.lastCall('a');
      call.carrier = worker;
      return call;
    });
  }

  function lose(calls: readonly Call[]): void {
    for (const call of calls) world.session.lost(call, gatewayError('upstream_lost', 'test', { server: 'a' }));
  }

  it('are one failure, also where they were sent to a lease that lives on', () => {
    const worker = new FakeRef<UpstreamSessionMessage>('/worker');
    const calls = over(worker);
    worker.alive = false;
    lose(calls);
    assert.deepEqual([gate.breaker.failed, gate.breaker.consecutive], [1, 1]);
  });

  it('of two sessions are two, in whatever order they are heard of', () => {
    const [one, two] = [new FakeRef<UpstreamSessionMessage>('/one'), new FakeRef<UpstreamSessionMessage>('/two')];
    const [first, second, third] = [...over(one, 1), ...over(two, 1), ...over(one, 1)];
    one.alive = false;
    two.alive = false;
    lose([first!, second!, third!]);
    assert.equal(gate.breaker.failed, 2);
  });

  it('while their session lives are counted one by one', () => {
    lose(over(new FakeRef<UpstreamSessionMessage>('/worker')));
    assert.equal(gate.breaker.failed, MAX_IN_FLIGHT);
  });

  it('a probe that is lost with others still says how it ended', () => {
    const worker = new FakeRef<UpstreamSessionMessage>('/worker');
    const [call, probe] = over(worker, 2);
    const actor = new FakeRef<BreakerNews>('/breaker');
    gate.breaker.actor = actor;
    probe!.token = 7;
    worker.alive = false;
    lose([call!, probe!]);
    assert.deepEqual(
      actor.messages.filter(({ type }) => type === 'breaker/probe-ended'),
      [{ type: 'breaker/probe-ended', token: 7, outcome: 'failure' }],
    );
  });
});
