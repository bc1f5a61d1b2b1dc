/**
 * Each switch of a feature takes effect at once, by command, by library and by configuration: what is tried is what the
 * feature does, not what the switch says.
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AdminMethod, type GatewaySnapshot } from '#src/admin/protocol.js';
import { FEATURE_NAMES, type FeatureName, type FeatureSnapshot } from '#src/admin/snapshot/features.js';
import { Gateway as Library, loadConfig } from '#src/index.js';
import { createLog } from '#src/telemetry/logger.js';
import { AdminConnection, type AdminRequestError } from '../../support/admin.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, ROOT, runNode, startGateway } from '../../support/gateway.js';
import { Collector } from '../../support/otlp.js';
import { fetchRaw, HttpSession } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { UpstreamDouble } from '../eras/upstream-double.js';

type Switchable = Exclude<FeatureName, 'jwt'>;

/** A gateway that runs somewhere, with an upstream `up` behind it. */
interface Subject {
  readonly url: string;
  readonly directory: string;
  readonly admin: <T>(method: AdminMethod, params?: Readonly<Record<string, unknown>>) => Promise<T>;
  readonly upstream: UpstreamDouble;
}

const call = (session: HttpSession, name: string, args: object) =>
  session.request('tools/call', { name: `up__${name}`, arguments: args });

/** Whether the feature is at work, found out by what it does. */
const PROBES: Readonly<Record<Switchable, (subject: Subject) => Promise<boolean>>> = {
  async tracing({ url, upstream }) {
    const session = await HttpSession.open(url);
    const from = upstream.seen.items.length;
    await call(session, 'echo', { text: 'x' });
    await session.end();
    const seen = upstream.seen.items.slice(from).find(({ message }) => message.method === 'tools/call');
    return seen?.headers['traceparent'] !== undefined;
  },
  async dashboard({ url, admin }) {
    const page = await fetchRaw(`${url}/mcp/dashboard`);
    const watched = await admin('watch', { intervalMs: 1_000 }).then(
      () => true,
      (error: unknown) => {
        assert.equal((error as AdminRequestError).code, 'feature_unavailable');
        return false;
      },
    );
    assert.deepEqual([page.status, watched], page.status === 200 ? [200, true] : [503, false]);
    if (!watched) assert.match(page.body, /"feature":"dashboard","reason":"feature_disabled"/);
    return watched;
  },
  /** What is in flight may finish. */
  async draining({ url, admin, upstream }) {
    const session = await HttpSession.open(url);
    const nonce = randomUUID();
    const pending = call(session, 'hold', { nonce });
    const exchange = await upstream.call(nonce);
    await admin('drain', { target: { kind: 'session', id: session.id } });
    const { drains } = await admin<GatewaySnapshot>('status');
    const own = drains.find(({ target }) => target.kind === 'session' && target.id === session.id);
    // With time to finish it does; without, the gateway answers before the server does.
    if (own !== undefined && own.deadlineAt > own.startedAt) exchange.text('done');
    return pending.then(
      (answer) => 'result' in answer,
      () => false,
    );
  },
  async audit({ url, directory, admin }) {
    const args = { text: randomUUID() };
    const session = await HttpSession.open(url);
    await call(session, 'echo', args);
    await session.end();
    const hash = createHash('sha256').update(JSON.stringify(args)).digest('hex');
    const kept = async (): Promise<boolean> =>
      (await readFile(path.join(directory, 'audit.jsonl'), 'utf8')).includes(hash);
    const features = await admin<FeatureSnapshot[]>('features', { windowMs: 0 });
    if (features.find(({ name }) => name === 'audit')?.enabled === false) return kept();
    return eventually(async () => {
      assert.ok(await kept());
      return true;
    });
  },
  /** S3 grants leases, and takes them back when it may grant none. */
  vsm: async ({ admin }) => (await admin<GatewaySnapshot>('status')).vsm.control.leases.length > 0,
};

