import assert from 'node:assert/strict';
import { ANONYMOUS } from '#src/auth/principal.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { LEGACY_REVISIONS } from '#src/protocol/revisions.js';
import { ClientWorld, errorOf, FakeChannel, MAX_IN_FLIGHT } from '../../support/actors/client-session.js';
import { listing } from '../../support/actors/listings.js';

const TOOLS = [{ server: 'a', listing: listing({ tools: ['t'], prompts: ['p'] }) }];

function resultOf(answer: JsonObject | undefined): JsonObject {
  const result = answer?.['result'];
  assert.ok(typeof result === 'object' && result !== null, JSON.stringify(answer));
  return result as JsonObject;
}

describe('legacy session', () => {
  describe('initialize', () => {
    for (const revision of LEGACY_REVISIONS) {
      it(`speaks ${revision}`, () => {
        const world = new ClientWorld();
        const result = resultOf(world.initialize(revision));
        assert.equal(result['protocolVersion'], revision);
        assert.equal(world.session.profile.revision, revision);
        assert.equal(world.session.phase, 'ready');
        assert.equal(world.session.profile.name, 'test/1');
      });
    }

    it('answers unknown and missing versions with its latest', () => {
      for (const asked of ['2023-01-01', '2026-07-28', 7, undefined, null]) {
        assert.equal(resultOf(new ClientWorld().initialize(asked))['protocolVersion'], '2025-11-25');
      }
    });

    it('refuses a second one', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.request(3, 'initialize', { protocolVersion: '2024-11-05' });
      assert.equal(errorOf(world.channel.take()[0]).reason, 'already_initialized');
      assert.equal(world.session.profile.revision, '2025-11-25');
    });

    it('answers a ping at any time and refuses the rest before it', () => {
      const world = new ClientWorld(TOOLS);
      world.request(1, 'ping');
      world.request(2, 'tools/list');
      const [ping, list] = world.channel.take();
      assert.deepEqual(ping, { jsonrpc: '2.0', id: 1, result: {} });
      assert.equal(errorOf(list).reason, 'not_initialized');
    });

    it('is ready only when it has heard "initialized" after its answer', () => {
      const world = new ClientWorld();
      world.notify('notifications/initialized');
      assert.equal(world.session.phase, 'new');
      world.request(1, 'initialize', { protocolVersion: '2025-06-18' });
      assert.equal(world.session.phase, 'initializing');
      world.notify('notifications/initialized');
      assert.equal(world.session.phase, 'ready');
    });

    it('keeps a readable name of the client, whatever it sends', () => {
      const named = (info: unknown): string | null => {
        const world = new ClientWorld();
        world.initialize('2025-11-25', info);
        return world.session.profile.name;
      };
      assert.equal(named({ name: 'x\u001b[31m', version: 2 }), 'x/?');
      assert.equal(named('x'), null);
      assert.equal(named({ name: 'n'.repeat(500), version: '1' })?.length, 80);
    });

    it('promises everything on the aggregate, and on one server what it has', () => {
      const caps = (world: ClientWorld): string[] =>
        Object.keys(resultOf(world.initialize())['capabilities'] as JsonObject).sort();
      const part = {
        server: 'a',
        listing: listing({ tools: ['t'], capabilities: { tools: {}, completions: {}, odd: {} } }),
      };
      assert.deepEqual(caps(new ClientWorld([part])), ['completions', 'logging', 'prompts', 'resources', 'tools']);
      assert.deepEqual(caps(new ClientWorld([part], 'a')), ['completions', 'tools']);
      assert.deepEqual(caps(new ClientWorld([], 'a')), ['completions', 'logging', 'prompts', 'resources', 'tools']);
    });

    it('passes instructions on', () => {
      const part = { server: 'a', listing: listing({ instructions: 'be kind' }) };
      assert.equal(resultOf(new ClientWorld([part], 'a').initialize())['instructions'], 'be kind');
      assert.equal('instructions' in resultOf(new ClientWorld(TOOLS).initialize()), false);
    });
  });

  describe('batches', () => {
    const batch = [
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '1.0', id: 2 },
    ];

    for (const revision of LEGACY_REVISIONS) {
      const allowed = revision === '2025-03-26';
      it(`are ${allowed ? 'taken apart' : 'refused'} in ${revision}`, () => {
        const world = new ClientWorld();
        world.initialize(revision);
        world.receive(batch);
        const answers = world.channel.take();
        if (allowed) {
          assert.deepEqual(
            answers.map((answer) => answer['id']),
            [1, 2],
          );
          assert.equal(errorOf(answers[1]).reason, 'invalid_request');
        } else {
          assert.deepEqual(
            answers.map((answer) => errorOf(answer).reason),
            ['batch_unsupported'],
          );
        }
      });
    }
  });

  describe('requests', () => {
    it('tell 1 from "1" and refuse an id in use without answering the other request', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.request(1, 'tools/call', { name: 'a__t' });
      world.request('1', 'tools/call', { name: 'a__t' });
      world.request(1, 'ping');
      const [refusal] = world.channel.take();
      assert.equal(refusal?.['id'], null);
      assert.equal(errorOf(refusal).reason, 'invalid_request');
      const [one, other] = world.calls('a');
      assert.ok(one && other);
      world.session.answered(other, { jsonrpc: '2.0', id: 9, result: { is: 'text' } });
      world.session.answered(one, { jsonrpc: '2.0', id: 8, result: { is: 'number' } });
      assert.deepEqual(world.channel.take(), [
        { jsonrpc: '2.0', id: '1', result: { is: 'text' } },
        { jsonrpc: '2.0', id: 1, result: { is: 'number' } },
      ]);
      world.request(1, 'ping');
      assert.deepEqual(world.channel.take(), [{ jsonrpc: '2.0', id: 1, result: {} }]);
    });

    it('reach the upstream under its own names, the rest of their parameters untouched', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      const rest = { arguments: { a: 1 }, _meta: { progressToken: 'x', other: true } };
      world.request(1, 'tools/call', { name: 'a__t', ...rest });
      assert.deepEqual(world.lastCall('a').params, { name: 't', ...rest });
      world.request(2, 'prompts/get', { name: 'a__p' });
      assert.deepEqual(world.lastCall('a').params, { name: 'p' });
      world.request(3, 'completion/complete', { ref: { type: 'ref/prompt', name: 'a__p', title: 'T' } });
      assert.deepEqual(world.lastCall('a').params, { ref: { type: 'ref/prompt', name: 'p', title: 'T' } });
    });

    it('for what nobody has are refused by name', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      const refused = (method: string, params: JsonObject): unknown => {
        world.request(1, method, params);
        return errorOf(world.channel.take()[0]).reason;
      };
      assert.equal(refused('tools/call', { name: 'a__x' }), 'unknown_tool');
      assert.equal(refused('tools/call', { name: '__proto__' }), 'unknown_tool');
      assert.equal(refused('tools/call', {}), 'invalid_params');
      assert.equal(refused('prompts/get', { name: 'x' }), 'unknown_prompt');
      assert.equal(refused('resources/read', { uri: 'x:y' }), 'resource_not_found');
      assert.equal(refused('completion/complete', { ref: 'x' }), 'invalid_params');
      assert.equal(refused('completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }), 'unknown_prompt');
      assert.equal(refused('completion/complete', { ref: { type: 'ref/tool', name: 'x' } }), 'invalid_params');
      assert.equal(refused('resources/subscribe', { uri: 'x:y' }), 'resource_not_found');
      assert.equal(refused('no/such', {}), 'method_not_found');
      assert.equal(refused('tools/list', { cursor: 'x' }), 'invalid_cursor');
      assert.equal(refused('logging/setLevel', { level: 'loud' }), 'invalid_params');
      assert.equal(world.session.inFlight, 0);
    });

    it('to an upstream that is away are answered at once, with when to come again', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      const gate = world.gate('a');
      Object.assign(gate, { session: null, trouble: 'it hung up', retryAt: world.clock.now() + 2_500 });
      world.request(1, 'tools/call', { name: 'a__t' });
      gate.retryAt = null;
      world.request(2, 'tools/call', { name: 'a__t' });
      const [first, second] = world.channel.take().map(errorOf);
      assert.deepEqual(first?.data, { server: 'a', retryAfter: 3, reason: 'upstream_unavailable' });
      assert.deepEqual(second?.data, { server: 'a', reason: 'upstream_unavailable' });
      assert.equal(world.plane.counters.transports.http.failed, 2);
    });

    it('past the bound of the upstream are refused at once', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      for (let id = 0; id <= MAX_IN_FLIGHT; id++) world.request(id, 'tools/call', { name: 'a__t' });
      const answers = world.channel.take();
      assert.deepEqual(
        answers.map((answer) => [answer['id'], errorOf(answer).data]),
        [[MAX_IN_FLIGHT, { server: 'a', retryAfter: 1, reason: 'overloaded' }]],
      );
    });

    it('past the bound of the session are refused', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.gate('a').maxInFlight = 10_000;
      for (let id = 0; id < 1_030; id++) world.request(id, 'tools/call', { name: 'a__t' });
      assert.equal(world.session.inFlight, 1_024);
      assert.deepEqual([...new Set(world.channel.take().map((answer) => errorOf(answer).reason))], ['overloaded']);
      world.session.close('gone');
      assert.equal(world.plane.counters.inFlight, 0);
    });

    it('are answered on the channel that they came by', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      const other = new FakeChannel();
      world.request(1, 'tools/call', { name: 'a__t' }, other);
      world.request(2, 'tools/call', { name: 'a__t', _meta: { progressToken: 5 } });
      const [one, two] = world.calls('a');
      assert.ok(one && two);
      world.session.notified(two, 'notifications/progress', { progressToken: 99, progress: 1 });
      world.session.answered(one, { jsonrpc: '2.0', id: 9, result: {} });
      assert.deepEqual(other.take(), [{ jsonrpc: '2.0', id: 1, result: {} }]);
      assert.deepEqual(world.channel.take(), [
        { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 5, progress: 1 } },
      ]);
    });

    it('that expire are answered and cancelled upstream', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.request(1, 'tools/call', { name: 'a__t' });
      const call = world.lastCall('a');
      world.session.expired(call);
      assert.equal(errorOf(world.channel.take()[0]).reason, 'request_timeout');
      assert.deepEqual(world.cancelled('a'), [call]);
      assert.equal(call.cancelled, true);
    });

    it('whose client has left count what could not be given', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.request(1, 'tools/call', { name: 'a__t' });
      world.channel.open = false;
      world.session.answered(world.lastCall('a'), { jsonrpc: '2.0', id: 9, result: {} });
      assert.equal(world.drops('client_gone'), 1);
      assert.equal(world.session.inFlight, 0);
    });
  });

  describe('resources', () => {
    const shared = 'file:///x';
    const parts = ['a', 'b'].map((server) => ({
      server,
      listing: listing({ resources: [shared], resourceTemplates: ['t:///{x}'] }),
    }));

    it('that were renamed are read under their own URI and shown under the one asked for', () => {
      const world = new ClientWorld(parts);
      world.initialize();
      const uri = `viable://b/${shared}`;
      world.request(1, 'resources/read', { uri });
      const call = world.lastCall('b');
      assert.deepEqual(call.params, { uri: shared });
      const contents = [{ uri: shared, text: 'hello' }, { uri: 'file:///other', text: 'part' }, 'odd'];
      world.session.answered(call, { jsonrpc: '2.0', id: 9, result: { contents, more: 1 } });
      assert.deepEqual(resultOf(world.channel.take()[0]), {
        contents: [{ uri, text: 'hello' }, { uri: 'file:///other', text: 'part' }, 'odd'],
        more: 1,
      });
    });

    it('that are read twice at the same time are asked for once, and both are answered', () => {
      const world = new ClientWorld(parts);
      const { vsm } = world.plane.options;
      const coordination = { ...vsm.coordination, coalesce: true };
      world.plane.options = { ...world.plane.options, vsm: { ...vsm, coordination } };
      world.initialize();
      for (const id of [1, 2]) world.request(id, 'resources/read', { uri: `viable://b/${shared}` });
      const [call, ...others] = world.calls('b');
      assert.ok(call);
      assert.deepEqual(others, []);
      call.replyTo.answer({ type: 'call/answered', call, message: { jsonrpc: '2.0', id: 9, result: { more: 1 } } });
      for (const event of world.self.messages)
        if (event.type === 'call/answered') world.session.answered(event.call, event.message);
      assert.deepEqual(
        world.channel.take().map(({ id, result }) => [id, result]),
        [
          [1, { more: 1 }],
          [2, { more: 1 }],
        ],
      );
      assert.equal(world.session.inFlight, 0);
    });

    it('of a prefixed template reach their server, for reading and completion', () => {
      const world = new ClientWorld(parts);
      world.initialize();
      world.request(1, 'resources/read', { uri: 'viable://b/t:///7' });
      assert.deepEqual(world.lastCall('b').params, { uri: 't:///7' });
      world.request(2, 'completion/complete', { ref: { type: 'ref/resource', uri: 'viable://b/t:///{x}' } });
      assert.deepEqual(world.lastCall('b').params, { ref: { type: 'ref/resource', uri: 't:///{x}' } });
      world.request(3, 'resources/read', { uri: shared });
      assert.deepEqual(world.lastCall('a').params, { uri: shared });
    });
  });

  describe('notifications', () => {
    it('of the log pass from the level that the client has set', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      assert.equal(world.session.profile.wantsLog({ level: 'debug' }), true);
      world.request(1, 'logging/setLevel', { level: 'warning' });
      assert.deepEqual(world.levels, ['warning']);
      const levels = ['debug', 'notice', 'warning', 'emergency', 'loud', undefined];
      assert.deepEqual(
        levels.map((level) => world.session.profile.wantsLog({ level })),
        [false, false, true, true, true, true],
      );
      world.request(2, 'tools/call', { name: 'a__t' });
      const call = world.lastCall('a');
      world.channel.take();
      world.session.notified(call, 'notifications/message', { level: 'info', data: 'quiet' });
      world.session.notified(call, 'notifications/message', { level: 'error', data: 'loud' });
      assert.deepEqual(
        world.channel.take().map((said) => said['params']),
        [{ level: 'error', data: 'loud' }],
      );
    });

    it('that lead nowhere are counted', () => {
      const world = new ClientWorld(TOOLS);
      world.initialize();
      world.notify('notifications/roots/list_changed');
      world.notify('notifications/no-such');
      world.notify('notifications/cancelled', { requestId: 'nobody' });
      world.notify('notifications/cancelled', { requestId: { a: 1 } });
      world.receive({ jsonrpc: '2.0', id: 4, result: {} });
      assert.equal(world.drops('unroutable_notification'), 1); // roots: every server that knows the client is told
      assert.equal(world.drops('unknown_response_id'), 1);
      assert.deepEqual(world.channel.take(), []);
    });
  });

  it('lists pages of its scope', () => {
    const world = new ClientWorld(TOOLS, 'a');
    world.initialize();
    world.request(1, 'tools/list');
    world.request(2, 'resources/templates/list');
    assert.deepEqual(world.channel.take().map(resultOf), [{ tools: [{ name: 't' }] }, { resourceTemplates: [] }]);
  });

  it('makes each call on behalf of who speaks at that time', () => {
    const world = new ClientWorld(TOOLS);
    const first = { ...ANONYMOUS, subject: 'ada', key: 'sub:issuer:ada', expiresAt: 1 };
    const renewed = { ...first, expiresAt: 2 };
    world.session.profile.principal = first;
    world.initialize();
    world.request(1, 'tools/call', { name: 'a__t' });
    world.session.profile.principal = renewed;
    world.request(2, 'tools/call', { name: 'a__t' });
    assert.deepEqual(
      world.calls('a').map(({ principal }) => principal.expiresAt),
      [1, 2],
    );
  });
});
