/** What an upstream keeps when something fails: calls, lists, levels, an operator's word; and how it finds out the era. */
import assert from 'node:assert/strict';
import { type CallEvent } from '#src/actors/call.js';
import { upstreamLifecycle } from '#src/actors/names.js';
import { type JsonRpcMessage } from '#src/protocol/jsonrpc.js';
import { MODERN_REVISION } from '#src/protocol/revisions.js';
import { CLOSED, FORGOTTEN, server } from '../../support/actors/fake-transport.js';
import { BACKOFF, NAME, story, UpstreamWorld } from '../../support/actors/upstream-world.js';
import { FakeRef } from '../../support/actors/world.js';

const RELIST_MS = 50;

describe('upstream, kept', () => {
  let world: UpstreamWorld;

  beforeEach(() => {
    world = new UpstreamWorld();
  });

  afterEach(() => world.system.shutdown());

  const names = () => world.view.listing?.tools.map((tool) => tool['name']);

  async function crash(): Promise<void> {
    assert.ok(world.system.kill(upstreamLifecycle(NAME).path));
    await world.settle();
  }

  /** Answers `tools/list` as the test says, the rest as before. */
  function onList(answer: (message: JsonRpcMessage & { id: number }) => void): void {
    const before = world.transport.peer;
    world.transport.peer = (message) => {
      if ('method' in message && message.method === 'tools/list') answer(message as JsonRpcMessage & { id: number });
      else before?.(message);
    };
  }

  it('sends again only the calls that the server refused', async () => {
    await world.start();
    const [begun, refused] = [world.call(1).client, world.call(2).client];
    await world.settle();
    const id = world.transport.requests('tools/call')[1]?.id;
    assert.ok(id !== undefined);
    world.transport.handlers.onRequestFailed(id, FORGOTTEN);
    world.transport.handlers.onClosed(FORGOTTEN);
    await world.settle();
    await world.advance(1);
    assert.deepEqual(story(begun), ['call/failed upstream_lost']);
    assert.deepEqual(story(refused), []);
    const [again, ...others] = world.transport.requests('tools/call');
    assert.ok(again && others.length === 0);
    world.transport.answer(again.id);
    await world.settle();
    assert.deepEqual(story(refused), ['call/answered']);
  });

  it('answers a call whose sending threw', async () => {
    await world.start();
    world.transport.send = () => {
      throw new Error('a defect');
    };
    const { client } = world.call(1);
    await world.settle();
    assert.deepEqual(story(client), ['call/failed upstream_lost']);
  });

  it('reads lists one at a time, and once more when they changed meanwhile', async () => {
    await world.start();
    const asked: number[] = [];
    onList(({ id }) => asked.push(id));
    const changed = async (): Promise<void> => {
      world.transport.notify('notifications/tools/list_changed');
      await world.advance(RELIST_MS);
    };
    await changed();
    await changed();
    await changed();
    assert.equal(asked.length, 1);
    world.transport.answer(asked[0] ?? -1, { tools: [{ name: 'first' }] });
    await world.settle();
    assert.deepEqual(names(), ['first']);
    await world.advance(RELIST_MS);
    assert.equal(asked.length, 2);
    world.transport.answer(asked[1] ?? -1, { tools: [{ name: 'second' }] });
    await world.settle();
    assert.deepEqual(names(), ['second']);
  });

  it('keeps a list that the server refuses or does not give in time, and reads it at the next change', async () => {
    await world.start();
    const asked: number[] = [];
    onList(({ id }) => asked.push(id));
    const changed = async (): Promise<number> => {
      world.transport.notify('notifications/tools/list_changed');
      await world.advance(RELIST_MS);
      return asked.at(-1) ?? -1;
    };
    const refused = await changed();
    world.transport.say({ jsonrpc: '2.0', id: refused, error: { code: -1, message: 'not now' } });
    await world.settle();
    assert.deepEqual(names(), ['t']);
    const silent = await changed();
    assert.notEqual(silent, refused);
    await world.advance(60_000, 10_000);
    assert.deepEqual(names(), ['t']);
    assert.deepEqual(world.transport.abandoned, [silent]);
    assert.match(world.logged('upstream_odd').at(-1) ?? '', /listing again failed: no answer within \d+ ms/);
    world.transport.answer(await changed(), { tools: [{ name: 'new' }] });
    await world.settle();
    assert.deepEqual(names(), ['new']);
    assert.equal(world.phase, 'ready');
  });

  it('says so when a list has more pages than are read', async () => {
    await world.start();
    let page = 0;
    onList(({ id }) => world.transport.answer(id, { tools: [], nextCursor: String((page += 1)) }));
    world.transport.notify('notifications/tools/list_changed');
    await world.advance(RELIST_MS);
    for (let before = -1; before !== page;) {
      before = page;
      await world.settle();
    }
    assert.equal(page, 1_000);
    assert.match(world.logged('upstream_odd').at(-1) ?? '', /tools\/list: only the first 0 entries, of 1000 pages/);
  });

  it('hears of a deadline although the urgent lane is full', async () => {
    await world.start();
    const { call } = world.call(1);
    const heard: CallEvent[] = [];
    const full = new FakeRef<CallEvent>();
    full.urgent = () => 'full';
    full.answer = (event) => {
      heard.push(event);
      return 'ok';
    };
    Object.assign(call, { replyTo: full });
    call.fire();
    assert.deepEqual(
      heard.map((event) => event.type),
      ['call/expired'],
    );
  });

  it('tells later sessions the log level that was asked for, whatever became of its lifecycle', async () => {
    world.is = server(['t'], { capabilities: { tools: {}, logging: {} } });
    await world.start();
    world.lifecycle.tell({ type: 'upstream/log-level', level: 'error' });
    await world.settle();
    assert.equal(world.transport.requests('logging/setLevel').length, 1);
    await crash();
    world.transport.handlers.onClosed(CLOSED);
    await world.settle();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.transports.length, 2);
    assert.deepEqual(
      world.transport.requests('logging/setLevel').map((request) => request.params),
      [{ level: 'error' }],
    );
  });

  it('stays disabled through a crash of its lifecycle, until it is enabled', async () => {
    await world.start();
    await world.operate('disable');
    await crash();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.phase, 'disabled');
    assert.equal(world.transports.length, 1);
    assert.equal(await world.operate('enable'), 'connecting');
    assert.equal(world.phase, 'ready');
  });

  it('sends a session away that it finds when it is disabled', async () => {
    await world.start();
    let letGo = (): void => undefined;
    world.transport.closing = new Promise((resolve) => (letGo = resolve));
    world.lifecycle.urgent({ type: 'upstream/disable' });
    await world.settle();
    await crash();
    letGo();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.phase, 'disabled');
    assert.equal(world.gate.session, null);
    assert.equal(world.sessions().length, 0);
  });
});

