/** A changed configuration file is applied by difference; a wrong one is refused and the old one stays. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { HttpSession } from '../support/raw-http.js';
import { WebSocketPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

describe('hot reload', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let client: WebSocketPeer;
  let servers: Record<string, object>;

  before(async () => {
    hub = await FixtureHub.start();
    servers = { good: hub.stdio('sdk-server', 'good'), first: hub.stdio('sdk-server', 'first') };
    gateway = await startGateway({ config: file() });
    await gateway.waitForTools(['good__echo', 'first__echo']);
    client = await WebSocketPeer.open(gateway.url);
  });
  after(async () => {
    await client.close();
    await gateway.stop();
    await hub.close();
  });

  const file = (): object => ({ mcpServers: servers, gateway: settings() });
  const without = (name: string): Record<string, object> =>
    Object.fromEntries(Object.entries(servers).filter(([key]) => key !== name));
  const upstreams = async (): Promise<string[]> => (await gateway.status()).upstreams.map((upstream) => upstream.name);
  const echo = async (server: string): Promise<string> => {
    const answer = await client.request('tools/call', { name: `${server}__echo`, arguments: { text: server } });
    return textOf(answer.result);
  };

  /** Runs a change while a call of `good` is held: afterwards it has the same process and the call is answered. */
  async function undisturbed(change: () => Promise<void>): Promise<void> {
    const gate = randomUUID();
    const { pid } = await gateway.upstream('good');
    const held = client.request('tools/call', { name: 'good__slow', arguments: { gate } });
    await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
    await change();
    assert.equal((await gateway.upstream('good')).pid, pid);
    hub.tell('good', 'release', { gate });
    assert.equal(textOf((await held).result), `released ${gate}`);
  }

  it('adds an upstream, which clients hear of', async () => {
    await undisturbed(async () => {
      const from = client.messages.items.length;
      servers = { ...servers, added: hub.stdio('sdk-server', 'added') };
      await gateway.reconfigure(file());
      await client.messages.waitFor((m) => m.method === 'notifications/tools/list_changed', 'list_changed', from);
      await gateway.waitForTools(['added__echo']);
      assert.equal(await echo('added'), 'added');
    });
  });

  it('removes an upstream, with its process and its tools', async () => {
    await undisturbed(async () => {
      servers = without('first');
      await gateway.reconfigure(file());
      await hub.waitFor('first', 'gone');
      await eventually(async () => assert.deepEqual((await upstreams()).sort(), ['added', 'good']));
      // The routing table follows the list of upstreams a moment later.
      await eventually(async () => {
        const answer = await client.request('tools/call', { name: 'first__echo', arguments: { text: 'x' } });
        assert.equal(answer.error?.code, -32602);
      });
    });
  });

  it('starts a changed upstream anew', async () => {
    const { pid } = await gateway.upstream('added');
    await undisturbed(async () => {
      servers = { ...servers, added: { ...hub.stdio('sdk-server', 'added'), env: { CHANGED: 'yes' } } };
      await gateway.reconfigure(file());
      await gateway.waitForUpstream('added', (u) => u.state === 'ready' && u.pid !== pid, 'has a new process');
    });
    const answer = await eventually(async () => {
      const reply = await client.request('tools/call', { name: 'added__env', arguments: {} });
      assert.ok(reply.result);
      return reply.result;
    });
    assert.equal((JSON.parse(textOf(answer)) as Record<string, string>)['CHANGED'], 'yes');
  });

  it('applies a filter to a running upstream', async () => {
    await undisturbed(async () => {
      servers = { ...servers, added: { ...servers['added'], viable: { deny: ['env', 'b*'] } } };
      await gateway.reconfigure(file());
      await eventually(async () => {
        const answer = await client.request('tools/call', { name: 'added__env', arguments: {} });
        assert.equal(answer.error?.code, -32602);
      });
      assert.equal(await eventually(async () => await echo('added')), 'added');
    });
  });

  const broken: Record<string, string | object> = {
    'broken JSON': '{ "mcpServers": {',
    'an unknown key': { mcpServers: { good: { comand: 'node' } } },
    'an empty file': '',
  };
  for (const [kind, content] of Object.entries(broken)) {
    it(`refuses ${kind}: the old configuration stays and the status says why`, async () => {
      const { version } = (await gateway.status()).config;
      await undisturbed(async () => {
        await gateway.reconfigure(content);
        const { rejected } = await eventually(async () => {
          const { config } = await gateway.status();
          assert.ok(config.rejected);
          return config;
        });
        if (kind === 'an unknown key') assert.match(String(rejected), /comand/);
        assert.equal((await gateway.status()).config.version, version);
        assert.deepEqual((await upstreams()).sort(), ['added', 'good']);
        assert.equal(await echo('added'), 'added');
      });
      await gateway.reconfigure(file());
      await eventually(async () => assert.equal((await gateway.status()).config.rejected, null));
    });
  }

  it('says which options wait for the next start, and goes on as it was started', async () => {
    const reload = async (): Promise<{ restart: string[]; summary: string }> =>
      await gateway.admin('send', { actor: '/operations/provisioning/configuration', message: 'reload' });
    const listen = { listen: { maxBodyBytes: 1024 } };
    await undisturbed(async () => {
      await gateway.reconfigure({ mcpServers: servers, gateway: settings(listen) });
      const answer = await reload();
      assert.deepEqual(answer.restart, ['gateway.listen.maxBodyBytes']);
      assert.match(answer.summary, /at the next start: gateway\.listen\.maxBodyBytes/);
      const text = 'x'.repeat(10_000);
      const { result } = await client.request('tools/call', { name: 'good__echo', arguments: { text } });
      assert.equal(textOf(result), text, 'the limit is that of the start');
    });
    const session = await HttpSession.open(gateway.url);
    const text = 'x'.repeat(10_000);
    const { result } = await session.request('tools/call', { name: 'good__echo', arguments: { text } });
    assert.equal(textOf(result), text);
    await session.end();
    await gateway.reconfigure(file());
    assert.deepEqual((await reload()).restart, []);
  });

  it('takes a file that is written in place', async () => {
    servers = { ...servers, inplace: hub.stdio('sdk-server', 'inplace') };
    await writeFile(gateway.configFile, JSON.stringify(file()));
    await gateway.waitForTools(['inplace__echo']);
  });

  it('takes SIGHUP', async () => {
    servers = { ...without('inplace'), hup: hub.stdio('sdk-server', 'hup') };
    await undisturbed(async () => {
      await gateway.reconfigure(file());
      gateway.kill('SIGHUP');
      await gateway.waitForTools(['hup__echo']);
      await eventually(async () => assert.deepEqual((await upstreams()).sort(), ['added', 'good', 'hup']));
    });
  });

  it('leaves clients connected throughout', async () => {
    assert.deepEqual((await client.request('ping')).result, {});
  });
});
