/** `viable token` as people type it, and what a restart remembers. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { importPKCS8, SignJWT } from 'jose';
import { bearer, SECRET } from '../../support/auth/tokens.js';
import { ROOT, type Run, runNode, startGateway } from '../../support/gateway.js';
import { fetchRaw, initializeRequest, POST_HEADERS } from '../../support/raw-http.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const env = { JWT_SECRET: SECRET };

async function viable(...args: string[]): Promise<Run> {
  return await runNode(CLI, args, { env });
}

describe('viable token', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'viable-token-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('creates, verifies and refreshes without a gateway', async () => {
    const made = await viable(
      'token',
      'create',
      'ada',
      '--role',
      'premium',
      '--permission',
      'read',
      'write',
      '--expires',
      '2h',
    );
    assert.equal(made.code, 0, made.stderr);
    const token = made.stdout.trim();
    const checked = JSON.parse((await viable('token', 'verify', token, '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(
      [checked['subject'], checked['role'], checked['permissions']],
      ['ada', 'premium', ['read', 'write']],
    );
    const fresh = JSON.parse((await viable('token', 'refresh', token, '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(fresh, { token, renewed: false });
    const [bad, badRefresh] = [await viable('token', 'verify', `${token}x`), await viable('token', 'refresh', 'x')];
    assert.deepEqual([bad.code, badRefresh.code], [1, 1]);
    assert.match(bad.stderr, /refused/);
    const short = await runNode(CLI, ['token', 'create', 'x'], { env: { JWT_SECRET: 'short' } });
    assert.equal(short.code, 2);
    assert.match(short.stderr, /randomBytes/);
    assert.equal((await runNode(CLI, ['token', 'create', 'x'])).code, 2);
  });

  it('verifies with a set of public keys', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = await importPKCS8(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'RS256');
    const token = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setExpirationTime('1h')
      .sign(key);
    const file = path.join(folder, 'keys.json');
    await writeFile(
      file,
      JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' }] }),
    );
    assert.equal((await viable('token', 'verify', token, '--jwks', file)).code, 0);
    assert.equal((await viable('token', 'verify', token.slice(0, -6), '--jwks', file)).code, 1);
    assert.equal((await viable('token', 'verify', token, '--jwks', path.join(folder, 'none.json'))).code, 2);
  });

  it('revokes at the gateway, which remembers it over a restart', async () => {
    const config = { mcpServers: {}, gateway: { auth: { revocations: path.join(folder, 'revoked.json') } } };
    const token = (await viable('token', 'create', 'eve')).stdout.trim();
    const status = async (url: string): Promise<number> => {
      const body = JSON.stringify(initializeRequest('2025-11-25'));
      return (await fetchRaw(`${url}/mcp`, { method: 'POST', headers: { ...POST_HEADERS, ...bearer(token) }, body }))
        .status;
    };
    const first = await startGateway({ config, env });
    assert.equal(await status(first.url), 200);
    const revoked = await viable('token', 'revoke', token, '--socket', first.socketPath);
    assert.equal(revoked.code, 0, revoked.stderr);
    assert.equal(await status(first.url), 401);
    await first.stop();
    const second = await startGateway({ config, env });
    assert.equal(await status(second.url), 401);
    await second.stop();
    assert.equal((await viable('token', 'revoke')).code, 2);
  });
});