describe('upstream, asked for its era', () => {
  let world: UpstreamWorld;

  beforeEach(() => {
    world = new UpstreamWorld({});
  });

  afterEach(() => world.system.shutdown());

  it('is modern when it says so', async () => {
    world.is = server(['t'], {
      discover: { resultType: 'complete', supportedVersions: [MODERN_REVISION], capabilities: { tools: {} } },
    });
    await world.start();
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.era, 'modern');
    assert.equal(world.view.facts?.protocolVersion, MODERN_REVISION);
    assert.equal(world.transport.requests('initialize').length, 0);
  });

  it('is legacy when it refuses the question', async () => {
    await world.start();
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.era, 'legacy');
    assert.deepEqual(
      world.transport.requests().map((request) => request.method),
      ['server/discover', 'initialize', 'tools/list'],
    );
  });

  it('is legacy when it is silent', async () => {
    await world.start();
    await world.operate('disable');
    const is = world.is;
    world.is = null;
    await world.operate('enable');
    const { transport } = world;
    transport.peer = (message) => {
      if (!('method' in message) || !('id' in message) || message.method === 'server/discover') return;
      if (message.method === 'tools/list') transport.answer(message.id, { tools: [{ name: 't' }] });
      else transport.answer(message.id, { protocolVersion: is?.protocolVersion, capabilities: { tools: {} } });
    };
    await world.advance(10_000, 1_000);
    assert.equal(world.phase, 'ready');
    assert.equal(world.gate.era, 'legacy');
  });

  it('is legacy at the next attempt when it dies of the question, but not when it is reconnected meanwhile', async () => {
    world.is = null;
    await world.start();
    assert.equal(world.transport.requests('server/discover').length, 1);
    await world.operate('reconnect');
    assert.equal(world.transports.length, 2);
    assert.equal(world.transport.requests('server/discover').length, 1);
    world.is = server();
    world.transport.handlers.onClosed(CLOSED);
    await world.settle();
    await world.advance(BACKOFF.max, 100);
    assert.equal(world.phase, 'ready');
    assert.equal(world.transport.requests('server/discover').length, 0);
  });
});
