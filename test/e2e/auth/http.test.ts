/** Who may speak over HTTP: tokens, where they may stand, sessions that are one principal's, challenges, metadata. */
import assert from 'node:assert/strict';
import { type AuthSnapshot } from '#src/admin/snapshot/auth.js';
import { type GatewaySnapshot } from '#src/admin/protocol.js';
import { badTokens, goodToken } from '../../support/auth/bad-tokens.js';
import { bearer, lockedGateway, SECRET, tokenFor } from '../../support/auth/tokens.js';
import {
  fetchRaw,
  type HttpReply,
  initializeRequest,
  type Json,
  messagesIn,
  POST_HEADERS,
} from '../../support/raw-http.js';

const INIT = JSON.stringify(initializeRequest('2025-11-25'));

function reasonOf(reply: HttpReply): unknown {
  return (messagesIn(reply)[0]?.error?.data as Json | undefined)?.['reason'];
}

describe('authentication over HTTP', () => {
  const world = lockedGateway({ limits: { failedLogins: 10_000 } });
  const at = (path: string): string => `${world.gateway.url}${path}`;
  const initialize = (headers: Record<string, string> = {}, path = '/mcp'): Promise<HttpReply> =>
    fetchRaw(at(path), { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body: INIT });

  it('is required where a secret is set, on every route but health and metadata', async () => {
    const posts = ['/mcp', '/mcp/s/good', '/mcp/messages?sessionId=x', '/mcp/ticket'];
    for (const path of posts) {
      const reply = await initialize({}, path);
      assert.deepEqual([path, reply.status, reasonOf(reply)], [path, 401, 'unauthenticated']);
    }
    for (const path of ['/mcp', '/mcp/sse', '/metrics', '/mcp/t/none']) {
      const reply = await fetchRaw(at(path), { headers: { accept: 'text/event-stream' } });
      assert.deepEqual([path, reply.status], [path, 401]);
    }
    assert.equal((await fetchRaw(at('/mcp'), { method: 'DELETE' })).status, 401);
    assert.equal((await fetchRaw(at('/healthz'))).status, 200);
  });

  it('says where to read how to log in, and the metadata is there', async () => {
    const challenge = (await initialize()).headers['www-authenticate'];
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1];
    assert.equal(metadataUrl, at('/.well-known/oauth-protected-resource/mcp'));
    assert.doesNotMatch(challenge ?? '', /error=/); // RFC 6750, 3: none where nothing was shown
    for (const path of ['', '/mcp']) {
      const reply = await fetchRaw(at(`/.well-known/oauth-protected-resource${path}`));
      assert.equal((JSON.parse(reply.body) as Json)['resource'], at('/mcp'));
    }
    const bad = await initialize(bearer('x.y.z'));
    assert.match(bad.headers['www-authenticate'] ?? '', /error="invalid_token"/);
  });

  it('serves who has a token, and remembers it', async () => {
    const token = await tokenFor('ada', { role: 'premium', permissions: ['read'] });
    const before = await tokens();
    const opened = await initialize(bearer(token));
    assert.equal(opened.status, 200, opened.body);
    const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']), ...bearer(token) };
    assert.equal((await post(session, { jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202);
    const called = await post(session, echo('hello'));
    assert.match(called.body, /hello/);
    const [connection] = await world.gateway.admin<Json[]>('connections');
    assert.deepEqual([connection?.['principal'], connection?.['role']], ['ada', 'premium']);
    const after = await tokens();
    assert.equal(after.misses - before.misses, 1);
    assert.equal(after.hits - before.hits, 2);
  });

  it('answers 404 to another principal with the id of a session, which goes on undisturbed', async () => {
    const [ada, eve] = [await tokenFor('ada'), await tokenFor('eve')];
    const opened = await initialize(bearer(ada));
    const id = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    await post({ ...id, ...bearer(ada) }, { jsonrpc: '2.0', method: 'notifications/initialized' });
    const stolen = await post({ ...id, ...bearer(eve) }, echo('mine?'));
    assert.deepEqual([stolen.status, reasonOf(stolen)], [404, 'session_not_found']);
    const headers = { ...id, ...bearer(eve), accept: 'text/event-stream' };
    assert.equal((await fetchRaw(at('/mcp'), { headers })).status, 404);
    assert.equal((await fetchRaw(at('/mcp'), { method: 'DELETE', headers })).status, 404);
    assert.match((await post({ ...id, ...bearer(ada) }, echo('still mine'))).body, /still mine/);
    // A newer token of the same subject is the same principal.
    assert.match((await post({ ...id, ...bearer(await tokenFor('ada')) }, echo('renewed'))).body, /renewed/);
  });

  it('refuses what is no token of its issuer: 401, nothing read, nothing fetched', async () => {
    const good = await initialize(bearer(goodToken()));
    assert.equal(good.status, 200, 'the cases differ from a good token in one thing each');
    for (const [name, token] of Object.entries(badTokens(at('/healthz')))) {
      const reply = await initialize(bearer(token));
      assert.deepEqual([name, reply.status, reasonOf(reply)], [name, 401, 'unauthenticated']);
    }
  });

  it('takes a token in an address on /mcp/sse alone, one at a time', async () => {
    const token = await tokenFor('ada');
    for (const path of [
      `/mcp?token=${token}`,
      `/mcp/s/good?token=${token}`,
      `/mcp?access_token=${token}`,
      `/metrics?token=${token}`,
    ]) {
      assert.deepEqual([path.slice(0, 10), (await initialize({}, path)).status], [path.slice(0, 10), 401]);
    }
    const both = await fetchRaw(at(`/mcp/sse?token=${token}`), {
      headers: { accept: 'text/event-stream', ...bearer(token) },
    });
    assert.equal(both.status, 401);
    assert.equal((await initialize({ authorization: `Basic ${token}` })).status, 401);
  });

  it('asks for a permission for /metrics', async () => {
    const plain = await fetchRaw(at('/metrics'), { headers: bearer(await tokenFor('ada')) });
    assert.equal(plain.status, 403);
    assert.match(plain.headers['www-authenticate'] ?? '', /error="insufficient_scope".*scope="metrics"/);
    const scraper = await tokenFor('prometheus', { permissions: ['metrics'] });
    assert.equal((await fetchRaw(at('/metrics'), { headers: bearer(scraper) })).status, 200);
    assert.equal(
      (await fetchRaw(at('/metrics'), { headers: bearer(await tokenFor('root', { role: 'admin' })) })).status,
      200,
    );
  });

  it('keeps tokens out of logs, consoles and metrics', async () => {
    const root = await tokenFor('root', { role: 'admin' });
    const secret = await tokenFor('in-the-address');
    await fetchRaw(at(`/mcp?token=${secret}`), { method: 'POST', headers: POST_HEADERS, body: INIT });
    await fetchRaw(at(`/mcp/nowhere?token=${secret}`), { headers: { cookie: secret } });
    const metrics = await fetchRaw(at('/metrics'), { headers: bearer(root) });
    const status = await world.gateway.admin<GatewaySnapshot>('status');
    const logs = await world.gateway.admin<Json[]>('logs', { lines: 10_000 });
    const seen = [metrics.body, JSON.stringify(status), JSON.stringify(logs), world.gateway.tail(100_000)];
    for (const text of seen) for (const token of [secret, root]) assert.ok(!text.includes(token.slice(-40)));
    assert.ok(!seen.join('').includes(SECRET));
  });

  async function tokens(): Promise<AuthSnapshot['tokens']> {
    return (await world.gateway.status()).auth.tokens;
  }

  function post(headers: Record<string, string>, message: object): Promise<HttpReply> {
    return fetchRaw(at('/mcp'), {
      method: 'POST',
      headers: { ...POST_HEADERS, ...headers },
      body: JSON.stringify(message),
    });
  }
});

function echo(text: string): object {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'good__echo', arguments: { text } } };
}