/** Options that switch a feature off in the file; features without such an option are not here. */
const IN_THE_FILE: Readonly<Partial<Record<Switchable, object>>> = {
  tracing: { telemetry: { enabled: false } },
  draining: { draining: { enabled: false } },
  vsm: { vsm: { enabled: false } },
};

function adminOf(directory: string): Subject['admin'] {
  return async (method, params = {}) => {
    const connection = await AdminConnection.open(path.join(directory, 'admin.sock'));
    try {
      return (await connection.request(method, params)) as never;
    } finally {
      connection.close();
    }
  };
}

const NAMES = FEATURE_NAMES.filter((name): name is Switchable => name !== 'jwt');

describe('switches of features', () => {
  let collector: Collector;
  let upstream: UpstreamDouble;

  const gatewayBlock = (over: Parameters<typeof settings>[0] = {}) => {
    const vsm = { control: { interval: 100, leaseTime: 1_000 } };
    const telemetry = { endpoint: collector.url, samplingRate: 1 };
    const { telemetry: ownTelemetry, vsm: ownVsm, ...rest } = over;
    return settings({
      telemetry: { ...telemetry, ...ownTelemetry },
      audit: { path: 'audit.jsonl', arguments: 'hash' },
      vsm: { ...vsm, ...ownVsm },
      ...rest,
    });
  };

  before(async () => {
    collector = await Collector.start();
    upstream = await UpstreamDouble.start('legacy');
  });
  after(async () => {
    await upstream.close();
    await collector.close();
  });

  /** Off: it does nothing. On: it does it again. */
  async function obeys(
    name: Switchable,
    subject: Subject,
    flip: (on: boolean) => Promise<unknown>,
    enabled: () => Promise<boolean | undefined>,
  ): Promise<void> {
    // What the viable system does shows with S3's next cycle.
    const works = (expected: boolean): Promise<void> =>
      name === 'vsm'
        ? eventually(async () => assert.equal(await PROBES[name](subject), expected))
        : PROBES[name](subject).then((found) => assert.equal(found, expected));
    await works(true);
    await flip(false);
    await works(false);
    assert.equal(await enabled(), false);
    await flip(true);
    await works(true);
    assert.equal(await enabled(), true);
  }

  /** A gateway in a process of its own, with every feature on. */
  async function startProcess(): Promise<{ readonly gateway: Gateway; readonly subject: Subject }> {
    const gateway = await startGateway({
      config: { mcpServers: { up: { url: upstream.url } }, gateway: gatewayBlock() },
      env: { OTEL_METRICS_EXPORTER: 'none' },
    });
    await gateway.waitForTools(['up__echo']);
    await gateway.waitForLog(({ event }) => event === 'telemetry_started', 'telemetry');
    const directory = path.dirname(gateway.configFile);
    return { gateway, subject: { url: gateway.url, directory, admin: adminOf(directory), upstream } };
  }

  describe('of a process', () => {
    let gateway: Gateway;
    let subject: Subject;

    before(async () => {
      ({ gateway, subject } = await startProcess());
    });
    after(() => gateway.stop());

    const enabled = async (name: Switchable): Promise<boolean | undefined> =>
      (await subject.admin<FeatureSnapshot[]>('features', { windowMs: 0 })).find((feature) => feature.name === name)
        ?.enabled;

    for (const name of NAMES) {
      it(`viable features disable ${name}`, async () => {
        const cli = path.join(ROOT, 'dist/cli.js');
        const flip = async (on: boolean): Promise<void> => {
          const args = ['--socket', gateway.socketPath, 'features', on ? 'enable' : 'disable', name];
          const run = await runNode(cli, args);
          assert.equal(run.code, 0, run.stderr);
        };
        await obeys(name, subject, flip, () => enabled(name));
      });
    }

    it('jwt is refused, and says why', async () => {
      const run = await runNode(path.join(ROOT, 'dist/cli.js'), [
        ...['--socket', gateway.socketPath],
        ...['features', 'disable', 'jwt'],
      ]);
      assert.notEqual(run.code, 0);
      assert.match(run.stderr, /gateway\.auth\.mode/);
    });

    it('those who watch are told when dashboards are switched off, and may come again when they are on', async () => {
      const connection = await AdminConnection.open(gateway.socketPath);
      await connection.request('watch', { intervalMs: 50 });
      await gateway.admin('features', { action: 'disable', name: 'dashboard' });
      const { event } = await connection.events.waitFor(
        (got) => 'ended' in (got.event as object),
        'the end of the figures',
      );
      assert.equal((event as { ended: { code: string } }).ended.code, 'feature_unavailable');
      await gateway.admin('features', { action: 'enable', name: 'dashboard' });
      assert.ok(await connection.request('watch', { intervalMs: 50 }));
      connection.close();
    });
  });

  describe('in the configuration', () => {
    let gateway: Gateway;
    let subject: Subject;

    before(async () => {
      ({ gateway, subject } = await startProcess());
    });
    after(() => gateway.stop());

    for (const [name, over] of Object.entries(IN_THE_FILE)) {
      it(`${JSON.stringify(over)} in the file`, async () => {
        const flip = async (on: boolean): Promise<void> => {
          const { version } = (await gateway.status()).config;
          const block = gatewayBlock(on ? {} : (over as Parameters<typeof settings>[0]));
          await gateway.reconfigure({ mcpServers: { up: { url: upstream.url } }, gateway: block });
          await eventually(async () => assert.ok((await gateway.status()).config.version > version));
          if (name !== 'tracing') return;
          await eventually(async () => assert.equal((await gateway.status()).telemetry.tracing, on));
        };
        const enabled = async (): Promise<boolean | undefined> => {
          const features = await subject.admin<FeatureSnapshot[]>('features', { windowMs: 0 });
          const feature = features.find((one) => one.name === name);
          return name === 'tracing' ? (feature?.active ?? undefined) : feature?.enabled;
        };
        await obeys(name as Switchable, subject, flip, enabled);
      });
    }

    it('dashboard.web: false takes the page away, and gives it back', async () => {
      const page = async (): Promise<number> => (await fetchRaw(`${gateway.url}/mcp/dashboard`)).status;
      assert.equal(await page(), 200);
      const servers = { up: { url: upstream.url } };
      await gateway.reconfigure({ mcpServers: servers, gateway: gatewayBlock({ dashboard: { web: false } }) });
      await eventually(async () => assert.equal(await page(), 404));
      await gateway.reconfigure({ mcpServers: servers, gateway: gatewayBlock() });
      await eventually(async () => assert.equal(await page(), 200));
    });
  });

  describe('of the library', () => {
    let directory: string;
    let gateway: Library;
    let subject: Subject;

    before(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'viable-switches-'));
      const file = path.join(directory, 'gateway.json');
      await writeFile(file, JSON.stringify({ mcpServers: { up: { url: upstream.url } }, gateway: gatewayBlock() }));
      const overrides = { port: 0, adminSocket: path.join(directory, 'admin.sock') };
      const loaded = await loadConfig({ file, env: {}, overrides });
      assert.ok(loaded.ok, JSON.stringify(loaded));
      gateway = new Library({ config: loaded.config, log: createLog('silent', false) });
      await gateway.start();
      const url = gateway.url.replace(/\/mcp$/, '');
      subject = { url, directory, admin: adminOf(directory), upstream };
      await eventually(async () => {
        const { upstreams, telemetry } = await subject.admin<GatewaySnapshot>('status');
        assert.deepEqual([upstreams[0]?.state, telemetry.tracing], ['ready', true]);
      });
    });
    after(async () => {
      await gateway.forceShutdown();
      await rm(directory, { recursive: true, force: true });
    });

    for (const name of NAMES) {
      it(`disableFeature('${name}')`, async () => {
        const flip = async (on: boolean): Promise<void> => {
          if (on) gateway.enableFeature(name);
          else gateway.disableFeature(name);
        };
        await obeys(name, subject, flip, async () => (await gateway.getFeatureMetrics({ windowMs: 0 }))[name]?.enabled);
      });
    }

    it('jwt throws, and says why', () => {
      assert.throws(() => gateway.disableFeature('jwt'), /auth\.mode/);
    });
  });
});
