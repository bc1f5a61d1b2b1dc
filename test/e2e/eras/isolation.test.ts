/** Many clients with equal ids and nonces of their own: nobody gets what is another's. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientEra } from '../../support/clients.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { HttpSession } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { httpFixture, type HttpFixture } from './conformance-fixture.js';
import { ERA_CLIENTS, type EraClient } from './era-clients.js';
import { modernRequest } from './modern-http.js';
import { UpstreamDouble } from './upstream-double.js';

const CLIENTS = 1_000;
const SOCKETS = 50;
const ASKED = 50;

describe('isolation of many clients', function () {
  this.timeout(60_000);
  let gateway: Gateway;
  const doubles: UpstreamDouble[] = [];
  const fixtures: HttpFixture[] = [];

  before(async () => {
    doubles.push(await UpstreamDouble.start('legacy'), await UpstreamDouble.start('modern'));
    fixtures.push(await httpFixture('legacy'), await httpFixture('modern'));
    gateway = await startGateway({
      config: {
        mcpServers: {
          legacy: { url: doubles[0]?.url },
          modern: { url: doubles[1]?.url },
          'asks-legacy': { url: fixtures[0]?.url },
          'asks-modern': { url: fixtures[1]?.url },
        },
        gateway: settings({ logging: { level: 'warn' } }),
      },
    });
    const tools = ['legacy__echo', 'modern__echo', 'asks-legacy__test_sampling', 'asks-modern__test_sampling'];
    await gateway.waitForTools(tools);
  });
  after(async () => {
    await gateway.stop();
    for (const upstream of doubles) await upstream.close();
    for (const fixture of fixtures) await fixture.stop();
  });

  /** One client's call with id 1; whether it got its own nonce back. */
  const own = async (era: ClientEra, server: string): Promise<boolean> => {
    const text = randomUUID();
    const params = { name: `${server}__echo`, arguments: { text } };
    if (era === 'modern') {
      const answer = await modernRequest(gateway.url, 'tools/call', params, { id: 1 });
      return answer.id === 1 && textOf(answer.result) === text;
    }
    const session = await HttpSession.open(gateway.url);
    const answer = await session.request('tools/call', params, 1);
    await session.end();
    return textOf(answer.result) === text;
  };

  for (const era of ['modern', 'legacy'] as const) {
    it(`${CLIENTS} ${era} clients that all use id 1`, async () => {
      let foreign = 0;
      for (let done = 0; done < CLIENTS; done += SOCKETS) {
        const batch = Array.from(
          { length: SOCKETS },
          async (_, index) => await own(era, index % 2 ? 'legacy' : 'modern'),
        );
        foreign += (await Promise.all(batch)).filter((mine) => !mine).length;
      }
      assert.equal(foreign, 0);
    });
  }

  for (const server of ['asks-legacy', 'asks-modern']) {
    it(`${ASKED} clients of both eras whose models ${server} asks at once`, async () => {
      const open = async (_: unknown, index: number): Promise<{ client: EraClient; nonce: string }> => {
        const nonce = randomUUID();
        const kind = ERA_CLIENTS[index % ERA_CLIENTS.length];
        assert.ok(kind);
        const person = { sample: () => nonce, elicit: () => ({ action: 'cancel' }) as const, root: 'file:///' };
        return { client: await kind.connect(`${gateway.url}/mcp/s/${server}`, person), nonce };
      };
      const all = await Promise.all(Array.from({ length: ASKED }, open));
      const said = await Promise.all(
        all.map(async ({ client }) => textOf(await client.callTool('test_sampling', { prompt: 'who?' }))),
      );
      const foreign = said.filter((text, index) => !text.includes(all[index]?.nonce ?? 'none'));
      assert.deepEqual(foreign, []);
      for (const { client } of all) await client.close();
      const idle = { what: 'no session of one client is left' };
      await gateway.waitForUpstream(server, (upstream) => upstream.inFlight === 0, idle.what);
    });
  }
});
