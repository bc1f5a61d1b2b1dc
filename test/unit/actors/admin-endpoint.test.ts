import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AdminAnswers, adminEndpoint } from '#src/actors/admin-endpoint.js';
import { ADMIN_MESSAGES } from '#src/actors/admin-messages.js';
import { DrainBoard } from '#src/actors/drain/board.js';
import { GatewayView } from '#src/actors/gateway-view.js';
import { CONFIGURATION, DRAIN, REGISTRY, UPSTREAMS } from '#src/actors/names.js';
import { type AdminActor, type AdminMethod, type GatewaySnapshot, type LogLine } from '#src/admin/protocol.js';
import { actor, type ReplyTo, supervisor } from '#src/kernel/index.js';
import { PinBook } from '#src/pinning/pin-book.js';
import { Windows } from '#src/telemetry/windows.js';
import { AdminConnection, AdminRequestError } from '../../support/admin.js';
import { eventually } from '../../support/eventually.js';
import { fakeSnapshot } from '../../support/admin/fixtures.js';
import { configOf, live, type Place, World } from '../../support/actors/world.js';

type Told = { readonly type: string; readonly replyTo?: ReplyTo<unknown> };

describe('admin endpoint', () => {
  let world: World;
  let directory: string;
  let console: AdminConnection;
  const told: Told[] = [];

  /** Answers each message with what it was. */
  const echo: Place = live<Told>(() => ({
    handle: (message) => {
      const { replyTo, ...rest } = message;
      told.push(rest);
      replyTo?.reply(rest);
    },
  }));

  beforeEach(async () => {
    told.length = 0;
    const config = configOf();
    world = new World(config);
    directory = await mkdtemp(path.join(tmpdir(), 'viable-admin-'));
    const { system, plane, log } = world;
    const drains = new DrainBoard();
    const running = { current: config, version: 1, loadedAt: 0, rejected: null };
    const view = new GatewayView({
      system,
      plane,
      running,
      views: new Map(),
      windows: new Windows(plane.counters, 10),
      process: { cpuPercent: null, loopDelayP99: null },
      drains,
      handover: { snapshot: null, successor: null },
      version: '1.2.3',
      startedAt: 0,
      url: () => 'http://127.0.0.1:1/mcp',
      telemetry: () => fakeSnapshot().telemetry,
    });
    const socket = path.join(directory, 'admin.sock');
    await world.boot({
      [DRAIN.path]: echo,
      [REGISTRY.path]: echo,
      [UPSTREAMS]: 'dynamic',
      [CONFIGURATION.path]: echo,
      '/consoles/admin': live(
        adminEndpoint({
          answers: new AdminAnswers({
            system,
            plane,
            view,
            drains,
            ring: world.output.ring,
            log,
            book: new PinBook('off'),
            features: {
              features: () => Promise.reject(new Error('not here')),
              sampling: () => ({ ok: true, result: null }),
              traces: () => ({ ok: true, result: null }),
            },
          }),
          log,
          path: () => socket,
          takeOver: () => false,
        }),
      ),
    });
    for (const name of ['one', 'two']) {
      const lifecycle = actor<never>({ id: 'lifecycle', init: echo as never });
      const intensity = { max: 5, withinMs: 1_000 };
      system.startChild(
        UPSTREAMS,
        supervisor({ id: `upstream:${name}`, strategy: 'one_for_one', intensity, children: [lifecycle] }),
      );
    }
    console = await AdminConnection.open(socket);
  });

  afterEach(async () => {
    console.close();
    await world.system.shutdown();
    await rm(directory, { recursive: true, force: true });
  });

  async function refusal(method: AdminMethod, params: Record<string, unknown>): Promise<AdminRequestError> {
    try {
      await console.request(method, params);
    } catch (error) {
      if (error instanceof AdminRequestError) return error;
      throw error;
    }
    return assert.fail('it was not refused');
  }

  it('answers what consoles read', async () => {
    const status = (await console.request('status')) as GatewaySnapshot;
    assert.equal(status.version, '1.2.3');
    assert.equal(status.phase, 'starting');
    assert.deepEqual(status.drops, []);
    assert.equal(((await console.request('tree')) as { path: string }).path, '/');
    assert.deepEqual(await console.request('connections'), []);
    assert.deepEqual(await console.request('upstreams'), []);
    assert.deepEqual(await console.request('cancel', { id: 99 }), { cancelled: false });
  });

  it('lists the actors that take messages, with the schema of what they take', async () => {
    const actors = (await console.request('actors')) as AdminActor[];
    assert.deepEqual(actors.map((one) => one.path).sort(), [
      DRAIN.path,
      REGISTRY.path,
      CONFIGURATION.path,
      `${UPSTREAMS}/upstream:one/lifecycle`,
      `${UPSTREAMS}/upstream:two/lifecycle`,
    ]);
    const begin = actors.find((one) => one.path === DRAIN.path)?.messages.find((message) => message.name === 'begin');
    assert.deepEqual(Object.keys((begin?.args as { properties: object }).properties), ['timeoutMs', 'graceMs']);
  });

  it('sends an actor its own message and gives its reply back', async () => {
    const send = (to: string, message: string, args?: object): Promise<unknown> =>
      console.request('send', { actor: to, message, ...(args && { args }) });
    assert.deepEqual(await send('one', 'reconnect'), { type: 'upstream/reconnect' });
    assert.deepEqual(await send('upstream:two', 'disable'), { type: 'upstream/disable' });
    assert.deepEqual(await send(`${UPSTREAMS}/upstream:two/lifecycle`, 'enable'), { type: 'upstream/enable' });
    assert.deepEqual(await send('configuration', 'reload'), { type: 'configuration/reload', cause: 'operator' });
    assert.deepEqual(await send('session-registry', 'count', {}), { type: 'registry/count' });
    assert.deepEqual(await send('drain', 'begin', { timeoutMs: 5 }), {
      type: 'drain/begin',
      reason: 'operator',
      timeoutMs: 5,
    });
    assert.deepEqual(await send('drain', 'force'), { type: 'drain/force', reason: 'operator' });
  });

  it('begins and forces the drain', async () => {
    assert.deepEqual(await console.request('drain', { timeoutMs: 0 }), {
      type: 'drain/begin',
      reason: 'operator',
      timeoutMs: 0,
    });
    assert.deepEqual(await console.request('drain'), { type: 'drain/begin', reason: 'operator' });
    assert.deepEqual(await console.request('force-shutdown'), { type: 'drain/force', reason: 'operator' });
  });

  it('refuses unknown and ambiguous actors, unknown messages and arguments that do not fit', async () => {
    const unknown = await refusal('send', { actor: 'drian', message: 'begin' });
    assert.equal(unknown.code, 'unknown_actor');
    assert.deepEqual(unknown.suggestions, ['/drain']);
    const ambiguous = await refusal('kill', { actor: 'lifecycle' });
    assert.equal(ambiguous.code, 'ambiguous_actor');
    assert.equal(ambiguous.suggestions.length, 2);
    const message = await refusal('send', { actor: 'one', message: 'reconect' });
    assert.equal(message.code, 'unknown_message');
    assert.deepEqual(message.suggestions, ['reconnect']);
    const none = await refusal('send', { actor: 'admin', message: 'x' });
    assert.match(none.message, /takes no admin messages/);
    for (const args of [{ timeoutMs: -1 }, { timeoutMs: 'soon' }, { other: 1 }, 'text', [1]]) {
      assert.equal((await refusal('send', { actor: 'drain', message: 'begin', args })).code, 'invalid_arguments');
    }
    assert.equal(
      (await refusal('send', { actor: 'one', message: 'enable', args: { x: 1 } })).code,
      'invalid_arguments',
    );
    assert.deepEqual(told, []);
  });

  it('says when an actor is not there or does not answer', async () => {
    const path = `${UPSTREAMS}/upstream:one`;
    const silent = live<Told>(() => ({ handle: (message) => void told.push(message) })) as never;
    await world.system.stopChild(UPSTREAMS, 'upstream:one');
    world.system.startChild(
      UPSTREAMS,
      supervisor({
        id: 'upstream:one',
        strategy: 'one_for_one',
        intensity: { max: 1, withinMs: 1 },
        children: [actor<never>({ id: 'lifecycle', init: silent })],
      }),
    );
    const asked = refusal('send', { actor: path, message: 'enable' });
    await eventually(() => assert.equal(told.length, 1));
    world.clock.advance(5_100);
    assert.equal((await asked).code, 'actor_timeout');
    const down = refusal('send', { actor: path, message: 'enable' });
    await eventually(() => assert.equal(told.length, 2));
    assert.ok(world.system.kill(`${path}/lifecycle`));
    assert.equal((await down).code, 'actor_unavailable');
  });

  it('kills what has a supervisor, and says so in the log', async () => {
    assert.deepEqual(await console.request('kill', { actor: 'session-registry' }), { killed: REGISTRY.path });
    assert.equal(world.logged('killed').length, 1);
    await world.settle();
    assert.equal(world.ref(REGISTRY.path).incarnation, 2);
    const root = await refusal('kill', { actor: '/' });
    assert.equal(root.code, 'actor_unavailable');
    assert.ok(root.message.includes('root'));
  });

  it('gives the last log lines from a level on, and follows them until it is told to stop', async () => {
    const { log } = world;
    for (const n of [1, 2, 3]) log.info(`line ${n}`);
    log.error('bad');
    const lines = async (params: Record<string, unknown>): Promise<string[]> =>
      ((await console.request('logs', params)) as LogLine[]).map((line) => line.message);
    assert.deepEqual(await lines({ lines: 2 }), ['line 3', 'bad']);
    assert.deepEqual(await lines({ lines: 5, level: 'error' }), ['bad']);
    assert.deepEqual(await lines({ lines: 0 }), []);
    assert.deepEqual(await lines({ lines: 0, level: 'warn', follow: true }), []);
    log.info('not this');
    log.warn('this');
    await eventually(() => assert.equal(console.events.items.length, 1));
    const [event] = console.events.items;
    assert.ok(event);
    assert.equal((event.event as LogLine).message, 'this');
    assert.deepEqual(await console.request('cancel', { id: event.id }), { cancelled: true });
    log.warn('no more');
    await console.request('status');
    assert.equal(console.events.items.length, 1);
  });

  it('sends snapshots at the interval until the console is gone', async () => {
    const before = world.clock.pending;
    await console.request('watch', { intervalMs: 100 });
    assert.equal(world.clock.pending, before + 1);
    world.clock.advance(250);
    await eventually(() => assert.equal(console.events.items.length, 2));
    console.close();
    await eventually(() => assert.equal(world.clock.pending, before));
  });

  it('has messages for every kind of client session and none for the rest', () => {
    const of = (at: string): number => ADMIN_MESSAGES.filter(({ actor: matches }) => matches.test(at)).length;
    for (const id of ['http-1', 'sse-22', 'ws-3']) assert.equal(of(`/front/connections/p0/${id}`), 1);
    for (const at of ['/front/connections/p0/socket-1', '/front/connections', '/vitals/metrics', '/']) {
      assert.equal(of(at), 0);
    }
  });
});
