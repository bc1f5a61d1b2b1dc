/**
 * What the data path knows of an upstream: a handful of plain fields that it reads without asking anybody.
 *
 * Written by the upstream's own actors (lifecycle fields) and by the client sessions (load fields), read by all. One
 * object for each configured upstream, for as long as it is configured, whatever happens to its actors.
 */
import { type Ref } from '../kernel/index.js';
import { type UpstreamSessionMessage } from './call.js';

export class UpstreamGate {
  readonly name: string;
  /** The session that takes calls; `null` while there is none. */
  session: Ref<UpstreamSessionMessage> | null = null;
  /** One line that says why there is no session, for errors and consoles. */
  trouble = 'not connected yet';
  /** Epoch milliseconds of the next connection attempt, `null` when none is planned. */
  retryAt: number | null = null;
  /** Calls sent and not yet answered. */
  inFlight = 0;
  calls = 0;
  failures = 0;
  /** Bound of `inFlight`; past it a call is answered "overloaded" at once. */
  maxInFlight: number;
  /** Milliseconds from a call to its answer. */
  requestTimeout: number;

  constructor(name: string, maxInFlight: number, requestTimeout: number) {
    this.name = name;
    this.maxInFlight = maxInFlight;
    this.requestTimeout = requestTimeout;
  }
}
