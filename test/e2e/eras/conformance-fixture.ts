/** The conformance fixtures as upstreams: started by the gateway (stdio), or on their own (Streamable HTTP). */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type ClientEra } from '../../support/clients.js';
import { within } from '../../support/eventually.js';
import { onLines } from '../../support/lines.js';

const script = (era: ClientEra): string => path.join(import.meta.dirname, `../../fixtures/conformance/${era}.js`);

/** An entry of `mcpServers`. */
export const stdioFixture = (era: ClientEra): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [script(era), '--transport', 'stdio'],
});

export interface HttpFixture {
  readonly url: string;
  stop(): Promise<void>;
}

export async function httpFixture(era: ClientEra, port = 0): Promise<HttpFixture> {
  const child: ChildProcess = spawn(process.execPath, [script(era), '--transport', 'http', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const first = new Promise<string>((resolve) => {
    if (child.stdout !== null) onLines(child.stdout, resolve);
  });
  const { url } = JSON.parse(await within(first, `fixture ${era}`)) as { url: string };
  const gone = once(child, 'exit');
  return {
    url,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
