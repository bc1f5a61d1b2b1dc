/** The tree that runs against the constant that says what it is. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { Gateway } from '#src/gateway.js';
import { type ActorInit, type NodeSnapshot } from '#src/kernel/index.js';
import { buildSupervisor, restartBackoff } from '#src/supervisors/build.js';
import { renderSupervisionPage } from '#src/supervisors/supervision-doc.js';
import { TREE, type TreeNode } from '#src/supervisors/tree.js';
import { createLog } from '#src/telemetry/logger.js';
import { configOf } from '../../support/actors/world.js';
import { eventually } from '../../support/eventually.js';
import { FixtureHub } from '../../support/hub.js';
import { HttpSession, SseStream } from '../../support/raw-http.js';

/** Ids as a pattern: `<name>` stands for anything. */
function fits(template: string, id: string): boolean {
  const at = template.indexOf('<');
  return at < 0 ? template === id : id.startsWith(template.slice(0, at));
}

function check(node: TreeNode, running: NodeSnapshot, seen: Set<string>): void {
  seen.add(node.id);
  assert.ok(fits(node.id, running.id), `${running.path} is no ${node.id}`);
  assert.equal(running.restart, node.restart, running.path);
  assert.equal(running.kind, node.type === 'actor' ? 'actor' : 'supervisor', running.path);
  assert.equal(running.state, 'running', running.path);
  if (node.type === 'actor') return assert.deepEqual(running.children, []);
  assert.equal(running.strategy, node.type === 'supervisor' ? node.strategy : node.type, running.path);
  if (node.type === 'supervisor') {
    const expected = node.children.filter((child) => !(child.type === 'actor' && child.optional));
    assert.deepEqual(running.children.map((child) => child.id).length, expected.length, running.path);
    return expected.forEach((child, i) => check(child, running.children[i] as NodeSnapshot, seen));
  }
  // A partition is a supervisor of its own between the template and its parent.
  const children =
    node.type === 'dynamic' ? running.children : running.children.flatMap((partition) => partition.children);
  for (const child of children) {
    const template = node.children.find((candidate) => fits(candidate.id, child.id));
    assert.ok(template, `${child.path} stands in no template`);
    check(template, child, seen);
  }
}

function ids(node: TreeNode): string[] {
  return [node.id, ...(node.type === 'actor' ? [] : node.children.flatMap(ids))];
}

/** What a setting, a terminal or an operator asks for, or a modern client that can be asked; other tests see them run. */
const ELSEWHERE: ReadonlySet<string> = new Set(['audit-log', 'dashboard', 'bridge-<n>', '<target>']);

describe('supervision tree', () => {
  it('that runs is the constant', async () => {
    const hub = await FixtureHub.start();
    const directory = await mkdtemp(path.join(tmpdir(), 'viable-tree-'));
    const log = createLog('error', false);
    log.setQuiet(true);
    const config = configOf({
      mcpServers: {
        one: hub.stdio('sdk-server', 'one'),
        two: { ...hub.stdio('sdk-server', 'two'), viable: { sharing: 'session', pool: { shared: 2, warm: 1 } } },
      },
      gateway: { listen: { port: 0 }, admin: { socket: path.join(directory, 'admin.sock') } },
    });
    const gateway = new Gateway({ config, log });
    await gateway.start();
    try {
      const base = gateway.url.replace(/\/mcp$/, '');
      await HttpSession.open(base);
      const stream = await SseStream.open(`${base}/mcp/sse`);
      const socketBase = `${base.replace('http', 'ws')}/mcp/ws`;
      const sockets = [
        new WebSocket(socketBase, ['mcp']),
        new WebSocket(`${socketBase}/websocket?vsn=2.0.0`),
        new WebSocket(`${base.replace('http', 'ws')}/mcp/dashboard/feed`),
      ];
      for (const socket of sockets)
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      await eventually(
        () => {
          const seen = new Set<string>();
          check(TREE, gateway.getDashboardMetrics().tree, seen);
          const missing = ids(TREE).filter((id) => !seen.has(id) && !ELSEWHERE.has(id));
          assert.deepEqual(missing, []);
          const { upstreams } = gateway.getDashboardMetrics();
          assert.deepEqual(
            upstreams.map(({ name, state }) => [name, state]),
            [
              ['one', 'ready'],
              ['two', 'ready'],
            ],
          );
          return seen;
        },
        { what: 'the whole tree' },
      );
      for (const socket of sockets) socket.terminate();
      stream.close();
    } finally {
      assert.equal(await gateway.gracefulShutdown({ timeout: 0 }), 'completed');
      await hub.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('is on its page, node by node', () => {
    const page = renderSupervisionPage();
    const visit = (node: TreeNode, at: string): void => {
      assert.ok(page.includes(`| \`${at === '' ? '/' : at}\` |`), at);
      assert.ok(page.includes(node.role), node.role);
      if (node.type !== 'actor') for (const child of node.children) visit(child, `${at}/${child.id}`);
    };
    visit(TREE, '');
    assert.equal(page.match(/^ {2}n\d+ --> n\d+$/gm)?.length, ids(TREE).length - 1);
  });

  it('is not built when nobody says how an actor starts, unless it is optional', () => {
    const inits = new Map<string, ActorInit<never>>();
    const actors = (node: TreeNode, at: string): string[] =>
      node.type === 'actor'
        ? [at]
        : node.type === 'supervisor'
          ? node.children.flatMap((c) => actors(c, `${at}/${c.id}`))
          : [];
    const paths = actors(TREE, '');
    for (const at of paths) inits.set(at, () => ({ handle: () => undefined }));
    for (const at of paths) {
      const without = new Map([...inits].filter(([key]) => key !== at));
      if (at === '/consoles/dashboard' || at === '/vitals/audit-log')
        assert.equal(buildSupervisor(TREE, without).id, 'root');
      else assert.throws(() => buildSupervisor(TREE, without), new RegExp(`nobody said how ${at} starts`));
    }
  });

  it('restarts its branches after a delay that grows from nothing to thirty seconds', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 20].map(restartBackoff), [0, 0, 250, 500, 1_000, 30_000]);
  });
});
