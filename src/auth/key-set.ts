/**
 * The keys that tokens are verified with, each pinned to one algorithm, and the guards that a key passes to be one.
 *
 * A set is taken or refused as a whole where two readers could disagree about it: an id that stands twice, secrets beside
 * public keys. A key in it that is not for this (an encryption key, a curve that is not supported, too weak) is left out.
 * Sources: RFC 7517, 4; RFC 7518, 3 and 6; NIST SP 800-131A (RSA from 2048 bits); Project Wycheproof.
 */
import { calculateJwkThumbprint, compactVerify, type CryptoKey, importJWK } from 'jose';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { type Algorithm, decodeCanonical, isAlgorithm, type Jws } from './jws.js';
import { isRocaModulus } from './roca.js';

const MAX_KEYS = 100;
/** Keys that a token without a key id is tried with. */
const MAX_TRIED = 8;
const MIN_RSA_BITS = 2048;
const MIN_EXPONENT = 65_537n;

interface Key {
  readonly kid: string | undefined;
  readonly alg: Algorithm;
  readonly key: CryptoKey | Uint8Array;
  /** What makes it this key and no other (RFC 7638); of a secret, its name alone. */
  readonly thumbprint: string;
}

export type KeySetResult =
  | {
      readonly ok: true;
      readonly keys: KeySet;
      /** Why keys were left out, one line each. */ readonly skipped: readonly string[];
    }
  | { readonly ok: false; readonly why: string };

export class KeySet {
  readonly #keys: readonly Key[];

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** How many of these keys the other set does not have. */
  without(other: KeySet): number {
    const known = new Set(other.#keys.map(({ thumbprint }) => thumbprint));
    return this.#keys.filter(({ thumbprint }) => !known.has(thumbprint)).length;
  }

  /** Whether a key could be this token's. */
  fits(jws: Jws): boolean {
    return this.#candidates(jws).length > 0;
  }

  /** Whether one of the keys has made the signature. `token` is the text that `jws` was read from. */
  async verifies(token: string, jws: Jws): Promise<boolean> {
    for (const { key } of this.#candidates(jws)) {
      try {
        // The algorithm is the key's: only such are candidates.
        await compactVerify(token, key, { algorithms: [jws.alg] });
        return true;
      } catch {
        // Not this one's.
      }
    }
    return false;
  }

  #candidates({ alg, kid }: Jws): readonly Key[] {
    const alike = this.#keys.filter((key) => isSame(key.alg, alg));
    if (kid === undefined) return alike.slice(0, MAX_TRIED);
    const named = alike.filter((key) => key.kid === kid);
    if (named.length > 0) return named;
    // A single key without a name is everybody's.
    return alike.length === 1 && this.#keys.length === 1 && alike[0]?.kid === undefined ? alike : [];
  }
}

/** Two names of one algorithm (RFC 9864). */
function isSame(a: Algorithm, b: Algorithm): boolean {
  return a === b || (isEdDsa(a) && isEdDsa(b));
}

function isEdDsa(alg: Algorithm): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519';
}

/** The secrets of this gateway, for HS256. */
export async function secretKeys(
  secrets: readonly { readonly kid: string; readonly secret: string }[],
): Promise<KeySet> {
  const keys = secrets.map(async ({ kid, secret }): Promise<Key> => ({
    kid,
    alg: 'HS256',
    key: await importSecret(secret),
    thumbprint: kid,
  }));
  return new KeySet(await Promise.all(keys));
}

/** A secret as jose signs and verifies with it fastest. */
export async function importSecret(secret: string): Promise<CryptoKey> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', Buffer.from(secret), hmac, false, ['sign', 'verify']);
}

