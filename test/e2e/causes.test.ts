/** Alarms from their real causes, on a gateway as it runs: nothing here reports a reading by hand. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type AlarmsSnapshot } from '#src/admin/snapshot/vsm.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { HttpSession } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { unusedPort } from '../support/outbound/unused-port.js';
import { UpstreamDouble } from './eras/upstream-double.js';

type Alarm = AlarmsSnapshot['active'][number];

describe('causes of alarms', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  let issuer: string;

  before(async () => {
    upstream = await UpstreamDouble.start('legacy');
    issuer = `http://127.0.0.1:${await unusedPort()}`;
    const never = 3_600_000;
    const thresholds = {
      loopDelay: { pain: 0.001, agony: never },
      heap: { pain: 0.001, agony: never },
      drops: { pain: 0.1, agony: never },
    };
    gateway = await startGateway({
      config: {
        mcpServers: { up: { url: upstream.url, viable: { breaker: { enabled: false } } } },
        gateway: settings({
          vsm: { thresholds, policy: { enabled: false } },
          auth: { mode: 'optional', issuers: [{ issuer }] },
          limits: { roles: { guest: 100_000 } },
          audit: { path: '/dev/full' },
        }),
      },
    });
    await gateway.waitForTools(['up__echo']);
  });
  after(async () => {
    await gateway.stop();
    await upstream.close();
  });

  const alarm = (source: string, index: string): Promise<Alarm> =>
    eventually(async () => {
      const { active } = await gateway.admin<AlarmsSnapshot>('alarms');
      const found = active.find((one) => one.source === source && one.index === index && one.value >= one.pain);
      assert.ok(found, active.map((one) => `${one.source} ${one.index} ${one.value}`).join('; '));
      return found;
    });

  it('error rate: calls that the server loses', async () => {
    const session = await HttpSession.open(gateway.url);
    for (let times = 0; times < 25; times += 1) {
      const nonce = randomUUID();
      const pending = session.request('tools/call', { name: 'up__hold', arguments: { nonce } });
      const first = await Promise.race([upstream.call(nonce), pending]);
      assert.ok('message' in first && 'destroy' in first, JSON.stringify(first));
      first.destroy();
      assert.ok('error' in (await pending));
    }
    const { value, message } = await alarm('transport:http', 'error_percent');
    assert.ok(value > 50 && value <= 100, message);
    await session.end();
  });

  it('drops: answers that nobody asked for', async () => {
    const session = await HttpSession.open(gateway.url);
    for (let times = 0; times < 5; times += 1)
      await session.post({ jsonrpc: '2.0', id: `unasked-${times}`, result: {} });
    const { value } = await alarm('process', 'drops_per_second');
    assert.ok(value >= 0.1, String(value));
    await session.end();
  });

  it('event loop and heap: what was measured of this process', async () => {
    const [loop, heap] = await Promise.all([alarm('process', 'loop_delay_ms'), alarm('process', 'heap_percent')]);
    assert.ok(loop.value > 0 && heap.value > 0 && heap.value < 100);
    assert.match(heap.message, /^the heap is at \d+ % of its limit$/);
  });

  it('a supervisor near its intensity: a child that dies again and again', async () => {
    for (let times = 0; times < 7; times += 1) {
      await gateway.admin('kill', { actor: '/viability/coordination' });
      await eventually(async () => {
        const { tree } = await gateway.status();
        const branch = tree.children.find(({ id }) => id === 'viability');
        const child = branch?.children.find(({ id }) => id === 'coordination');
        assert.ok(child?.state === 'running' && child.restarts > times);
      });
    }
    const { severity, value } = await alarm('supervisor:/viability', 'restarts');
    assert.ok(value >= 0.6 && value < 1, `${severity} ${value}`);
  });

  it('keys of an issuer that cannot be fetched', async () => {
    const { severity } = await alarm(`issuer:${issuer}`, 'keys_unavailable');
    assert.equal(severity, 'critical');
  });

  it('audit log on a full disk', async () => {
    const { severity, message } = await alarm('audit', 'unwritable');
    assert.equal(severity, 'critical', message);
  });

  it('a drain that stalls: work that does not end', async () => {
    const session = await HttpSession.open(gateway.url);
    const nonce = randomUUID();
    const pending = session.request('tools/call', { name: 'up__hold', arguments: { nonce } });
    const exchange = await upstream.call(nonce);
    await gateway.admin('drain', { target: { kind: 'session', id: session.id }, timeoutMs: 4_000 });
    const { message } = await eventually(async () => {
      const { active } = await gateway.admin<AlarmsSnapshot>('alarms');
      const found = active.find(({ index }) => index === 'drain_stalled');
      assert.ok(found);
      return found;
    });
    assert.ok(message.length > 0);
    exchange.text('at last');
    await pending.catch(() => undefined);
  });
});
