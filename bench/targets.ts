/**
 * What is measured: each target is a running process in front of the echo upstream, and the address a client calls.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programPath, type Children, type Program } from './children.js';
import { waitForTool } from './probe.js';

export type UpstreamKind = 'http' | 'stdio';

export interface Target {
  readonly name: string;
  /** Streamable HTTP endpoint. */
  readonly url: string;
  /** WebSocket endpoint, where the target has one. */
  readonly wsUrl?: string;
  /** HTTP+SSE endpoint, where the target has one. */
  readonly sseUrl?: string;
  readonly tool: string;
  /** The process whose CPU and memory count; none for the direct call. */
  readonly program?: Program;
}

const READY_MS = 20_000;
export const GATEWAY_MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

async function urlOf(program: Program): Promise<string> {
  return String((await program.waitFor('ready', READY_MS))['url']);
}

/** The echo upstream over HTTP, called without anything in front. */
export async function startDirect(children: Children): Promise<Target> {
  return { name: 'direct', url: await urlOf(children.start('upstream', 'upstream', [])), tool: 'echo' };
}

export async function startNodeProxy(children: Children, upstreamUrl: string): Promise<Target> {
  const program = children.start('node-proxy', 'node-proxy', ['--upstream', upstreamUrl]);
  return { name: 'node-proxy', url: await urlOf(program), tool: 'echo', program };
}

/** `upstreamUrl` absent: a stdio child. */
export async function startNodeMcp(children: Children, upstreamUrl?: string): Promise<Target> {
  const behind =
    upstreamUrl === undefined ? ['--', process.execPath, programPath('upstream-stdio')] : ['--upstream', upstreamUrl];
  const program = children.start('node-mcp', 'node-mcp', behind);
  const url = await urlOf(program);
  return { name: 'node-mcp', url, wsUrl: `${url.replace('http', 'ws')}/ws`, tool: 'echo', program };
}

/** Of all kinds together; the benchmark looks at what they cost, not at how many are let in. */
const MAX_SESSIONS = 1_000_000;

/** Whether the product has been built. */
export function gatewayIsBuilt(): boolean {
  return existsSync(GATEWAY_MAIN);
}

/** The gateway as a user starts it, with one upstream named `bench`; the environment's own settings are left out. */
export async function startGateway(children: Children, upstreamUrl?: string): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'viable-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  const bench =
    upstreamUrl === undefined
      ? { command: process.execPath, args: [programPath('upstream-stdio')] }
      : { type: 'http', url: upstreamUrl };
  // More are held than the default allows.
  const gateway = { sessions: { max: MAX_SESSIONS } };
  writeFileSync(config, JSON.stringify({ mcpServers: { bench }, gateway }));
  const args = ['--config', config, '--port', '0', '--no-dashboard', '--log-level', 'warn'];
  args.push('--admin-socket', join(folder, 'admin.sock'));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith('VIABLE_') && !key.startsWith('JWT_')),
  );
  const program = children.keep('gateway', [GATEWAY_MAIN, ...args], env);
  const { origin } = new URL(await urlOf(program));
  const url = `${origin}/mcp`;
  await waitForTool(url, 'bench__echo', READY_MS);
  return {
    name: 'gateway',
    url,
    wsUrl: `${url.replace('http', 'ws')}/ws`,
    sseUrl: `${url}/sse`,
    tool: 'bench__echo',
    program,
  };
}

interface Peer {
  readonly name: string;
  readonly bin: string;
  args(port: number): string[];
  readonly path: string;
}

/** MCP gateways from npm, in the mode in which they are fastest and keep sessions. Both take a stdio upstream only. */
const PEERS: readonly Peer[] = [
  {
    name: 'mcp-proxy',
    bin: 'mcp-proxy',
    args: (port) => ['--host', '127.0.0.1', '--port', `${port}`, '--server', 'stream', '--no-eventStore', '--'],
    path: '/mcp',
  },
  {
    name: 'supergateway',
    bin: 'supergateway',
    args: (port) => [
      '--outputTransport',
      'streamableHttp',
      '--stateful',
      '--port',
      `${port}`,
      '--logLevel',
      'none',
      '--stdio',
    ],
    path: '/mcp',
  },
];

/** A port that was free a moment ago; the peers cannot say which one they picked. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function peerMain(peer: Peer): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`${peer.name}/package.json`);
    const { bin } = require(manifest) as { bin: string | Record<string, string> };
    const file = typeof bin === 'string' ? bin : bin[peer.bin];
    return file === undefined ? undefined : join(manifest, '..', file);
  } catch {
    return undefined;
  }
}

export const PEER_NAMES: readonly string[] = PEERS.map((peer) => peer.name);

/** A peer with the stdio upstream behind it; `undefined` when it is not installed. */
export async function startPeer(children: Children, name: string): Promise<Target | undefined> {
  const peer = PEERS.find((candidate) => candidate.name === name);
  const main = peer === undefined ? undefined : peerMain(peer);
  if (peer === undefined || main === undefined) return undefined;
  const port = await freePort();
  const command = [process.execPath, programPath('upstream-stdio')];
  const tail = peer.name === 'supergateway' ? [command.join(' ')] : command;
  const program = children.keep(name, [main, ...peer.args(port), ...tail]);
  const url = `http://127.0.0.1:${port}${peer.path}`;
  await program.waitFor('spawned', READY_MS);
  await waitForTool(url, 'echo', READY_MS);
  return { name, url, tool: 'echo', program };
}
