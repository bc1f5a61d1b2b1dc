/**
 * What was revoked: single tokens until they would have ended, and everything that a subject was given before a moment.
 * Plain memory; the authenticator's actor keeps the file. Bounded: when full, the entry that ends first goes.
 */
import { type Clock } from '../kernel/index.js';
import { type Principal } from './principal.js';

/** One revocation. Times are epoch milliseconds. */
export type Revocation =
  /** One token, by `Principal.credential`. Forgotten at `until`. */
  | { readonly credential: string; readonly until: number }
  /** Every token of a principal that was issued before. */
  | { readonly key: string; readonly before: number; readonly until: number };

const MAX = 100_000;

export class Revocations {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Revocation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(revocation: Revocation): void {
    const id = 'credential' in revocation ? revocation.credential : revocation.key;
    this.#entries.delete(id);
    if (this.#entries.size >= MAX) this.#makeRoom();
    this.#entries.set(id, revocation);
  }

  isRevoked({ credential, key, claims }: Principal): boolean {
    if (this.#entries.size === 0) return false;
    if (credential !== null && this.#entries.has(credential)) return true;
    const whole = this.#entries.get(key);
    if (whole === undefined || !('before' in whole)) return false;
    const issuedAt = claims['iat'];
    // A token that does not say when it was issued may be from before. Seconds are all that it could say.
    return typeof issuedAt !== 'number' || issuedAt * 1_000 <= whole.before;
  }

  /** Forgets what has ended by itself. */
  sweep(): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#entries) if (until <= now) this.#entries.delete(id);
  }

  all(): Revocation[] {
    return [...this.#entries.values()];
  }

  #makeRoom(): void {
    this.sweep();
    if (this.#entries.size < MAX) return;
    let first: string | undefined;
    let earliest = Infinity;
    for (const [id, { until }] of this.#entries) if (until < earliest) [first, earliest] = [id, until];
    if (first !== undefined) this.#entries.delete(first);
  }
}
