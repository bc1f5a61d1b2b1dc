/** S2 coalesces: what one principal reads several times at once is read once. What has an effect never is. */
import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { bearer, SECRET, tokenFor } from '../support/auth/tokens.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { HttpSession, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { UpstreamDouble } from './eras/upstream-double.js';

const URI = 'double://one';

for (const era of ['legacy', 'modern'] as const) {
  describe(`coalescing, ${era} server`, () => {
    let upstream: UpstreamDouble;
    let gateway: Gateway;
    before(async () => {
      upstream = await UpstreamDouble.start(era);
      const mcpServers = { up: { url: upstream.url } };
      const env = { JWT_SECRET: SECRET };
      gateway = await startGateway({ config: { mcpServers, gateway: settings({ auth: { mode: 'required' } }) }, env });
      await gateway.waitForUpstream('up', ({ state }) => state === 'ready', 'ready');
    });
    after(async () => {
      await gateway.stop();
      await upstream.close();
    });

    const sessionOf = async (subject: string): Promise<HttpSession> =>
      await HttpSession.open(gateway.url, { headers: bearer(await tokenFor(subject)) });
    const coalesced = async (): Promise<number> => (await gateway.status()).vsm.coordination.coalesced;
    const textOf = ({ result }: Wire): unknown => (result?.['contents'] as [{ text: string }])[0].text;

    it('reads of one principal at once are one; another principal’s is its own; calls are never shared', async () => {
      const [ada, adaToo, bob] = [await sessionOf('ada'), await sessionOf('ada'), await sessionOf('bob')];
      const before = await coalesced();
      const read = (who: HttpSession): Promise<Wire> => who.request('resources/read', { uri: URI });
      const first = read(ada);
      await eventually(() => assert.equal(upstream.requests('resources/read').length, 1));
      const [second, other] = [read(adaToo), read(bob)];
      await eventually(async () => {
        assert.equal(await coalesced(), before + 1);
        assert.equal(upstream.requests('resources/read').length, 2);
      });
      const reads = upstream.calls.items.filter(({ message }) => message.method === 'resources/read');
      for (const [n, exchange] of reads.entries())
        exchange.answer({ contents: [{ uri: URI, text: `read ${n}` }], ...(era === 'modern' && { ttlMs: 0 }) });
      assert.deepEqual([await first, await second, await other].map(textOf), ['read 0', 'read 0', 'read 1']);

      const call = (who: HttpSession): Promise<Wire> =>
        who.request('tools/call', { name: 'up__hold', arguments: { nonce: 'same' } });
      const calls = [call(ada), call(adaToo)];
      const held = ({ args }: { args: Record<string, unknown> }): boolean => args['nonce'] === 'same';
      await eventually(() => assert.equal(upstream.calls.items.filter(held).length, 2));
      for (const exchange of upstream.calls.items.filter(held)) exchange.text('done');
      for (const answer of await Promise.all(calls)) assert.equal(answer.error, undefined);
      assert.equal(await coalesced(), before + 1);
    });
  });
}
