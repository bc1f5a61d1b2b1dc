/**
 * The gateway as a black box: `node dist/main.js` as a child process, seen through its URL, logs and admin socket.
 *
 * Every gateway that a test starts is stopped with it; a root hook fails the run when any process is left over.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AdminMethod, type GatewaySnapshot, type UpstreamSnapshot } from '#src/admin/protocol.js';
import { AdminConnection } from './admin.js';
import { EventLog } from './event-log.js';
import { eventually, within } from './eventually.js';
import { livingFixtures } from './hub.js';
import { onLines } from './lines.js';
import { isAlive, signalIfAlive } from './processes.js';
import { HttpSession } from './raw-http.js';

export const ROOT = path.join(import.meta.dirname, '../../..');
export const MAIN = path.join(ROOT, 'dist/main.js');

export interface GatewayOptions {
  /** Written to a temporary file, which `reconfigure` replaces. */
  readonly config?: object;
  /** A file of its own. With neither this nor `config` the gateway starts without `--config`. */
  readonly configFile?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** By `npm start`, without building, in a process group of its own: that is npm's, and the gateway's `pid` is npm's. */
  readonly npm?: true;
}

/** One JSON line of the gateway's stderr. */
export interface LogRecord {
  readonly event?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<Gateway>();

export class Gateway {
  readonly logs = new EventLog<LogRecord>();
  /** Lines of stderr that were no JSON. The gateway must not write any. */
  readonly noise: string[] = [];
  /** Lines of stdout, which is nobody's. */
  readonly stdout: string[] = [];
  readonly exited: Promise<Exit>;
  readonly pid: number;
  url = '';
  readonly #child: ChildProcess;
  readonly #directory: string;

