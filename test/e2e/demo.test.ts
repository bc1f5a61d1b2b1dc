/** `node dist/main.js` without any configuration: real servers from npm. */
import assert from 'node:assert/strict';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { fetchRaw, HttpSession } from '../support/raw-http.js';

describe('demo', () => {
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway();
    await gateway.waitForTools(['everything__echo', 'memory__read_graph', 'filesystem__list_directory']);
  });
  after(async () => {
    await gateway.stop();
  });

  it('serves the tools of everything, memory and filesystem', async () => {
    const session = await HttpSession.open(gateway.url);
    const call = async (name: string, args: Record<string, unknown>): Promise<string> =>
      textOf((await session.request('tools/call', { name, arguments: args })).result);
    assert.match(await call('everything__echo', { message: 'hello demo' }), /hello demo/);
    assert.match(await call('memory__read_graph', {}), /entities/);
    assert.match(await call('filesystem__list_allowed_directories', {}), /\//);
    await session.end();
  });

  it('listens on loopback only, and is healthy', async () => {
    assert.equal(new URL(gateway.url).hostname, '127.0.0.1');
    for (const path of ['/healthz', '/readyz']) {
      const reply = await fetchRaw(`${gateway.url}${path}`);
      assert.equal(reply.status, 200, path);
      JSON.parse(reply.body);
    }
  });

  it('says in its log how to connect a client', () => {
    assert.ok(gateway.logs.items.some((line) => JSON.stringify(line).includes(`${gateway.url}/mcp`)));
  });
});
