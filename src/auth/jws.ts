/**
 * A compact JWS taken apart, with the guards that a verifier needs before it looks for a key. Pure.
 *
 * What is signed is bytes, so each part must be the one base64url text of its bytes: no padding, no stray bits, no other
 * alphabet. A token never brings its own key (`jwk`, `jku`, `x5u`, `x5c`), and nothing that must be understood (`crit`).
 * Sources: RFC 7515, 4 and 7.1; RFC 7518, 3; RFC 8725; Project Wycheproof.
 */
import { PUBLIC_KEY_ALGORITHMS } from '../config/types.js';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { type TokenFault } from './faults.js';

/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 16_384;
const MAX_KID = 256;

/** Never honoured; a token that has one is refused. */
const FORBIDDEN = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'zip', 'enc'] as const;

/** Algorithms that keys may be pinned to. `none` is not among them. */
const ALGORITHMS = ['HS256', 'HS384', 'HS512', ...PUBLIC_KEY_ALGORITHMS] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface Jws {
  readonly alg: Algorithm;
  /** Only ever compared with the ids of keys. */
  readonly kid: string | undefined;
  readonly header: JsonObject;
  readonly payload: Buffer;
}

export type JwsReading = { readonly ok: true; readonly jws: Jws } | { readonly ok: false; readonly fault: TokenFault };

export function readJws(token: string): JwsReading {
  if (token.length > MAX_TOKEN) return refused('malformed');
  const [head, body, signature, ...rest] = token.split('.').map(decodeCanonical);
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0)
    return refused('malformed');
  const header = readJson(head);
  if (header === undefined) return refused('malformed');
  if (FORBIDDEN.some((name) => Object.hasOwn(header, name))) return refused('unsupported_header');
  const { alg, kid } = header;
  if (!isAlgorithm(alg) || signature.length === 0) return refused('unsupported_algorithm');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return refused('unsupported_header');
  return { ok: true, jws: { alg, kid, header, payload: body } };
}

export function isAlgorithm(value: unknown): value is Algorithm {
  return (ALGORITHMS as readonly unknown[]).includes(value);
}

/** The bytes of base64url text; `undefined` unless it is the one text of these bytes. */
export function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** A JSON object in UTF-8; `undefined` for anything else. */
export function readJson(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function refused(fault: TokenFault): JwsReading {
  return { ok: false, fault };
}
