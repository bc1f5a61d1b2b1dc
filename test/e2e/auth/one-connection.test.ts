/** Many credentials over one connection, as a proxy would bring them: each request is whose token it shows. */
import assert from 'node:assert/strict';
import { Client } from 'undici';
import { initializeRequest, POST_HEADERS } from '../../support/raw-http.js';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('one connection', () => {
  const world = lockedGateway({ auth: { mode: 'required' } });
  let client: Client;
  let connects = 0;
  before(() => {
    client = new Client(new URL(world.gateway.url).origin);
    client.on('connect', () => (connects += 1));
  });
  after(() => client.close());

  async function post(
    message: object,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; session: string }> {
    const all = { ...POST_HEADERS, ...headers };
    const answer = await client.request({ method: 'POST', path: '/mcp', headers: all, body: JSON.stringify(message) });
    await answer.body.dump();
    return { status: answer.statusCode, session: String(answer.headers['mcp-session-id']) };
  }

  it('knows who shows the same token again, and nobody by what another showed before; a revocation counts at once', async () => {
    const [ada, bob] = [bearer(await tokenFor('ada')), bearer(await tokenFor('bob'))];
    const opened = await post(initializeRequest('2025-11-25'), ada);
    assert.equal(opened.status, 200);
    const inSession = { 'mcp-session-id': opened.session };
    const ping = async (who: Readonly<Record<string, string>>): Promise<number> =>
      (await post(PING, { ...inSession, ...who })).status;
    const before = (await world.gateway.status()).auth.tokens.hits;
    for (let again = 0; again < 3; again += 1) assert.equal(await ping(ada), 200);
    assert.equal((await world.gateway.status()).auth.tokens.hits, before + 3);
    assert.equal(await ping(bob), 404, 'the session is not his');
    assert.equal(await ping(bob), 404);
    assert.equal(await ping({}), 401);
    assert.equal(await ping({ authorization: `${ada.authorization}x` }), 401);
    assert.equal(await ping(ada), 200);
    const args = { token: ada.authorization.slice('Bearer '.length) };
    await world.gateway.admin('send', { actor: '/admission/authenticator', message: 'revoke', args });
    assert.equal(await ping(ada), 401);
    assert.equal(await ping(bob), 404);
    assert.equal(connects, 1);
  });
});
