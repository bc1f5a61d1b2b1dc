/**
 * Principal: on whose behalf a client speaks. Immutable; decided when a connection or a request is authenticated, carried
 * by sessions and calls, compared by `key`.
 */

/** Roles with limits of their own; a token may name others, which are treated as `user`. Most to least trusted. */
export const ROLES = ['admin', 'premium', 'user', 'guest'] as const;
/** One of `ROLES`. */
export type Role = (typeof ROLES)[number];

/** On whose behalf a client speaks. */
export interface Principal {
  /** `sub` of the token; `null` when nobody was authenticated. */
  readonly subject: string | null;
  readonly role: Role;
  readonly permissions: readonly string[];
  /** Tells principals apart, for sharing, limits and sealed state: see `principalKey`; or `anonymous`, `guest`. */
  readonly key: string;
  /** Epoch milliseconds at which the credential ends; `null`: never. */
  readonly expiresAt: number | null;
  /** All claims of the verified token, for policy rules. Empty without one. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whose requests are counted together besides the subject's own; `null`: nobody's. */
  readonly tenant: string | null;
  /** Names the token for revocation, and reveals nothing of it; `null` without one. */
  readonly credential: string | null;
}

const NOBODY = {
  subject: null,
  permissions: Object.freeze([]),
  expiresAt: null,
  claims: Object.freeze({}),
  tenant: null,
  credential: null,
} as const;

/** Who calls when authentication is off: nobody in particular, who may do everything. */
export const ANONYMOUS: Principal = Object.freeze({ ...NOBODY, role: 'admin', key: 'anonymous' });

/** Who brings no token where none is needed. */
export const GUEST: Principal = Object.freeze({ ...NOBODY, role: 'guest', key: 'guest' });

/** `sub:<issuer>:<subject>`, the issuer percent-encoded: no two pairs give one key, whatever colons they hold. */
export function principalKey(issuer: string, subject: string): string {
  return `sub:${encodeURIComponent(issuer)}:${subject}`;
}

export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}

/** Exact membership: no permission implies another. */
export function hasPermission({ permissions }: Pick<Principal, 'permissions'>, permission: string): boolean {
  return permissions.includes(permission);
}
