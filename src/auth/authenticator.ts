/**
 * Whose a token is: from memory where it was verified before, by its issuer's keys where not.
 *
 * `recall` is the data path: one hash and one look-up; for a connection that shows again what it showed before, one comparison
 * (`Shown`). `verify` is asynchronous, one at a time for each token, bounded.
 * A verified token is remembered for `cacheTtl`, never past its end, and a revocation forgets all of them.
 * Sources: RFC 8725 (issuer, audience and algorithm checked always); docs/security.md.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock } from '../kernel/index.js';
import { readClaims, type ClaimRules } from './claims.js';
import { type TokenFault } from './faults.js';
import { type Jws, readJson, readJws } from './jws.js';
import { type KeySet } from './key-set.js';
import { type Principal } from './principal.js';
import { type Revocations } from './revocations.js';

/** Verified tokens that are remembered. */
const MAX_CACHED = 20_000;
/** Tokens that are being verified at a time. */
const MAX_PENDING = 512;

export interface TokenIssuer {
  readonly rules: ClaimRules;
  /** `null`: the keys cannot be had now. */
  readonly keysFor: (jws: Jws) => Promise<KeySet | null>;
}

/** Whose a token is, or why it is refused. */
export type Verdict =
  { readonly ok: true; readonly principal: Principal } | { readonly ok: false; readonly fault: TokenFault };

/** What a connection showed last, and whose it was. Good while `stands` says so. */
export interface Shown {
  /** The `Authorization` header, whole. */
  readonly authorization: string;
  readonly principal: Principal;
  /** As long as the token is remembered. Epoch milliseconds. */
  readonly until: number;
  readonly by: Authenticator;
  readonly generation: number;
}

export interface AuthenticatorOptions {
  readonly clock: Clock;
  readonly revocations: Revocations;
  /** By `iss`. */
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  readonly cacheTtl: number;
}

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #cache: LRUCache<string, Principal>;
  readonly #pending = new Map<string, Promise<Verdict>>();
  #generation = 0;
  hits = 0;
  misses = 0;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const { clock } = options;
    this.#cache = new LRUCache<string, Principal>({
      max: MAX_CACHED,
      ttlResolution: 0,
      perf: { now: () => clock.now() },
    });
  }

  get cached(): number {
    return this.#cache.size;
  }

  /** The principal of a token that was verified lately. */
  recall(token: string): Principal | undefined {
    return this.#recall(tokenHash(token));
  }

  #recall(id: string): Principal | undefined {
    const principal = this.#cache.get(id);
    if (principal === undefined || this.#isOver(principal)) return undefined;
    this.hits += 1;
    return principal;
  }

  /** As `recall`, to be kept with the connection that showed it. */
  remember(authorization: string, token: string): Shown | undefined {
    const id = tokenHash(token);
    const principal = this.#recall(id);
    if (principal === undefined) return undefined;
    const until = this.#options.clock.now() + this.#cache.getRemainingTTL(id);
    return { authorization, principal, until, by: this, generation: this.#generation };
  }

  /** Whether this is still whose it was: neither forgotten nor over, and nothing was revoked or configured since. */
  stands({ until, by, generation }: Shown): boolean {
    if (by !== this || generation !== this.#generation || until <= this.#options.clock.now()) return false;
    this.hits += 1;
    return true;
  }

  /** Never rejects. */
  async verify(token: string): Promise<Verdict> {
    const known = this.recall(token);
    if (known) return { ok: true, principal: known };
    this.misses += 1;
    const id = tokenHash(token);
    const pending = this.#pending.get(id);
    if (pending) return pending;
    if (this.#pending.size >= MAX_PENDING) return { ok: false, fault: 'busy' };
    const verdict = this.#verify(token, id).finally(() => this.#pending.delete(id));
    this.#pending.set(id, verdict);
    return verdict;
  }

  /** Something was revoked: whatever was verified before counts no more. */
  forget(): void {
    this.#generation += 1;
    this.#cache.clear();
  }

  #isOver({ expiresAt }: Principal): boolean {
    return expiresAt !== null && expiresAt <= this.#options.clock.now();
  }

  async #verify(token: string, id: string): Promise<Verdict> {
    const { clock, issuers, revocations, cacheTtl } = this.#options;
    const generation = this.#generation;
    const read = readJws(token);
    if (!read.ok) return read;
    const { jws } = read;
    const claims = isJwtType(jws.header['typ']) ? readJson(jws.payload) : undefined;
    if (claims === undefined) return refused('malformed');
    const issuer = typeof claims['iss'] === 'string' ? issuers.get(claims['iss']) : undefined;
    if (issuer === undefined) return refused('wrong_issuer');
    const keys = await issuer.keysFor(jws);
    if (keys === null) return refused('keys_unavailable');
    if (!keys.fits(jws)) return refused('unknown_key');
    if (!(await keys.verifies(token, jws))) return refused('bad_signature');
    const result = readClaims(claims, issuer.rules, clock.now(), `sha256:${id}`);
    if (!result.ok) return result;
    const { principal } = result;
    if (revocations.isRevoked(principal)) return refused('revoked');
    // What was revoked while this was on its way may be this.
    const ttl = Math.min(cacheTtl, (principal.expiresAt ?? Infinity) - clock.now());
    if (generation === this.#generation && ttl >= 1) this.#cache.set(id, principal, { ttl: Math.floor(ttl) });
    return result;
  }
}

/** Names a token, and reveals nothing of it. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** RFC 9068, 2.1 (`at+jwt`); RFC 7519, 5.1. */
function isJwtType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(?:application\/)?(?:at\+)?jwt$/i.test(typ));
}

function refused(fault: TokenFault): Verdict {
  return { ok: false, fault };
}
