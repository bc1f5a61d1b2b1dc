/** `gateway.auth`: who clients are. The default of `mode` depends on the address and the environment: see `resolve-auth.ts`. */
import { z } from 'zod';
import { block, LIVE, RESTART, text, time } from './parts.js';

/** Shortest HMAC secret, in bytes of UTF-8: as long as the hash (RFC 7518, 3.2). */
export const MIN_SECRET_BYTES = 32;

/** How to make one, in every message that asks for one. */
export const MAKE_SECRET = `make one with: node -e "console.log(require('node:crypto').randomBytes(48).toString('base64url'))"`;

export const AUTH_MODES = ['off', 'optional', 'required'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** Signature algorithms of external issuers. HMAC is not among them: whoever verifies with it could sign, too. */
export const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const ROLE = z.enum(['admin', 'premium', 'user', 'guest']);

function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname));
}

const safeUrl = (what: string) =>
  text(what).refine(isSafeUrl, {
    error: 'must be an https:// address (http:// on loopback only), without credentials',
  });

const claim = (description: string) => text('the claim').max(256).describe(description);

const secret = block(LIVE, 'A secret for HS256.', {
  kid: text('the key id')
    .max(64)
    .regex(/^[A-Za-z0-9._-]*$/, { error: 'must be letters, digits, `.`, `_` or `-`' })
    .optional()
    .describe('Name of the key in the header of tokens. Absent: derived from the secret.'),
  secret: text('the secret')
    .refine((value) => Buffer.byteLength(value) >= MIN_SECRET_BYTES, {
      error: `must be at least ${MIN_SECRET_BYTES} bytes; ${MAKE_SECRET}`,
    })
    .describe(`At least ${MIN_SECRET_BYTES} bytes, as in \`\${JWT_SECRET}\`.`),
});

const issuer = block(LIVE, 'Somebody else who signs tokens.', {
  issuer: text('the issuer').max(512).describe('Its `iss` claim, to the letter.'),
  jwksUri: safeUrl('the address')
    .optional()
    .describe('Its key set. Absent: found by OpenID Connect Discovery, for which `issuer` must be its address.'),
  audience: z
    .array(text('an audience').max(512))
    .min(1)
    .optional()
    .describe('Values of `aud` that are meant for this gateway. Absent: `gateway.auth.audience` and `resource`.'),
  algorithm: z
    .enum(PUBLIC_KEY_ALGORITHMS)
    .optional()
    .describe('Algorithm of its keys that name none. Keys that name one are used with that one only.'),
  subjectClaim: claim('Path of the claim that names the user.').default('sub'),
  roleClaim: claim('Path of the claim with the role or roles: `realm_access.roles`.').default('role'),
  permissionsClaim: claim('Path of the claim with the permissions, a list or words: `scope`.').default('permissions'),
  roles: z
    .record(z.string().max(256), ROLE)
    .optional()
    .describe('Names of its roles → `admin`, `premium`, `user` or `guest`. Absent: those names as they are.'),
  defaultRole: ROLE.default('user').describe('The role of a token that names none which is known.'),
});

export const auth = block(LIVE, 'Who clients are.', {
  mode: z
    .enum(AUTH_MODES)
    .optional()
    .describe(
      '`off`: nobody is asked. `optional`: who brings no token is a guest. `required`: a token is needed. Absent: `off` on a loopback address with neither `JWT_SECRET` nor secrets nor issuers, `required` otherwise.',
    )
    .meta({ ...RESTART }),
  issuer: text('the issuer')
    .max(512)
    .default('autonomous-opponent')
    .describe('`iss` of the tokens that are signed with the secrets.'),
  audience: text('the audience').max(512).default('mcp-gateway').describe('`aud` that a token must be for.'),
  secrets: z
    .array(secret)
    .max(8)
    .default([])
    .describe(
      'HS256 secrets `{kid, secret}`; `JWT_SECRET` of the environment comes before them. The first one signs, all verify: to rotate, put a new one first and drop the old one when its last token has ended.',
    ),
  issuers: z
    .array(issuer)
    .max(16)
    .default([])
    .describe(
      'Other issuers, with public keys: `{issuer, jwksUri, audience, algorithm, subjectClaim, roleClaim, permissionsClaim, roles, defaultRole}`.',
    ),
  cacheTtl: time('A verified token is not verified again for this long, and never past its end.', 0).default(300_000),
  publicKeyRefresh: time('Key sets of other issuers are fetched again this often.', 10_000).default(3_600_000),
  tokenTtl: time('How long tokens last that are made without `exp`.', 1_000).default(3_600_000),
  queryToken: z
    .boolean()
    .default(true)
    .describe(
      'Take `?token=` on `/mcp/sse` and WebSockets, for clients that cannot send headers. A ticket (`POST /mcp/ticket`) is better.',
    ),
  resource: safeUrl('the address')
    .nullable()
    .default(null)
    .describe('The address of `/mcp` as clients know it (RFC 9728). `null`: made from the Host header.'),
  scopes: z
    .array(text('a scope').regex(/^[\x21\x23-\x5B\x5D-\x7E]*$/, { error: 'must be a scope as in RFC 6749' }))
    .default([])
    .describe('Scopes that a client should ask for; told in the metadata and in `WWW-Authenticate`.'),
  revocations: text('the path')
    .nullable()
    .default(null)
    .describe('File that keeps revoked tokens over a restart, relative to this file. `null`: memory alone.')
    .meta({ ...RESTART }),
});
