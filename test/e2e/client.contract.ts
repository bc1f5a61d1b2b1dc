/**
 * What every official client must be able to do through the gateway, whatever its SDK and transport.
 *
 * Order is asserted on the messages as the client's transport delivered them, not on SDK callbacks.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { type ClientEra, type ClientKind, type ContractClient } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { FIXTURE_PROMPTS, textOf } from '../support/fixture-names.js';
import { type Gateway } from '../support/gateway.js';
import { type FixtureHub } from '../support/hub.js';
import { type Json, type Wire } from '../support/raw-http.js';
import { PAGE_SIZE } from '../support/settings.js';

export interface ContractWorld {
  readonly gateway: Gateway;
  readonly hub: FixtureHub;
}

export interface ContractTarget {
  /** `/mcp` or `/mcp/s/good`. */
  readonly route: string;
  /** The name under which a tool or prompt of upstream `good` is served there. */
  readonly named: (name: string) => string;
  /** Names of all tools that the route serves. */
  readonly tools: readonly string[];
}

export function clientContract(
  { name, connect, era }: ClientKind,
  target: ContractTarget,
  world: () => ContractWorld,
): void {
  describe(`${name} at ${target.route}`, () => {
    let client: ContractClient;
    const { named } = target;

    before(async () => {
      client = await connect(world().gateway.url, target.route);
    });
    after(async () => {
      await client.close();
    });

    const call = async (tool: string, args: Json = {}): Promise<string> =>
      textOf(await client.callTool(named(tool), args));
    const names = (items: readonly Json[]): unknown[] => items.map((item) => item['name']).sort();

    /** The JSON-RPC error that a rejected request came back with. */
    const errorOf = async (request: () => Promise<unknown>): Promise<NonNullable<Wire['error']>> => {
      const from = client.wire.items.length;
      await assert.rejects(request);
      const answer = client.wire.items.slice(from).find((message) => message.error !== undefined);
      assert.ok(answer?.error, 'the answer is a JSON-RPC error');
      return answer.error;
    };

    listing(() => client, target, era, names);
    calling(() => client, target, call, errorOf);

    it('reads resources, text and binary, and those of a template', async () => {
      const uris = (await client.listResources()).map((resource) => resource['uri']);
      assert.ok(uris.includes('fixture://good/text') && uris.includes('fixture://good/binary'), String(uris));
      const templates = (await client.listResourceTemplates()).map((template) => template['uriTemplate']);
      assert.ok(templates.includes('fixture://good/item/{id}'), String(templates));
      const read = async (uri: string): Promise<Json> => {
        const [first] = (await client.readResource(uri))['contents'] as Json[];
        assert.equal(first?.['uri'], uri);
        return first;
      };
      assert.equal((await read('fixture://good/text'))['text'], 'text of good');
      const bytes = Buffer.from(String((await read('fixture://good/binary'))['blob']), 'base64');
      assert.deepEqual(
        [...bytes],
        Array.from({ length: 256 }, (_, byte) => byte),
      );
      assert.equal((await read('fixture://good/item/42'))['text'], 'item 42 of good');
    });

    it('answers a resource that does not exist with the error of the specification', async () => {
      const error = await errorOf(async () => await client.readResource('fixture://good/nothing'));
      assert.equal(error.code, era === 'modern' ? -32602 : -32002);
    });

    it('lists and gets prompts', async () => {
      assert.deepEqual(names(await client.listPrompts()), FIXTURE_PROMPTS.map(named).sort());
      const prompt = await client.getPrompt(named('greet'), { who: 'Ada', tone: 'formal' });
      assert.deepEqual(prompt['messages'], [{ role: 'user', content: { type: 'text', text: 'Greet Ada, formal.' } }]);
      const other = await client.getPrompt(named('привет'));
      assert.deepEqual(other['messages'], [{ role: 'user', content: { type: 'text', text: 'Привет, мир!' } }]);
      assert.equal((await errorOf(async () => await client.getPrompt(named('greet')))).code, -32602);
      assert.equal((await errorOf(async () => await client.getPrompt(named('no-such-prompt')))).code, -32602);
    });

    it('completes arguments of prompts and of resource templates', async () => {
      const prompt = await client.complete({ type: 'ref/prompt', name: named('greet') }, { name: 'tone', value: 'f' });
      assert.deepEqual(prompt['values'], ['formal', 'friendly', 'funny']);
      const uri = 'fixture://good/item/{id}';
      const template = await client.complete({ type: 'ref/resource', uri }, { name: 'id', value: '1' });
      assert.deepEqual(template['values'], ['1', '10']);
    });

    notifying(() => client, target, world);

    it('cancels: the upstream hears of it, nothing is left, no answer comes', async () => {
      const { gateway, hub } = world();
      const gate = randomUUID();
      const abort = new AbortController();
      const held = client.callTool(named('slow'), { gate }, { signal: abort.signal });
      const seen = await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
      const from = client.wire.items.length;
      const position = hub.position;
      abort.abort('no longer wanted');
      await assert.rejects(held);
      const cancelled = await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
      assert.equal(cancelled['requestId'], seen['requestId']);
      // Modern clients cancel by closing the stream of the answer, which takes no reason along.
      assert.match(String(cancelled['reason']), era === 'modern' ? /the client closed the stream/ : /no longer wanted/);
      const notices = hub.log.items.slice(position).filter((e) => e['method'] === 'notifications/cancelled');
      assert.equal(notices.length, 1, 'the upstream heard of it once');
      await gateway.waitForUpstream('good', (upstream) => upstream.inFlight === 0, 'has nothing in flight');
      await eventually(async () => assert.equal((await gateway.status()).requests.inFlight, 0));
      await client.roundTrip();
      const late = client.wire.items.slice(from).filter((message) => message.method === undefined);
      assert.equal(late.length, 1, 'only the round trip is answered');
    });

    it('goes away when closed', async () => {
      const { gateway } = world();
      const sessions = async (): Promise<number> => (await gateway.admin<ConnectionSnapshot[]>('connections')).length;
      const before = await sessions();
      const { sockets } = (await gateway.status()).connections;
      const other = await connect(gateway.url, target.route);
      await other.roundTrip();
      await other.listen();
      // The modern era has no sessions: all that there is of such a client is its sockets.
      assert.equal(await sessions(), era === 'modern' ? before : before + 1);
      await other.close();
      await eventually(async () => {
        assert.equal(await sessions(), before);
        if (era === 'modern') assert.ok((await gateway.status()).connections.sockets <= sockets);
      });
    });
  });
}

