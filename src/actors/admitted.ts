/** What let calls through, as their traces say it: made once for each state of an upstream, as long as it comes again. */
import { SharedFields } from '../telemetry/tracing/shared-fields.js';
import { type UpstreamGate } from './upstream-gate.js';

/** Of one upstream at a time; how many calls it has at a time is seldom more. */
const MOST_KEPT = 256;

export class Admitted {
  /** By how many calls it had, while the rest stays as it is. */
  readonly #events = new Map<number, SharedFields>();
  #state = '';
  #limit = Number.NaN;

  /** The event of a call that has just been let through. */
  by({
    breaker: { state },
    inFlight,
    maxInFlight,
  }: Pick<UpstreamGate, 'breaker' | 'inFlight' | 'maxInFlight'>): SharedFields {
    if (state !== this.#state || maxInFlight !== this.#limit || this.#events.size > MOST_KEPT) {
      this.#events.clear();
      this.#state = state;
      this.#limit = maxInFlight;
    }
    let event = this.#events.get(inFlight);
    if (event === undefined) {
      event = new SharedFields('viable.admitted', {
        'viable.breaker': state,
        'viable.in_flight': inFlight,
        'viable.in_flight_limit': maxInFlight,
      });
      this.#events.set(inFlight, event);
    }
    return event;
  }
}