  constructor(child: ChildProcess, pid: number, directory: string) {
    this.#child = child;
    this.#directory = directory;
    this.pid = pid;
    if (child.stdout !== null) onLines(child.stdout, (line) => this.stdout.push(line));
    if (child.stderr !== null) onLines(child.stderr, (line) => this.#record(line));
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(this);
        this.logs.end(new Error(`the gateway exited (code ${code}, signal ${signal})\n${this.tail()}`));
        resolve({ code, signal });
      });
    });
    running.add(this);
  }

  get socketPath(): string {
    return path.join(this.#directory, 'admin.sock');
  }

  get configFile(): string {
    return path.join(this.#directory, 'gateway.json');
  }

  /** `host:port` of the listener. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** The last lines of the log, for messages of failing tests. */
  tail(lines = 30): string {
    return [...this.noise.slice(-lines), ...this.logs.items.slice(-lines).map((line) => JSON.stringify(line))].join(
      '\n',
    );
  }

  async waitForLog(matches: (line: LogRecord) => boolean, what = 'log line', from = 0): Promise<LogRecord> {
    return await this.logs.waitFor(matches, what, from);
  }

  /** Until a client sees all these tools (aggregated names), over every page. */
  async waitForTools(names: readonly string[], route = '/mcp'): Promise<void> {
    const session = await HttpSession.open(this.url, { route });
    try {
      await eventually(
        async () => {
          const listed = new Set((await session.listAll('tools/list', 'tools')).map((tool) => tool['name']));
          const missing = names.filter((name) => !listed.has(name));
          if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
        },
        { what: 'tools listed' },
      );
    } finally {
      await session.end();
    }
  }

  /** One admin request, on a connection of its own. Rejects with the admin error. */
  async admin<T>(method: AdminMethod, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const connection = await AdminConnection.open(this.socketPath);
    try {
      return (await connection.request(method, params)) as T;
    } finally {
      connection.close();
    }
  }

  async status(): Promise<GatewaySnapshot> {
    return await this.admin<GatewaySnapshot>('status');
  }

  async upstream(name: string): Promise<UpstreamSnapshot> {
    const upstreams = await this.admin<UpstreamSnapshot[]>('upstreams');
    const found = upstreams.find((upstream) => upstream.name === name);
    if (found === undefined) throw new Error(`no upstream ${name} among ${upstreams.map((u) => u.name).join(', ')}`);
    return found;
  }

  /** Until the snapshot of an upstream satisfies `matches`. */
  async waitForUpstream(
    name: string,
    matches: (upstream: UpstreamSnapshot) => boolean,
    what: string,
    deadline?: number,
  ): Promise<UpstreamSnapshot> {
    return await eventually(
      async () => {
        const upstream = await this.upstream(name);
        if (!matches(upstream)) throw new Error(JSON.stringify(upstream));
        return upstream;
      },
      { what: `upstream ${name} ${what}`, ...(deadline === undefined ? {} : { deadline }) },
    );
  }

  /** Replaces the configuration file in one step, as editors and configuration management do. */
  async reconfigure(config: object | string): Promise<void> {
    const next = `${this.configFile}.next`;
    await writeFile(next, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
    await rename(next, this.configFile);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, then SIGKILL if that does not end it. Idempotent. */
  async stop(): Promise<Exit> {
    this.kill('SIGTERM');
    try {
      return await within(this.exited, 'exit after SIGTERM');
    } catch (error) {
      // With `npm` the group is the gateway's, too; otherwise there is none.
      signalIfAlive(-this.pid, 'SIGKILL');
      this.kill('SIGKILL');
      await this.exited;
      throw error;
    } finally {
      await rm(this.#directory, { recursive: true, force: true });
    }
  }

  async ready(): Promise<void> {
    const line = await this.waitForLog((record) => record.event === 'ready', 'the ready line', 0);
    if (typeof line['url'] !== 'string') throw new Error(`the ready line has no url: ${JSON.stringify(line)}`);
    this.url = line['url'].replace(/\/(mcp)?$/, '');
  }

  #record(line: string): void {
    try {
      this.logs.push(JSON.parse(line) as LogRecord);
    } catch {
      this.noise.push(line);
    }
  }
}

/** The environment of gateways under test: the runner's, without what would configure a gateway. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VIABLE_|OTEL_|NODE_OPTIONS$|NODE_V8_COVERAGE$|JWT_SECRET$)/.test(name),
  );
  return { ...Object.fromEntries(own), ...extra };
}

/** Starts a gateway on a free port and resolves once it is ready (upstreams may still be on their way). */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const directory = await mkdtemp(path.join(tmpdir(), 'viable-e2e-'));
  const file = options.configFile ?? (options.config === undefined ? undefined : path.join(directory, 'gateway.json'));
  if (options.config !== undefined && file !== undefined)
    await writeFile(file, JSON.stringify(options.config, null, 2));
  const args = [
    ...(options.npm ? ['start', '--silent', '--ignore-scripts', '--'] : [MAIN]),
    ...(file === undefined ? [] : ['--config', file]),
    ...['--port', '0', '--no-dashboard', '--admin-socket', path.join(directory, 'admin.sock')],
    ...(options.args ?? []),
  ];
  const child = spawn(options.npm ? 'npm' : process.execPath, args, {
    cwd: ROOT,
    env: environment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.npm ?? false,
  });
  if (child.pid === undefined) throw new Error('the gateway could not be spawned');
  const gateway = new Gateway(child, child.pid, directory);
  try {
    await gateway.ready();
  } catch (error) {
    await gateway.stop().catch(() => undefined);
    throw error;
  }
  return gateway;
}

export interface Run extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Node script of the product (or a client) to its end. */
export async function runNode(
  script: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly deadline?: number } = {},
): Promise<Run> {
  const env = environment({ PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}` });
  const child = spawn(process.execPath, [script, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  try {
    return { ...(await within(exit, `${path.basename(script)} ${args.join(' ')}`, options.deadline)), ...output };
  } finally {
    child.kill('SIGKILL');
  }
}

afterEach(function () {
  if (this.currentTest?.state !== 'failed') return;
  for (const gateway of running) process.stderr.write(`--- log of gateway ${gateway.pid}\n${gateway.tail()}\n---\n`);
});

after('no process is left over', async () => {
  const gateways = [...running].map((gateway) => gateway.pid);
  for (const pid of gateways) signalIfAlive(pid, 'SIGKILL');
  const fixtures = await eventually(
    () => {
      const left = livingFixtures();
      if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
      return left;
    },
    { what: 'fixtures gone' },
  ).catch(() => livingFixtures());
  for (const pid of fixtures) if (isAlive(pid)) signalIfAlive(pid, 'SIGKILL');
  const left = [...gateways.map((pid) => `gateway ${pid}`), ...fixtures.map((pid) => `fixture ${pid}`)];
  if (left.length > 0) throw new Error(`left over by tests: ${left.join(', ')}`);
});

process.on('exit', () => {
  for (const gateway of running) signalIfAlive(gateway.pid, 'SIGKILL');
});
