/** The adaptive limit with a real server that queues: it falls under load, keeps the rest out at once, and rises again. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { type UpstreamSnapshot } from '#src/admin/protocol.js';
import { ROOT, runNode, startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const NAME = 'queueing';
const MAX = 48;
const MIN = 2;

describe('the adaptive limit', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;
  let load: Promise<void>[] = [];
  let offering = false;
  /** Every refusal, as the client got it. */
  const refusals: Wire[] = [];

  beforeEach(async () => {
    hub = await FixtureHub.start();
    const viable = { era: 'legacy', maxInFlight: MAX, concurrency: { min: MIN } };
    gateway = await startGateway({
      config: {
        mcpServers: { [NAME]: { ...hub.stdio('raw/queueing', NAME), viable } },
        gateway: settings({ concurrency: { interval: 200, minimumSamples: 3 } }),
      },
    });
    await gateway.waitForTools([`${NAME}__work`]);
    client = await WebSocketPeer.open(gateway.url);
    refusals.length = 0;
  });
  afterEach(async () => {
    await calm();
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  const work = async (): Promise<Wire> => await client.request('tools/call', { name: `${NAME}__work`, arguments: {} });

  /** So many that each ask again as soon as they are answered; who is refused waits for an answer of another. */
  function offer(callers: number): void {
    offering = true;
    const ask = async (): Promise<void> => {
      while (offering) {
        const from = client.messages.items.length;
        const answer = await work();
        if (!answer.error) continue;
        refusals.push(answer);
        await client.messages.waitFor((message) => message.result !== undefined, 'an answer', from);
      }
    };
    load = Array.from({ length: callers }, ask);
  }

  async function calm(): Promise<void> {
    offering = false;
    await Promise.allSettled(load);
  }

  const reasonOf = ({ error }: Wire): unknown => (error?.['data'] as Json | undefined)?.['reason'];

  const until = async (
    matches: (limits: UpstreamSnapshot['concurrency']) => boolean,
    what: string,
  ): Promise<UpstreamSnapshot['concurrency']> =>
    (await gateway.waitForUpstream(NAME, ({ concurrency }) => matches(concurrency), what, 30_000)).concurrency;

  it('falls while the server queues, refuses the rest typed and at once, rises when it is quick again', async () => {
    offer(1);
    const before = await until(({ gradient }) => gradient !== null, 'knows what is usual');
    assert.deepEqual([before.limit, before.max, before.refused], [MAX, MAX, 0], 'one at a time is no queue');
    await calm();

    offer(MAX);
    const fallen = await until(({ limit, refused }) => limit <= MAX / 3 && refused > 0, 'lets fewer through');
    assert.ok(fallen.limit >= MIN);
    assert.ok(fallen.gradient !== null && fallen.gradient < 1, String(fallen.gradient));
    await calm();
    assert.ok(refusals.length > 0);
    for (const refusal of refusals) {
      const data = refusal.error?.['data'] as Json;
      assert.deepEqual([data['reason'], data['server'], data['retryAfter']], ['overloaded', NAME, 1]);
    }

    // Nothing is answered while the server holds all: whoever gets an answer now did not have to wait for one.
    hub.tell(NAME, 'hold');
    await hub.waitFor(NAME, 'holding');
    const calls = Array.from({ length: MAX }, work);
    const over = await Promise.race(calls);
    assert.equal(reasonOf(over), 'overloaded');
    assert.match(String(over.error?.message), /answers slower with more than \d+ calls at a time/);
    const held = await gateway.waitForUpstream(NAME, ({ inFlight }) => inFlight > 0, 'has what it holds');
    assert.ok(held.inFlight <= MAX / 3, `${held.inFlight} were let in`);
    const cli = await runNode(path.join(ROOT, 'dist/cli.js'), ['--socket', gateway.socketPath, 'upstreams', '--json']);
    const [shown] = JSON.parse(cli.stdout) as UpstreamSnapshot[];
    assert.ok(shown && shown.concurrency.limit <= held.inFlight, '`viable upstreams --json` has it');
    assert.equal(shown.concurrency.refused, refusals.length + MAX - held.inFlight);

    hub.tell(NAME, 'workers', { count: MAX });
    const answered = (await Promise.all(calls)).filter(({ result }) => result !== undefined);
    assert.equal(answered.length, held.inFlight, 'who was let in is answered');
    offer(MAX);
    await until((now) => now.limit === MAX, 'lets all through again');
  });
});
