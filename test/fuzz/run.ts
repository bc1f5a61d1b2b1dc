/** One fuzzing run: a gateway, a transport, so many messages; after every thousand a call must be answered rightly. */
import assert from 'node:assert/strict';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { settings } from '../support/settings.js';
import { within } from '../support/eventually.js';
import { dice } from './messages.js';
import { type FuzzKind } from './targets.js';

const ROUND = 1_000;
const ANSWER_MS = 30_000;

export interface FuzzWorld {
  readonly gateway: Gateway;
  close(): Promise<void>;
}

export async function openFuzzWorld(): Promise<FuzzWorld> {
  const hub = await FixtureHub.start();
  const gateway = await startGateway({
    config: {
      mcpServers: {
        good: { ...hub.stdio('sdk-server', 'good'), viable: { timeouts: { tools: { add: ANSWER_MS } } } },
        mad: { ...hub.stdio('raw/mad', 'mad'), viable: { timeouts: { request: ANSWER_MS } } },
      },
      // An SDK server answers nothing at all to some of what is no request: then the deadline does.
      // What goes unanswered for that reason says nothing of the server's health.
      gateway: {
        ...settings(),
        logging: { level: 'error' },
        requests: { timeout: 1_000 },
        breaker: { enabled: false },
        concurrency: { adaptive: false },
      },
    },
  });
  await gateway.waitForTools(['good__add', 'mad__echo']);
  return {
    gateway,
    close: async () => {
      await gateway.stop();
      await hub.close();
    },
  };
}

/** Rejects when an answer is wrong or late, when the gateway ends, or when it or one of its actors had a defect. */
export async function fuzz({ gateway }: FuzzWorld, kind: FuzzKind, messages: number, seed: number): Promise<void> {
  const roll = dice(seed);
  const target = await kind.open(gateway.url);
  let ended: string | undefined;
  void gateway.exited.then(({ code, signal }) => (ended = `the gateway ended: ${code ?? signal}`));
  const where = (sent: number): string => `${kind.name}, seed ${seed}, after ${sent} messages`;
  for (let sent = 0; sent < messages; sent += ROUND) {
    await within(target.send(Math.min(ROUND, messages - sent), roll), where(sent), ANSWER_MS);
    const nonce = String(seed + sent);
    assert.equal(await within(target.echo(nonce), `${where(sent)}: an answer`, ANSWER_MS), nonce, where(sent));
    assert.equal(ended, undefined, where(sent));
  }
  await target.close();
  const faults = gateway.logs.items.filter(({ event }) => event === 'defect' || event === 'child/terminated');
  assert.deepEqual(faults, [], where(messages));
}
