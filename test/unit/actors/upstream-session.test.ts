import assert from 'node:assert/strict';
import { REGISTRY } from '#src/actors/names.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { LEGACY_REVISIONS } from '#src/protocol/revisions.js';
import { CLOSED, FORGOTTEN, server } from '../../support/actors/fake-transport.js';
import { story, UpstreamWorld } from '../../support/actors/upstream-world.js';

const RELIST_MS = 50;

describe('upstream session', () => {
  let world: UpstreamWorld;

  beforeEach(() => {
    world = new UpstreamWorld();
  });

  afterEach(() => world.system.shutdown());

  const drops = (reason: Parameters<typeof world.plane.counters.drop>[0]): number =>
    world.plane.counters.drops.get(reason) ?? 0;

  describe('handshake', () => {
    for (const revision of LEGACY_REVISIONS) {
      it(`takes ${revision}`, async () => {
        world.is = server(['t'], { protocolVersion: revision });
        await world.start();
        assert.equal(world.phase, 'ready');
        assert.equal(world.transport.version, revision);
        assert.equal(world.transport.listening, true);
        assert.equal(world.view.facts?.protocolVersion, revision);
        assert.deepEqual(
          world.transport.sent.map((m) => ('method' in m ? m.method : '')),
          ['initialize', 'notifications/initialized', 'tools/list'],
        );
      });
    }

    it('refuses a version that it does not know, by its name', async () => {
      world.is = server(['t'], { protocolVersion: '2031-01-01\u001b[31m' });
      await world.start();
      assert.equal(world.phase, 'backoff');
      assert.match(world.view.lastError?.message ?? '', /speaks protocol version "2031-01-01"/);
    });

    it('ends with the reason when it is refused, cannot open, or is late', async () => {
      world.is = null;
      await world.start();
      const [initialize] = world.transport.requests('initialize');
      assert.ok(initialize);
      world.transport.say({ jsonrpc: '2.0', id: initialize.id, error: { code: -1, message: 'go away' } });
      await world.settle();
      assert.match(world.view.lastError?.message ?? '', /refused initialize: go away \(-1\)/);
      world.opens = false;
      await world.advance(100);
      world.transport.opening.resolve({ kind: 'spawn_failed', message: 'no such file' });
      await world.settle();
      assert.ok(world.logged('upstream_lost').at(-1)?.endsWith('no such file'));
      await world.advance(200);
      assert.equal(world.transports.length, 3);
      await world.advance(60_000, 10_000);
      assert.match(world.view.lastError?.message ?? '', /not connected within \d+ ms/);
      assert.equal(world.transports[2]?.closedWith, 300);
    });

    it('says what it waited for in vain', async () => {
      world.is = null;
      await world.start();
      await world.advance(60_000, 10_000);
      assert.ok(world.logged('upstream_lost').some((text) => /no answer to initialize within/.test(text)));
    });
  });

  describe('listing', () => {
    const all = { tools: {}, prompts: {}, resources: {} };

    it('reads all pages, leaves odd entries out and takes a list that fails as empty', async () => {
      const odd = [{ name: 'a' }, { name: 7 }, null, 'x', [], { title: 'no name' }] as JsonObject[];
      world.is = server([], { capabilities: all, lists: { 'tools/list': [odd, [], [{ name: 'b', x: 1 }]] } });
      await world.start();
      assert.deepEqual(world.view.listing?.tools, [{ name: 'a' }, { name: 'b', x: 1 }]);
      assert.deepEqual(world.logged('upstream_odd'), ['tools/list: 5 entries without a "name" were left out']);
      assert.deepEqual(world.transport.requests('prompts/list').length, 1);
    });

    it('asks for nothing that was not promised', async () => {
      world.is = server([], { capabilities: { logging: {} } });
      await world.start();
      assert.equal(world.phase, 'ready');
      assert.deepEqual(
        world.transport.requests().map((r) => r.method),
        ['initialize'],
      );
    });

    it('ends where a cursor leads to itself', async () => {
      await world.start();
      const { transport } = world;
      const serving = transport.peer;
      let asked = 0;
      transport.peer = (message) => {
        if ('method' in message && 'id' in message && message.method === 'tools/list') {
          asked += 1;
          transport.answer(message.id, { tools: [{ name: `t${asked}` }], nextCursor: 'same' });
        } else serving?.(message);
      };
      transport.notify('notifications/tools/list_changed');
      await world.advance(RELIST_MS);
      assert.equal(asked, 2);
      assert.deepEqual(
        world.view.listing?.tools.map((tool) => tool['name']),
        ['t1', 't2'],
      );
    });

    it('is read again once for several announcements', async () => {
      await world.start();
      for (const kind of ['tools', 'prompts', 'resources'])
        world.transport.notify(`notifications/${kind}/list_changed`);
      await world.settle();
      assert.equal(world.transport.requests('tools/list').length, 1);
      await world.advance(RELIST_MS);
      assert.equal(world.transport.requests('tools/list').length, 2);
      await world.advance(1_000);
      assert.equal(world.transport.requests('tools/list').length, 2);
    });
  });

  describe('answers', () => {
    beforeEach(() => world.start());

    it('reach their calls, once; others are dropped and counted', async () => {
      const one = world.call('x');
      const two = world.call('x');
      await world.settle();
      const [first, second] = world.transport.requests('tools/call').map((request) => request.id);
      assert.ok(first !== undefined && second !== undefined && first !== second);
      world.transport.answer(second, { n: 2 });
      world.transport.answer(second, { n: 3 });
      world.transport.answer(String(first), { n: 4 });
      world.transport.answer(12_345, {});
      world.transport.say({ jsonrpc: '2.0', id: null, error: { code: -1, message: '?' } });
      world.transport.answer(first, { n: 1 });
      await world.settle();
      assert.deepEqual(story(one.client), ['call/answered']);
      assert.deepEqual(story(two.client), ['call/answered']);
      assert.equal(drops('unknown_response_id'), 4);
    });

    it('come after what was said before them', async () => {
      const { client } = world.call(1, { _meta: { progressToken: 'p', kept: 1 } }, 'p');
      await world.settle();
      const [request] = world.transport.requests('tools/call');
      assert.ok(request);
      const { id } = request;
      assert.deepEqual(request.params, { _meta: { progressToken: id, kept: 1 } });
      world.transport.notify('notifications/progress', { progressToken: id, progress: 1 });
      world.transport.notify('notifications/message', { level: 'info', data: 'x' });
      world.transport.answer(id, {});
      world.transport.notify('notifications/progress', { progressToken: id, progress: 2 });
      await world.settle();
      assert.deepEqual(story(client), ['call/notified', 'call/notified', 'call/answered']);
      assert.equal(drops('unroutable_notification'), 1);
    });

    it('are not waited for when the upstream takes no more', async () => {
      world.transport.takes = false;
      const { client } = world.call(1);
      await world.settle();
      assert.deepEqual(story(client), ['call/failed overloaded']);
    });

    it('that will not come are said to, as what happened', async () => {
      const clients = [1, 2, 3].map((id) => world.call(id).client);
      await world.settle();
      const ids = world.transport.requests('tools/call').map((request) => request.id);
      const errors = [CLOSED, { ...CLOSED, unsent: true }, { kind: 'protocol', message: 'nonsense' }] as const;
      ids.forEach((id, i) => world.transport.handlers.onRequestFailed(id, errors[i] ?? CLOSED));
      ids.forEach((id) => world.transport.handlers.onRequestFailed(id, CLOSED));
      await world.settle();
      assert.deepEqual(clients.map(story), [
        ['call/failed upstream_lost'],
        ['call/failed upstream_unavailable'],
        ['call/failed upstream_protocol_error'],
      ]);
    });
  });

  describe('cancellation', () => {
    beforeEach(() => world.start());

    it('before the call was sent leaves the upstream out of it', async () => {
      const { call, client } = world.call(1);
      call.cancelled = true;
      world.gate.session?.urgent({ type: 'call/cancel', call, reason: 'never mind' });
      await world.settle();
      assert.deepEqual(world.transport.requests('tools/call'), []);
      assert.deepEqual(world.transport.notifications('notifications/cancelled'), []);
      assert.deepEqual(story(client), []);
    });

    it('afterwards tells the upstream, once, and drops its answer', async () => {
      const { call, client } = world.call(1);
      await world.settle();
      const [request] = world.transport.requests('tools/call');
      assert.ok(request);
      for (let i = 0; i < 2; i++) world.gate.session?.urgent({ type: 'call/cancel', call, reason: 'never mind' });
      await world.settle();
      world.transport.answer(request.id, {});
      await world.settle();
      assert.deepEqual(world.transport.notifications('notifications/cancelled'), [
        { requestId: request.id, reason: 'never mind' },
      ]);
      assert.deepEqual(world.transport.abandoned, [request.id]);
      assert.deepEqual(story(client), []);
      assert.equal(drops('unknown_response_id'), 1);
    });
  });

  describe('end', () => {
    beforeEach(() => world.start());

    it('of the transport answers every call once', async () => {
      const sent = [1, 2].map((id) => world.call(id).client);
      await world.settle();
      world.transport.handlers.onClosed(CLOSED);
      const waiting = world.call(3).client;
      await world.settle();
      for (const client of sent) assert.deepEqual(story(client), ['call/failed upstream_lost']);
      assert.deepEqual(story(waiting), ['call/failed upstream_unavailable']);
      assert.equal(world.view.lastError?.message, CLOSED.message);
    });

    it('of the transport before it is known here leaves what comes unsent', async () => {
      const sent = world.call(1).client;
      await world.settle();
      const late = world.call(2).client;
      world.transport.handlers.onClosed(CLOSED);
      await world.settle();
      assert.deepEqual(story(sent), ['call/failed upstream_lost']);
      assert.deepEqual(story(late), ['call/failed upstream_unavailable']);
      assert.equal(world.transport.requests('tools/call').length, 1);
    });

    it('by a kill answers those that were sent and those that waited in its mailbox', async () => {
      const sent = world.call(1).client;
      await world.settle();
      const waiting = world.call(2).client;
      const path = world.gate.session?.path ?? '';
      assert.ok(world.system.kill(path));
      await world.settle();
      assert.deepEqual(story(sent), ['call/failed upstream_lost']);
      assert.deepEqual(story(waiting), ['call/failed upstream_unavailable']);
      assert.equal(world.transport.closedWith, 300);
    });

    it('by a crash answers them, too', async () => {
      const { client } = world.call(1);
      const { call } = world.call(2);
      await world.settle();
      world.transport.abandon = () => {
        throw new Error('a defect');
      };
      world.gate.session?.urgent({ type: 'call/cancel', call, reason: 'never mind' });
      await world.settle();
      assert.deepEqual(story(client), ['call/failed upstream_lost']);
      assert.match(world.view.lastError?.message ?? '', /its session crashed: fault: a defect/);
    });

    it('of a session that the upstream forgot leaves what comes before that is known to the next', async () => {
      const { client } = world.call('late', { name: 't' });
      world.transport.handlers.onClosed(FORGOTTEN);
      await world.settle();
      await world.advance(0);
      const [again] = world.transport.requests('tools/call');
      assert.ok(again);
      assert.deepEqual([world.transports.length, story(client)], [2, []]);
      world.transport.answer(again.id, { content: [] });
      await world.settle();
      assert.deepEqual(story(client), ['call/answered']);
    });

    it('of a session that the upstream forgot hands its calls over, to be sent by the next', async () => {
      const { client } = world.call('mine', { name: 't' });
      await world.settle();
      world.transport.forget();
      await world.settle();
      await world.advance(1);
      assert.equal(world.transports.length, 2);
      assert.equal(world.phase, 'ready');
      const [again] = world.transport.requests('tools/call');
      assert.ok(again);
      assert.deepEqual(again.params, { name: 't' });
      world.transport.answer(again.id, {});
      await world.settle();
      assert.deepEqual(story(client), ['call/answered']);
    });
  });

  describe('what the server says by itself', () => {
    beforeEach(() => world.start());

    it('a ping is answered, other requests are refused', async () => {
      world.transport.say({ jsonrpc: '2.0', id: 'p', method: 'ping' });
      world.transport.say({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: {} });
      await world.settle();
      const [pong, refusal] = world.transport.sent.slice(-2);
      assert.deepEqual(pong, { jsonrpc: '2.0', id: 'p', result: {} });
      assert.ok(refusal && 'error' in refusal && refusal.id === 1 && refusal.error.code === -32601);
      assert.equal(drops('refused_server_request'), 1);
    });

    it('log messages go to all while no call runs, then to the callers, once each', async () => {
      const said = { level: 'info', data: 1 };
      world.transport.notify('notifications/message', said);
      await world.settle();
      assert.deepEqual(world.take(REGISTRY.path), [{ type: 'registry/log-message', server: 'up', params: said }]);
      const [a, b] = [world.call(1).client, world.call(2).client];
      await world.settle();
      world.transport.notify('notifications/message', said);
      await world.settle();
      assert.deepEqual([story(a), story(b)], [['call/notified'], ['call/notified']]);
      assert.deepEqual(world.take(REGISTRY.path), []);
    });

    it('what leads nowhere and what is no message is counted', async () => {
      world.transport.notify('notifications/no-such');
      world.transport.notify('notifications/progress', { progressToken: 'stray' });
      world.transport.notify('notifications/resources/updated', { uri: 'x:y' });
      world.transport.handlers.onJunk('garbage', 17);
      await world.settle();
      assert.equal(drops('unroutable_notification'), 3);
      assert.equal(drops('upstream_junk'), 1);
      assert.equal(world.view.junkBytes, 17);
    });

    it('the log level is passed to servers that have one', async () => {
      world.lifecycle.tell({ type: 'upstream/log-level', level: 'error' });
      await world.settle();
      assert.equal(world.transport.requests('logging/setLevel').length, 0);
      world.is = server(['t'], { capabilities: { tools: {}, logging: {} } });
      await world.operate('reconnect');
      world.lifecycle.tell({ type: 'upstream/log-level', level: 'debug' });
      await world.settle();
      assert.deepEqual(
        world.transport.requests('logging/setLevel').map((r) => r.params),
        [{ level: 'error' }, { level: 'debug' }],
      );
    });
  });
});