function listing(
  client: () => ContractClient,
  target: ContractTarget,
  era: ClientEra,
  names: (items: Json[]) => unknown[],
): void {
  it('names the gateway in its handshake', () => {
    assert.ok(client().serverName);
  });

  it('speaks the era that it prefers', () => {
    assert.equal(client().era, era);
  });

  it(`lists ${target.tools.length} tools, in pages of at most ${PAGE_SIZE}`, async () => {
    const from = client().wire.items.length;
    const tools = await client().listTools();
    assert.deepEqual(names(tools), [...target.tools].sort());
    const sizes = client()
      .wire.items.slice(from)
      .flatMap((message) => (Array.isArray(message.result?.['tools']) ? [message.result['tools'].length] : []));
    assert.equal(sizes.length, Math.ceil(target.tools.length / PAGE_SIZE));
    assert.ok(sizes.every((size) => size <= PAGE_SIZE));
  });

  it('keeps description and input schema of a tool', async () => {
    const add = (await client().listTools()).find((tool) => tool['name'] === target.named('add'));
    assert.match(String(add?.['description']), /fixture tool add/);
    assert.deepEqual(add?.['inputSchema'], {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    });
  });
}

function calling(
  client: () => ContractClient,
  { named }: ContractTarget,
  call: (tool: string, args?: Json) => Promise<string>,
  errorOf: (request: () => Promise<unknown>) => Promise<NonNullable<Wire['error']>>,
): void {
  it('calls tools', async () => {
    assert.equal(await call('echo', { text: 'hello' }), 'hello');
    assert.equal(await call('add', { a: 2, b: 40 }), '42');
    assert.equal(await call('grüße-世界', { text: 'Ünïcödé \u2028 "quoted"' }), 'grüße Ünïcödé \u2028 "quoted" 🌍');
  });

  if (named('echo') === 'echo') {
    it('finds no tools of another upstream, under any name', async () => {
      for (const foreign of ['many__tool-4999', 'tool-9', 'good__echo']) {
        assert.equal((await errorOf(async () => await client().callTool(foreign))).code, -32602, foreign);
      }
    });
  } else {
    it('calls the tools of another upstream', async () => {
      assert.equal(textOf(await client().callTool('many__tool-4999')), 'called tool-4999');
      assert.equal(textOf(await client().callTool('paged__tool-9')), 'called tool-9');
    });
  }

  it('gets a large answer whole', async () => {
    const bytes = 1 << 20;
    const answer = await call('big', { bytes });
    assert.equal(answer.length, bytes);
  });

  it('passes on a failed tool as a result', async () => {
    const result = await client().callTool(named('fail'));
    assert.equal(result['isError'], true);
    assert.equal(textOf(result), 'this tool always fails');
  });

  it('passes on an error of the upstream unchanged', async () => {
    const error = await errorOf(async () => await client().callTool(named('throws')));
    assert.equal(error.code, -31999);
    assert.match(error.message, /thrown by the fixture/);
    assert.deepEqual(error.data, { reason: 'fixture', nested: { list: [1, '2'] } });
  });

  it('refuses an unknown tool', async () => {
    const error = await errorOf(async () => await client().callTool(named('no-such-tool')));
    assert.equal(error.code, -32602);
    assert.match(error.message, /no-such-tool/);
  });

  it('keeps 50 calls at once apart', async () => {
    const nonces = Array.from({ length: 50 }, () => randomUUID());
    assert.deepEqual(await Promise.all(nonces.map(async (text) => await call('echo', { text }))), nonces);
  });
}

