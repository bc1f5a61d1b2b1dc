/**
 * The benchmark's programs as programs: what is measured must be right before it is fast, and none may outlive a run.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

type Event = Record<string, unknown> & { event?: string };

const children: ChildProcess[] = [];

function program(name: string): string {
  return fileURLToPath(new URL(`../../../bench/${name}.js`, import.meta.url));
}

function start(name: string, args: string[] = []): ChildProcess {
  const child = spawn(process.execPath, [program(name), ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

/** Resolves with the first JSON line of that event. */
async function eventOf(child: ChildProcess, event: string): Promise<Event> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const seen = JSON.parse(line) as Event;
    if (seen.event === event) return seen;
  }
  throw new Error(`no "${event}"`);
}

async function urlOf(child: ChildProcess): Promise<string> {
  return String((await eventOf(child, 'ready'))['url']);
}

async function load(args: string[]): Promise<Event> {
  return eventOf(start('load', ['--warmup', '0', '--count', '200', '-c', '4', ...args]), 'done');
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** An MCP server that answers every call with what `text` makes of its message, as an event stream in two pieces. */
function oddServer(text: (message: string) => string): Server {
  return createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const message = JSON.parse(body || '{}') as { id?: number; params?: { arguments?: { message: string } } };
      if (message.id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const result = { content: [{ type: 'text', text: text(message.params?.arguments?.message ?? '') }] };
      const notification = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: {} });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${notification}\n\nevent: message\nda`);
      setImmediate(() => response.end(`ta: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n\n`));
    });
  });
}

describe('bench programs', () => {
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  });

  it('calls through each yardstick come back right', async () => {
    const upstream = await urlOf(start('upstream'));
    const proxy = await urlOf(start('node-proxy', ['--upstream', upstream]));
    const mcp = await urlOf(start('node-mcp', ['--upstream', upstream]));
    const stdio = await urlOf(start('node-mcp', ['--', process.execPath, program('upstream-stdio')]));
    for (const args of [
      ['--url', upstream],
      ['--url', proxy],
      ['--url', mcp],
      ['--url', stdio],
      ['--transport', 'ws', '--url', `${mcp.replace('http', 'ws')}/ws`],
      ['--transport', 'ws', '--url', `${stdio.replace('http', 'ws')}/ws`],
    ]) {
      const done = await load(args);
      assert.equal(done['errors'], 0, `${args.join(' ')}: ${JSON.stringify(done['problems'])}`);
      assert.ok(Number(done['calls']) >= 200);
    }
  });

  it('node-mcp keeps its own session ids and refuses unknown ones', async () => {
    const upstream = await urlOf(start('upstream'));
    const mcp = await urlOf(start('node-mcp', ['--upstream', upstream]));
    const post = (url: string, body: object, session?: string): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(session ? { 'mcp-session-id': session } : {}) },
        body: JSON.stringify(body),
      });
    const opened = await post(mcp, { jsonrpc: '2.0', id: 'a', method: 'initialize', params: {} });
    const session = opened.headers.get('mcp-session-id') ?? '';
    assert.equal(((await opened.json()) as { id: unknown }).id, 'a');
    const ping = { jsonrpc: '2.0', id: 'b', method: 'ping' };
    assert.deepEqual(await (await post(mcp, ping, session)).json(), { jsonrpc: '2.0', id: 'b', result: {} });
    assert.equal((await post(upstream, ping, session)).status, 404);
    assert.equal((await post(mcp, ping, 'unknown')).status, 404);
    assert.equal((await post(mcp, ping)).status, 400);
  });

  it('load reads answers from event streams', async () => {
    const server = oddServer((message) => message);
    const done = await load(['--url', await listening(server)]);
    server.close();
    assert.equal(done['errors'], 0, JSON.stringify(done['problems']));
  });

  it("load counts another call's answer as an error", async () => {
    const server = oddServer((message) => (message.endsWith('-3') ? 'stale' : message));
    const done = await load(['--url', await listening(server)]);
    server.close();
    assert.equal(done['errors'], 4);
    assert.deepEqual(done['problems'], ["another call's text: stale"]);
  });

  it('load measures the CPU and memory of another process', async () => {
    const child = start('upstream');
    const done = await load(['--url', await urlOf(child), '--count', '3000', '--pid', String(child.pid)]);
    const [cost] = done['processes'] as { pid: number; cpuUsPerCall: number; rssMb: number }[];

    assert.ok(cost !== undefined && cost.cpuUsPerCall > 0);
    assert.equal(cost.pid, child.pid);
    assert.ok(cost.rssMb > 10);
  });

  for (const kind of ['ws', 'stream', 'session']) {
    it(`holder holds ${kind} connections and lets go`, async () => {
      const mcp = await urlOf(start('node-mcp', ['--', process.execPath, program('upstream-stdio')]));
      const holder = start('holder', ['--kind', kind, '--url', mcp, '--ws-url', `${mcp.replace('http', 'ws')}/ws`]);
      await once(holder, 'spawn');
      holder.send({ hold: 40 });
      await eventOf(holder, 'held-40');
      const exited = once(holder, 'exit');
      holder.disconnect();
      assert.deepEqual(await exited, [0, null]);
    });
  }

  it('servers leave when their parent is gone', async () => {
    const upstream = start('upstream');
    const url = await urlOf(upstream);
    const behind = [start('node-proxy', ['--upstream', url]), start('node-mcp', ['--upstream', url])];
    for (const child of behind) await urlOf(child);
    for (const child of [...behind, upstream]) {
      const exited = once(child, 'exit');
      child.disconnect();
      assert.deepEqual(await exited, [0, null]);
    }
  });

  it('a keeper ends its program when the parent is gone', async () => {
    const keeper = start('keeper', ['--', process.execPath, program('upstream')]);
    const { pid } = await eventOf(keeper, 'spawned');
    assert.doesNotThrow(() => process.kill(Number(pid), 0));
    const exited = once(keeper, 'exit');
    keeper.disconnect();
    await exited;
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
  });
});
