/** A process that dies under load is one failure for the breaker, whoever its calls were; every caller is told. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type BreakerSnapshot } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const NAME = 'stateful';
/** In flight on each process that dies: more than the failures in a row that open the breaker. */
const CALLS = 8;
const FAILURES = 3;

describe('calls that are lost together', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;

  async function start(sharing: string): Promise<void> {
    hub = await FixtureHub.start();
    const entry = { ...hub.stdio('raw/stateful', NAME), viable: { era: 'legacy', sharing, pool: { size: 4 } } };
    gateway = await startGateway({
      config: {
        mcpServers: { [NAME]: entry },
        gateway: settings({ breaker: { consecutiveFailures: FAILURES, openFor: 60_000 } }),
      },
    });
    await gateway.waitForTools([`${NAME}__seen`]);
    client = await WebSocketPeer.open(gateway.url);
  }
  afterEach(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  const call = async (tool: string, args: Json = {}): Promise<Wire> =>
    await client.request('tools/call', { name: `${NAME}__${tool}`, arguments: args });

  async function breaker(): Promise<BreakerSnapshot> {
    const { breakers } = await gateway.status();
    return breakers.find(({ name }) => name === NAME) ?? assert.fail();
  }

  /** Kills the process that serves this client, with `CALLS` of its calls in flight. */
  async function lose(): Promise<void> {
    const { pid } = await eventually(async () => JSON.parse(textOf((await call('seen')).result)) as { pid: number }, {
      what: 'a process that serves',
    });
    const gate = randomUUID();
    const held = Array.from({ length: CALLS }, async () => await call('hold', { gate }));
    await eventually(() => {
      const here = hub.events(NAME, 'held').filter((event) => event['gate'] === gate && event.pid === pid);
      assert.equal(here.length, CALLS);
    });
    process.kill(pid, 'SIGKILL');
    for (const { error } of await Promise.all(held))
      assert.equal((error?.['data'] as Json | undefined)?.['reason'], 'upstream_lost');
  }

  for (const sharing of ['shared', 'session', 'principal']) {
    it(`sharing: ${sharing}`, async () => {
      await start(sharing);
      await lose();
      assert.equal((await breaker()).state, 'closed', `${CALLS} calls are one failure`);
      await lose();
      assert.equal((await breaker()).state, 'closed', 'an answer between two losses ends the row');
    });
  }
});
