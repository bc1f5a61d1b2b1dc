/** The gateway as a child process on a free port, for runs outside of mocha. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type UpstreamSnapshot } from '#src/admin/protocol.js';
import { AdminConnection } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { onLines } from '../support/lines.js';

export const ROOT = path.join(import.meta.dirname, '../../..');

/** How long upstreams may take to be ready, in milliseconds; the suite runs even if they are not. */
const UPSTREAM_DEADLINE = 8_000;
/** Lines of the log that are kept for the message when the gateway does not start. */
const LOG_LINES = 20;

export interface RunningServer {
  /** Without the path of an endpoint, for a gateway. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts a gateway in front of these `mcpServers` and waits for them. */
export async function startGateway(mcpServers: Readonly<Record<string, object>>): Promise<RunningServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'viable-conformance-'));
  const config = path.join(directory, 'gateway.json');
  const socket = path.join(directory, 'admin.sock');
  await writeFile(config, JSON.stringify({ mcpServers }));
  const args = ['--config', config, '--port', '0', '--no-dashboard', '--admin-socket', socket];
  const child = spawn(process.execPath, [path.join(ROOT, 'dist/main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
    await rm(directory, { recursive: true, force: true });
  };
  const log: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    onLines(child.stderr, (line) => {
      log.push(line);
      if (log.length > LOG_LINES) log.shift();
      const record = JSON.parse(line) as { event?: string; url?: string };
      if (record.event === 'ready' && record.url !== undefined) resolve(record.url.replace(/\/(mcp)?$/, ''));
    });
    child.once('close', () => reject(new Error(`the gateway ended:\n${log.join('\n')}`)));
  });
  await settle(socket, Object.keys(mcpServers));
  return { url, stop };
}

/** Until all upstreams are ready, or their time is over. */
async function settle(socket: string, names: readonly string[]): Promise<void> {
  const admin = await AdminConnection.open(socket);
  const check = async (): Promise<void> => {
    const upstreams = (await admin.request('upstreams', {})) as UpstreamSnapshot[];
    const ready = upstreams.filter(({ state }) => state === 'ready').length;
    if (ready < names.length) throw new Error(`${ready} of ${names.length} upstreams are ready`);
  };
  try {
    await eventually(check, { what: 'upstreams ready', deadline: UPSTREAM_DEADLINE });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  } finally {
    admin.close();
  }
}
