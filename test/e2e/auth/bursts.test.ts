/**
 * `gateway.limits.burst` as clients meet it, on each transport: how much may come at once. Rates are so low that a bucket
 * gains nothing while a test runs: what is counted is the burst alone.
 */
import assert from 'node:assert/strict';
import { type Role } from '#src/auth/principal.js';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { type Door, DOORS, reasonOf } from '../../support/doors.js';
import { fetchRaw, type Json, messagesIn, POST_HEADERS, type Wire } from '../../support/raw-http.js';
import { type RawPeer } from '../../support/raw-peers.js';

/** Requests that opening a client costs: `initialize`; the modern era has none. */
const opening = (door: Door): number => (door.name === 'HTTP, modern' ? 0 : 1);
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
const list = (peer: RawPeer): Promise<Wire> => peer.request('tools/list');
const echo = (peer: RawPeer): Promise<Wire> =>
  peer.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });

/** How many of these are answered before one is refused; that refusal. */
async function until(
  refused: (peer: RawPeer) => Promise<Wire>,
  peer: RawPeer,
): Promise<{ admitted: number; last: Wire }> {
  for (let admitted = 0; ; admitted += 1) {
    const last = await refused(peer);
    if (last.error !== undefined) return { admitted, last };
    assert.ok(admitted < 100, 'nothing is refused');
  }
}

const dataOf = ({ error }: Wire): Json => (error?.data ?? {}) as Json;

describe('bursts', () => {
  describe('of ten minutes’ requests', () => {
    const world = lockedGateway({
      limits: {
        burst: 10,
        roles: { user: 2, premium: 100 },
        tools: { 'good__*': 1 },
        tenants: { '*': 1 },
        failedLogins: 3,
      },
    });
    const base = (): string => world.gateway.url;
    const open = async (door: Door, subject: string, options: object): Promise<RawPeer> =>
      door.open(base(), bearer(await tokenFor(`${subject}-${door.name}`, options)));

    for (const door of DOORS) {
      it(`${door.name}: a role’s at once, and then no more`, async () => {
        const peer = await open(door, 'user', { role: 'user' });
        const { admitted, last } = await until(list, peer);
        assert.equal(admitted + opening(door), 20);
        const { reason, retryAfter, limit, name } = dataOf(last);
        assert.deepEqual([reason, limit, name], ['rate_limited', 'role', 'user']);
        assert.ok(
          Number.isInteger(retryAfter) && Number(retryAfter) >= 1 && Number(retryAfter) <= 30,
          String(retryAfter),
        );
        assert.equal(reasonOf(await list(peer)), 'rate_limited');
        await peer.close();
      });

      it(`${door.name}: a tool’s and a tenant’s at once, and then no more`, async () => {
        const peer = await open(door, 'caller', { role: 'premium' });
        const calls = await until(echo, peer);
        assert.deepEqual([calls.admitted, dataOf(calls.last)['name']], [10, 'good__*']);
        assert.equal((await list(peer)).error, undefined);
        await peer.close();
        const member = await open(door, 'member', { role: 'premium', claims: { tenant: `tenant of ${door.name}` } });
        const requests = await until(list, member);
        assert.deepEqual([requests.admitted + opening(door), dataOf(requests.last)['limit']], [10, 'tenant']);
        await member.close();
      });
    }

    it('no more failed logins for it', async () => {
      const statuses: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        const headers = { ...POST_HEADERS, ...bearer(`x.y.${n}`) };
        statuses.push((await fetchRaw(`${base()}/mcp`, { method: 'POST', headers, body: '{}' })).status);
      }
      assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    });
  });

  describe('of half a minute’s requests', () => {
    const world = lockedGateway({ limits: { burst: 0.5, roles: { user: 8, premium: 1 } } });

    for (const door of DOORS) {
      it(`${door.name}: half of them at once, but always one`, async () => {
        const open = async (role: Role): Promise<RawPeer> =>
          door.open(world.gateway.url, bearer(await tokenFor(`${role}-${door.name}`, { role })));
        const peer = await open('user');
        assert.equal((await until(list, peer)).admitted + opening(door), 4);
        await peer.close();
        // Half of one request: that one, which an opening is.
        const rare = await open('premium');
        assert.equal((await until(list, rare)).admitted + opening(door), 1);
        await rare.close();
      });
    }

    it('over HTTP the refusal is 429 with Retry-After, whole seconds', async () => {
      const headers = { ...POST_HEADERS, ...bearer(await tokenFor('late', { role: 'premium' })) };
      const post = () => fetchRaw(`${world.gateway.url}/mcp`, { method: 'POST', headers, body: PING });
      assert.notEqual((await post()).status, 429);
      const refused = await post();
      assert.equal(refused.status, 429);
      const seconds = Number(refused.headers['retry-after']);
      assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, String(seconds));
      assert.equal(dataOf(messagesIn(refused)[0] ?? {})['retryAfter'], seconds);
    });
  });
});
