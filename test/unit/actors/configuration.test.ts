import assert from 'node:assert/strict';
import { type CatalogueMessage } from '#src/actors/catalogue.js';
import {
  configuration,
  type ConfigurationMessage,
  type ReloadOutcome,
  type RunningConfig,
} from '#src/actors/configuration.js';
import { CATALOGUE, CONFIGURATION, REGISTRY, upstreamId, UPSTREAMS } from '#src/actors/names.js';
import { sessionRegistry } from '#src/actors/session-registry.js';
import { type UpstreamView } from '#src/actors/upstream-view.js';
import { type Config, type LoadResult } from '#src/config/index.js';
import { ask } from '#src/kernel/index.js';
import { RoutingTable } from '#src/routing/routing-table.js';
import { buildUpstream } from '#src/supervisors/build.js';
import { byPath } from '../../support/kernel.js';
import { FakeTransport, serve, server } from '../../support/actors/fake-transport.js';
import { configOf, live, World } from '../../support/actors/world.js';

const one = { command: 'one' };

describe('configuration', () => {
  let world: World;
  let next: LoadResult;
  let running: RunningConfig;
  const views = new Map<string, UpstreamView>();
  const transports = new Map<string, FakeTransport[]>();
  const options: Config[] = [];

  const ok = (document: object): LoadResult => ({ ok: true, config: configOf(document), warnings: [] });

  async function boot(document: object): Promise<void> {
    const config = configOf(document);
    world = new World(config);
    running = { current: config, version: 1, loadedAt: 0, rejected: null };
    views.clear();
    transports.clear();
    options.length = 0;
    const { system, plane, log } = world;
    await world.boot({
      [CATALOGUE.path]: 'recorder',
      [REGISTRY.path]: live(sessionRegistry({ system, plane })),
      [UPSTREAMS]: 'dynamic',
      [CONFIGURATION.path]: live(
        configuration({
          system,
          plane,
          running,
          views,
          version: '1',
          log,
          random: () => 1,
          load: () => Promise.resolve(next),
          createTransport: ({ name }, handlers) => {
            const transport = new FakeTransport(handlers);
            transports.set(name, [...(transports.get(name) ?? []), transport]);
            serve(transport, server(['t'], { capabilities: { tools: {}, logging: {} } }));
            transport.opening.resolve(undefined);
            return transport;
          },
          buildUpstream,
          onOptions: (changed) => {
            options.push(changed);
            plane.options = changed.gateway;
          },
        }),
      ),
    });
  }

  afterEach(() => world.system.shutdown());

  async function reload(loaded: LoadResult): Promise<ReloadOutcome> {
    next = loaded;
    const answer = ask<ConfigurationMessage, ReloadOutcome>(
      world.system.wheel,
      world.system.whereis(CONFIGURATION),
      (replyTo) => ({ type: 'configuration/reload', cause: 'test', replyTo }),
      1_000,
    );
    await world.settle();
    return answer;
  }

  /** Incarnations of everybody below one upstream, by path. */
  function living(name: string): Record<string, number> {
    const nodes = [...byPath(world.system.snapshot()).values()];
    const below = nodes.filter((node) => node.path.startsWith(`${UPSTREAMS}/${upstreamId(name)}`));
    return Object.fromEntries(below.map((node) => [node.path, node.incarnation]));
  }

  const names = (): string[] => [...world.plane.gates.keys()];
  const opened = (): Record<string, number> =>
    Object.fromEntries([...transports].map(([name, list]) => [name, list.length]));

  it('starts what is configured', async () => {
    await boot({ mcpServers: { b: one, 'a %': one, off: { ...one, disabled: true } } });
    assert.deepEqual(names(), ['b', 'a %', 'off']);
    assert.deepEqual(opened(), { b: 1, 'a %': 1 });
    assert.deepEqual(
      [...views].map(([name, view]) => [name, view.phase]),
      [
        ['b', 'ready'],
        ['a %', 'ready'],
        ['off', 'disabled'],
      ],
    );
  });

  it('tells upstreams that come later the level of log messages that clients want', async () => {
    await boot({ mcpServers: { here: one, moves: one } });
    const levels = (name: string): unknown[] =>
      transports
        .get(name)
        ?.at(-1)
        ?.requests('logging/setLevel')
        .map(({ params }) => params?.['level']) ?? [];
    for (const level of ['warning', 'debug', 'error'] as const) {
      world.plane.logLevels.change(null, level);
      world.system.tell(REGISTRY, { type: 'registry/log-level' });
      await world.settle();
    }
    assert.deepEqual(levels('here'), ['warning', 'debug']);
    await reload(ok({ mcpServers: { here: one, moves: { command: 'elsewhere' }, late: one } }));
    assert.deepEqual(levels('late'), ['debug']);
    assert.deepEqual(levels('moves'), ['debug'], 'of a changed one, the new process is told');
  });

  it('applies the difference and touches nothing else', async () => {
    await boot({ mcpServers: { stays: one, goes: one, moves: one, tuned: one } });
    const before = [living('stays'), living('tuned')];
    const gate = world.plane.gates.get('stays');
    world.take(CATALOGUE.path);
    const tuned = { ...one, viable: { maxInFlight: 7 } };
    const outcome = await reload(ok({ mcpServers: { comes: one, tuned, stays: one, moves: { command: 'two' } } }));
    const summary = 'added 1, removed 1, changed 2 upstreams';
    assert.deepEqual(outcome, { applied: true, version: 2, summary, restart: [] });
    assert.deepEqual(names(), ['comes', 'tuned', 'stays', 'moves']);
    assert.deepEqual(opened(), { stays: 1, goes: 1, moves: 2, tuned: 1, comes: 1 });
    assert.deepEqual([living('stays'), living('tuned')], before);
    assert.deepEqual(living('goes'), {});
    assert.equal(views.has('goes'), false);
    assert.equal(world.plane.gates.get('stays'), gate);
    assert.equal(world.plane.gates.get('tuned')?.maxInFlight, 7);
    assert.deepEqual(
      transports.get('goes')?.map((t) => t.closedWith !== null),
      [true],
    );
    const withdrawn = world.take<CatalogueMessage>(CATALOGUE.path).filter((m) => m.type === 'catalogue/withdrawn');
    assert.deepEqual(withdrawn.map((m) => m.server).sort(), ['goes', 'moves']);
  });

  it('says so when nothing has changed', async () => {
    await boot({ mcpServers: { a: one } });
    assert.deepEqual(await reload(ok({ mcpServers: { a: one } })), {
      applied: true,
      version: 1,
      summary: 'nothing has changed',
      restart: [],
    });
    assert.equal(options.length, 0);
  });

  it('leaves what needs a new start as it was started, and names it at each reload until then', async () => {
    await boot({ mcpServers: { a: one } });
    const started = running.current.gateway;
    const restart = ['gateway.listen.maxBodyBytes', 'gateway.dashboard.refreshInterval', 'gateway.audit.maxFiles'];
    const waiting = {
      listen: { maxBodyBytes: 4096 },
      dashboard: { refreshInterval: 500, historySize: 30 },
      audit: { maxFiles: 3 },
    };
    const first = await reload(ok({ mcpServers: { a: one }, gateway: waiting }));
    assert.ok(first.applied);
    assert.deepEqual([...first.restart].sort(), [...restart].sort());
    for (const path of first.restart) assert.ok(first.summary.includes(path), first.summary);
    const { gateway } = options.at(-1) ?? assert.fail();
    assert.deepEqual([gateway.listen, gateway.audit], [started.listen, started.audit]);
    assert.deepEqual([gateway.dashboard.refreshInterval, gateway.dashboard.historySize], [1_000, 30]);
    const again = await reload(ok({ mcpServers: { a: one }, gateway: waiting }));
    assert.ok(again.applied);
    assert.deepEqual([again.version, again.restart], [first.version, first.restart], 'it still waits');
    const back = await reload(ok({ mcpServers: { a: one }, gateway: { dashboard: { historySize: 30 } } }));
    assert.ok(back.applied);
    assert.deepEqual([back.version, back.restart], [first.version, []], 'and does not when the file is as it was');
  });

  it('keeps the old configuration when the new one does not load, and says why until one does', async () => {
    await boot({ mcpServers: { a: one } });
    const before = living('a');
    const outcome = await reload({ ok: false, problems: [{ path: 'mcpServers.a', message: 'is odd' }] });
    assert.equal(outcome.applied, false);
    assert.match(running.rejected ?? '', /is odd/);
    assert.equal(running.version, 1);
    assert.deepEqual(living('a'), before);
    await reload(ok({ mcpServers: { a: one } }));
    assert.equal(running.rejected, null);
  });

  it('takes changed options over, and has the lists cut anew for another page size', async () => {
    await boot({ mcpServers: { a: one } });
    world.plane.routing = new RoutingTable(1, [], 10);
    world.take(CATALOGUE.path);
    await reload(ok({ mcpServers: { a: one }, gateway: { catalogue: { pageSize: 5 } } }));
    assert.equal(options.at(-1)?.gateway.catalogue.pageSize, 5);
    assert.deepEqual(world.take(CATALOGUE.path), [{ type: 'catalogue/reconfigured' }]);
  });

  it('changes nothing by restarting', async () => {
    await boot({ mcpServers: { a: one, b: one } });
    const before = [living('a'), living('b')];
    const gates = [...world.plane.gates.values()];
    assert.ok(world.system.kill(CONFIGURATION.path));
    await world.settle();
    assert.deepEqual([living('a'), living('b')], before);
    assert.deepEqual([...world.plane.gates.values()], gates);
    assert.deepEqual(opened(), { a: 1, b: 1 });
    const outcome = await reload(ok({ mcpServers: { b: one } }));
    assert.equal(outcome.applied, true);
    assert.deepEqual(names(), ['b']);
  });

  it('brings all back when their supervisor has restarted', async () => {
    await boot({ mcpServers: { a: one, b: one } });
    const gates = [...world.plane.gates.values()];
    assert.ok(world.system.kill(UPSTREAMS));
    await world.settle();
    assert.deepEqual(
      [...views.values()].map((view) => view.phase),
      ['ready', 'ready'],
    );
    assert.deepEqual([...world.plane.gates.values()], gates);
    assert.ok(gates.every((gate) => gate.session?.alive));
    assert.deepEqual(opened(), { a: 2, b: 2 });
    assert.ok([...transports.values()].every(([first]) => first?.closedWith !== null));
  });
});