/** A JWK Set, or one JWK. `fallback` is the algorithm of keys that name none; without it those are left out. */
export async function readKeySet(document: unknown, fallback?: Algorithm): Promise<KeySetResult> {
  const listed = isJsonObject(document) ? (document['keys'] ?? [document]) : undefined;
  if (!Array.isArray(listed)) return { ok: false, why: 'it is no JWK Set' };
  if (listed.length > MAX_KEYS) return { ok: false, why: `it has more than ${MAX_KEYS} keys` };
  const jwks = (listed as unknown[]).filter(isJsonObject);
  const secrets = jwks.filter(({ kty }) => kty === 'oct').length;
  if (secrets > 0 && secrets < jwks.length) return { ok: false, why: 'it mixes secrets with public keys' };
  const kids = jwks.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
  if (new Set(kids).size < kids.length) return { ok: false, why: 'a key id stands twice' };
  const keys: Key[] = [];
  const skipped: string[] = [];
  for (const [index, jwk] of jwks.entries()) {
    const read = await readKey(jwk, fallback);
    if (typeof read === 'string') skipped.push(`key ${index + 1}: ${read}`);
    else keys.push(read);
  }
  return keys.length === 0
    ? {
        ok: false,
        why: skipped.length === 0 ? 'it has no keys' : `none of its keys can be used: ${skipped.join('; ')}`,
      }
    : { ok: true, keys: new KeySet(keys), skipped };
}

/** The key, or why it is left out. */
async function readKey(jwk: JsonObject, fallback: Algorithm | undefined): Promise<Key | string> {
  const { kid, use, key_ops: operations, alg = fallback } = jwk;
  if (kid !== undefined && typeof kid !== 'string') return 'its id is no text';
  if (use !== undefined && use !== 'sig') return 'it is not for signatures';
  if (operations !== undefined && !(Array.isArray(operations) && isForVerifying(operations)))
    return 'it is not for verifying';
  if (!isAlgorithm(alg)) return alg === undefined ? 'it names no algorithm' : 'its algorithm is not supported';
  const members = publicMembers(jwk, alg);
  if (typeof members === 'string') return members;
  try {
    const thumbprint = await calculateJwkThumbprint(members);
    return { kid, alg, key: await importJWK({ ...members, alg }, alg), thumbprint };
  } catch {
    return 'it is no such key';
  }
}

function isForVerifying(operations: readonly unknown[]): boolean {
  return operations.includes('verify') && new Set(operations).size === operations.length;
}

const CURVES: Readonly<Partial<Record<Algorithm, string>>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** What a verifier needs of the key, and nothing else; or why it cannot be used with `alg`. */
function publicMembers(jwk: JsonObject, alg: Algorithm): JsonObject | string {
  const { kty, crv, n, e, x, y, k } = jwk;
  if (alg.startsWith('HS')) {
    const bytes = kty === 'oct' ? canonical(k) : undefined;
    if (bytes === undefined) return 'it is no secret';
    // RFC 7518, 3.2: as long as the hash.
    return bytes.length * 8 >= Number(alg.slice(2)) ? { kty, k } : 'it is too short';
  }
  if (alg.startsWith('RS') || alg.startsWith('PS')) {
    const modulus = kty === 'RSA' ? canonical(n) : undefined;
    const exponent = canonical(e);
    if (modulus === undefined || exponent === undefined) return 'it is no RSA key';
    if (bitsOf(modulus) < MIN_RSA_BITS) return `it has less than ${MIN_RSA_BITS} bits`;
    if (toBigInt(exponent) < MIN_EXPONENT) return 'its exponent is too small';
    return isRocaModulus(toBigInt(modulus)) ? 'its private key can be computed (CVE-2017-15361)' : { kty, n, e };
  }
  if (isEdDsa(alg))
    return kty === 'OKP' && crv === 'Ed25519' && canonical(x) ? { kty, crv, x } : 'it is no Ed25519 key';
  const fits = kty === 'EC' && crv === CURVES[alg] && canonical(x) && canonical(y);
  return fits ? { kty, crv, x, y } : 'it is not on the curve of its algorithm';
}

function canonical(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? decodeCanonical(value) : undefined;
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x0${bytes.toString('hex')}`);
}

function bitsOf(bytes: Buffer): number {
  return toBigInt(bytes).toString(2).length;
}