function notifying(client: () => ContractClient, { named }: ContractTarget, world: () => ContractWorld): void {
  /**
   * Until the client hears of changes: modern clients ask for it, legacy ones over HTTP open their stream on their own,
   * some time after the handshake. Resolves with what ends it.
   */
  const listens = async (): Promise<() => Promise<void>> => {
    const stop = await client().listen();
    if (stop !== undefined) return stop;
    await eventually(async () => {
      const connections = await world().gateway.admin<ConnectionSnapshot[]>('connections');
      assert.ok(
        connections.some((connection) => connection.client?.startsWith('contract-client') && connection.streaming),
      );
    });
    return async () => undefined;
  };

  it('delivers progress in order, and none after the result', async () => {
    const steps = 25;
    const from = client().wire.items.length;
    const reported: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void reported.push(progress);
    const result = await client().callTool(named('progress'), { steps }, { onprogress });
    assert.equal(textOf(result), `progressed ${steps}`);
    await client().roundTrip();
    const expected = Array.from({ length: steps }, (_, index) => index + 1);
    // These SDKs drop callbacks of progress that arrives in one piece with the result; the wire shows what came.
    assert.deepEqual(reported, expected.slice(0, reported.length));
    const wire = client().wire.items.slice(from);
    const end = wire.findIndex((message) => message.result?.['content'] !== undefined);
    const progress = wire.filter((message) => message.method === 'notifications/progress');
    assert.deepEqual(
      progress.map((message) => message.params?.['progress']),
      expected,
    );
    assert.ok(progress.every((message) => wire.indexOf(message) < end));
    assert.deepEqual(progress[0]?.params?.['message'], 'step 1');
  });

  it('delivers log messages from the wanted level on', async () => {
    const stop = await listens();
    const from = client().wire.items.length;
    const nonce = randomUUID();
    const levels = ['debug', 'info', 'warning', 'error', 'emergency'];
    await client().setLevel('warning');
    assert.equal(textOf(await client().callTool(named('log'), { levels, nonce })), 'logged');
    const data = (message: Wire): Json => (message.params?.['data'] ?? {}) as Json;
    await client().wire.waitFor(
      (m) => data(m)['level'] === 'emergency' && data(m)['nonce'] === nonce,
      'the last',
      from,
    );
    const received = client().wire.items.filter((message) => data(message)['nonce'] === nonce);
    assert.deepEqual(
      received.map((message) => message.params?.['level']),
      ['warning', 'error', 'emergency'],
    );
    await stop();
  });

  it('hears of tools that come and go, and sees them', async () => {
    const stop = await listens();
    const tool = `extra-${randomUUID()}`;
    const changed = (message: Wire): boolean => message.method === 'notifications/tools/list_changed';
    const has = async (): Promise<boolean> => (await client().listTools()).some((item) => item['name'] === named(tool));

    const before = client().wire.items.length;
    await client().callTool(named('mutate'), { add: tool });
    await client().wire.waitFor(changed, 'list_changed after an addition', before);
    await eventually(async () => assert.ok(await has()));
    assert.equal(textOf(await client().callTool(named(tool))), `called ${tool}`);

    const between = client().wire.items.length;
    await client().callTool(named('mutate'), { remove: tool });
    await client().wire.waitFor(changed, 'list_changed after a removal', between);
    await eventually(async () => assert.ok(!(await has())));
    await stop();
  });
}
