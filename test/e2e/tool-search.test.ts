/** Search mode: `find_tool` and `call_tool` in place of 5,000 tools, for official clients. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { CLIENTS, type ContractClient } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { settings } from '../support/settings.js';

const [v1] = CLIENTS;

describe('tool search', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: ContractClient;
  const file = (enabled: boolean): object => ({
    mcpServers: { good: hub.stdio('sdk-server', 'good'), many: hub.stdio('raw/many-tools', 'many') },
    gateway: settings({
      catalogue: { search: { enabled, maxResults: 5 } },
      toolsets: { plain: { tools: ['good__*'], search: false }, few: { tools: ['good__a*', 'good__e*'] } },
    }),
  });

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({ config: file(true) });
    await gateway.waitForTools(['good__echo'], '/mcp/t/plain');
    await gateway.waitForUpstream('many', (u) => u.tools === 5_000, 'is listed');
    client = await connect('/mcp');
    await eventually(async () => assert.equal((await find({ query: 'tool-4999' })).tools[0]?.name, 'many__tool-4999'));
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  interface Found {
    readonly tools: { readonly name: string; readonly description?: string; readonly inputSchema: object }[];
    readonly total: number;
  }

  async function connect(route: string): Promise<ContractClient> {
    assert.ok(v1);
    return await v1.connect(gateway.url, route);
  }

  async function find(args: Record<string, unknown>, by = client): Promise<Found> {
    const result = await by.callTool('find_tool', args);
    assert.deepEqual(JSON.parse(textOf(result)), result['structuredContent']);
    return result['structuredContent'] as Found;
  }

  const call = async (name: string, args: object = {}, options = {}): Promise<Record<string, unknown>> =>
    await client.callTool('call_tool', { name, arguments: args }, options);

  /** The JSON-RPC error that a call is answered with. */
  async function refusal(answer: Promise<unknown>): Promise<{ code: number; data: Record<string, unknown> }> {
    try {
      await answer;
    } catch (error) {
      return error as { code: number; data: Record<string, unknown> };
    }
    throw new Error('answered');
  }

  it('lists two tools, which the client checks answers against', async () => {
    const tools = await client.listTools();
    assert.deepEqual(
      tools.map((tool) => tool['name']),
      ['call_tool', 'find_tool'],
    );
  });

  it('finds among 5,000, and tells how to call', async () => {
    const { tools, total } = await find({ query: 'add numbers' });
    assert.deepEqual(tools[0]?.name, 'good__add');
    assert.deepEqual((tools[0].inputSchema as { required: string[] }).required, ['a', 'b']);
    assert.ok(total >= 1);
    const many = await find({ query: 'fixture tool', limit: 3 });
    assert.equal(many.tools.length, 3);
    assert.ok(many.total > 5_000);
    assert.equal((await find({ query: 'fixture tool', limit: 1_000 })).tools.length, 5);
    for (const at of [0, 77, 2_500, 4_999]) {
      assert.equal((await find({ query: `many__tool-${at}` })).tools[0]?.name, `many__tool-${at}`);
    }
    assert.deepEqual(await find({ query: 'xyzzy' }), { tools: [], total: 0 });
  });

  it('calls what was found, as a direct call does', async () => {
    assert.equal(textOf(await call('good__add', { a: 2, b: 3 })), '5');
    assert.equal(textOf(await client.callTool('good__add', { a: 2, b: 3 })), '5');
    assert.equal(textOf(await call('many__tool-4321')), 'called tool-4321');
    assert.equal((await call('good__fail'))['isError'], true);
    const thrown = await refusal(call('good__throws'));
    assert.equal(thrown.code, -31999);
    assert.equal(thrown.data['reason'], 'fixture');
  });

  it('relays progress and cancellation', async () => {
    const steps: number[] = [];
    await call(
      'good__progress',
      { steps: 20 },
      { onprogress: ({ progress }: { progress: number }) => steps.push(progress) },
    );
    assert.deepEqual(
      steps,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    const gate = randomUUID();
    const controller = new AbortController();
    const held = refusal(call('good__slow', { gate }, { signal: controller.signal }));
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    controller.abort();
    await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
    await held;
  });

  it('refuses what is not there, with near misses', async () => {
    const { code, data } = await refusal(call('good__ehco', {}));
    assert.equal(code, -32602);
    assert.equal(data['reason'], 'unknown_tool');
    assert.equal(data['name'], 'good__ehco');
    assert.equal((data['near'] as string[])[0], 'good__echo');
    assert.equal((await refusal(call('call_tool'))).data['reason'], 'unknown_tool');
    assert.equal((await refusal(client.callTool('call_tool', {}))).data['reason'], 'invalid_params');
  });

  it('is of one scope: a toolset finds and calls its own', async () => {
    const few = await connect('/mcp/t/few');
    const { tools } = await find({ query: '' }, few);
    assert.deepEqual(
      tools.map((tool) => tool.name),
      ['good__add', 'good__echo', 'good__env'],
    );
    const other = await refusal(few.callTool('call_tool', { name: 'good__whoami' }));
    assert.equal(other.data['reason'], 'unknown_tool');
    await few.close();
    const plain = await connect('/mcp/t/plain');
    assert.equal((await plain.listTools()).length, 12);
    assert.equal((await refusal(plain.callTool('find_tool', { query: 'x' }))).data['reason'], 'unknown_tool');
    await plain.close();
  });

  it('finds what is added later', async () => {
    hub.tell('good', 'add-tool', { tool: 'brand-new' });
    await eventually(async () => assert.equal((await find({ query: 'brand new' })).tools[0]?.name, 'good__brand-new'));
    assert.equal(textOf(await call('good__brand-new')), 'called brand-new');
  });

  it('is turned off by a changed file', async () => {
    await gateway.reconfigure(file(false));
    await eventually(async () => assert.equal((await client.listTools()).length, 5_013));
    assert.equal((await refusal(client.callTool('find_tool', { query: 'x' }))).data['reason'], 'unknown_tool');
  });
});
