/** Official clients of both eras against servers of both eras over stdio and Streamable HTTP, behind one gateway. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientEra } from '../../support/clients.js';
import { textOf } from '../../support/fixture-names.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { type Json, type Wire } from '../../support/raw-http.js';
import { settings } from '../../support/settings.js';
import { httpFixture, stdioFixture, type HttpFixture } from './conformance-fixture.js';
import { ERA_CLIENTS, type EraClient, type EraClientKind, type Person } from './era-clients.js';

interface Upstream {
  readonly name: string;
  readonly era: ClientEra;
}

const UPSTREAMS: readonly Upstream[] = [
  { name: 'legacy-stdio', era: 'legacy' },
  { name: 'legacy-http', era: 'legacy' },
  { name: 'modern-stdio', era: 'modern' },
  { name: 'modern-http', era: 'modern' },
];

/** Answers of its own, so that an answer that came from another client shows. */
function personOf(nonce: string): Person {
  return {
    sample: (prompt) => `${nonce} says to ${prompt}`,
    elicit: ({ requestedSchema }) => {
      const { properties = {} } = (requestedSchema ?? {}) as { properties?: Json };
      const values = Object.keys(properties).map((key) => [key, key === 'ok' ? true : `${key} of ${nonce}`]);
      return { action: 'accept', content: Object.fromEntries(values) as Record<string, string | boolean> };
    },
    root: `file:///${nonce}`,
  };
}

describe('every client era with every upstream era', () => {
  let gateway: Gateway;
  const fixtures: HttpFixture[] = [];

  before(async () => {
    fixtures.push(await httpFixture('legacy'), await httpFixture('modern'));
    const [legacy, modern] = fixtures;
    gateway = await startGateway({
      config: {
        mcpServers: {
          'legacy-stdio': stdioFixture('legacy'),
          'legacy-http': { url: legacy?.url },
          'modern-stdio': stdioFixture('modern'),
          'modern-http': { url: modern?.url },
        },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(UPSTREAMS.map(({ name }) => `${name}__test_simple_text`));
  });
  after(async () => {
    await gateway.stop();
    for (const fixture of fixtures) await fixture.stop();
  });

  for (const kind of ERA_CLIENTS) for (const upstream of UPSTREAMS) combination(kind, upstream, () => gateway);
});

function combination(kind: EraClientKind, upstream: Upstream, gateway: () => Gateway): void {
  describe(`${kind.name} with ${upstream.name}`, () => {
    const nonce = randomUUID();
    let client: EraClient;

    before(async () => {
      client = await kind.connect(`${gateway().url}/mcp/s/${upstream.name}`, personOf(nonce));
      assert.equal(client.era, kind.era);
    });
    after(async () => {
      await client.close();
    });

    serving(() => client);
    notifying(() => client, kind.era === 'legacy');
    asking(() => client, nonce);
  });
}

function serving(client: () => EraClient): void {
  it('lists and calls tools, with every kind of content', async () => {
    const names = (await client().listTools()).map((tool) => tool['name']);
    assert.ok(names.includes('test_simple_text') && names.includes('test_sampling'), String(names));
    assert.equal(textOf(await client().callTool('test_simple_text')), 'This is a simple text response for testing.');
    const mixed = (await client().callTool('test_multiple_content_types'))['content'] as Json[];
    assert.deepEqual(
      mixed.map(({ type }) => type),
      ['text', 'image', 'resource'],
    );
    assert.equal((await client().callTool('test_error_handling'))['isError'], true);
  });

  it('mirrors an argument that a tool wants in a header', async () => {
    const args = { region: 'Zürich, süd', query: 'q' };
    assert.equal(textOf(await client().callTool('test_x_mcp_header', args)), `Called with ${JSON.stringify(args)}`);
  });

  it('gets prompts, reads resources, completes', async () => {
    const prompt = await client().getPrompt('test_prompt_with_arguments', { arg1: 'one', arg2: 'two' });
    assert.match(JSON.stringify(prompt['messages']), /arg1='one', arg2='two'/);
    const read = async (uri: string): Promise<Json | undefined> =>
      ((await client().readResource(uri))['contents'] as Json[])[0];
    assert.equal((await read('test://static-text'))?.['text'], 'This is the content of the static text resource.');
    assert.match(String((await read('test://static-binary'))?.['blob']), /^iVBORw0KGgo/);
    assert.match(String((await read('test://template/7/data'))?.['text']), /Data for ID: 7/);
    const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' } as const;
    assert.deepEqual((await client().complete(ref, { name: 'arg1', value: 'par' }))['values'], [
      'paris',
      'park',
      'party',
    ]);
  });
}

/** `unasked`: the client knows sessions, in which logs may come while no level was set; the gateway then asks for `info`. */
function notifying(client: () => EraClient, unasked: boolean): void {
  const since = (from: number, method: string): Wire[] =>
    client()
      .wire.items.slice(from)
      .filter((message) => message.method === method);

  it('has progress in order, all of it before the result', async () => {
    const from = client().wire.items.length;
    await client().callTool('test_tool_with_progress', {}, { onprogress: () => undefined });
    const wire = client().wire.items.slice(from);
    assert.deepEqual(
      since(from, 'notifications/progress').map(({ params }) => params?.['progress']),
      [0, 50, 100],
    );
    const end = wire.findIndex(({ result }) => result?.['content'] !== undefined);
    assert.ok(wire.findLastIndex(({ method }) => method === 'notifications/progress') < end);
  });

  it('logs from the wanted level on', async () => {
    const logs = async (level?: 'debug' | 'error'): Promise<number> => {
      const from = client().wire.items.length;
      await client().callTool('test_tool_with_logging', {}, level === undefined ? {} : { level });
      return since(from, 'notifications/message').length;
    };
    assert.equal(await logs(), unasked ? 3 : 0);
    assert.equal(await logs('debug'), 3);
    assert.equal(await logs('error'), 0);
  });
}

function asking(client: () => EraClient, nonce: string): void {
  const says = async (tool: string, args?: Json): Promise<string> => textOf(await client().callTool(tool, args));

  it('asks the model', async () => {
    assert.match(await says('test_sampling', { prompt: 'Ada' }), new RegExp(`"${nonce} says to Ada"`));
  });

  it('asks the user', async () => {
    const answer = await says('test_elicitation', { message: 'Who?' });
    assert.match(answer, new RegExp(`action=accept.*username of ${nonce}`));
  });

  it('asks for roots', async () => {
    assert.match(await says('test_input_required_result_list_roots'), new RegExp(`file:///${nonce}`));
  });

  it('asks in a prompt', async () => {
    const prompt = await client().getPrompt('test_input_required_result_prompt');
    assert.match(JSON.stringify(prompt['messages']), new RegExp(`context of ${nonce}`));
  });

  it('asks three things at once, and two one after the other', async () => {
    const all = await says('test_input_required_result_multiple_inputs');
    assert.match(all, new RegExp(`name of ${nonce}`));
    assert.match(all, new RegExp(`${nonce} says to Generate a greeting`));
    assert.match(all, new RegExp(`file:///${nonce}`));
    const both = await says('test_input_required_result_multi_round');
    assert.equal(both, `name of ${nonce} likes color of ${nonce}`);
  });

  it('brings the state of the server back', async () => {
    assert.equal(await says('test_input_required_result_request_state'), 'state-ok');
  });
}
