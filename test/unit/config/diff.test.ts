import assert from 'node:assert/strict';
import { diffConfig, isEmptyDiff, withoutRestart } from '#src/config/diff.js';
import { accepted, load } from './support.js';

const config = async (content: unknown) => accepted(await load(content)).config;

describe('config/diff', () => {
  it('puts each server into one group, and names those that need a new session', async () => {
    const old = await config({
      mcpServers: {
        same: { command: 'x', env: { A: '1', B: '2' } },
        gone: { command: 'x' },
        filtered: { command: 'x' },
        moved: { url: 'http://a' },
        paused: { command: 'x' },
      },
    });
    const next = await config({
      mcpServers: {
        fresh: { command: 'x' },
        paused: { command: 'x', disabled: true },
        moved: { url: 'http://b' },
        filtered: { command: 'x', viable: { deny: ['a'] } },
        same: { env: { B: '2', A: '1' }, command: 'x' },
      },
    });
    const diff = diffConfig(old, next);
    assert.deepEqual(diff, {
      added: ['fresh'],
      removed: ['gone'],
      changed: ['paused', 'moved', 'filtered'],
      reconnect: ['paused', 'moved'],
      unchanged: ['same'],
      gateway: { applied: [], restart: [] },
    });
    assert.equal(isEmptyDiff(diff), false);
    assert.equal(isEmptyDiff(diffConfig(old, old)), true);
  });

  it('tells options that apply at once from those that wait for a restart', async () => {
    const old = await config({ gateway: {} });
    const next = await config({
      gateway: {
        listen: { port: 1, allowedHosts: ['h'] },
        catalogue: { pageSize: 1 },
        logging: { level: 'warn' },
        admin: { socket: '/s' },
      },
    });
    assert.deepEqual(diffConfig(old, next).gateway, {
      applied: ['gateway.catalogue.pageSize', 'gateway.logging.level'],
      restart: ['gateway.listen.port', 'gateway.listen.allowedHosts', 'gateway.admin.socket'],
    });
  });

  it('takes over every option that applies at once, and none that waits', async () => {
    const old = await config({ gateway: {} });
    const next = await config({
      gateway: { listen: { port: 1 }, auth: { mode: 'off', tokenTtl: 7000 }, requestState: { secret: 's'.repeat(40) } },
    });
    const taken = withoutRestart(old.gateway, next.gateway);
    assert.deepEqual(taken, { ...old.gateway, auth: { ...next.gateway.auth, mode: old.gateway.auth.mode } });
    assert.deepEqual(diffConfig(old, { ...next, gateway: taken }).gateway.restart, []);
    assert.deepEqual(diffConfig({ ...old, gateway: taken }, next).gateway.applied, []);
  });

  it('search and toolsets apply at once, each named once', async () => {
    const old = await config({ gateway: { toolsets: { a: { tools: ['x__*'] } } } });
    const next = await config({
      gateway: { catalogue: { search: { enabled: true } }, toolsets: { a: { tools: ['y__*'] } } },
    });
    assert.deepEqual(diffConfig(old, next).gateway, {
      applied: ['gateway.catalogue.search.enabled', 'gateway.toolsets'],
      restart: [],
    });
  });

  it('a changed default changes the servers that use it, without a new session', async () => {
    const mcpServers = { a: { command: 'x' }, b: { command: 'x', viable: { timeouts: { request: 9 } } } };
    const diff = diffConfig(
      await config({ mcpServers }),
      await config({ mcpServers, gateway: { requests: { timeout: 5 } } }),
    );
    assert.deepEqual([diff.changed, diff.reconnect, diff.unchanged], [['a'], [], ['b']]);
  });
});
