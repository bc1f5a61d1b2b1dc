/** Tokens that differ from a good one in one thing each: an algorithm, a header, a claim, the form. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SECRET, unsigned } from './tokens.js';

const CLAIMS = { sub: 'eve', role: 'admin', iss: 'autonomous-opponent', aud: 'mcp-gateway', exp: 4_000_000_000 };

function signed(header: object, key: string | Buffer = SECRET, claims: object = CLAIMS): string {
  const input = unsigned(header, claims).slice(0, -1);
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

/** A good token but for some claims; `undefined` takes one away. */
function claiming(over: object): string {
  const now = Math.floor(Date.now() / 1_000);
  return signed({ alg: 'HS256' }, SECRET, { ...CLAIMS, iat: now, exp: now + 60, ...over });
}

/** The good token from which `badTokens` differ: an administrator's. */
export function goodToken(): string {
  return signed({ alg: 'HS256' });
}

/** By what is wrong with them. `elsewhere` is an address that their headers name for keys. */
export function badTokens(elsewhere: string): Readonly<Record<string, string>> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return {
    none: unsigned({ alg: 'none' }, CLAIMS),
    'NoNe with a signature': unsigned({ alg: 'NoNe' }, CLAIMS, 'AAAA'),
    'no alg': signed({ typ: 'JWT' }),
    'a public key as the secret': signed({ alg: 'HS256' }, Buffer.from(pem)),
    jwk: signed({ alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } }),
    jku: signed({ alg: 'HS256', jku: elsewhere }),
    x5u: signed({ alg: 'HS256', x5u: elsewhere }),
    x5c: signed({ alg: 'HS256', x5c: ['AAAA'] }),
    crit: signed({ alg: 'HS256', crit: ['exp'], exp: 1 }),
    b64: signed({ alg: 'HS256', b64: true }),
    'kid that is a path': signed({ alg: 'HS256', kid: '../../../../dev/null' }),
    'kid that is SQL': signed({ alg: 'HS256', kid: "x' UNION SELECT 'key" }),
    'kid that is no text': signed({ alg: 'HS256', kid: {} }),
    HS512: signed({ alg: 'HS512' }),
    RS256: signed({ alg: 'RS256' }),
    'another audience': claiming({ aud: 'other' }),
    'no audience': claiming({ aud: undefined }),
    'another issuer': claiming({ iss: 'other' }),
    'no issuer': claiming({ iss: undefined }),
    'no end': claiming({ exp: undefined }),
    expired: claiming({ exp: 1_000_000_000 }),
    'not yet': claiming({ nbf: 4_000_000_000 }),
    'no subject': claiming({ sub: undefined }),
    'padded signature': `${signed({ alg: 'HS256' })}=`,
    'two signatures': `${signed({ alg: 'HS256' })}.AAAA`,
  };
}
