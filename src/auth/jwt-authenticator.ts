/**
 * Tokens of this gateway for a program of yours: make, verify, renew, ask for a permission.
 *
 * HS256 with secrets of at least 32 bytes; there is no default secret. The first secret signs, all verify, each under its
 * own `kid`, so that a secret can be replaced while tokens of the old one live on.
 * Source of the names and claims: the seed document, "JWT Authentication".
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Clock, SystemClock } from '../kernel/index.js';
import { type AuthenticatorOptions, Authenticator, type Verdict } from './authenticator.js';
import { type ClaimRules } from './claims.js';
import { type TokenFault } from './faults.js';
import { importSecret, type KeySet, secretKeys } from './key-set.js';
import { hasPermission, type Principal, type Role } from './principal.js';
import { Revocations } from './revocations.js';

/** A secret that tokens are signed with. */
export interface Secret {
  readonly kid: string;
  /** At least 32 bytes. */
  readonly secret: string;
}

/** What tokens are made and read with. */
export interface JwtAuthenticatorOptions {
  /** The first signs, all verify. */
  readonly secrets: readonly [Secret, ...Secret[]];
  /** Default `autonomous-opponent`. */
  readonly issuer?: string;
  /** Default `mcp-gateway`. */
  readonly audience?: string;
  /** Milliseconds that a token lasts when nothing else is said. Default one hour. */
  readonly tokenTtl?: number;
  /** Milliseconds that a verified token is remembered. Default five minutes. */
  readonly cacheTtl?: number;
  readonly clock?: Clock;
}

/** What a token says. */
export interface TokenOptions {
  /** Default `user`. */
  readonly role?: Role;
  readonly permissions?: readonly string[];
  /** Seconds that it lasts. Default `tokenTtl`. */
  readonly exp?: number;
  /** Other claims; those that the gateway writes itself win. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A token to go on with, or why there is none. */
export type RefreshResult =
  /** The same token while it is fresh, a new one when it ends soon. */
  | { readonly ok: true; readonly token: string; readonly renewed: boolean }
  | { readonly ok: false; readonly error: 'invalid_token'; readonly fault: TokenFault };

/** A token in this last share of its life is renewed. */
const REFRESH_SHARE = 0.25;
const MIN_SECRET_BYTES = 32;

/** Makes, verifies and renews the gateway's own tokens (RFC 7519, HS256), and asks them for a permission. */
export class JwtAuthenticator {
  readonly #options: JwtAuthenticatorOptions;
  readonly #clock: Clock;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #keys: Promise<KeySet>;
  readonly #authenticator: Authenticator;

  /** Throws a `RangeError` for a secret that is too short. */
  constructor(options: JwtAuthenticatorOptions) {
    for (const { secret } of options.secrets) {
      if (Buffer.byteLength(secret) < MIN_SECRET_BYTES)
        throw new RangeError(
          `a secret must be at least ${MIN_SECRET_BYTES} bytes; make one with crypto.randomBytes(48).toString('base64url')`,
        );
    }
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
    this.#issuer = options.issuer ?? 'autonomous-opponent';
    this.#audience = options.audience ?? 'mcp-gateway';
    this.#keys = secretKeys(options.secrets);
    const rules: ClaimRules = {
      issuer: this.#issuer,
      audiences: [this.#audience],
      ...OWN_CLAIMS,
    };
    const setup: AuthenticatorOptions = {
      clock: this.#clock,
      revocations: new Revocations(this.#clock),
      issuers: new Map([[this.#issuer, { rules, keysFor: () => this.#keys }]]),
      cacheTtl: options.cacheTtl ?? 300_000,
    };
    this.#authenticator = new Authenticator(setup);
  }

  /** A signed token for `subject`. */
  async generateToken(subject: string, options: TokenOptions = {}): Promise<string> {
    if (subject === '') throw new RangeError('a token needs a subject');
    const { role = 'user', permissions = [], claims = {} } = options;
    const seconds = options.exp ?? (this.#options.tokenTtl ?? 3_600_000) / 1_000;
    if (!(seconds > 0)) throw new RangeError('a token must last for some time');
    const issuedAt = Math.floor(this.#clock.now() / 1_000);
    const [signer] = this.#options.secrets;
    return new SignJWT({ ...claims, role, permissions: [...permissions] })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: signer.kid })
      .setSubject(subject)
      .setIssuer(this.#issuer)
      .setAudience(this.#audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + Math.ceil(seconds))
      .setJti(randomUUID())
      .sign(await importSecret(signer.secret));
  }

  /** Whose the token is, or why it is refused. Never rejects. */
  async verify(token: string): Promise<Verdict> {
    return this.#authenticator.verify(token);
  }

  /** The same token while it is fresh; a new one of the same claims and length when it ends soon. */
  async refreshToken(token: string): Promise<RefreshResult> {
    const verdict = await this.verify(token);
    if (!verdict.ok) return { ok: false, error: 'invalid_token', fault: verdict.fault };
    const { claims, subject, role, permissions } = verdict.principal;
    const end = (claims['exp'] as number) * 1_000;
    const begin = typeof claims['iat'] === 'number' ? claims['iat'] * 1_000 : end - 3_600_000;
    const life = Math.max(1_000, end - begin);
    if (end - this.#clock.now() > life * REFRESH_SHARE) return { ok: true, token, renewed: false };
    const renewed = await this.generateToken(subject ?? '', { role, permissions, exp: life / 1_000, claims });
    return { ok: true, token: renewed, renewed: true };
  }

  /** Exact membership. */
  hasPermission(principal: Pick<Principal, 'permissions'>, permission: string): boolean {
    return hasPermission(principal, permission);
  }
}

/** How the gateway's own tokens are read. */
export const OWN_CLAIMS = {
  subjectClaim: 'sub',
  roleClaim: 'role',
  permissionsClaim: 'permissions',
  tenantClaim: 'tenant',
  defaultRole: 'user',
} as const;
