/** What the trace of a call says of why it was let through. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UpstreamGate } from '#src/actors/upstream-gate.js';

describe('actors/admitted', () => {
  it('says how the upstream is with each call, and is made once for what comes again', () => {
    const state = fc.constantFrom('closed' as const, 'half_open' as const);
    const calls = fc.array(fc.record({ state, inFlight: fc.nat({ max: 400 }), maxInFlight: fc.constantFrom(8, 500) }));
    fc.assert(
      fc.property(calls, (all) => {
        const gate = new UpstreamGate('up', 8, 1_000);
        for (const { state: is, inFlight, maxInFlight } of all) {
          gate.breaker.state = is;
          gate.inFlight = inFlight;
          gate.maxInFlight = maxInFlight;
          const event = gate.admitted.by(gate);
          assert.equal(gate.admitted.by(gate), event);
          assert.equal(event.name, 'viable.admitted');
          assert.deepEqual(event.attributes, {
            'viable.breaker': is,
            'viable.in_flight': inFlight,
            'viable.in_flight_limit': maxInFlight,
          });
        }
      }),
    );
  });

  it('keeps no more than it has use for', () => {
    const gate = new UpstreamGate('up', 100_000, 1_000);
    const first = gate.admitted.by(gate);
    for (gate.inFlight = 1; gate.inFlight < 1_000; gate.inFlight += 1) gate.admitted.by(gate);
    gate.inFlight = 0;
    assert.notEqual(gate.admitted.by(gate), first);
  });
});
