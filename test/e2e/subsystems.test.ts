/** Subsystems of a whole gateway: what one of them finds, grants or decides is seen outside, and missing without it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { type SupervisionNode } from '#src/admin/protocol.js';
import { type VsmSnapshot } from '#src/admin/snapshot/vsm.js';
import { type AdminRequestError } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, ROOT, runNode, startGateway } from '../support/gateway.js';
import { HttpSession } from '../support/raw-http.js';
import { settings } from '../support/settings.js';
import { UpstreamDouble } from './eras/upstream-double.js';

/** S1 reports, S3 grants and S3* looks ten times a second. */
const QUICK = { control: { interval: 100, leaseTime: 500 }, audit: { meanInterval: 100, timeout: 500 } };

async function cli(gateway: Gateway, ...args: string[]): Promise<string> {
  const run = await runNode(path.join(ROOT, 'dist/cli.js'), ['--socket', gateway.socketPath, ...args]);
  assert.equal(run.code, 0, run.stderr);
  return run.stdout;
}

async function vsmOf(gateway: Gateway): Promise<VsmSnapshot> {
  return (await gateway.status()).vsm;
}

/** Until S3 has granted anew so many times: as many times it has been reported to. */
async function cycles(gateway: Gateway, count: number): Promise<void> {
  const seen = new Set<number>();
  await eventually(async () => {
    for (const { expiresAt } of (await vsmOf(gateway)).control.leases) seen.add(expiresAt);
    assert.ok(seen.size > count, `${seen.size} grants`);
  });
}

describe('S3*', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;

  async function start(enabled: boolean): Promise<void> {
    upstream = await UpstreamDouble.start('legacy');
    const vsm = { ...QUICK, audit: { ...QUICK.audit, enabled } };
    gateway = await startGateway({ config: { mcpServers: { up: { url: upstream.url } }, gateway: settings({ vsm }) } });
    await gateway.waitForTools(['up__echo']);
  }

  afterEach(async () => {
    await gateway.stop();
    await upstream.close();
  });

  const silent = { name: 'silent', inputSchema: { type: 'object' } };

  it('finds a list of tools that changed unseen, says so, and has it read again', async () => {
    await start(true);
    upstream.tools = [...upstream.tools, silent]; // it tells nobody
    await gateway.waitForTools(['up__silent']);
    await eventually(async () => {
      const { findings } = (await vsmOf(gateway)).audit;
      assert.ok(findings.some(({ discrepancies }) => discrepancies.join().includes('list of tools')));
    });
    assert.match(await cli(gateway, 'vsm'), /upstream:up .*its list of tools is not the one that S1 reports/);
    assert.match(await cli(gateway, 'logs', '--lines', '10000'), /list of tools is not the one that S1 reports/);
  });

  it('finds a server that hangs for whoever comes new, while S1 reports that all is well', async () => {
    await start(true);
    upstream.greets = false;
    const session = await HttpSession.open(gateway.url);
    const { findings } = await eventually(async () => {
      const { audit } = await vsmOf(gateway);
      assert.ok(audit.findings.some(({ discrepancies }) => discrepancies.length > 0));
      return audit;
    });
    const found = findings.find(({ discrepancies }) => discrepancies.length > 0);
    assert.deepEqual([found?.unit, found?.latencyMs], ['upstream:up', null]);
    assert.match(
      found?.discrepancies.join() ?? '',
      /S1 reports that it serves; a connection of its own failed: no answer/,
    );
    // What S1 says is what its session knows: it serves.
    const answer = await session.request('tools/call', { name: 'up__echo', arguments: { text: 'well' } });
    assert.match(JSON.stringify(answer), /well/);
    assert.equal((await gateway.upstream('up')).state, 'ready');
    assert.match(await cli(gateway, 'vsm'), /upstream:up .*a connection of its own failed/);
    await session.end();
  });

  it('off: neither is found', async () => {
    await start(false);
    upstream.tools = [...upstream.tools, silent];
    upstream.greets = false;
    await cycles(gateway, 10);
    const { audit } = await vsmOf(gateway);
    assert.deepEqual(audit, { total: 0, findings: [] });
    const session = await HttpSession.open(gateway.url);
    const names = (await session.listAll('tools/list', 'tools')).map(({ name }) => name);
    assert.deepEqual(names, ['up__echo', 'up__hold']);
    assert.match(await cli(gateway, 'vsm'), /No audit yet/);
    await session.end();
  });
});

