/** The `viable` command against a live gateway: what it prints, and that whatever it kills comes back. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import {
  type AdminActor,
  type ConnectionSnapshot,
  type GatewaySnapshot,
  type LogLine,
  type SupervisionNode,
  type UpstreamSnapshot,
} from '#src/admin/protocol.js';
import { TREE, type TreeNode } from '#src/supervisors/tree.js';
import { eventually, within } from '../support/eventually.js';
import { textOf } from '../support/fixture-names.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { isAlive } from '../support/processes.js';
import { HttpSession } from '../support/raw-http.js';
import { RAW_PEERS, WebSocketPeer, type RawPeer } from '../support/raw-peers.js';
import { settings } from '../support/settings.js';

const CLI = path.join(ROOT, 'dist/cli.js');

/** Paths of the actors that every gateway has: what comes at run time and what a setting asks for is left out. */
function fixedPaths(node: TreeNode, parent?: string): string[] {
  if (node.type === 'actor' && node.optional === true) return [];
  const own = parent === undefined ? '/' : `${parent === '/' ? '' : parent}/${node.id}`;
  return [own, ...(node.type === 'supervisor' ? node.children.flatMap((child) => fixedPaths(child, own)) : [])];
}

describe('viable command', () => {
  let hub: FixtureHub;
  let gateway: Gateway;
  let peers: RawPeer[];

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          other: hub.stdio('sdk-server', 'other'),
          missing: { command: 'no-such-command-anywhere' },
        },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['good__echo', 'other__echo']);
    peers = await Promise.all(RAW_PEERS.map(async ({ open }) => await open(gateway.url)));
  });
  after(async () => {
    await Promise.all(peers.map(async (peer) => await peer.close()));
    await gateway.stop();
    await hub.close();
  });

  const viable = async (...args: string[]): Promise<Run> =>
    await runNode(CLI, ['--socket', gateway.socketPath, ...args]);
  async function json<T>(...args: string[]): Promise<T> {
    const run = await viable('--json', ...args);
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stdout) as T;
  }
  async function echo(peer: RawPeer, server = 'good'): Promise<void> {
    const { result } = await peer.request('tools/call', { name: `${server}__echo`, arguments: { text: 'still here' } });
    assert.equal(textOf(result), 'still here');
  }
  const flatten = (node: SupervisionNode): SupervisionNode[] => [node, ...node.children.flatMap(flatten)];
  async function nodes(): Promise<SupervisionNode[]> {
    return flatten(await gateway.admin<SupervisionNode>('tree'));
  }
  async function find(matches: (node: SupervisionNode) => boolean): Promise<SupervisionNode> {
    const found = (await nodes()).find(matches);
    assert.ok(found, 'no such actor in the tree');
    return found;
  }

  it('status', async () => {
    const status = await json<GatewaySnapshot>('status');
    assert.equal(status.pid, gateway.pid);
    assert.equal(status.phase, 'running');
    assert.equal(status.url.replace(/\/(mcp)?$/, ''), gateway.url);
    assert.deepEqual(status.connections.byTransport, { http: 1, sse: 1, websocket: 1 });
    assert.ok(status.throughput.messagesTotal > 0);
    assert.equal(status.config.rejected, null);
    const human = await viable('status');
    assert.equal(human.code, 0, human.stderr);
    assert.match(human.stdout, /running/);
  });

  it('upstreams', async () => {
    const upstreams = await json<UpstreamSnapshot[]>('upstreams');
    assert.deepEqual(upstreams.map((upstream) => upstream.name).sort(), ['good', 'missing', 'other']);
    const missing = upstreams.find((upstream) => upstream.name === 'missing');
    assert.match(missing?.lastError?.message ?? '', /no-such-command-anywhere/);
    const human = (await viable('upstreams')).stdout;
    for (const word of ['good', 'ready', 'missing', 'no-such-command-anywhere']) assert.ok(human.includes(word), word);
  });

  it('connections', async () => {
    const connections = await json<ConnectionSnapshot[]>('connections');
    assert.deepEqual(connections.map((connection) => connection.transport).sort(), ['http', 'sse', 'websocket']);
    for (const connection of connections) {
      assert.equal(connection.client, 'raw-client/1.0.0');
      assert.match(connection.remote, /127\.0\.0\.1/);
      assert.ok(connection.messagesIn > 0);
    }
    assert.match((await viable('connections')).stdout, /raw-client/);
  });

  it('tree', async () => {
    const tree = await json<SupervisionNode>('tree');
    const all = flatten(tree);
    assert.equal(new Set(all.map((node) => node.path)).size, all.length, 'paths are unique');
    assert.ok(all.every((node) => node.children.length <= node.childCount));
    const paths = new Set(all.map((node) => node.path));
    for (const path of fixedPaths(TREE)) assert.ok(paths.has(path), path);
    assert.ok(all.some((node) => node.id === 'upstream:good'));
    assert.match((await viable('tree')).stdout, /upstream:good/);
  });

  it('logs', async () => {
    const run = await viable('--json', 'logs', '--lines', '10000');
    assert.equal(run.code, 0, run.stderr);
    const text = run.stdout.trim();
    const lines = (
      text.startsWith('[') ? JSON.parse(text) : text.split('\n').map((line) => JSON.parse(line) as unknown)
    ) as LogLine[];
    assert.ok(lines.some((line) => line.event === 'ready'));
    assert.equal((await viable('logs')).code, 0);
  });

  it('send: lists what actors take, delivers, checks arguments', async () => {
    const actors = await json<AdminActor[]>('send', '--list');
    const drain = actors.find((actor) => actor.path === '/drain/gateway');
    assert.deepEqual(drain?.messages.map((message) => message.name).sort(), ['begin', 'cancel', 'force']);
    assert.equal(await json<number>('send', '/front/session-registry', 'count'), peers.length);
    assert.equal(await json<number>('send', 'session-registry', 'count'), peers.length, 'by id');
    const unknown = await viable('send', '/front/session-registry', 'cuont');
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /\bcount\b/);
    const wrong = await viable('send', '/drain', 'begin', 'timeoutMs=soon');
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /timeoutMs/);
    assert.equal((await gateway.status()).phase, 'running');
  });

  it('names what is near for an actor that does not exist', async () => {
    const run = await viable('kill', '/operations/catalog');
    assert.notEqual(run.code, 0);
    assert.match(run.stderr, /catalogue/);
  });

  it('writes no escape sequences when it is not on a terminal', async () => {
    for (const command of ['status', 'tree', 'upstreams', 'connections', 'logs']) {
      assert.ok(!(await viable(command)).stdout.includes('\u001b'), command);
    }
  });

  it('explains when no gateway listens', async () => {
    const run = await runNode(CLI, ['--socket', `${gateway.socketPath}.nobody`, 'status']);
    assert.notEqual(run.code, 0);
    assert.match(run.stderr, /\.nobody/);
    assert.doesNotMatch(run.stderr, /\n\s+at /, 'no stack trace');
  });

  it('refuses an unknown subcommand, with the nearest one', async () => {
    const run = await viable('upsteams');
    assert.notEqual(run.code, 0);
    assert.match(run.stderr, /upstreams/);
  });

  describe('kill', () => {
    it('a connection: it alone is closed, and the client may come back', async () => {
      const victim = await WebSocketPeer.open(gateway.url);
      const before = await gateway.admin<ConnectionSnapshot[]>('connections');
      const newest = before.filter((c) => c.transport === 'websocket').sort((a, b) => b.openedAt - a.openedAt)[0]!;
      assert.deepEqual(await json('kill', newest.actor), { killed: newest.actor });
      const code = await within(victim.closed, 'the close');
      assert.ok(code >= 1000);
      for (const peer of peers) await echo(peer);
      const again = await WebSocketPeer.open(gateway.url);
      await echo(again);
      await again.close();
    });

    it('a session: it is unknown afterwards, a new one works', async () => {
      const session = await HttpSession.open(gateway.url);
      const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
      const own = connections.find((connection) => connection.sessionId === session.id);
      assert.ok(own);
      await json('kill', own.actor);
      await eventually(async () =>
        assert.equal((await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status, 404),
      );
      const next = await HttpSession.open(gateway.url);
      assert.equal((await next.request('ping')).error, undefined);
      await next.end();
    });

    it('a session with a call in flight: the call is answered with an error', async () => {
      for (const { name, open } of RAW_PEERS) {
        const known = new Set((await gateway.admin<ConnectionSnapshot[]>('connections')).map(({ actor }) => actor));
        const peer = await open(gateway.url);
        const gate = randomUUID();
        const call = peer.request('tools/call', { name: 'good__slow', arguments: { gate } });
        await hub.waitFor('good', 'held', (event) => event['gate'] === gate);
        const connections = await gateway.admin<ConnectionSnapshot[]>('connections');
        const own = connections.find(({ actor }) => !known.has(actor));
        assert.ok(own);
        await gateway.admin('kill', { actor: own.actor });
        assert.ok((await call).error, name);
        await hub.waitFor('good', 'cancelled', (event) => event['gate'] === gate);
      }
    });

    it('a listener: it is restarted on the same address and leaves connections alone', async () => {
      const listener = await find((node) => node.kind === 'actor' && /listener/.test(node.path));
      const websocket = peers[2] as WebSocketPeer;
      const sse = peers[1]!;
      await json('kill', listener.path);
      await eventually(async () => {
        const now = await find((node) => node.path === listener.path);
        assert.ok(now.state === 'running' && now.incarnation > listener.incarnation);
      });
      await echo(websocket);
      await echo(sse);
      const fresh = await eventually(async () => await WebSocketPeer.open(gateway.url));
      await echo(fresh);
      await fresh.close();
      await echo(peers[0]!);
    });

    it('the catalogue: lists and calls recover', async () => {
      const catalogue = await find((node) => node.kind === 'actor' && node.id === 'catalogue');
      await json('kill', catalogue.path);
      await eventually(async () => {
        const now = await find((node) => node.path === catalogue.path);
        assert.ok(now.state === 'running' && now.restarts > catalogue.restarts && now.lastFault !== null);
      });
      await gateway.waitForTools(['good__echo', 'other__echo']);
      for (const peer of peers) await echo(peer);
    });

    it('an upstream: a new process takes over, the other is left alone', async () => {
      const [good, other] = [await gateway.upstream('good'), await gateway.upstream('other')];
      const node = await find((candidate) => candidate.id === 'upstream:good');
      await json('kill', node.path);
      await eventually(async () => {
        const now = await gateway.upstream('good');
        assert.ok(now.state === 'ready' && now.pid !== null && now.pid !== good.pid);
      });
      await eventually(() => assert.ok(!isAlive(good.pid!)), { what: 'the old process gone' });
      await eventually(async () => await echo(peers[0]!));
      assert.equal((await gateway.upstream('other')).pid, other.pid);
      await echo(peers[0]!, 'other');
    });

    it('every other actor, one after the other: the gateway recovers each time', async () => {
      // Actors that hold a client's connection end with it by design; all others must come back.
      const targets = (await nodes()).filter(
        (node) => node.kind === 'actor' && node.restart === 'permanent' && !node.path.includes('upstream:missing'),
      );
      assert.ok(targets.length > 3);
      for (const { path: target } of targets) {
        const before = (await nodes()).find((node) => node.path === target);
        if (before === undefined) continue;
        await gateway.admin('kill', { actor: target }).catch((error: unknown) => {
          // Killing the admin endpoint cuts its own answer.
          if (!/closed|within/.test(String(error))) throw error;
        });
        await eventually(
          async () => {
            const peer = await WebSocketPeer.open(gateway.url);
            try {
              await echo(peer, 'good');
              await echo(peer, 'other');
            } finally {
              await peer.close();
            }
            const now = await find((node) => node.path === target);
            assert.equal(now.state, 'running');
          },
          { what: `recovery from the end of ${target}` },
        );
      }
      assert.ok(isAlive(gateway.pid));
    }).timeout(120_000);
  });
});
