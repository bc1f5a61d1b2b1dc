/** `node dist/main.js` without any configuration: real servers from npm. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { fetchRaw, HttpSession } from '../support/raw-http.js';

describe('demo', () => {
  let gateway: Gateway;
  let data: string;

  before(async () => {
    data = await mkdtemp(path.join(tmpdir(), 'viable-demo-'));
    gateway = await startGateway({ env: { XDG_DATA_HOME: data } });
    await gateway.waitForTools(['everything__echo', 'memory__read_graph', 'filesystem__list_directory']);
  });
  after(async () => {
    await gateway.stop();
    await rm(data, { recursive: true, force: true });
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
    for (const probe of ['/healthz', '/readyz']) {
      const reply = await fetchRaw(`${gateway.url}${probe}`);
      assert.equal(reply.status, 200, probe);
      JSON.parse(reply.body);
    }
  });

  it('says in its log how to connect a client', () => {
    assert.ok(gateway.logs.items.some((line) => JSON.stringify(line).includes(`${gateway.url}/mcp`)));
  });
});
