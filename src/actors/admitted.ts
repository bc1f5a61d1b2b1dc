/** What let calls through, as their traces say it: made once for as long as an upstream stays as it is. */
import { SharedFields } from '../telemetry/tracing/shared-fields.js';
import { type UpstreamGate } from './upstream-gate.js';

export class Admitted {
  #event: SharedFields | null = null;
  #state = '';
  #limit = Number.NaN;

  /** The event of a call that has just been let through; it measures how many calls its upstream had. */
  by({ breaker: { state }, maxInFlight }: Pick<UpstreamGate, 'breaker' | 'maxInFlight'>): SharedFields {
    if (this.#event !== null && state === this.#state && maxInFlight === this.#limit) return this.#event;
    this.#state = state;
    this.#limit = maxInFlight;
    const attributes = { 'viable.breaker': state, 'viable.in_flight_limit': maxInFlight };
    return (this.#event = new SharedFields('viable.admitted', attributes, 'viable.in_flight'));
  }
}
