/** What the trace of a call says of why it was let through. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UpstreamGate } from '#src/actors/upstream-gate.js';

describe('actors/admitted', () => {
  it('says how the upstream is with each call, and is made once for as long as that stays so', () => {
    const state = fc.constantFrom('closed' as const, 'half_open' as const);
    const calls = fc.array(fc.record({ state, maxInFlight: fc.constantFrom(8, 500) }));
    fc.assert(
      fc.property(calls, (all) => {
        const gate = new UpstreamGate('up', 8, 1_000);
        for (const { state: is, maxInFlight } of all) {
          gate.breaker.state = is;
          gate.maxInFlight = maxInFlight;
          const event = gate.admitted.by(gate);
          assert.equal(gate.admitted.by(gate), event);
          assert.deepEqual([event.name, event.measure], ['viable.admitted', 'viable.in_flight']);
          assert.deepEqual(event.attributes, { 'viable.breaker': is, 'viable.in_flight_limit': maxInFlight });
        }
      }),
    );
  });
});
