/** Named toolsets: endpoints of their own for parts of the catalogue, for official clients. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ConnectionSnapshot } from '#src/admin/protocol.js';
import { CLIENTS, type ContractClient } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { fetchRaw, initializeRequest, POST_HEADERS, type Wire } from '../support/raw-http.js';
import { settings } from '../support/settings.js';

const [v1] = CLIENTS;
const CHANGED = 'notifications/tools/list_changed';

const namesOf = (items: readonly Record<string, unknown>[], key = 'name'): string[] =>
  items.map((item) => String(item[key])).sort();

describe('toolsets', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  const open: ContractClient[] = [];
  const servers = (): Record<string, object> => ({
    good: hub.stdio('sdk-server', 'good'),
    other: hub.stdio('sdk-server', 'other'),
  });
  const toolsets: Record<string, object> = {
    reader: {
      tools: ['*__echo', 'good__add', '*__both-*'],
      prompts: ['other__greet'],
      resources: ['fixture://good/*'],
      description: 'Reads only.',
    },
    extras: { tools: ['good__extra-*', 'good__slow', '*__both-*'] },
    good: { tools: ['other__whoami'] },
  };

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({ config: { mcpServers: servers(), gateway: settings({ toolsets }) } });
    await gateway.waitForTools(['good__echo', 'other__echo']);
  });
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  async function connect(route: string): Promise<ContractClient> {
    assert.ok(v1);
    const client = await v1.connect(gateway.url, route);
    open.push(client);
    return client;
  }

  it('list what they name and nothing else', async () => {
    const reader = await connect('/mcp/t/reader');
    assert.deepEqual(namesOf(await reader.listTools()), ['good__add', 'good__echo', 'other__echo']);
    assert.deepEqual(namesOf(await reader.listPrompts()), ['other__greet']);
    assert.deepEqual(namesOf(await reader.listResources(), 'uri'), ['fixture://good/binary', 'fixture://good/text']);
    assert.equal((await reader.listResourceTemplates()).length, 1);
    assert.match(reader.instructions ?? '', /^Reads only\.\n\n## good\n/);
    assert.deepEqual(namesOf(await (await connect('/mcp/t/good')).listTools()), ['other__whoami']);
    assert.equal((await (await connect('/mcp/s/good')).listTools()).length, 12);
  });

  it('serve what they hold, refuse the rest', async () => {
    const reader = await connect('/mcp/t/reader');
    const text = randomUUID();
    assert.equal(textOf(await reader.callTool('other__echo', { text })), text);
    const contents = (await reader.readResource('fixture://good/item/5'))['contents'] as { text: string }[];
    assert.equal(contents[0]?.text, 'item 5 of good');
    for (const name of ['good__slow', 'other__whoami', 'echo', 'find_tool', 'call_tool']) {
      await assert.rejects(reader.callTool(name), (error: { code?: number; data?: { reason?: string } }) => {
        assert.deepEqual([error.code, error.data?.reason], [-32602, 'unknown_tool']);
        return true;
      });
    }
    await assert.rejects(reader.readResource('fixture://other/text'));
    await assert.rejects(reader.getPrompt('good__greet', { who: 'x' }));
  });

  it('are shown with their route, and unknown ones are not found', async () => {
    await connect('/mcp/t/reader');
    const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
    assert.ok(connections.some((connection) => connection.route === '/mcp/t/reader'));
    for (const name of ['nobody', '__proto__', 'other']) {
      const body = JSON.stringify(initializeRequest('2025-11-25'));
      const reply = await fetchRaw(`${gateway.url}/mcp/t/${name}`, { method: 'POST', headers: POST_HEADERS, body });
      assert.equal(reply.status, 404, name);
      assert.match(reply.body, /unknown_route/);
    }
  });

  it("hear list_changed when their own list has changed, of nobody else's", async () => {
    const reader = await connect('/mcp/t/reader');
    const extras = await connect('/mcp/t/extras');
    const heard = (client: ContractClient): number =>
      client.wire.items.filter((message: Wire) => message.method === CHANGED).length;
    let made = 0;
    // Until the streams of both are open.
    await eventually(async () => {
      hub.tell('good', 'add-tool', { tool: `both-${(made += 1)}` });
      for (const client of [reader, extras]) await client.wire.waitFor((m) => m.method === CHANGED, 'heard once');
    });
    const all = made;
    await eventually(async () => {
      const listed = await Promise.all([reader, extras].map(async (client) => namesOf(await client.listTools())));
      for (const names of listed) assert.ok(names.includes(`good__both-${all}`));
    });
    const before = heard(reader);
    const from = extras.wire.items.length;
    hub.tell('good', 'add-tool', { tool: 'extra-1' });
    await extras.wire.waitFor((message) => message.method === CHANGED, 'extras heard', from);
    const since = reader.wire.items.length;
    hub.tell('good', 'add-tool', { tool: 'both-last' });
    await reader.wire.waitFor((message) => message.method === CHANGED, 'reader heard', since);
    assert.equal(heard(reader), before + 1, 'what is said comes in order: of extra-1 it would have heard before');
  });

  it('change with the file, sessions and upstreams stay', async () => {
    const reader = await connect('/mcp/t/reader');
    const gate = randomUUID();
    const extras = await connect('/mcp/t/extras');
    const held = extras.callTool('good__slow', { gate });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    const { pid } = await gateway.upstream('good');
    const changed = { ...toolsets, reader: { tools: ['good__whoami'] }, fresh: { tools: ['good__add'] } };
    await gateway.reconfigure({ mcpServers: servers(), gateway: settings({ toolsets: changed }) });
    await eventually(async () => assert.deepEqual(namesOf(await reader.listTools()), ['good__whoami']));
    await assert.rejects(reader.callTool('good__add', { a: 1, b: 2 }));
    assert.deepEqual(namesOf(await (await connect('/mcp/t/fresh')).listTools()), ['good__add']);
    hub.tell('good', 'release', { gate });
    assert.equal(textOf(await held), `released ${gate}`);
    assert.equal((await gateway.upstream('good')).pid, pid);

    const without = { reader: changed.reader, fresh: changed.fresh };
    await gateway.reconfigure({ mcpServers: servers(), gateway: settings({ toolsets: without }) });
    await eventually(async () => await assert.rejects(extras.listTools()));
    await gateway.reconfigure({ mcpServers: servers(), gateway: settings({ toolsets: changed }) });
    await eventually(async () => assert.ok(namesOf(await extras.listTools()).includes('good__slow')));
  });
});
