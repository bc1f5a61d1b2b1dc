/** Vectors in the form of Project Wycheproof, made here: the script that runs the public ones tells right from wrong. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, runNode } from '../../support/gateway.js';

const encode = (value: object | Buffer | string): string =>
  Buffer.from(Buffer.isBuffer(value) || typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  );

const secret = Buffer.alloc(32, 9);
const OCT = { kty: 'oct', kid: 'k', alg: 'HS256', k: encode(secret) };
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const EC = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e', alg: 'ES256' };

function mac(header: object): string {
  const input = `${encode(header)}.${encode('foo')}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
function es(header: object): string {
  const input = `${encode(header)}.${encode('foo')}`;
  return `${input}.${encode(sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }))}`;
}

describe('vectors in the form of Project Wycheproof', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'viable-vectors-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function run(
    testGroups: object[],
  ): Promise<{ code: number | null; counts: Record<string, number>; text: string }> {
    const file = path.join(folder, 'vectors.json');
    await writeFile(file, JSON.stringify({ algorithm: 'JWS', testGroups }));
    const { code, stdout, stderr } = await runNode(path.join(ROOT, 'scripts/wycheproof.mjs'), [file]);
    const counts = JSON.parse(stdout.trim().split('\n').at(-1) ?? stderr) as Record<string, number>;
    return { code, counts, text: stdout };
  }
  const good = mac({ alg: 'HS256', kid: 'k' });
  const test = (tcId: number, jws: string, result: string): object => ({ tcId, comment: `case ${tcId}`, jws, result });

  it('agrees where it should: one key, a set, a MAC, a signature, what is broken in each way', async () => {
    const [head = '', body = '', signature = ''] = good.split('.');
    const { code, counts, text } = await run([
      {
        type: 'JsonWebSignature',
        private: OCT,
        tests: [
          test(1, good, 'valid'),
          test(2, `${head}.${encode('bar')}.${signature}`, 'invalid'),
          test(3, `${good}=`, 'invalid'),
          test(4, `${head}.${body}.`, 'invalid'),
          test(5, mac({ alg: 'none' }), 'invalid'),
          test(6, mac({ alg: 'HS256', crit: ['exp'] }), 'invalid'),
          test(7, mac({ alg: 'HS512' }), 'invalid'),
          test(8, mac({ alg: 'HS256', jwk: OCT }), 'invalid'),
        ],
      },
      {
        type: 'JsonWebSignature',
        public: { keys: [EC] },
        tests: [test(9, es({ alg: 'ES256', kid: 'e' }), 'valid'), test(10, es({ alg: 'ES384', kid: 'e' }), 'invalid')],
      },
      {
        type: 'JsonWebEncryption',
        private: OCT,
        tests: [{ tcId: 11, comment: 'encrypted', jwe: 'x', result: 'valid' }],
      },
    ]);
    const none = { falseAccepts: 0, falseRefusals: 0, contradicted: 0 };
    assert.deepEqual(counts, { vectors: 10, agree: 10, ...none, skipped: 1 }, text);
    assert.equal(code, 0);
  });

  it('names what it accepts and must not, and fails; names what it refuses and need not', async () => {
    const wrong = await run([{ private: OCT, tests: [test(1, good, 'invalid')] }]);
    assert.deepEqual([wrong.code, wrong.counts['falseAccepts']], [1, 1]);
    assert.match(wrong.text, /vectors\.json 1: accepted, expected invalid: case 1/);
    const both = await run([{ private: OCT, tests: [test(1, good, 'valid'), test(2, good, 'invalid')] }]);
    assert.deepEqual([both.code, both.counts['contradicted']], [0, 1]);
    const weak = { ...OCT, k: encode(Buffer.alloc(8)) };
    const strict = await run([{ private: weak, tests: [test(2, good, 'valid')] }]);
    assert.deepEqual([strict.code, strict.counts['falseRefusals']], [0, 1]);
    assert.match(strict.text, /2: refused \(bad_keys: .*too short/);
  });
});
