/**
 * Tickets: single-use keys to one connection, for clients that can put a credential nowhere but into an address. What
 * leaks with the address is worthless: it was used, or is 30 seconds old. Bounded; the oldest goes first.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Clock } from '../kernel/index.js';
import { type Principal } from './principal.js';

export const TICKET_TTL_MS = 30_000;
const MAX = 10_000;

export class Tickets {
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Buffer;
  /** By hash, oldest first: what is in memory opens nothing. */
  readonly #tickets = new Map<string, { readonly principal: Principal; readonly expiresAt: number }>();

  constructor(clock: Clock, random: (bytes: number) => Buffer = randomBytes) {
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#tickets.size;
  }

  issue(principal: Principal): string {
    this.sweep();
    const oldest = this.#tickets.keys().next();
    if (this.#tickets.size >= MAX && oldest.done !== true) this.#tickets.delete(oldest.value);
    const ticket = this.#random(32).toString('base64url');
    this.#tickets.set(hashOf(ticket), { principal, expiresAt: this.#clock.now() + TICKET_TTL_MS });
    return ticket;
  }

  /** Whose it is, once; `undefined` when it was used, is too old, or never was. */
  redeem(ticket: string): Principal | undefined {
    const hash = hashOf(ticket);
    const found = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    return found !== undefined && this.#clock.now() < found.expiresAt ? found.principal : undefined;
  }

  sweep(): void {
    const now = this.#clock.now();
    for (const [hash, { expiresAt }] of this.#tickets) {
      if (expiresAt > now) return; // all live equally long: the rest is younger
      this.#tickets.delete(hash);
    }
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
