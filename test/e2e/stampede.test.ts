/** S2 with a real server: clients that come back to it all at once, and what it sees of them. */
import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { HttpSession, type Json, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { UpstreamDouble } from './eras/upstream-double.js';

const CLIENTS = 10;
const BURST = 2;
/** Milliseconds between two turns. */
const SLICE = 500;
/** What the clients call themselves; the gateway's own connections are called otherwise. */
const NAME = 'one of the herd';

/** When a server saw each new connection of a client, milliseconds after `since`. */
function arrivals(upstream: UpstreamDouble, from: number, since: number): number[] {
  return upstream.seen.items.slice(from).flatMap(({ message, at }) => {
    const { name } = (message.params?.['clientInfo'] ?? {}) as Json;
    return message.method === 'initialize' && name === NAME ? [at - since] : [];
  });
}

describe('a server that was restarted', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  let sessions: HttpSession[];

  async function start(enabled: boolean): Promise<void> {
    upstream = await UpstreamDouble.start('legacy');
    const coordination = { enabled, connectBurst: BURST, connectsPerSecond: 1_000 / SLICE };
    const viable = { sharing: 'session', pool: { size: CLIENTS, checkoutTimeout: 50_000 } };
    gateway = await startGateway({
      config: {
        mcpServers: { up: { url: upstream.url, viable } },
        gateway: settings({ vsm: { coordination }, requests: { timeout: 50_000 } }),
      },
    });
    await gateway.waitForTools(['up__echo']);
    const clientInfo = { name: NAME, version: '1' };
    sessions = await Promise.all(Array.from({ length: CLIENTS }, () => HttpSession.open(gateway.url, { clientInfo })));
    await call(); // each has a session of its own with the server
  }

  afterEach(async () => {
    await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
    await gateway.stop();
    await upstream.close();
  });

  const call = (): Promise<Wire[]> =>
    Promise.all(
      sessions.map((session) => session.request('tools/call', { name: 'up__echo', arguments: { text: 'back' } })),
    );

  /** Restarts the server; all clients call it as soon as it is there. What it sees of them, and what S2 did. */
  async function restarted(): Promise<{ readonly seen: number[]; readonly delays: number }> {
    const { port } = upstream;
    await upstream.close();
    await gateway.waitForUpstream('up', ({ state }) => state !== 'ready', 'away');
    upstream = await UpstreamDouble.start('legacy', { port });
    await gateway.waitForUpstream('up', ({ state }) => state === 'ready', 'back');
    const before = (await gateway.status()).vsm.coordination.delays;
    const from = upstream.seen.items.length;
    const since = performance.now();
    for (const answer of await call()) assert.match(JSON.stringify(answer), /back/);
    const { delays } = (await gateway.status()).vsm.coordination;
    return { seen: arrivals(upstream, from, since), delays: delays - before };
  }

  it('with S2 sees a burst, and then one client after the other', async () => {
    await start(true);
    const { seen, delays } = await restarted();
    assert.equal(seen.length, CLIENTS);
    assert.ok(delays > 0);
    // However slow this machine is, nobody is earlier than its turn.
    for (const [nth, at] of seen.entries())
      assert.ok(at >= (nth - BURST) * SLICE, `${nth + 1}. after ${Math.round(at)} ms`);
    assert.equal((await gateway.status()).vsm.coordination.status, 'coordinating');
  }).timeout(60_000);

  it('without S2 sees a stampede: all of them are at its door before it has answered one', async () => {
    await start(false);
    const { port } = upstream;
    await upstream.close();
    await gateway.waitForUpstream('up', ({ state }) => state !== 'ready', 'away');
    upstream = await UpstreamDouble.start('legacy', { port });
    await gateway.waitForUpstream('up', ({ state }) => state === 'ready', 'back');
    upstream.greets = false;
    const from = upstream.seen.items.length;
    const calls = Promise.allSettled(
      sessions.map((session) => session.request('tools/call', { name: 'up__echo', arguments: { text: 'back' } })),
    );
    await eventually(() => assert.equal(arrivals(upstream, from, 0).length, CLIENTS), { deadline: 45_000 });
    assert.equal((await gateway.status()).vsm.coordination.delays, 0);
    await gateway.stop();
    await calls;
  }).timeout(60_000);
});
