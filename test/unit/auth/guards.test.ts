/** Vectors of our own for each guard that closes a false accept of Project Wycheproof: with the guard taken out, one fails. */
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readJws } from '#src/auth/jws.js';
import { readKeySet } from '#src/auth/key-set.js';
import { verifyWithKeys } from '#src/auth/token-tool.js';

type Jwk = Record<string, unknown>;

const CLAIMS = { sub: 'ada', exp: 4_000_000_000 };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const secret = Buffer.alloc(32, 7);

const encode = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');
const input = (header: object, claims: object = CLAIMS): string => `${encode(header)}.${encode(claims)}`;
const hs = (header: object, key: Buffer | string = secret, hash = 'sha256'): string =>
  `${input(header)}.${createHmac(hash, key).update(input(header)).digest('base64url')}`;
const rs = (header: object, key: KeyObject = rsa.privateKey): string =>
  `${input(header)}.${createSign('sha256').update(input(header)).sign(key, 'base64url')}`;
const es = (header: object): string =>
  `${input(header)}.${encode(sign('sha256', Buffer.from(input(header)), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }))}`;
const eddsa = (header: object): string =>
  `${input(header)}.${encode(sign(null, Buffer.from(input(header)), ed.privateKey))}`;
const jwk = (key: KeyObject, over: Jwk = {}): Jwk => ({ ...key.export({ format: 'jwk' }), ...over });

const RSA = jwk(rsa.publicKey, { alg: 'RS256', kid: 'r' });
const OCT: Jwk = { kty: 'oct', k: encode(secret), alg: 'HS256', kid: 'h' };

async function reasonOf(token: string, ...keys: Jwk[]): Promise<string> {
  const check = await verifyWithKeys(token, { keys });
  return check.valid ? 'valid' : check.reason;
}

describe('auth/guards', () => {
  it('a good token of each kind is taken', async () => {
    assert.equal(await reasonOf(hs({ alg: 'HS256' }), OCT), 'valid');
    assert.equal(await reasonOf(rs({ alg: 'RS256', kid: 'r' }), RSA), 'valid');
    assert.equal(await reasonOf(es({ alg: 'ES256' }), jwk(ec.publicKey, { alg: 'ES256' })), 'valid');
    for (const alg of ['EdDSA', 'Ed25519'])
      assert.equal(await reasonOf(eddsa({ alg }), jwk(ed.publicKey, { alg: 'EdDSA' })), 'valid');
  });

  it('base64url is canonical in every part', () => {
    const good = hs({ alg: 'HS256' });
    const [head = '', body = '', signature = ''] = good.split('.');
    const stray = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
    for (const token of [
      `${head}=.${body}.${signature}`,
      `${head}.${body} .${signature}`,
      `${head}.${body}.${stray}`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.+/${signature}`,
      `${good}.`,
      `.${good}`,
      `${head}.${body}`,
    ])
      assert.deepEqual(readJws(token), { ok: false, fault: 'malformed' }, token.slice(-20));
    assert.equal(readJws(good).ok, true);
  });

  it('a token brings no key and no extension', () => {
    for (const member of ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'zip', 'enc'])
      assert.deepEqual(
        readJws(hs({ alg: 'HS256', [member]: null })),
        { ok: false, fault: 'unsupported_header' },
        member,
      );
  });

  it('the algorithm is the key’s', async () => {
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    assert.equal(await reasonOf(hs({ alg: 'HS256', kid: 'r' }, String(pem)), RSA), 'unknown_key');
    assert.equal(await reasonOf(rs({ alg: 'RS256' }), { ...RSA, alg: 'PS256' }), 'unknown_key');
    assert.equal(await reasonOf(hs({ alg: 'HS512' }, secret, 'sha512'), OCT), 'unknown_key');
    assert.equal(await reasonOf(`${input({ alg: 'none' })}.`, OCT), 'unsupported_algorithm');
  });

  it('a key names its algorithm, unless its issuer’s is configured', async () => {
    const nameless = { ...RSA, alg: undefined };
    assert.match(await reasonOf(rs({ alg: 'RS256' }), nameless), /^bad_keys:.*names no algorithm/);
    assert.equal((await readKeySet({ keys: [nameless] }, 'RS256')).ok, true);
  });

  it('use and key_ops are obeyed', async () => {
    for (const over of [
      { use: 'enc' },
      { key_ops: ['encrypt'] },
      { key_ops: ['sign'] },
      { key_ops: ['verify', 'verify'] },
      { key_ops: 'verify' },
    ])
      assert.match(await reasonOf(rs({ alg: 'RS256' }), { ...RSA, ...over }), /^bad_keys/, JSON.stringify(over));
    assert.equal(await reasonOf(rs({ alg: 'RS256' }), { ...RSA, use: 'sig', key_ops: ['verify'] }), 'valid');
  });

  it('RSA keys have 2048 bits and an exponent from 65537', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    assert.match(
      await reasonOf(rs({ alg: 'RS256' }, short.privateKey), jwk(short.publicKey, { alg: 'RS256' })),
      /less than 2048/,
    );
    const small = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
    assert.match(
      await reasonOf(rs({ alg: 'RS256' }, small.privateKey), jwk(small.publicKey, { alg: 'RS256' })),
      /exponent/,
    );
    // Leading zeros make no key longer.
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(String(jwk(short.publicKey)['n']), 'base64url')]);
    assert.match(
      await reasonOf(rs({ alg: 'RS256' }, short.privateKey), jwk(short.publicKey, { alg: 'RS256', n: encode(padded) })),
      /less than 2048/,
    );
  });

  it('a secret is as long as its hash', async () => {
    const short = secret.subarray(0, 31);
    assert.match(await reasonOf(hs({ alg: 'HS256' }, short), { ...OCT, k: encode(short) }), /too short/);
    assert.match(await reasonOf(hs({ alg: 'HS512' }, secret, 'sha512'), { ...OCT, alg: 'HS512' }), /too short/);
  });

  it('a set holds an id once, and no secrets beside public keys', async () => {
    assert.match(
      await reasonOf(rs({ alg: 'RS256', kid: 'r' }), RSA, { ...jwk(ec.publicKey), alg: 'ES256', kid: 'r' }),
      /stands twice/,
    );
    assert.match(await reasonOf(rs({ alg: 'RS256', kid: 'r' }), RSA, OCT), /mixes secrets/);
  });

  it('a curve is that of the algorithm', async () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    assert.match(await reasonOf(es({ alg: 'ES256' }), jwk(p384.publicKey, { alg: 'ES256' })), /not on the curve/);
    assert.match(
      await reasonOf(es({ alg: 'ES256' }), jwk(ec.publicKey, { alg: 'ES256', x: encode(Buffer.alloc(32, 1)) })),
      /no such key/,
    );
  });

  it('a key id is compared and nothing else', async () => {
    for (const kid of ['../../dev/null', "x' OR 1=1", '__proto__', 'constructor'])
      assert.equal(await reasonOf(hs({ alg: 'HS256', kid }), OCT), 'unknown_key', kid);
    assert.equal(await reasonOf(hs({ alg: 'HS256', kid: 'h' }), OCT), 'valid');
  });

  it('a set without usable keys, and what is no set, is refused', async () => {
    for (const document of [null, [], {}, { keys: {} }, { keys: [] }, { keys: [null, 7] }, 'x'])
      assert.equal((await readKeySet(document)).ok, false, JSON.stringify(document));
  });
});
