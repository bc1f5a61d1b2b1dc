/** The inspector's command line, as a user runs it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { FIXTURE_PROMPTS, FIXTURE_TOOLS, textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { type Json } from '../support/raw-http.js';
import { settings } from '../support/settings.js';

/** It looks for its own package.json relative to the working directory, so it must run there. */
const INSPECTOR = path.join(ROOT, 'node_modules/@modelcontextprotocol/inspector-cli/build');

describe('inspector CLI', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          paged: hub.stdio('raw/many-tools', 'paged', '--count', '10', '--page', '3'),
        },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['good__echo', 'paged__tool-9']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  async function inspect(route: string, transport: string, method: string, ...args: string[]): Promise<Json> {
    const target = [`${gateway.url}${route}`, '--transport', transport, '--method', method];
    const run = await runNode(path.join(INSPECTOR, 'cli.js'), ['--cli', ...target, ...args], { cwd: INSPECTOR });
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stdout) as Json;
  }

  const faces = [
    { route: '/mcp', transport: 'http', prefix: 'good__' },
    { route: '/mcp/s/good', transport: 'http', prefix: '' },
    { route: '/mcp/sse', transport: 'sse', prefix: 'good__' },
  ];
  for (const { route, transport, prefix } of faces) {
    describe(`${transport} at ${route}`, () => {
      const named = (name: string): string => `${prefix}${name}`;
      const names = (items: unknown): unknown[] => (items as Json[]).map((item) => item['name']).sort();

      it('tools/list', async () => {
        const others = prefix === '' ? [] : Array.from({ length: 10 }, (_, index) => `paged__tool-${index}`);
        const result = await inspect(route, transport, 'tools/list');
        assert.deepEqual(names(result['tools']), [...FIXTURE_TOOLS.map(named), ...others].sort());
      });

      it('tools/call', async () => {
        const args = ['--tool-name', named('add'), '--tool-arg', 'a=19', 'b=23'];
        assert.equal(textOf(await inspect(route, transport, 'tools/call', ...args)), '42');
      });

      it('resources/read', async () => {
        const result = await inspect(route, transport, 'resources/read', '--uri', 'fixture://good/text');
        assert.equal((result['contents'] as Json[])[0]?.['text'], 'text of good');
      });

      it('prompts/list and prompts/get', async () => {
        const list = await inspect(route, transport, 'prompts/list');
        assert.deepEqual(names(list['prompts']), FIXTURE_PROMPTS.map(named).sort());
        const args = ['--prompt-name', named('greet'), '--prompt-args', 'who=Ada'];
        const prompt = await inspect(route, transport, 'prompts/get', ...args);
        assert.deepEqual(prompt['messages'], [{ role: 'user', content: { type: 'text', text: 'Greet Ada, plain.' } }]);
      });
    });
  }
});
