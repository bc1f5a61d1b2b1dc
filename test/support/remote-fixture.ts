/** A fixture server that runs on its own, as a remote MCP server would: the gateway connects to it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { type FixtureHub } from './hub.js';

export type RemoteTransport = 'http' | 'sse' | 'ws';

export interface RemoteFixture {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Starts `fixtures/sdk-server.js` (on a free port, unless one is given) and resolves once it listens. It ends with the hub. */
export async function startRemote(
  hub: FixtureHub,
  name: string,
  transport: RemoteTransport,
  port = '0',
): Promise<RemoteFixture> {
  const args = hub.args('sdk-server', name, '--transport', transport, '--port', port);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const { url } = await hub.waitFor(name, 'listening', (event) => event.pid === child.pid);
  return { url: String(url), child };
}
