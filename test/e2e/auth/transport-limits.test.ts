/** Limits where a connection stays open: WebSocket, Phoenix and HTTP+SSE, each told by a typed error, and goes on. */
import assert from 'node:assert/strict';
import { lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { TOKEN_PEERS, type TokenPeer } from '../../support/auth/peers.js';
import { fetchRaw, type Json, POST_HEADERS, type Wire } from '../../support/raw-http.js';
import { bearer } from '../../support/auth/tokens.js';

const RATE_LIMITED = 'rate_limited';
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
const dataOf = ({ error }: Wire): Json => (error?.data ?? {}) as Json;

function refusedBy(wire: Wire, limit: string, name: string, most: number): void {
  const { reason, retryAfter, ...rest } = dataOf(wire);
  assert.deepEqual([reason, rest['limit'], rest['name']], [RATE_LIMITED, limit, name], JSON.stringify(wire));
  assert.ok(Number.isInteger(retryAfter) && Number(retryAfter) >= 1 && Number(retryAfter) <= most, String(retryAfter));
}

describe('limits on every transport that stays open', () => {
  const world = lockedGateway({
    listen: { trustedProxies: ['loopback'] },
    limits: {
      roles: { user: 5, premium: 50, admin: 60 },
      burst: 1,
      tools: { 'good__*': 2 },
      tenants: { acme: 4, burst: 4, 'HTTP+SSE': 4, WebSocket: 4, Phoenix: 4 },
      failedLogins: 6,
    },
  });
  const base = (): string => world.gateway.url;
  const ping = (peer: TokenPeer): Promise<Wire> => peer.request('ping');
  const echo = (peer: TokenPeer): Promise<Wire> =>
    peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });

  for (const [index, { name, open, login }] of TOKEN_PEERS.entries()) {
    it(`${name}: of a role; notifications do not count, another connection of the subject does`, async () => {
      const token = await tokenFor(`user-${name}`);
      const peer = await open(base(), token); // 1: initialize
      for (let n = 0; n < 4; n += 1) assert.ok((await ping(peer)).result);
      for (let n = 0; n < 5; n += 1) await peer.notify('notifications/cancelled', { requestId: 'none' });
      refusedBy(await ping(peer), 'role', 'user', 12);
      await assert.rejects(open(base(), token), /rate_limited/);
      const other = await open(base(), await tokenFor(`other-${name}`));
      assert.ok((await ping(other)).result);
      refusedBy(await ping(peer), 'role', 'user', 12); // it goes on, and is still told
      for (const one of [peer, other]) one.close();
    });

    it(`${name}: of a tool; of a tenant, all its users together`, async () => {
      const peer = await open(base(), await tokenFor(`caller-${name}`, { role: 'premium' }));
      assert.ok((await echo(peer)).result);
      assert.ok((await echo(peer)).result);
      refusedBy(await echo(peer), 'tool', 'good__*', 30);
      assert.ok((await ping(peer)).result, 'other requests go on');
      const claims = { tenant: name };
      const [a, b] = [
        await open(base(), await tokenFor(`a-${name}`, { role: 'premium', claims })),
        await open(base(), await tokenFor(`b-${name}`, { role: 'premium', claims })),
      ]; // 1 and 2: initialize
      assert.ok((await ping(a)).result);
      assert.ok((await ping(b)).result);
      refusedBy(await ping(a), 'tenant', name, 15);
      refusedBy(await ping(b), 'tenant', name, 15);
      for (const one of [peer, a, b]) one.close();
    });

    it(`${name}: of failed logins, by the address that a trusted proxy names; who is known goes on`, async () => {
      const here = from(`198.51.100.${index}`);
      const known = await tokenFor(`known-${name}`);
      const peer = await open(base(), known, here);
      const fails = name === 'Phoenix' ? 101 : 401; // a Phoenix socket opens, and its join is refused
      for (let n = 0; n < 6; n += 1) assert.equal(await login(base(), `x.y.${n}`, here), fails);
      assert.equal(await login(base(), 'x.y.7', here), 429);
      assert.equal(
        await login(base(), await tokenFor(`new-${name}`), here),
        429,
        'a good token that is not remembered waits too',
      );
      assert.notEqual(await login(base(), known, here), 429, 'one that is remembered does not');
      assert.ok((await ping(peer)).result);
      assert.equal(await login(base(), 'x.y.8', from(`203.0.113.${index}`)), fails, 'another address does not wait');
      peer.close();
    });
  }

  it('behind a trusted proxy guests and failures are counted by the hop that it names, not by what stands before', async () => {
    const post = async (forwarded: string): Promise<number> =>
      (
        await fetchRaw(`${base()}/mcp`, {
          method: 'POST',
          headers: { ...POST_HEADERS, ...bearer('x.y.z'), 'x-forwarded-for': forwarded },
          body: '{}',
        })
      ).status;
    const statuses: number[] = [];
    for (let n = 0; n < 8; n += 1) statuses.push(await post(`10.0.0.${n}, garbage, 192.0.2.1`));
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    assert.equal(await post('::ffff:192.0.2.1'), 429, 'the same address in another form');
    assert.equal(await post('192.0.2.2'), 401);
    // All of a /64 are one.
    for (let n = 0; n < 6; n += 1) assert.equal(await post(`2001:db8:1:2::${n}`), 401);
    assert.equal(await post('2001:db8:1:2:ffff::1'), 429);
  });
});
