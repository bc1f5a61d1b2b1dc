/** Deadlines by tool, and calls that are sent once more, over upstreams that hang and die. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Wire } from '../support/raw-http.js';
import { RAW_PEERS, type RawPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const DEADLINE = 300;

describe('deadlines and retries', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          moody: { ...hub.stdio('raw/moody', 'moody'), viable: { era: 'legacy' } },
          slow: { ...hub.stdio('sdk-server', 'slow'), viable: { timeouts: { tools: { 'sl?w': DEADLINE } } } },
        },
        gateway: settings({
          retries: { max: 10, backoffBase: 100 },
          breaker: { consecutiveFailures: 100, minimumSamples: 1_000 },
        }),
      },
    });
    await gateway.waitForTools(['moody__work', 'slow__slow']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  async function mood(to: string): Promise<void> {
    const from = hub.position;
    hub.tell('moody', 'mood', { mood: to });
    await hub.waitFor('moody', 'mood', ({ mood: now }) => now === to, from);
  }

  const reasonOf = ({ error }: Wire): unknown => (error?.data as { reason?: unknown } | undefined)?.reason;

  for (const { name, open } of RAW_PEERS) {
    describe(name, () => {
      let peer: RawPeer;
      before(async () => {
        peer = await open(gateway.url);
      });
      after(async () => await peer.close());

      it('a tool with a deadline of its own ends in one typed error, and its server is told', async () => {
        const gate = randomUUID();
        const from = hub.position;
        const answer = await peer.request('tools/call', { name: 'slow__slow', arguments: { gate } });
        assert.equal(reasonOf(answer), 'request_timeout');
        assert.equal((answer.error?.data as { timeoutMs: number }).timeoutMs, DEADLINE);
        await hub.waitFor('slow', 'cancelled', (event) => event['gate'] === gate, from);
      });

      it('a prompt whose server dies of it is asked for again, and answered once', async () => {
        await gateway.waitForUpstream('moody', (u) => u.state === 'ready', 'is ready');
        await mood('mortal');
        const from = hub.position;
        const answer = await peer.request('prompts/get', { name: 'moody__ask' });
        assert.ok(answer.result, JSON.stringify(answer));
        const asked = hub.log.items.slice(from).filter(({ event }) => event === 'prompt');
        assert.equal(asked.length, 2, 'by two processes');
        assert.equal(new Set(asked.map(({ pid }) => pid)).size, 2);
        assert.ok((await gateway.upstream('moody')).retries.sent > 0);
      });

      it('a tool call whose server dies of it is not: it may have run', async () => {
        await gateway.waitForUpstream('moody', (u) => u.state === 'ready', 'is ready');
        await mood('mortal');
        const nonce = randomUUID();
        const answer = await peer.request('tools/call', { name: 'moody__work', arguments: { nonce } });
        assert.equal(reasonOf(answer), 'upstream_lost');
        await gateway.waitForUpstream('moody', (u) => u.state === 'ready', 'is back');
        const ran = hub.events('moody', 'call').filter((event) => event['nonce'] === nonce);
        assert.equal(ran.length, 1);
      });
    });
  }
});
