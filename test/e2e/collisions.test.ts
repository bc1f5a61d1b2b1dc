/** Two upstreams with the same resource URIs: both are reached, under URIs that stay what they are. */
import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { FIXTURE_PROMPTS, FIXTURE_TOOLS, textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { HttpSession, type Json } from '../support/raw-http.js';
import { settings } from '../support/settings.js';

const PLAIN = 'fixture://shared/text';
const OF_ALPHA = `viable://alpha/${PLAIN}`;
const OF_BETA = `viable://beta/${PLAIN}`;

describe('collisions', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let session: HttpSession;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          beta: hub.stdio('sdk-server', 'beta', '--resources', 'shared'),
          alpha: hub.stdio('sdk-server', 'alpha', '--resources', 'shared'),
        },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['alpha__echo', 'beta__echo']);
    session = await HttpSession.open(gateway.url);
  });
  after(async () => {
    await session.end();
    await gateway.stop();
    await hub.close();
  });

  const uris = async (): Promise<unknown[]> =>
    (await session.listAll('resources/list', 'resources')).map((resource) => resource['uri']).sort();

  /** Text of a resource; the answer must carry the URI that was asked for. */
  async function read(uri: string, from = session): Promise<unknown> {
    const { result, error } = await from.request('resources/read', { uri });
    assert.ok(result, JSON.stringify(error));
    const [content] = result['contents'] as Json[];
    assert.equal(content?.['uri'], uri);
    return content['text'];
  }

  it('lists both: the first keeps the plain URI, the other has a prefix', async () => {
    const listed = await uris();
    assert.deepEqual(
      listed.filter((uri) => String(uri).endsWith('/text')),
      [PLAIN, OF_BETA],
    );
    assert.equal(new Set(listed).size, 4);
    const templates = await session.listAll('resources/templates/list', 'resourceTemplates');
    assert.deepEqual(templates.map((template) => template['uriTemplate']).sort(), [
      'fixture://shared/item/{id}',
      'viable://beta/fixture://shared/item/{id}',
    ]);
  });

  it('routes each to its own upstream', async () => {
    assert.equal(await read(PLAIN), 'text of alpha');
    assert.equal(await read(OF_BETA), 'text of beta');
    assert.equal(await read(OF_ALPHA), 'text of alpha', 'the prefixed form always works');
    assert.equal(await read('fixture://shared/item/7'), 'item 7 of alpha');
    assert.equal(await read('viable://beta/fixture://shared/item/7'), 'item 7 of beta');
  });

  it('completes arguments of either template', async () => {
    for (const uri of ['fixture://shared/item/{id}', 'viable://beta/fixture://shared/item/{id}']) {
      const params = { ref: { type: 'ref/resource', uri }, argument: { name: 'id', value: '1' } };
      const { result } = await session.request('completion/complete', params);
      assert.deepEqual((result?.['completion'] as Json)['values'], ['1', '10'], uri);
    }
  });

  it('reports the collision, once', async () => {
    const reports = gateway.logs.items.filter(
      (line) => line.event === 'collision' && JSON.stringify(line).includes(PLAIN),
    );
    assert.equal(reports.length, 1, JSON.stringify(reports));
    assert.match(JSON.stringify(reports[0]), /alpha.*beta/);
  });

  it('leaves the routes of single upstreams plain', async () => {
    for (const name of ['alpha', 'beta']) {
      const own = await HttpSession.open(gateway.url, { route: `/mcp/s/${name}` });
      assert.equal(await read(PLAIN, own), `text of ${name}`);
      const listed = await own.listAll('resources/list', 'resources');
      assert.ok(listed.every((resource) => String(resource['uri']).startsWith('fixture://')));
      await own.end();
    }
  });

  it('tools and prompts never collide: their names have prefixes', async () => {
    const tools = (await session.listAll('tools/list', 'tools')).map((tool) => tool['name']);
    assert.equal(new Set(tools).size, 2 * FIXTURE_TOOLS.length);
    const prompts = (await session.listAll('prompts/list', 'prompts')).map((prompt) => prompt['name']);
    assert.equal(new Set(prompts).size, 2 * FIXTURE_PROMPTS.length);
    for (const name of ['alpha', 'beta']) {
      const { result } = await session.request('tools/call', { name: `${name}__whoami`, arguments: {} });
      assert.equal((JSON.parse(textOf(result)) as Json)['name'], name);
    }
  });

  it('keeps every URI when one of the two goes and comes back', async () => {
    const lifecycle = '/operations/provisioning/upstreams/upstream:alpha/lifecycle';
    await gateway.admin('send', { actor: lifecycle, message: 'disable' });
    await gateway.waitForUpstream('alpha', (u) => u.state === 'disabled', 'is disabled');
    assert.equal(await read(OF_BETA), 'text of beta');
    await gateway.admin('send', { actor: lifecycle, message: 'enable' });
    await gateway.waitForUpstream('alpha', (u) => u.state === 'ready', 'is ready');
    await eventually(async () => assert.equal(await read(PLAIN), 'text of alpha'));
    assert.equal(await read(OF_BETA), 'text of beta');
    // Lists are published a moment after the routes.
    await eventually(async () => {
      assert.deepEqual(
        (await uris()).filter((uri) => String(uri).endsWith('/text')),
        [PLAIN, OF_BETA],
      );
    });
  });
});
