/** Alarms and modes of a whole gateway, seen as an operator sees them. */
import assert from 'node:assert/strict';
import { type AlarmsSnapshot, type PolicySnapshot } from '#src/admin/snapshot/vsm.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { HttpSession } from '../support/raw-http.js';
import { FixtureHub } from '../support/hub.js';
import { settings } from '../support/settings.js';

describe('alarms and modes', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: { one: hub.stdio('sdk-server', 'one'), broken: { command: '/nowhere/to/be/found' } },
        gateway: settings({ vsm: { thresholds: { upstreamDown: { pain: 500, agony: 3_600_000 } } } }),
      },
    });
    await gateway.waitForTools(['one__echo']);
  });

  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  async function alarm(): Promise<AlarmsSnapshot['active'][number]> {
    return eventually(async () => {
      const { active } = await gateway.admin<AlarmsSnapshot>('alarms');
      const found = active.find(({ source, index }) => source === 'upstream:broken' && index === 'down_ms');
      assert.ok(found, JSON.stringify(active));
      return found;
    });
  }

  it('an upstream that stays away hurts, is seen, noted, and forgotten with its configuration', async () => {
    const raised = await alarm();
    assert.deepEqual([raised.index, raised.severity, raised.acknowledged], ['down_ms', 'low', null]);
    const noted = await gateway.admin<AlarmsSnapshot['active'][number]>('ack', { id: raised.id });
    assert.equal(noted.acknowledged?.by, 'operator');
    await gateway.reconfigure({
      mcpServers: { one: hub.stdio('sdk-server', 'one') },
      gateway: settings({ vsm: { thresholds: { upstreamDown: { pain: 500, agony: 3_600_000 } } } }),
    });
    await eventually(async () => {
      const { active, history } = await gateway.admin<AlarmsSnapshot>('alarms');
      assert.deepEqual(
        active.filter(({ source }) => source === 'upstream:broken'),
        [],
      );
      assert.equal(history[0]?.source, 'upstream:broken');
    });
  });

  it('lockdown serves who is there and takes nobody new; conserve sheds what can wait; normal ends both', async () => {
    const session = await HttpSession.open(gateway.url);
    const call = () => session.request('tools/call', { name: 'one__echo', arguments: { text: 'hi' } });
    const complete = () =>
      session.request('completion/complete', {
        ref: { type: 'ref/prompt', name: 'one__greet' },
        argument: { name: 'name', value: 'a' },
      });
    assert.equal((await gateway.admin<PolicySnapshot>('policy-mode', { mode: 'lockdown' })).mode, 'lockdown');
    assert.ok('result' in (await call()));
    await assert.rejects(HttpSession.open(gateway.url), /503|lock/);
    await gateway.admin('policy-mode', { mode: 'conserve' });
    assert.ok('result' in (await call()));
    assert.match(JSON.stringify(await complete()), /"reason":"conserving"/);
    const { version, by } = await gateway.admin<PolicySnapshot>('policy-mode', { mode: 'normal' });
    assert.deepEqual([version, by], [4, 'policy']);
    assert.ok('result' in (await call()));
    await (await HttpSession.open(gateway.url)).end();
    await session.end();
  });
});
