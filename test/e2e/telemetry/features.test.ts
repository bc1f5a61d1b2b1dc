/** Features are switched while the gateway runs, by command and by library, and take effect at once. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FeatureSnapshot } from '#src/admin/snapshot/features.js';
import { Gateway as Library, loadConfig } from '#src/index.js';
import { createLog } from '#src/telemetry/logger.js';
import { AdminConnection, type AdminRequestError } from '../../support/admin.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, ROOT, runNode, type Gateway } from '../../support/gateway.js';
import { Collector } from '../../support/otlp.js';
import { HttpSession } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

describe('features', () => {
  let collector: Collector;
  let upstream: UpstreamDouble;
  let gateway: Gateway;
  let session: HttpSession;
  let config: { readonly mcpServers: object; readonly gateway: Readonly<Record<string, object>> };

  before(async () => {
    collector = await Collector.start();
    upstream = await UpstreamDouble.start('legacy');
    config = {
      mcpServers: { up: { url: upstream.url } },
      gateway: settings({ telemetry: { endpoint: collector.url, samplingRate: 1 }, audit: { path: 'audit.jsonl' } }),
    };
    gateway = await startGateway({
      config,
      env: { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_METRICS_EXPORTER: 'none' },
    });
    await gateway.waitForTools(['up__echo']);
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
    session = await HttpSession.open(gateway.url);
  });
  after(async () => {
    await gateway.stop();
    await upstream.close();
    await collector.close();
  });

  async function cli(...args: string[]): Promise<string> {
    const run = await runNode(path.join(ROOT, 'dist/cli.js'), ['--socket', gateway.socketPath, ...args]);
    assert.equal(run.code, 0, run.stderr);
    return run.stdout;
  }

  const call = async (): Promise<unknown> =>
    await session.request('tools/call', { name: 'up__echo', arguments: { text: 'x' } });

  /** Requests whose upstream was told that they are recorded, of `count`. */
  async function recorded(count: number): Promise<number> {
    const from = upstream.seen.items.length;
    for (let index = 0; index < count; index += 1) await call();
    return upstream.seen.items.slice(from).filter(({ headers }) => String(headers['traceparent']).endsWith('-01'))
      .length;
  }

  it('viable sampling changes the rate of the next request', async () => {
    assert.equal(await recorded(5), 5);
    assert.match(await cli('sampling', '0'), /^0 %/);
    assert.equal(await recorded(5), 0);
    assert.deepEqual(JSON.parse(await cli('sampling', '1', '--json')), { tracing: true, samplingRate: 1 });
    assert.equal(await recorded(5), 5);
  });

  it('tracing off: no request is traced, and none carries a context; on: they are', async () => {
    await cli('features', 'disable', 'tracing');
    const from = upstream.seen.items.length;
    await call();
    assert.equal(upstream.seen.items[from]?.headers['traceparent'], undefined);
    assert.equal((await gateway.status()).telemetry.tracing, false);
    await cli('features', 'enable', 'tracing');
    assert.equal(await recorded(2), 2);
  });

  it('dashboard off: watching is refused and those who watch hear nothing; on: they do', async () => {
    const connection = await AdminConnection.open(gateway.socketPath);
    await gateway.admin('features', { action: 'disable', name: 'dashboard' });
    await assert.rejects(
      connection.request('watch', { intervalMs: 50 }),
      (error: AdminRequestError) => error.code === 'feature_unavailable',
    );
    assert.ok(await gateway.status());
    await gateway.admin('features', { action: 'enable', name: 'dashboard' });
    assert.ok(await connection.request('watch', { intervalMs: 50 }));
    connection.close();
  });

  it('audit off: nothing more is written, and the log says that it ended; on: it goes on', async () => {
    const lines = async (): Promise<string[]> => {
      const text = await readFile(path.join(path.dirname(gateway.configFile), 'audit.jsonl'), 'utf8');
      return text.trimEnd().split('\n');
    };
    await gateway.admin('features', { action: 'disable', name: 'audit' });
    await call();
    await gateway.admin('features', { action: 'enable', name: 'audit' });
    await call();
    await eventually(async () => {
      const all = await lines();
      const end = all.findIndex((line) => line.includes('"stopped"'));
      assert.ok(end >= 0);
      // Behind the end comes the command that began it anew, and the call after that one: not the call between.
      assert.match(all[end + 1] ?? '', /"method":"features"/);
      assert.equal(all.slice(end).filter((line) => line.includes('"tool_call"')).length, 1);
    });
  });

  it('draining and vsm are switched in the options, and a changed file does not undo it', async () => {
    for (const name of ['draining', 'vsm']) {
      const features = await gateway.admin<FeatureSnapshot[]>('features', { action: 'disable', name });
      assert.equal(features.find((feature) => feature.name === name)?.enabled, false);
    }
    const { version } = (await gateway.status()).config;
    await gateway.reconfigure({ ...config, gateway: { ...config.gateway, requests: { timeout: 12_345 } } });
    await eventually(async () => assert.ok((await gateway.status()).config.version > version));
    for (const name of ['draining', 'vsm']) {
      const features = await gateway.admin<FeatureSnapshot[]>('features', { windowMs: 0 });
      assert.equal(features.find((feature) => feature.name === name)?.enabled, false);
      await gateway.admin('features', { action: 'enable', name });
    }
  });

  it('every feature is measured: what works costs, what is off costs nothing', async () => {
    const load = new AbortController();
    const work = (async () => {
      while (!load.signal.aborted) await call();
    })();
    // A sample is taken each millisecond: on a busy machine a short window may hold none of a cheap feature.
    const features = await eventually(async () => {
      const measured = JSON.parse(await cli('features', '--json')) as FeatureSnapshot[];
      const tracing = measured.find(({ name }) => name === 'tracing');
      assert.ok((tracing?.cpuPercent ?? 0) > 0, JSON.stringify(tracing));
      assert.ok((tracing?.spansPerSecond ?? 0) > 0);
      return measured;
    });
    load.abort();
    await work;
    const tracing = features.find(({ name }) => name === 'tracing');
    assert.equal(typeof tracing?.memoryMb, 'number');
    for (const { cpuPercent, memoryMb } of features) {
      assert.ok(cpuPercent !== null && cpuPercent >= 0 && cpuPercent <= 100);
      assert.ok(memoryMb !== null && memoryMb >= 0);
    }
    assert.match(await cli('features', '--seconds', '0.2'), /FEATURE\s+STATE\s+ACTIVE\s+CPU %/);
  });

  it('a wrong name, action or rate is refused with what would be right', async () => {
    for (const args of [
      ['features', 'enable'],
      ['features', 'disable', 'gravity'],
      ['sampling', '7'],
    ]) {
      const run = await runNode(path.join(ROOT, 'dist/cli.js'), ['--socket', gateway.socketPath, ...args]);
      assert.notEqual(run.code, 0, args.join(' '));
    }
    await assert.rejects(gateway.admin('features', { action: 'disable', name: 'jwtt' }));
  });
});

