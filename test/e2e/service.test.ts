/** How much it hurts when servers are away: one of many is their own affair, all of them is the gateway's. */
import assert from 'node:assert/strict';
import { type AlarmsSnapshot } from '#src/admin/snapshot/vsm.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { settings } from '../support/settings.js';
import { UpstreamDouble } from './eras/upstream-double.js';

type Alarm = AlarmsSnapshot['active'][number];

describe('upstreams that are away', () => {
  let good: UpstreamDouble;
  let bad: UpstreamDouble;
  let gateway: Gateway;

  before(async () => {
    good = await UpstreamDouble.start('legacy');
    bad = await UpstreamDouble.start('legacy');
    const modes = [{ when: 'upstreams/*', severity: 'critical', mode: 'conserve' }];
    gateway = await startGateway({
      config: {
        mcpServers: { good: { url: good.url }, bad: { url: bad.url } },
        gateway: settings({ vsm: { policy: { modes, calm: 100 }, alarms: { clearTicks: 1 } } }),
      },
    });
    await gateway.waitForTools(['good__echo', 'bad__echo']);
  });
  after(async () => {
    await gateway.stop();
    await Promise.all([good.close(), bad.close()].map((closing) => closing.catch(() => undefined)));
  });

  const active = async (): Promise<readonly Alarm[]> => (await gateway.admin<AlarmsSnapshot>('alarms')).active;
  const alarm = (source: string, index: string): Promise<Alarm> =>
    eventually(async () => {
      const all = await active();
      const found = all.find((one) => one.source === source && one.index === index && one.value > 0);
      assert.ok(found, JSON.stringify(all));
      return found;
    });

  it('one of them is no more than a warning, and S5 lets it be', async () => {
    await bad.close();
    const { severity, stage } = await alarm('upstream:bad', 'breaker_open');
    assert.equal(severity, 'medium');
    assert.ok(stage === 'unit' || stage === 'control', stage);
    const all = await active();
    assert.deepEqual(
      all.filter((one) => one.severity === 'critical'),
      [],
    );
    assert.equal((await gateway.status()).vsm.policy.mode, 'normal');
  });

  it('all of them is critical and at S5 at once, until one is back', async () => {
    const { port } = good;
    await good.close();
    const { severity, stage, message } = await alarm('upstreams', 'out_percent');
    assert.deepEqual([severity, message], ['critical', 'no upstream takes calls']);
    assert.ok(stage === 'policy' || stage === 'operator', stage);
    await eventually(async () => assert.equal((await gateway.status()).vsm.policy.mode, 'conserve'));
    good = await UpstreamDouble.start('legacy', { port });
    await eventually(async () => {
      assert.ok(!(await active()).some(({ source }) => source === 'upstreams'));
      assert.equal((await gateway.status()).vsm.policy.mode, 'normal');
    });
  });
});
