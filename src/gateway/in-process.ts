/**
 * A gateway for one stdio client, in the client's own process: on a free loopback port, with an admin socket that
 * consoles find only by name, so that no other process takes it for the gateway of this machine.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { demoConfig, loadConfig, renderProblems } from '../config/index.js';
import { Gateway } from '../gateway.js';

/** Clients list once, at the start: how long they wait for servers that take their time to start. */
const MAX_WAIT_MS = 5_000;
const LOOK_MS = 25;

/** Rejects with every mistake in the configuration, in words. `file` absent: the demo servers. */
export async function startInProcess(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const adminSocket = join(env['XDG_RUNTIME_DIR'] ?? tmpdir(), `viable-stdio-${process.pid}.sock`);
  const overrides = { host: '127.0.0.1', port: 0, dashboard: false, adminSocket, authMode: 'off' } as const;
  const loaded = file === undefined ? await demoConfig({ env, overrides }) : await loadConfig({ file, env, overrides });
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems, file ?? null));
  const gateway = new Gateway({ config: loaded.config });
  await gateway.start();
  await settled(gateway, loaded.config.servers.size);
  return { url: gateway.url, stop: () => gateway.forceShutdown() };
}

/** Resolves when each server is up, or has shown that it does not come up soon. */
async function settled(gateway: Gateway, servers: number): Promise<void> {
  for (let waited = 0; waited < MAX_WAIT_MS; waited += LOOK_MS) {
    const { upstreams } = gateway.getDashboardMetrics();
    const starting = upstreams.filter(({ state }) => state === 'connecting' || state === 'initializing');
    if (starting.length === 0 && upstreams.length === servers) return;
    await delay(LOOK_MS);
  }
}
