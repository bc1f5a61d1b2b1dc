/**
 * Calls that wait for a worker, by the lease over which they were sent and its checkout. Process-free.
 *
 * Invariant: a lease has at most one checkout that waits; one that no call wants any more is not here.
 */
import { type Ticket } from '../machines/pool.js';
import { SharedFields } from '../telemetry/tracing/shared-fields.js';
import { type Call } from './call.js';
import { type Lease } from './lease.js';

/** Of a call's trace: so many milliseconds it waited. */
export const POOL_WAIT = new SharedFields('viable.pool_wait', {}, 'viable.wait_ms');

export interface Parked {
  readonly ticket: Ticket;
  readonly lease: Lease;
  /** In the order in which they came. */
  readonly calls: Call[];
}

export class ParkedCalls {
  readonly #byTicket = new Map<number, Parked>();

  all(): Parked[] {
    return [...this.#byTicket.values()];
  }

  get(ticket: number): Parked | undefined {
    return this.#byTicket.get(ticket);
  }

  /** A checkout that no longer waits. */
  take(ticket: number): Parked | undefined {
    const parked = this.#byTicket.get(ticket);
    this.#byTicket.delete(ticket);
    return parked;
  }

  of(lease: Lease): Parked | undefined {
    for (const parked of this.#byTicket.values()) if (parked.lease === lease) return parked;
    return undefined;
  }

  /** The first call over a lease that has no worker: its checkout begins. */
  begin(ticket: Ticket, lease: Lease, call: Call): void {
    this.#byTicket.set(ticket.id, { ticket, lease, calls: [call] });
  }

  /** A call is given up. Returns the checkout that nobody wants any more, if that was its last. */
  drop(lease: Lease, call: Call): Parked | undefined {
    const parked = this.of(lease);
    const at = parked?.calls.indexOf(call) ?? -1;
    if (!parked || at < 0) return undefined;
    parked.calls.splice(at, 1);
    return parked.calls.length === 0 ? this.take(parked.ticket.id) : undefined;
  }
}