describe('features by library', () => {
  it('getFeatureMetrics, disableFeature, enableFeature, setTracingSampleRate', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'viable-lib-'));
    const overrides = { port: 0, adminSocket: path.join(directory, 'admin.sock') };
    const loaded = await loadConfig({ env: {}, overrides });
    assert.ok(loaded.ok);
    const gateway = new Library({ config: loaded.config, log: createLog('silent', false) });
    await gateway.start();
    try {
      gateway.disableFeature('vsm');
      gateway.disableFeature('dashboard');
      gateway.setTracingSampleRate(0.001);
      assert.equal(gateway.getDashboardMetrics().telemetry.samplingRate, 0.001);
      assert.throws(() => gateway.setTracingSampleRate(2), RangeError);
      assert.throws(() => gateway.enableFeature('audit'), /audit\.path/);
      assert.throws(() => gateway.disableFeature('jwt'), /auth\.mode/);
      const off = await gateway.getFeatureMetrics({ windowMs: 20 });
      assert.deepEqual([off.vsm?.enabled, off.dashboard?.enabled, off.draining?.enabled], [false, false, true]);
      assert.equal(off.draining?.active, false);
      gateway.enableFeature('vsm');
      assert.equal((await gateway.getFeatureMetrics({ windowMs: 20 })).vsm?.enabled, true);
    } finally {
      await gateway.forceShutdown();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
