/**
 * From the claims of a token whose signature is good to a principal, or why it is none. Pure.
 *
 * Sources: RFC 7519, 4.1; RFC 8725, 3.8 and 3.9; MCP specification, "Authorization › Token Handling" (audience).
 */
import { type JsonObject, isJsonObject } from '../protocol/jsonrpc.js';
import { stripControl } from '../protocol/text.js';
import { type TokenFault } from './faults.js';
import { type Principal, principalKey, type Role, ROLES } from './principal.js';

/** How an issuer's claims are read. Paths are dotted; a claim whose own name has dots is found first. */
export interface ClaimRules {
  readonly issuer: string;
  /** The token must be for one of these. */
  readonly audiences: readonly string[];
  readonly subjectClaim: string;
  readonly roleClaim: string;
  readonly permissionsClaim: string;
  readonly tenantClaim: string;
  /** The issuer's names of roles; absent: the gateway's own. */
  readonly roles?: Readonly<Record<string, Role>> | undefined;
  readonly defaultRole: Role;
}

export type ClaimsResult =
  { readonly ok: true; readonly principal: Principal } | { readonly ok: false; readonly fault: TokenFault };

/** How far an issuer's clock may be ahead of ours. Milliseconds; never given to `exp`. */
const SKEW_MS = 5_000;
const MAX_TEXT = 256;
const MAX_PERMISSIONS = 256;

/** `credential` names the token itself, used where it has no `jti`. */
export function readClaims(claims: JsonObject, rules: ClaimRules, now: number, credential: string): ClaimsResult {
  const { iss, aud, exp, nbf, iat, jti } = claims;
  if (iss !== rules.issuer) return refused('wrong_issuer');
  if (!isFor(aud, rules.audiences)) return refused('wrong_audience');
  if (!isTime(exp)) return refused('bad_claims');
  if ((nbf !== undefined && !isTime(nbf)) || (iat !== undefined && !isTime(iat))) return refused('bad_claims');
  if (jti !== undefined && !isName(jti)) return refused('bad_claims');
  if (now >= exp * 1_000) return refused('expired');
  if (isTime(nbf) && now + SKEW_MS < nbf * 1_000) return refused('not_yet_valid');
  if (isTime(iat) && now + SKEW_MS < iat * 1_000) return refused('not_yet_valid');
  const subject = claimAt(claims, rules.subjectClaim);
  if (!isName(subject)) return refused('bad_claims');
  const tenant = claimAt(claims, rules.tenantClaim);
  const principal: Principal = Object.freeze({
    subject,
    role: roleOf(claimAt(claims, rules.roleClaim), rules),
    permissions: Object.freeze(wordsOf(claimAt(claims, rules.permissionsClaim))),
    key: principalKey(rules.issuer, subject),
    expiresAt: exp * 1_000,
    claims: Object.freeze(claims),
    tenant: isName(tenant) ? tenant : null,
    credential: jti === undefined ? credential : jtiCredential(rules.issuer, jti),
  });
  return { ok: true, principal };
}

/** Names a token by its issuer and `jti`, as revocations do. */
export function jtiCredential(issuer: string, jti: string): string {
  return `jti:${encodeURIComponent(issuer)}:${jti}`;
}

/** The claim at a dotted path: `realm_access.roles`, `https://example.com/role`. Own members only. */
function claimAt(claims: JsonObject, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let current: unknown = claims;
  for (const part of path.split('.')) {
    if (!isJsonObject(current) || !Object.hasOwn(current, part)) return undefined;
    current = current[part];
  }
  return current;
}

/** A list of words, or words with spaces between them as in `scope` (RFC 8693, 4.2). */
function wordsOf(value: unknown): string[] {
  const words = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? (value as unknown[]) : [];
  return words.filter(isName).slice(0, MAX_PERMISSIONS);
}

/** The most trusted of the roles that the token names. */
function roleOf(value: unknown, { roles, defaultRole }: ClaimRules): Role {
  const named = new Set(
    wordsOf(value).map((word) => (roles === undefined ? word : Object.hasOwn(roles, word) ? roles[word] : undefined)),
  );
  return ROLES.find((role) => named.has(role)) ?? defaultRole;
}

function isFor(aud: unknown, audiences: readonly string[]): boolean {
  const listed: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return listed.some((value) => typeof value === 'string' && audiences.includes(value));
}

/** Seconds since the epoch, within what a clock can hold. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= 8.64e12;
}

/** Text that can stand in a log line. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && stripControl(value) === value;
}

function refused(fault: TokenFault): ClaimsResult {
  return { ok: false, fault };
}
