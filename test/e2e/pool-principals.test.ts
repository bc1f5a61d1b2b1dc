/** A server whose processes belong to principals: all that is one principal's shares one, nobody else ever sees it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { bearer, SECRET, tokenFor } from '../support/auth/tokens.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { HttpSession, type Json, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { modernRequest } from './eras/modern-http.js';

const NAME = 'stateful';

interface View {
  readonly pid: number;
  readonly remembered: readonly string[];
}

/** How one client calls a tool. */
type CallTool = (tool: string, args?: Json) => Promise<Wire>;

describe('a pool shared by principal', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  async function start(pool: object): Promise<void> {
    hub = await FixtureHub.start();
    const entry = { ...hub.stdio('raw/stateful', NAME), viable: { era: 'legacy', sharing: 'principal', pool } };
    gateway = await startGateway({
      config: { mcpServers: { [NAME]: entry }, gateway: settings() },
      env: { JWT_SECRET: SECRET },
    });
    await gateway.waitForUpstream(NAME, ({ state }) => state === 'ready', 'is ready');
  }

  afterEach(async () => {
    await gateway.stop();
    await hub.close();
  });

  const sessionOf = async (subject: string): Promise<HttpSession> =>
    await HttpSession.open(gateway.url, { headers: bearer(await tokenFor(subject)) });

  const over =
    (session: HttpSession): CallTool =>
    async (tool, args = {}) =>
      await session.request('tools/call', { name: `${NAME}__${tool}`, arguments: args });

  /** Of the modern era: each call is a request by itself. */
  const modern =
    (subject: string): CallTool =>
    async (tool, args = {}) =>
      await modernRequest(
        gateway.url,
        'tools/call',
        { name: `${NAME}__${tool}`, arguments: args },
        { headers: bearer(await tokenFor(subject)) },
      );

  const seen = async (call: CallTool): Promise<View> => JSON.parse(textOf((await call('seen')).result)) as View;

  it('several sessions and single calls of one principal share a process, two principals never do', async () => {
    await start({ size: 4 });
    const subjects = ['ada', 'bob'] as const;
    const found = await Promise.all(
      subjects.map(async (subject) => {
        const sessions = await Promise.all([sessionOf(subject), sessionOf(subject), sessionOf(subject)]);
        const calls = [...sessions.map(over), modern(subject)];
        const secrets = calls.map(() => `${subject} ${randomUUID()}`);
        await Promise.all(calls.map(async (call, i) => textOf((await call('put', { value: secrets[i] })).result)));
        return { calls, secrets, sessions };
      }),
    );
    const pids: number[] = [];
    for (const { calls, secrets } of found) {
      const views = await Promise.all(calls.map(seen));
      const [pid] = new Set(views.map((view) => view.pid));
      for (const view of views) {
        assert.equal(view.pid, pid, 'one process for all that is hers');
        assert.deepEqual([...view.remembered].sort(), [...secrets].sort(), 'all of hers and nothing else');
      }
      pids.push(pid ?? assert.fail());
    }
    const primary = (await gateway.upstream(NAME)).pid;
    assert.equal(new Set([...pids, primary]).size, 3, 'nobody’s is another’s, nor the one that reads the lists');
    assert.equal((await gateway.upstream(NAME)).pool.inUse, 2);
    await Promise.all(found.flatMap(({ sessions }) => sessions.map((session) => session.end())));
  });

  it('what one has left is never the next one’s, even where there is no other place', async () => {
    await start({ size: 2, overflow: 0, checkoutTimeout: 20_000 });
    const ada = await sessionOf('ada');
    await over(ada)('put', { value: 'secret of ada' });
    const hers = await seen(over(ada));
    await ada.end();
    await gateway.waitForUpstream(NAME, ({ pool }) => pool.inUse === 0, 'has it back');
    const bob = await sessionOf('bob');
    const his = await seen(over(bob));
    assert.deepEqual(his.remembered, []);
    assert.notEqual(his.pid, hers.pid);
    await eventually(() => assert.ok(!hub.pids(NAME).includes(hers.pid)), { what: 'the process of ada has ended' });
    await bob.end();
  });

  it('while one principal holds every place, another waits and is refused typed; nothing is shared in need', async () => {
    await start({ size: 2, overflow: 0, checkoutTimeout: 200 });
    const ada = await sessionOf('ada');
    await over(ada)('put', { value: 'secret of ada' });
    const bob = await sessionOf('bob');
    const { error, result } = await over(bob)('seen');
    assert.equal(result, undefined);
    assert.equal((error?.['data'] as Json | undefined)?.['reason'], 'pool_exhausted');
    const again = await sessionOf('ada');
    assert.deepEqual((await seen(over(again))).remembered, ['secret of ada']);
    await Promise.all([ada.end(), again.end(), bob.end()]);
  });
});
