/**
 * Tokens by hand, without a gateway: what `viable token` does with the secrets of the environment and a configuration, or
 * with a key set of somebody else's.
 */
import { type AuthOptions } from '../config/types.js';
import { SystemClock } from '../kernel/index.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { JwtAuthenticator, type RefreshResult, type TokenOptions } from './jwt-authenticator.js';
import { readJson, readJws } from './jws.js';
import { readKeySet } from './key-set.js';

export type TokenCheck =
  | {
      readonly valid: true;
      readonly algorithm: string;
      readonly subject: string | null;
      readonly role: string | null;
      readonly permissions: readonly string[];
      /** Epoch milliseconds; `null` where the token does not say. */
      readonly expiresAt: number | null;
      /** `null` where what was signed is no JSON object. */
      readonly claims: JsonObject | null;
    }
  | { readonly valid: false; readonly reason: string };

export interface TokenTool {
  create(subject: string, options: TokenOptions): Promise<string>;
  verify(token: string): Promise<TokenCheck>;
  refresh(token: string): Promise<RefreshResult>;
}

/** Throws in words where there is no secret. */
export function tokenTool({ secrets, issuer, audience, tokenTtl }: AuthOptions): TokenTool {
  const [first, ...others] = secrets;
  if (first === undefined)
    throw new Error('there is no secret: set JWT_SECRET, or give --config with `gateway.auth.secrets`');
  const authenticator = new JwtAuthenticator({ secrets: [first, ...others], issuer, audience, tokenTtl });
  return {
    create: (subject, options) => authenticator.generateToken(subject, options),
    refresh: (token) => authenticator.refreshToken(token),
    verify: async (token) => {
      const verdict = await authenticator.verify(token);
      if (!verdict.ok) return { valid: false, reason: verdict.fault };
      const { subject, role, permissions, expiresAt, claims } = verdict.principal;
      return { valid: true, algorithm: 'HS256', subject, role, permissions, expiresAt, claims };
    },
  };
}

/**
 * Whether a key of this set (JWK Set or JWK) made the signature. A payload that is a JSON object must not have ended; whose
 * it is and for whom is the caller's to judge.
 */
export async function verifyWithKeys(
  token: string,
  document: unknown,
  now = new SystemClock().now(),
): Promise<TokenCheck> {
  const read = readJws(token);
  if (!read.ok) return { valid: false, reason: read.fault };
  const set = await readKeySet(document);
  if (!set.ok) return { valid: false, reason: `bad_keys: ${set.why}` };
  if (!set.keys.fits(read.jws)) return { valid: false, reason: 'unknown_key' };
  if (!(await set.keys.verifies(token, read.jws))) return { valid: false, reason: 'bad_signature' };
  const claims = readJson(read.jws.payload) ?? null;
  const { exp, nbf, sub } = claims ?? {};
  if (typeof exp === 'number' && now >= exp * 1_000) return { valid: false, reason: 'expired' };
  if (typeof nbf === 'number' && now < nbf * 1_000) return { valid: false, reason: 'not_yet_valid' };
  const expiresAt = typeof exp === 'number' ? exp * 1_000 : null;
  const subject = typeof sub === 'string' ? sub : null;
  return { valid: true, algorithm: read.jws.alg, subject, role: null, permissions: [], expiresAt, claims };
}
