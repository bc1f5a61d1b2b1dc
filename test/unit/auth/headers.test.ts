/**
 * Threat row "`none`, HS/RS confusion, jwk/jku/x5u, crit, kid path or SQL": each header by itself and together, signed so well
 * that only the guard can refuse it; no file is read, no name looked up, no connection made.
 */
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { AuthPlane } from '#src/auth/auth-plane.js';
import { resolveDocument } from '#src/config/resolve.js';
import { SystemClock } from '#src/kernel/index.js';
import { SECRET } from '../../support/auth/tokens.js';

const ISSUER = 'https://issuer.example';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const RSA_JWK = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'r', alg: 'RS256' };
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (iss: string): string =>
  encode({ sub: 'eve', role: 'admin', iss, aud: 'mcp-gateway', exp: 4_000_000_000 });

const OWN = 'autonomous-opponent';
function hs(header: object, key: string | Buffer = SECRET, iss = OWN): string {
  const input = `${encode({ alg: 'HS256', ...header })}.${claims(iss)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}
function rs(header: object, iss = ISSUER): string {
  const input = `${encode({ alg: 'RS256', kid: 'r', ...header })}.${claims(iss)}`;
  return `${input}.${createSign('sha256').update(input).sign(rsa.privateKey, 'base64url')}`;
}

/** What a token may try to have used in place of the keys. */
const ELSEWHERE: Readonly<Record<string, unknown>> = {
  jwk: RSA_JWK,
  jku: 'https://evil.example/keys',
  x5u: 'https://evil.example/cert.pem',
  x5c: ['AAAA'],
  crit: ['exp'],
  b64: false,
  zip: 'DEF',
  enc: 'A256GCM',
};
const PLACES: readonly unknown[] = [
  'https://evil.example/k',
  'http://127.0.0.1:1/k',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '/etc/passwd',
  'data:application/json,{"keys":[]}',
  '',
  null,
  7,
  {},
];
const KIDS: readonly unknown[] = [
  '../../../../../../dev/null',
  '/proc/self/environ',
  'file:///etc/passwd',
  'https://evil.example/k',
  "x' UNION SELECT 'key",
  '__proto__',
  'constructor',
  '',
  '\u0000',
  'k'.repeat(100_000),
  null,
  7,
  [],
  {},
];

describe('auth/headers', () => {
  /** Calls of what a verifier has no business with. */
  const touched: string[] = [];
  let fetches = 0;
  let plane: AuthPlane;
  let restore: () => void;

  before(async () => {
    const auth = { issuers: [{ issuer: ISSUER, jwksUri: `${ISSUER}/keys` }] };
    const loaded = resolveDocument(
      { gateway: { auth } },
      { file: null, baseDir: '/', env: { JWT_SECRET: SECRET }, overrides: {} },
    );
    assert.ok(loaded.ok);
    plane = new AuthPlane(loaded.config.gateway, new SystemClock(), (url) => {
      fetches += 1;
      assert.equal(url, `${ISSUER}/keys`);
      return Promise.resolve({ keys: [RSA_JWK] });
    });
    // The keys are here: from now on nothing has to be fetched for any of these tokens.
    for (const token of [hs({}), rs({})])
      assert.equal((await plane.authenticator.verify(token)).ok, true, 'a good one');
    restore = spy(touched);
    fetches = 0;
  });
  after(() => restore());

  async function faultOf(token: string): Promise<string> {
    const verdict = await plane.authenticator.verify(token);
    return verdict.ok ? 'accepted' : verdict.fault;
  }

  it('a key or a way of reading that the token brings along: refused, whoever signed', async () => {
    for (const [name, value] of Object.entries(ELSEWHERE))
      for (const sign of [hs, rs]) {
        assert.equal(await faultOf(sign({ [name]: value })), 'unsupported_header', name);
        for (const other of ['jku', 'x5u', 'jwk'])
          for (const place of PLACES)
            assert.equal(
              await faultOf(sign({ [name]: value, [other]: place })),
              'unsupported_header',
              `${name}, ${other}`,
            );
      }
  });

  it('a kid is compared with those of the keys, and is nothing else', async () => {
    for (const kid of KIDS) {
      for (const sign of [hs, rs]) {
        const fault = await faultOf(sign({ kid }));
        assert.ok(
          ['unknown_key', 'unsupported_header', 'malformed'].includes(fault),
          `${String(kid).slice(0, 40)}: ${fault}`,
        );
      }
    }
  });

  it('an algorithm is the key’s: none, other names, another family, a public key as the secret', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'hs256', 'HS257', 'RS256 ', null, 7, ['HS256'], {}])
      assert.equal(await faultOf(hs({ alg })), 'unsupported_algorithm', JSON.stringify(alg));
    for (const alg of ['HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA'])
      assert.equal(await faultOf(hs({ alg })), 'unknown_key', alg);
    // RS256 and HS256 confused: the public key, in every form, as the secret.
    for (const key of [
      Buffer.from(pem),
      Buffer.from(JSON.stringify(RSA_JWK)),
      Buffer.from(RSA_JWK.n ?? '', 'base64url'),
    ])
      for (const header of [{}, { kid: 'r' }]) assert.equal(await faultOf(hs(header, key, ISSUER)), 'unknown_key');
    assert.equal(await faultOf(`${encode({ alg: 'none' })}.${claims(OWN)}.`), 'unsupported_algorithm');
  });

  it('and nothing was read, looked up or connected to', () => {
    assert.deepEqual(touched, []);
    // The one thing that a key nobody knows is worth: the issuer's own set, once in its cool-down.
    assert.ok(fetches <= 1, String(fetches));
  });
});

/** Notes every call that reads a file, asks a name or connects. Returns what undoes it. */
function spy(touched: string[]): () => void {
  const undo: (() => void)[] = [];
  const watch = (of: object, name: string): void => {
    const original = Object.getOwnPropertyDescriptor(of, name);
    if (original === undefined) throw new Error(`nothing to watch: ${name}`);
    Object.defineProperty(of, name, {
      configurable: true,
      value: () => {
        touched.push(name);
        throw new Error(`${name} is not to be called`);
      },
    });
    undo.push(() => Object.defineProperty(of, name, original));
  };
  for (const name of ['readFile', 'readFileSync', 'open', 'openSync', 'createReadStream']) watch(fs, name);
  for (const name of ['readFile', 'open']) watch(fs.promises, name);
  for (const name of ['lookup', 'resolve', 'resolve4']) watch(dns, name);
  watch(net.Socket.prototype, 'connect');
  watch(globalThis, 'fetch');
  syncBuiltinESMExports();
  return () => {
    for (const one of undo) one();
    syncBuiltinESMExports();
  };
}