describe('S3', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  let session: HttpSession;

  before(async () => {
    upstream = await UpstreamDouble.start('legacy');
    const control = { interval: 100, leaseTime: 1_000, slots: 8, reserve: 8, units: { up: { floor: 1 } } };
    gateway = await startGateway({
      config: { mcpServers: { up: { url: upstream.url } }, gateway: settings({ vsm: { control } }) },
    });
    await gateway.waitForTools(['up__hold']);
    session = await HttpSession.open(gateway.url);
  });

  after(async () => {
    await session.end();
    await gateway.stop();
    await upstream.close();
  });

  const hold = (nonce: string) => session.request('tools/call', { name: 'up__hold', arguments: { nonce } });

  it('dead, its last leases hold until they expire, then the floor; started again, it grants anew', async () => {
    await cycles(gateway, 1);
    const running = [hold('one'), hold('two')];
    for (const nonce of ['one', 'two']) await upstream.call(nonce);
    await gateway.admin('kill', { actor: '/viability/control', forGood: true });
    await eventually(async () => {
      const [lease] = (await vsmOf(gateway)).control.leases;
      assert.ok(lease && lease.expiresAt < (await gateway.status()).takenAt);
    });
    assert.match(await cli(gateway, 'vsm'), /upstream:up .*expired: its floor holds/);
    assert.match(JSON.stringify(await hold('three')), /granted 1 calls at a time/);
    assert.equal((await gateway.upstream('up')).pool.limit, 1);

    assert.match(await cli(gateway, 'restart', '/viability/control'), /^Started \/viability\/control\.$/m);
    await eventually(async () => {
      const { takenAt, vsm } = await gateway.status();
      assert.ok(vsm.control.leases.every(({ expiresAt }) => expiresAt > takenAt));
    });
    running.push(hold('four'));
    (await upstream.call('four')).text('done');
    for (const nonce of ['one', 'two']) (await upstream.call(nonce)).text('done');
    for (const answer of await Promise.all(running)) assert.ok('result' in answer, JSON.stringify(answer));
  });
});

describe('S1', () => {
  let upstream: UpstreamDouble;
  let gateway: Gateway;

  before(async () => {
    upstream = await UpstreamDouble.start('legacy');
    gateway = await startGateway({ config: { mcpServers: { up: { url: upstream.url } }, gateway: settings() } });
    await gateway.waitForTools(['up__echo']);
  });
  after(async () => {
    await gateway.stop();
    await upstream.close();
  });

  it('demands are what is asked of servers: lists and pings that the gateway answers are none', async () => {
    const figures = async () => {
      const { demands, kinds, varietyAbsorption } = (await vsmOf(gateway)).operations;
      return { demands, kinds, varietyAbsorption };
    };
    const session = await HttpSession.open(gateway.url);
    for (const method of ['tools/list', 'resources/list', 'ping']) await session.request(method);
    assert.deepEqual(await figures(), { demands: 0, kinds: 0, varietyAbsorption: null });
    const call = { name: 'up__echo', arguments: { text: 'x' } };
    for (let times = 0; times < 3; times += 1) await session.request('tools/call', call);
    await session.request('resources/subscribe', { uri: 'double://one' });
    assert.deepEqual(await figures(), { demands: 4, kinds: 2, varietyAbsorption: 1 });
    await session.end();
  });
});

describe('viable restart', () => {
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway({ config: { mcpServers: {}, gateway: settings() } });
  });
  after(() => gateway.stop());

  it('brings every part of the viable system back that was ended for good, and refuses what runs', async () => {
    const parts = ['policy', 'algedonic', 'intelligence', 'control', 'audit', 'coordination'];
    const states = async (): Promise<(string | undefined)[]> => {
      const root = await gateway.admin<SupervisionNode>('tree');
      const branch = root.children.find(({ path: at }) => at === '/viability');
      return parts.map((part) => branch?.children.find(({ path: at }) => at === `/viability/${part}`)?.state);
    };
    for (const part of parts) await gateway.admin('kill', { actor: `/viability/${part}`, forGood: true });
    assert.deepEqual(new Set(await states()), new Set(['stopped']));
    for (const part of parts)
      assert.deepEqual(JSON.parse(await cli(gateway, 'restart', `/viability/${part}`, '--json')), {
        restarted: `/viability/${part}`,
      });
    assert.deepEqual(new Set(await states()), new Set(['running']));
    assert.equal((await gateway.admin<{ mode: string }>('policy-mode', { mode: 'conserve' })).mode, 'conserve');
    const refused = (code: string) => (error: AdminRequestError) => error.code === code;
    await assert.rejects(gateway.admin('restart', { actor: '/viability/policy' }), refused('actor_running'));
    await assert.rejects(gateway.admin('restart', { actor: '/viability/polcy' }), refused('unknown_actor'));
  });
});
