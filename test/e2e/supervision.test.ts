/**
 * A crash in the control plane is no matter of the data plane: connections stay, calls in flight are answered, upstream
 * processes run on. Each actor is killed while calls wait on all client transports.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type SupervisionNode } from '#src/admin/protocol.js';
import { TREE, type TreeNode } from '#src/supervisors/tree.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { RAW_PEERS, type RawPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const HARMLESS = [
  '/front/listeners/http',
  '/front/listeners',
  '/operations/catalogue',
  '/operations/provisioning/upstreams/upstream:good/lifecycle',
  '/operations/provisioning/configuration',
  '/vitals/metrics',
  '/vitals',
  '/drain',
  '/drain/gateway',
  '/drain/partial',
  '/consoles/admin',
  '/consoles',
];

/** `<name>` in a declared id stands for what is known at run time only. */
function matches(declared: string, id: string): boolean {
  const hole = declared.indexOf('<');
  return hole === -1 ? declared === id : id.startsWith(declared.slice(0, hole)) && id.length > hole;
}

describe('supervision', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let peers: RawPeer[];

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: { mcpServers: { good: hub.stdio('sdk-server', 'good') }, gateway: settings() },
    });
    await gateway.waitForTools(['good__echo']);
    peers = await Promise.all(RAW_PEERS.map(async ({ open }) => await open(gateway.url)));
  });
  after(async () => {
    await Promise.all(peers.map(async (peer) => await peer.close()));
    await gateway.stop();
    await hub.close();
  });

  async function find(path: string): Promise<SupervisionNode> {
    const search = (node: SupervisionNode): SupervisionNode[] => [node, ...node.children.flatMap(search)];
    const found = search(await gateway.admin<SupervisionNode>('tree')).find((node) => node.path === path);
    assert.ok(found, `no ${path} in the tree`);
    return found;
  }

  it('the tree that runs is the one that is declared', async () => {
    const differences: string[] = [];
    const compare = (running: SupervisionNode, declared: TreeNode): void => {
      const kind = declared.type === 'actor' ? 'actor' : 'supervisor';
      const strategy = declared.type === 'supervisor' ? declared.strategy : declared.type;
      if (running.kind !== kind || running.restart !== declared.restart) differences.push(running.path);
      if (kind === 'supervisor' && running.strategy !== strategy) differences.push(`${running.path} ${strategy}`);
      if (declared.type === 'actor') return;
      const children = declared.type === 'partitioned' ? running.children.flatMap((p) => p.children) : running.children;
      for (const child of children) {
        const template = declared.children.find(({ id }) => matches(id, child.id));
        if (template === undefined) differences.push(`${child.path} is not declared`);
        else compare(child, template);
      }
      if (declared.type !== 'supervisor') return;
      const fixed = declared.children.filter((child) => child.type !== 'actor' || child.optional !== true);
      const order = children.filter((child) => fixed.some(({ id }) => id === child.id)).map(({ id }) => id);
      if (order.join() !== fixed.map(({ id }) => id).join()) differences.push(`${running.path}: ${order.join()}`);
    };
    compare(await gateway.admin<SupervisionNode>('tree'), TREE);
    assert.deepEqual(differences, []);
  });

  /** Kills the actor and waits for its next incarnation. */
  async function kill(path: string): Promise<void> {
    const before = await find(path);
    await gateway.admin('kill', { actor: path }).catch((error: unknown) => {
      // Killing the admin endpoint cuts its own answer.
      if (!/closed|within|ECONN/.test(String(error))) throw error;
    });
    await eventually(
      async () => {
        const now = await find(path);
        assert.equal(now.state, 'running');
        assert.ok(now.incarnation > before.incarnation, `incarnation ${now.incarnation}`);
      },
      { what: `the next incarnation of ${path}` },
    );
  }

  for (const path of HARMLESS) {
    it(`${path} killed: calls in flight are answered, connections and upstream stay`, async () => {
      const gate = randomUUID();
      const { pid, reconnects } = await gateway.upstream('good');
      const params = { name: 'good__slow', arguments: { gate } };
      const calls = peers.map((peer) => peer.request('tools/call', params));
      await eventually(() => {
        const held = hub.events('good', 'held').filter((event) => event['gate'] === gate);
        assert.equal(held.length, calls.length);
      });
      await kill(path);
      hub.tell('good', 'release', { gate });
      for (const call of calls) assert.equal(textOf((await call).result), `released ${gate}`);
      // The same connections, sessions and upstream process go on, and newcomers are served.
      for (const peer of peers) {
        const tools = (await peer.request('tools/list')).result?.['tools'];
        assert.ok(Array.isArray(tools) && tools.length > 0);
        const { result } = await peer.request('tools/call', { name: 'good__echo', arguments: { text: path } });
        assert.equal(textOf(result), path);
      }
      const now = await gateway.upstream('good');
      assert.deepEqual([now.state, now.pid, now.reconnects], ['ready', pid, reconnects]);
      for (const { open } of RAW_PEERS) await (await open(gateway.url)).close();
    });
  }

  it('an upstream that is lost after its lifecycle was killed comes back: the new one watches the old session', async () => {
    await kill('/operations/provisioning/upstreams/upstream:good/lifecycle');
    const { pid } = await gateway.upstream('good');
    assert.ok(pid !== null);
    process.kill(pid, 'SIGKILL');
    await gateway.waitForUpstream('good', (u) => u.state === 'ready' && u.pid !== null && u.pid !== pid, 'is back');
    await eventually(async () => {
      const { result } = await peers[0]!.request('tools/call', { name: 'good__echo', arguments: { text: 'back' } });
      assert.equal(textOf(result), 'back');
    });
  });
});
