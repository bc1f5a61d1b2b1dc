/**
 * Principal: on whose behalf a client speaks. Immutable; decided when a connection or a request is authenticated, carried
 * by sessions and calls, compared by `key`.
 */

/** Roles with limits of their own; a token may name others, which are treated as `user`. */
export const ROLES = ['admin', 'premium', 'user', 'guest'] as const;
export type Role = (typeof ROLES)[number];

export interface Principal {
  /** `sub` of the token; `null` when nobody was authenticated. */
  readonly subject: string | null;
  readonly role: Role;
  readonly permissions: readonly string[];
  /** Tells principals apart, for sharing, limits and sealed state: `sub:<issuer>:<subject>`, or `anonymous`. */
  readonly key: string;
  /** Epoch milliseconds at which the credential ends; `null`: never. */
  readonly expiresAt: number | null;
  /** All claims of the verified token, for policy rules. Empty without one. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Who calls when authentication is off: nobody in particular, who may do everything. */
export const ANONYMOUS: Principal = Object.freeze({
  subject: null,
  role: 'admin',
  permissions: [],
  key: 'anonymous',
  expiresAt: null,
  claims: Object.freeze({}),
});
