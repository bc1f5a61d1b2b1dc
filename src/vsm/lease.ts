/**
 * A lease: what S3 has granted a unit of the gateway's strength, and the check that the data path makes against it. Plain
 * memory; whether S3 lives does not matter. An expired lease falls to its floor.
 */

export interface Lease {
  /** Calls in flight. */
  readonly slots: number;
  /** Calls a second; `null`: not bounded. */
  readonly rps: number | null;
  /** In place of both once it has expired: the unit's own, whatever others want. */
  readonly floor: { readonly slots: number; readonly rps: number | null };
  readonly expiresAt: number;
}

/** A unit's lease, and how much of its rate is used up. */
export class Allowance {
  /** Written by S3. `null`: none was ever granted, nothing is bounded. */
  lease: Lease | null = null;
  /** When the next call is due at the granted rate (generic cell rate algorithm). Epoch milliseconds. */
  #due = 0;

  slots(now: number): number {
    const { lease } = this;
    if (lease === null) return Infinity;
    return now < lease.expiresAt ? lease.slots : lease.floor.slots;
  }

  /** Sessions of its own that a pool may have: one for each call, and one for who has none. `null`: not bounded. */
  sessions(now: number): number | null {
    return this.lease === null ? null : Math.max(1, this.slots(now));
  }

  rps(now: number): number | null {
    const { lease } = this;
    if (lease === null) return null;
    return now < lease.expiresAt ? lease.rps : lease.floor.rps;
  }

  /** Takes one call's worth of the rate; `false` when a second's worth is used up. */
  takeRate(now: number): boolean {
    const rps = this.rps(now);
    if (rps === null) return true;
    const due = Math.max(this.#due, now);
    if (rps <= 0 || due - now >= BURST_MS) return false;
    this.#due = due + 1_000 / rps;
    return true;
  }
}

const BURST_MS = 1_000;
