/**
 * The processes of one chaos scenario: a gateway with real limits, upstreams, load. Everything is ended with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GatewaySnapshot } from '#src/admin/protocol.js';
import { type ProcessEvent, Program } from '../bench/children.js';
import { waitForTool } from '../bench/probe.js';
import { rssKb } from '../bench/proc.js';
import { AdminConnection } from '../test/support/admin.js';
import { type Answered, type Entry, Journal, JournalTail, now, readJournal } from './journal.js';

export type UpstreamTransport = 'stdio' | 'http' | 'sse' | 'ws';

/** Where the product is: its own build, or a mutant of it. */
export const PRODUCT = fileURLToPath(new URL('../../dist', import.meta.url));
const WAIT_MS = 20_000;
/** A snapshot of thousands of connections is work for the gateway. */
const LOOK_MS = 50;
const PATIENCE_MS = 15_000;

function programPath(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(VIABLE_|JWT_|OTEL_|NODE_OPTIONS$)/.test(key)),
  );
}

/** An upstream over the network, started again on its port when it was killed. */
export class NetworkUpstream {
  readonly #world: World;
  readonly #args: readonly string[];
  #program: Program | null = null;
  port = 0;

  constructor(world: World, args: readonly string[]) {
    this.#world = world;
    this.#args = args;
  }

  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  async start(): Promise<void> {
    const args = [...this.#args, '--port', String(this.port)];
    this.#program = this.#world.program('upstream', 'upstream', args);
    this.port = Number((await this.#program.waitFor('ready', WAIT_MS))['port']);
  }

  /** SIGKILL, and another process on the same port as soon as this one is gone. Returns the pid that was killed. */
  async kill(): Promise<number> {
    const { pid } = this;
    const gone = this.#world.exited(pid);
    process.kill(pid, 'SIGKILL');
    await gone;
    await this.start();
    return pid;
  }
}

export interface GatewayStart {
  readonly servers: Readonly<Record<string, unknown>>;
  readonly gateway?: Readonly<Record<string, unknown>>;
  /** Options of Node before the file, or a shell line before it all (`ulimit -n 200`). */
  readonly limit?: string;
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'viable-chaos-'));
  readonly upstreamJournal = join(this.folder, 'upstreams.ndjson');
  readonly #faults = new Journal(join(this.folder, 'faults.ndjson'));
  readonly #product: string;
  readonly #children = new Map<number, ChildProcess>();
  readonly #programs: Program[] = [];
  readonly #journals: string[] = [];
  readonly #tails: JournalTail[] = [];
  readonly #memory: [number, number][] = [];
  #loads: Program[] = [];
  #gateway: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #sampler: NodeJS.Timeout | undefined;
  base = '';
  /** How long clients wait for an answer that does not come. Milliseconds. */
  readonly patience: number;

  constructor(product: string, patience = PATIENCE_MS) {
    this.#product = product;
    this.patience = patience;
    new Journal(this.upstreamJournal);
  }

  /** Starts one of this folder's programs. */
  program(label: string, name: string, args: readonly string[]): Program {
    const child = spawn(process.execPath, [programPath(name), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment(),
    });
    this.#children.set(child.pid ?? 0, child);
    const program = new Program(label, child);
    this.#programs.push(program);
    return program;
  }

  async exited(pid: number): Promise<void> {
    const child = this.#children.get(pid);
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  /** The entry of `mcpServers` for a stdio upstream of this run. */
  stdio(...extra: readonly string[]): unknown {
    const args = [programPath('upstream'), '--journal', this.upstreamJournal, '--over', 'stdio', ...extra];
    return { command: process.execPath, args };
  }

  async network(over: 'http' | 'sse' | 'ws', ...extra: readonly string[]): Promise<NetworkUpstream> {
    const upstream = new NetworkUpstream(this, ['--journal', this.upstreamJournal, '--over', over, ...extra]);
    await upstream.start();
    return upstream;
  }

  /** Starts the gateway and waits until its upstreams are ready. */
  async gateway({ servers, gateway = {}, limit }: GatewayStart): Promise<void> {
    const config = join(this.folder, 'gateway.json');
    writeFileSync(config, JSON.stringify({ mcpServers: servers, gateway }));
    const args = [join(this.#product, 'main.js'), '--config', config, '--port', '0', '--no-dashboard'];
    args.push('--admin-socket', this.adminSocket, '--log-level', 'info');
    const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], env: environment() };
    const child =
      limit === undefined
        ? spawn(process.execPath, args, options)
        : spawn('/bin/sh', ['-c', `${limit}; exec "$@"`, 'sh', process.execPath, ...args], options);
    this.#gateway = child;
    this.#ended = once(child, 'exit');
    const program = new Program('gateway', child);
    const ready = await program.waitFor('ready', WAIT_MS);
    this.base = new URL(String(ready['url'])).origin;
    await this.until('upstreams ready', (snapshot) => snapshot.upstreams.every(({ state }) => state === 'ready'));
    // The catalogue has what they offer a moment later.
    for (const name of Object.keys(servers)) await waitForTool(`${this.base}/mcp`, `${name}__echo`, WAIT_MS);
    this.#sample();
  }

  /** The `viable` command of the product under test. */
  get cli(): string {
    return join(this.#product, 'cli.js');
  }

  get adminSocket(): string {
    return join(this.folder, 'admin.sock');
  }

  get gatewayPid(): number {
    return this.#gateway?.pid ?? 0;
  }

  get gatewayLives(): boolean {
    return this.#gateway !== null && this.#gateway.exitCode === null && this.#gateway.signalCode === null;
  }

  async snapshot(): Promise<GatewaySnapshot> {
    return (await this.admin('status')) as GatewaySnapshot;
  }

  /** Asks the admin endpoint. */
  async admin(method: 'status' | 'connections'): Promise<unknown> {
    const admin = await AdminConnection.open(this.adminSocket);
    try {
      return await admin.request(method);
    } finally {
      admin.close();
    }
  }

  async until(what: string, fits: (snapshot: GatewaySnapshot) => boolean, withinMs = WAIT_MS): Promise<void> {
    const end = now() + withinMs;
    while (!fits(await this.snapshot())) {
      if (now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Starts load in a process of its own. */
  async load(name: string, ...args: readonly string[]): Promise<void> {
    const journal = join(this.folder, `${name}.ndjson`);
    this.#journals.push(journal);
    this.#tails.push(new JournalTail(journal));
    const own = ['--url', this.base, '--journal', journal, '--name', name, '--patience', String(this.patience)];
    const all = [...own, ...args];
    const program = this.program(`load ${name}`, 'load', all);
    this.#loads.push(program);
    await program.waitFor('running', WAIT_MS);
  }

  fault(what: string, pid?: number): void {
    this.#faults.write({ e: 'fault', t: now(), what, ...(pid !== undefined && { pid }) });
  }

  /** Lets all load end its calls. */
  async settle(): Promise<void> {
    const done: Promise<ProcessEvent>[] = [];
    for (const load of this.#loads.splice(0)) {
      load.tell({ type: 'stop' });
      done.push(load.waitFor('done', 60_000));
    }
    await Promise.all(done);
  }

  /** The results that clients have got since answers were last asked for. */
  newResults(): Answered[] {
    return this.newAnswers().filter(({ outcome }) => outcome === 'ok');
  }

  /** The answers that they have got since then, errors included. */
  newAnswers(): Answered[] {
    return this.#tails.flatMap((tail) => tail.read()).filter((entry) => entry.e === 'answered');
  }

  clients(): Entry[] {
    return this.#journals.flatMap(readJournal);
  }

  upstreams(): Entry[] {
    return readJournal(this.upstreamJournal);
  }

  faults(): Entry[] {
    return readJournal(join(this.folder, 'faults.ndjson'));
  }

  /** (milliseconds, bytes of resident memory) of the gateway. */
  get memory(): readonly (readonly [number, number])[] {
    return this.#memory;
  }

  /** Sends the gateway a signal. */
  signal(name: NodeJS.Signals): void {
    this.#gateway?.kill(name);
  }

  async gatewayEnd(): Promise<void> {
    await this.#ended;
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    for (const program of this.#programs.splice(0).reverse()) await program.stop();
    if (this.gatewayLives) {
      this.signal('SIGTERM');
      const forced = setTimeout(() => this.signal('SIGKILL'), 10_000);
      await this.#ended;
      clearTimeout(forced);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #sample(): void {
    clearInterval(this.#sampler);
    this.#sampler = setInterval(() => {
      if (!this.gatewayLives) return;
      try {
        this.#memory.push([now(), rssKb(this.gatewayPid) * 1_024]);
      } catch {
        // It has ended, and Node has not said so yet.
      }
    }, 500);
  }
}
