/**
 * The credential behind a connection that stays open: the newest that its client has shown, and the moment to look at it
 * again. Process-free; one timer of the wheel for each client that has one that ends, none for others.
 */
import { type AuthPlane } from '../auth/auth-plane.js';
import { type Principal } from '../auth/principal.js';
import { Deadline, type Ref, type TimerWheel } from '../kernel/index.js';
import { type CredentialDue } from './client-message.js';

/** The client is told this long before the end. Milliseconds; one that ends sooner is not told. */
const WARNING_MS = 60_000;

export class CredentialWatch extends Deadline {
  readonly #ref: Ref<CredentialDue>;
  readonly #wheel: TimerWheel;
  readonly #auth: AuthPlane;
  #newest: Principal;
  #warned = false;

  constructor(ref: Ref<CredentialDue>, wheel: TimerWheel, auth: AuthPlane, principal: Principal) {
    super();
    this.#ref = ref;
    this.#wheel = wheel;
    this.#auth = auth;
    this.#newest = principal;
    this.#warned = this.#left() <= WARNING_MS;
    this.#schedule();
  }

  get expiresAt(): number | null {
    return this.#newest.expiresAt;
  }

  /** The client has shown another one: the one that lasts longest counts. */
  renew(principal: Principal): void {
    if ((principal.expiresAt ?? Infinity) <= (this.#newest.expiresAt ?? Infinity)) return;
    this.replace(principal);
  }

  /** Another one counts from now on, however long it lasts. */
  replace(principal: Principal): void {
    this.#newest = principal;
    this.#warned = this.#left() <= WARNING_MS;
    this.#schedule();
  }

  /** What is to be done now; sets the next time to look by itself. */
  look(): 'expiring' | 'expired' | 'revoked' | undefined {
    const left = this.#left();
    if (left <= 0) return 'expired';
    if (this.#auth.revocations.isRevoked(this.#newest)) return 'revoked';
    const warns = !this.#warned && left <= WARNING_MS;
    this.#warned ||= warns;
    this.#schedule();
    return warns ? 'expiring' : undefined;
  }

  stop(): void {
    this.#wheel.cancel(this);
  }

  override fire(): void {
    const due = { type: 'client/credential-due' } as const;
    if (this.#ref.urgent(due) === 'full') this.#ref.answer(due);
  }

  #left(): number {
    return (this.#newest.expiresAt ?? Infinity) - this.#auth.clock.now();
  }

  #schedule(): void {
    const left = this.#left();
    this.#wheel.cancel(this);
    if (left === Infinity) return;
    this.#wheel.schedule(
      this,
      this.#warned || left <= WARNING_MS ? Math.max(0, left) : Math.min(left - WARNING_MS, 2 ** 30),
    );
  }
}
