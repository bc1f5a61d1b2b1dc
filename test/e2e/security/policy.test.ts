/** What the policy denies is in no list of any era and transport, and cannot be called: threat row "insufficient scope". */
import assert from 'node:assert/strict';
import path from 'node:path';
import { CLIENTS } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { ROOT, runNode, startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { HttpSession } from '../../support/raw-http.js';
import { RAW_PEERS } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const UNKNOWN_TOOL = -32602;

describe('policy, end to end', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  const rules = [
    { name: 'no-env', effect: 'deny', tools: ['*__env'] },
    { effect: 'deny', servers: ['other'], prompts: ['*'], resources: ['*'] },
  ];
  const config = (of: object[]): object => ({
    mcpServers: { good: hub.stdio('sdk-server', 'good'), other: hub.stdio('sdk-server', 'other') },
    gateway: { ...settings(), policy: { rules: of } },
  });

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({ config: config(rules) });
    await gateway.waitForTools(['good__echo', 'other__echo']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  for (const { name, connect } of CLIENTS) {
    it(`${name}: neither lists nor calls what is denied`, async () => {
      const client = await connect(gateway.url);
      const tools = (await client.listTools()).map((tool) => String(tool['name']));
      assert.ok(tools.includes('good__echo') && tools.includes('other__echo'));
      assert.deepEqual(
        tools.filter((tool) => tool.endsWith('__env')),
        [],
      );
      const prompts = (await client.listPrompts()).map((prompt) => String(prompt['name']));
      assert.ok(prompts.length > 0 && prompts.every((prompt) => prompt.startsWith('good__')));
      const uris = (await client.listResources()).map((resource) => String(resource['uri']));
      assert.ok(uris.length > 0 && uris.every((uri) => !uri.includes('other')));
      const code = async (work: Promise<unknown>): Promise<unknown> =>
        work.then(
          () => 'answered',
          (error: unknown) => (error as { code?: unknown }).code,
        );
      assert.equal(await code(client.callTool('good__env')), await code(client.callTool('good__no-such-tool')));
      assert.notEqual(await code(client.callTool('good__env')), 'answered');
      assert.notEqual(await code(client.getPrompt('other__greet', { name: 'x' })), 'answered');
      assert.notEqual(await code(client.readResource('fixture://other/text')), 'answered');
      assert.notEqual(
        await code(client.complete({ type: 'ref/prompt', name: 'other__greet' }, { name: 'tone', value: 'f' })),
        'answered',
      );
      assert.equal(hub.events('good', 'env').length, 0);
      await client.close();
    });
  }

  for (const { name, open } of RAW_PEERS) {
    it(`${name}: a denied tool is answered exactly as one that does not exist`, async () => {
      const peer = await open(gateway.url);
      const denied = await peer.request('tools/call', { name: 'good__env', arguments: {} });
      const missing = await peer.request('tools/call', { name: 'good__nil', arguments: {} });
      assert.equal(denied.error?.code, UNKNOWN_TOOL);
      assert.deepEqual(JSON.parse(JSON.stringify(denied.error).replaceAll('good__env', 'good__nil')), missing.error);
      await peer.close();
    });
  }

  it('one server’s own endpoint keeps back the same', async () => {
    const session = await HttpSession.open(gateway.url, { route: '/mcp/s/good' });
    const tools = (await session.listAll('tools/list', 'tools')).map((tool) => tool['name']);
    assert.ok(tools.includes('echo') && !tools.includes('env'));
    assert.equal((await session.request('tools/call', { name: 'env', arguments: {} })).error?.code, UNKNOWN_TOOL);
    await session.end();
  });

  it('viable policy check explains rule by rule, by exit code too; denials are counted', async () => {
    const check = (...args: string[]) => runNode(CLI, ['--socket', gateway.socketPath, 'policy', 'check', ...args]);
    const denied = await check('--as', 'user', '--tool', 'good__env');
    assert.equal(denied.code, 1);
    assert.match(denied.stdout, /rule 1 \(no-env\): holds: deny/);
    const allowed = await check('--as', 'user', '--tool', 'good__echo');
    assert.equal(allowed.code, 0);
    assert.match(
      allowed.stdout,
      /rule 1 \(no-env\): it is not a tool \*__env[^]*allowed by default: tool good__echo of good/,
    );
    assert.match((await check('--as', 'user', '--tool', 'nobody__x')).stdout, /Nothing of that name is offered now/);
    const { rules: seen } = await gateway.status();
    assert.ok(seen.denials.total > 0 && seen.denials.lastFiveMinutes > 0);
  });

  it('a changed policy takes effect at once, under sessions that are open, which are told', async () => {
    const session = await HttpSession.open(gateway.url);
    const stream = await session.listen();
    const { version } = (await gateway.status()).rules;
    await gateway.reconfigure(config([{ effect: 'deny', tools: ['good__echo'] }]));
    await stream.events.waitFor((event) => event.data.includes('tools/list_changed'), 'list_changed');
    const tools = (await session.listAll('tools/list', 'tools')).map((tool) => tool['name']);
    assert.ok(!tools.includes('good__echo') && tools.includes('good__env'));
    await eventually(async () => assert.equal((await gateway.status()).rules.version, version + 1));
    const call = await session.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
    assert.equal(call.error?.code, UNKNOWN_TOOL);
    await session.end();
  });
});
