import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readKeySet } from '#src/auth/key-set.js';
import { isRocaModulus } from '#src/auth/roca.js';

/** Product of the primes up to 167, as the flawed generator takes it for keys of 512 bits. */
const PRIMORIAL = Array.from({ length: 166 }, (_, at) => at + 2)
  .filter((n) => !Array.from({ length: n - 2 }, (_, at) => at + 2).some((divisor) => n % divisor === 0))
  .reduce((product, prime) => product * BigInt(prime), 1n);

function power(exponent: number): bigint {
  let value = 1n;
  for (let n = 0; n < exponent; n += 1) value = (value * 65_537n) % PRIMORIAL;
  return value;
}

/** A number of 2,048 bits in the form k·M + (65537^a mod M). */
function flawed(exponent: number): bigint {
  const factor = 2n ** 2_047n / PRIMORIAL + BigInt(exponent);
  return factor * PRIMORIAL + power(exponent);
}

const base64url = (value: bigint): string =>
  Buffer.from(value.toString(16).padStart(512, '0'), 'hex').toString('base64url');

describe('auth/roca', () => {
  it('knows moduli of the flawed generator, and those a step beside them', () => {
    for (const exponent of [1, 2, 77, 5_000]) {
      assert.equal(isRocaModulus(flawed(exponent)), true, String(exponent));
      assert.equal(isRocaModulus(flawed(exponent) + 2n), false, String(exponent));
    }
  });

  it('takes no key of a sound generator for one', () => {
    for (let n = 0; n < 5; n += 1) {
      const { n: modulus = '' } = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({
        format: 'jwk',
      });
      assert.equal(isRocaModulus(BigInt(`0x${Buffer.from(modulus, 'base64url').toString('hex')}`)), false);
    }
  });

  it('leaves such a key out of a key set, and says why', async () => {
    const key = { kty: 'RSA', alg: 'RS256', kid: 'r', e: 'AQAB', n: base64url(flawed(77)) };
    assert.deepEqual(await readKeySet({ keys: [key] }), {
      ok: false,
      why: 'none of its keys can be used: key 1: its private key can be computed (CVE-2017-15361)',
    });
  });
});
