/** X-Forwarded-For that nobody vouches for, on each transport of clients: guests are counted by the address of their socket. */
import assert from 'node:assert/strict';
import { type Door, DOORS, reasonOf } from '../../support/doors.js';
import { bearer, SECRET } from '../../support/auth/tokens.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { fetchRaw, type Json } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';

/** A minute; one comes back every twenty seconds, longer than this takes. */
const GUEST = 3;
const FAILED_LOGINS = 4;
const forwarded = (index: number): Record<string, string> => ({
  'x-forwarded-for': `203.0.113.${index}, 198.51.100.${index}`,
  'x-real-ip': `203.0.113.${index}`,
  forwarded: `for=203.0.113.${index}`,
});

describe('addresses that guests make up', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  beforeEach(async () => {
    hub = await FixtureHub.start();
    const mcpServers = { good: hub.stdio('sdk-server', 'good') };
    const blocks = settings({
      auth: { mode: 'optional' },
      limits: { roles: { guest: GUEST }, failedLogins: FAILED_LOGINS },
    });
    gateway = await startGateway({ env: { JWT_SECRET: SECRET }, config: { mcpServers, gateway: blocks } });
    await gateway.waitForUpstream('good', ({ state }) => state === 'ready', 'ready');
  });
  afterEach(async () => {
    await gateway.stop();
    await hub.close();
  });

  /** What each of so many newcomers, every one from somewhere else if it were believed, is told of a request. */
  async function newcomers(door: Door, count: number): Promise<unknown[]> {
    const told: unknown[] = [];
    for (let index = 0; index < count; index += 1) {
      try {
        const peer = await door.open(gateway.url, forwarded(index));
        if (door.name === 'HTTP, modern') told.push(reasonOf(await peer.request('tools/list')) ?? 'served');
        else told.push('served'); // to initialize is a request
        await peer.close();
      } catch (error) {
        assert.match(String(error), /"retryAfter":\d+,"reason":"rate_limited"/);
        told.push('rate_limited');
      }
    }
    return told;
  }

  for (const door of DOORS) {
    it(`${door.name}: are not believed: ${GUEST} a minute are served, of whatever address`, async () => {
      const expected = Array.from({ length: GUEST + 3 }, (_, index) => (index < GUEST ? 'served' : 'rate_limited'));
      assert.deepEqual(await newcomers(door, GUEST + 3), expected);
      if (!door.hasStatus) return;
      const { status, headers, body } = await door.knock(gateway.url, forwarded(99));
      assert.equal(status, 429, body);
      const { retryAfter } = (JSON.parse(body) as { error: { data: Json } }).error.data;
      assert.equal(headers?.['retry-after'], String(retryAfter));
    });
  }

  it('are not believed of those who guess tokens, at the dashboard either', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < FAILED_LOGINS + 3; index += 1) {
      const headers = { 'content-type': 'application/json', ...forwarded(index), ...bearer(`x.y.${index}`) };
      const url = `${gateway.url}/mcp/dashboard/admin`;
      statuses.push((await fetchRaw(url, { method: 'POST', headers, body: '{"id":1,"method":"status"}' })).status);
    }
    const expected = Array.from({ length: FAILED_LOGINS + 3 }, (_, index) => (index < FAILED_LOGINS ? 401 : 429));
    assert.deepEqual(statuses, expected);
  });
});
