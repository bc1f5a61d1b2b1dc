/** A gateway whose features are measured, what it needs around it, and the loads that wait for their turn. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminClient, connectAdmin } from '#src/admin/client.js';
import { JwtAuthenticator } from '#src/auth/jwt-authenticator.js';
import { type Children, type Program } from './children.js';
import { type LoadResult, windowEvent, type WindowRequest } from './load-result.js';
import { moveTo } from './own-cpu.js';
import { waitForTool } from './probe.js';
import { GATEWAY_MAIN, startDirect } from './targets.js';

const READY_MS = 20_000;
const WARMUP_SECONDS = 0.1;
/** Beyond the length of a window, for what a busy machine takes. */
const EXTRA_MS = 60_000;

/** A gateway and its loads. */
export interface Bench {
  readonly pid: number;
  readonly cpu: number | null;
  readonly loads: Loads;
  readonly admin: AdminClient;
  /** Writes its configuration anew and has it read. */
  configureTelemetry(enabled: boolean): Promise<void>;
}

/** Loads that wait for their turn, each with its sessions open. */
class Loads {
  readonly #programs = new Map<string, Program>();
  #windows = 0;

  /** Two of them, with 16 clients and with one; `token`: what they show. */
  async start(children: Children, url: string, pid: number, token: string | null): Promise<void> {
    for (const concurrency of [16, 1]) {
      const name = loadName(concurrency, token !== null);
      const args = ['--on-demand', '--url', url, '--tool', 'bench__echo', '-c', String(concurrency)];
      args.push(
        '--warmup',
        String(WARMUP_SECONDS),
        '--pid',
        String(pid),
        ...(token === null ? [] : ['--token', token]),
      );
      const load = children.start(`load of ${name}`, 'load', args);
      await load.waitFor('open', READY_MS);
      this.#programs.set(name, load);
    }
  }

  /** One window of one of them. */
  async run(concurrency: number, withToken: boolean, seconds: number): Promise<LoadResult> {
    const load = this.#programs.get(loadName(concurrency, withToken));
    if (load === undefined) throw new Error(`no load of ${concurrency}`);
    const request: WindowRequest = { window: (this.#windows += 1), seconds };
    load.tell({ ...request });
    return (await load.waitFor(windowEvent(request.window), 1_000 * seconds + EXTRA_MS)) as unknown as LoadResult;
  }
}

function loadName(concurrency: number, withToken: boolean): string {
  return `${concurrency}${withToken ? ' with a token' : ''}`;
}

/** One window; of a single client's only a median is wanted, for which thousands of calls are enough. */
export function window(
  { loads }: Bench,
  concurrency: number,
  withToken: boolean,
  seconds: number,
): Promise<LoadResult> {
  return loads.run(concurrency, withToken, concurrency === 1 ? Math.min(seconds / 2, 0.5) : seconds);
}

/** `free`: a CPU that nothing else runs on. */
export async function startBench(children: Children, collector: Server, free: number | null): Promise<Bench> {
  const direct = await startDirect(children);
  const folder = mkdtempSync(join(tmpdir(), 'viable-overhead-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const secret = randomBytes(48).toString('base64url');
  const plenty = 1_000_000;
  const configWith = (enabled: boolean): object => ({
    mcpServers: { bench: { type: 'http', url: direct.url } },
    gateway: {
      auth: { mode: 'optional', secrets: [{ kid: 'bench', secret }] },
      limits: { roles: { admin: plenty, premium: plenty, user: plenty, guest: plenty } },
      audit: { path: join(folder, 'audit.jsonl') },
      telemetry: { enabled, endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` },
    },
  });
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(configWith(false)));
  const socket = join(folder, 'admin.sock');
  const args = ['--config', file, '--port', '0', '--no-dashboard', '--log-level', 'warn'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(VIABLE_|JWT_|OTEL_)/.test(key)));
  const program: Program = children.keep('gateway', [GATEWAY_MAIN, ...args, '--admin-socket', socket], {
    ...env,
    OTEL_METRICS_EXPORTER: 'none',
  });
  const ready = await program.waitFor('ready', READY_MS);
  const url = `${new URL(String(ready['url'])).origin}/mcp`;
  await waitForTool(url, 'bench__echo', READY_MS);
  const admin = await connectAdmin(socket);
  for (const name of ['audit', 'vsm', 'draining']) await admin.request('features', { action: 'disable', name });
  const token = await new JwtAuthenticator({ secrets: [{ kid: 'bench', secret }] }).generateToken('bench', {
    role: 'admin',
  });
  const loads = new Loads();
  for (const shown of [null, token]) await loads.start(children, url, program.pid, shown);
  const cpu = free !== null && moveTo(free, program.pid) ? free : null;
  const configureTelemetry = async (enabled: boolean): Promise<void> => {
    writeFileSync(file, JSON.stringify(configWith(enabled)));
    await admin.request('send', { actor: 'configuration', message: 'reload' });
  };
  return { pid: program.pid, cpu, loads, admin, configureTelemetry };
}

/** Takes whatever is sent, as a collector nearby would. */
export async function startCollector(): Promise<Server> {
  const server = createServer((req, res) => {
    req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
