/** Tokens of others: discovery, keys that rotate, an issuer that is down, claims that are mapped. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { bearer } from '../../support/auth/tokens.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { fetchRaw, initializeRequest, type Json, POST_HEADERS } from '../../support/raw-http.js';

/** An OpenID provider that can turn its keys and be away. */
class Provider {
  readonly #server: Server;
  readonly #keys: { readonly kid: string; readonly jwk: JWK; readonly sign: CryptoKey }[] = [];
  fetches = 0;
  up = true;
  url = '';

  constructor() {
    this.#server = createServer((req, res) => {
      this.fetches += 1;
      if (!this.up) return void res.writeHead(503).end();
      const document =
        req.url?.startsWith('/.well-known/') === true
          ? { issuer: this.url, jwks_uri: `${this.url}/keys` }
          : { keys: this.#keys.map(({ jwk }) => jwk) };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(document));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    await this.turn('one', 'RS256');
  }

  /** Adds a key; the newest signs. */
  async turn(kid: string, alg: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.push({ kid, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, sign: privateKey });
  }

  drop(kid: string): void {
    const at = this.#keys.findIndex((key) => key.kid === kid);
    this.#keys.splice(at, 1);
  }

  async token(claims: Json, over: { aud?: string; iss?: string } = {}): Promise<string> {
    const { kid, jwk, sign } = this.#keys.at(-1)!;
    const { aud = 'https://gateway.example/mcp', iss = this.url } = over;
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: String(jwk.alg), kid })
      .setIssuer(iss)
      .setAudience(aud)
      .setExpirationTime('5m')
      .sign(sign);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe('external issuers', () => {
  const provider = new Provider();
  let gateway: Gateway;
  before(async () => {
    await provider.start();
    const issuer = {
      issuer: provider.url,
      roleClaim: 'realm_access.roles',
      permissionsClaim: 'scope',
      roles: { 'mcp-power': 'premium' },
    };
    const auth = { issuers: [issuer], resource: 'https://gateway.example/mcp', scopes: ['mcp'] };
    gateway = await startGateway({ config: { mcpServers: {}, gateway: { auth, limits: { failedLogins: 1_000 } } } });
  });
  after(async () => {
    await gateway.stop();
    provider.stop();
  });

  async function login(token: string): Promise<number> {
    const body = JSON.stringify(initializeRequest('2025-11-25'));
    return (
      await fetchRaw(`${gateway.url}/mcp`, { method: 'POST', headers: { ...POST_HEADERS, ...bearer(token) }, body })
    ).status;
  }

  it('asks for tokens, and says whose', async () => {
    const reply = await fetchRaw(`${gateway.url}/.well-known/oauth-protected-resource/mcp`);
    const { resource, authorization_servers: servers, scopes_supported: scopes } = JSON.parse(reply.body) as Json;
    assert.deepEqual([resource, servers, scopes], ['https://gateway.example/mcp', [provider.url], ['mcp']]);
    const challenge = (await fetchRaw(`${gateway.url}/mcp`)).headers['www-authenticate'] ?? '';
    assert.match(challenge, /scope="mcp"/);
    assert.match(
      challenge,
      /resource_metadata="https:\/\/gateway\.example\/\.well-known\/oauth-protected-resource\/mcp"/,
    );
  });

  it('takes them, role and permissions by their claims; the audience is checked', async () => {
    const claims = { sub: 'ann', realm_access: { roles: ['other', 'mcp-power'] }, scope: 'read write' };
    assert.equal(await login(await provider.token(claims)), 200);
    const [connection] = await gateway.admin<Json[]>('connections');
    assert.deepEqual([connection?.['principal'], connection?.['role']], ['ann', 'premium']);
    assert.equal(await login(await provider.token(claims, { aud: 'https://other.example' })), 401);
    assert.equal(await login(await provider.token(claims, { iss: `${provider.url}/` })), 401);
    assert.equal(await login(await provider.token({ ...claims, sub: undefined })), 401);
  });

  it('goes on while the issuer is away; asks it no more than the cool-down allows', async () => {
    provider.up = false;
    assert.equal(await login(await provider.token({ sub: 'bob' })), 200);
    provider.up = true;
    await gateway.admin('send', { actor: '/admission/authenticator', message: 'refresh' });
    const [seen] = (await gateway.status()).auth.issuers;
    assert.equal(seen?.keys, 1);
    const before = provider.fetches;
    await provider.turn('two', 'ES256');
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, index) => provider.token({ sub: `c${index}` })));
    await Promise.all(tokens.map((token) => login(token)));
    assert.ok(provider.fetches - before <= 2, String(provider.fetches - before));
  });

  it('takes a new key once it was fetched', async () => {
    await gateway.admin('send', { actor: '/admission/authenticator', message: 'refresh' });
    await eventually(async () => assert.equal((await gateway.status()).auth.issuers[0]?.keys, 2), { what: 'two keys' });
    assert.equal(await login(await provider.token({ sub: 'dan' })), 200);
    await provider.turn('three', 'EdDSA');
    await gateway.admin('send', { actor: '/admission/authenticator', message: 'refresh' });
    await eventually(async () => assert.equal((await gateway.status()).auth.issuers[0]?.keys, 3), {
      what: 'three keys',
    });
    assert.equal(await login(await provider.token({ sub: 'eva' })), 200);
  });

  it('tells S4 of keys that were rotated, and of nothing when they are the same', async () => {
    const news = async (): Promise<(readonly [string, string, string])[]> =>
      (await gateway.status()).vsm.intelligence.recent.map(({ kind, unit, what }) => [kind, unit, what]);
    // The tests before have turned two in; within a minute that is one event.
    const expected = ['environment', `issuer:${provider.url}`, 'its keys were rotated: 1 new, 0 gone'];
    const known = await news();
    assert.deepEqual(known[0], expected);
    // A connection that was kept open may be closed under a fetch, which is then tried again.
    const refresh = () => gateway.admin('send', { actor: '/admission/authenticator', message: 'refresh' });
    const before = (await gateway.status()).auth.issuers[0]?.fetchedAt ?? 0;
    await eventually(async () => {
      await refresh();
      assert.ok(((await gateway.status()).auth.issuers[0]?.fetchedAt ?? 0) > before);
    });
    assert.deepEqual(await news(), known, 'the same keys are no news');
    provider.drop('one');
    await eventually(async () => {
      await refresh();
      const gone = ['environment', `issuer:${provider.url}`, 'its keys were rotated: 0 new, 1 gone'];
      assert.deepEqual(await news(), [gone, ...known]);
    });
  });
});
