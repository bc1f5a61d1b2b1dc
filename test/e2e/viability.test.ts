/** The data plane survives the viable system: S2 to S5 die for good under load, and nobody's call fails. */
import assert from 'node:assert/strict';
import { type GatewaySnapshot, type SupervisionNode } from '#src/admin/protocol.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { HttpSession } from '../support/raw-http.js';
import { settings } from '../support/settings.js';

const SUBSYSTEMS = ['coordination', 'control', 'audit', 'intelligence', 'policy'] as const;

function nodeAt(node: SupervisionNode, path: string): SupervisionNode | undefined {
  if (node.path === path) return node;
  for (const child of node.children) {
    const found = nodeAt(child, path);
    if (found) return found;
  }
  return undefined;
}

/** Clients that call without a pause until they are told to stop. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #workers: Promise<void>[];

  constructor(sessions: readonly HttpSession[]) {
    this.#workers = sessions.map((session) => this.#work(session));
  }

  /** Until so many more calls have been answered. */
  async progress(calls: number): Promise<void> {
    const goal = this.answered + calls;
    await eventually(() => assert.ok(this.answered >= goal || this.failures.length > 0, String(this.answered)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #work(session: HttpSession): Promise<void> {
    while (!this.#stopped) {
      const answer = await session.request('tools/call', { name: 'one__echo', arguments: { text: 'alive' } });
      if ('result' in answer) this.answered += 1;
      else this.failures.push(JSON.stringify(answer));
    }
  }
}

describe('the data plane without the viable system', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: { mcpServers: { one: hub.stdio('sdk-server', 'one') }, gateway: settings() },
    });
    await gateway.waitForTools(['one__echo']);
  });

  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  it('serves on with its last leases, the tree shows who is dead, and an alarm says so by its last resort', async () => {
    const sessions = await Promise.all(Array.from({ length: 16 }, () => HttpSession.open(gateway.url)));
    await eventually(async () => {
      const { vsm } = await gateway.status();
      assert.deepEqual(
        vsm.control.leases.map(({ unit }) => unit),
        ['upstream:one'],
      );
    });
    const load = new Load(sessions);
    await load.progress(200);
    for (const part of [...SUBSYSTEMS, 'algedonic'])
      await gateway.admin('kill', { actor: `/viability/${part}`, forGood: true });
    const { vsm: last } = await gateway.status();
    const dead = await eventually(
      async (): Promise<GatewaySnapshot> => {
        const status = await gateway.status();
        const said = status.alarms.lastResort.map(({ source }) => source);
        for (const part of SUBSYSTEMS) assert.ok(said.includes(`vsm:${part}`), said.join());
        return status;
      },
      { what: 'the last resort', deadline: 30_000 },
    );
    await load.progress(200);
    await load.stop();
    assert.deepEqual(load.failures, []);
    for (const part of SUBSYSTEMS) assert.equal(nodeAt(dead.tree, `/viability/${part}`)?.state, 'stopped', part);
    const granted = ({ control }: GatewaySnapshot['vsm']) =>
      control.leases.map(({ unit, slots, expiresAt }) => [unit, slots, expiresAt]);
    assert.deepEqual(granted(dead.vsm), granted(last));
    assert.equal(dead.upstreams[0]?.state, 'ready');
    await gateway.waitForLog((line) => line.event === 'alarm_last_resort', 'a line of last resort');
    await Promise.all(sessions.map((session) => session.end()));
  }).timeout(60_000);
});
