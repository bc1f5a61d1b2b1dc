/**
 * Closed-loop load generator, a process of its own: C clients, each calls, waits for its answer, checks it and calls
 * again. Prints one JSON line with what it saw; the CPU of the processes named by --pid is read at the two ends of the
 * same window.
 *
 *   node dist-test/bench/load.js --url http://127.0.0.1:4000/mcp --tool bench__echo -c 16 --seconds 5
 * With --on-demand it opens its sessions, says `open`, and has one window for each message of its parent.
 *
 *   node dist-test/bench/load.js --transport ws --url ws://127.0.0.1:4000/mcp/ws --tool bench__echo --count 10000
 */
import { parseArgs } from 'node:util';
import { announce, exitWithParent } from './lifeline.js';
import { type LoadResult, windowEvent, type WindowRequest } from './load-result.js';
import { HttpLoadSession } from './load-http.js';
import { type LoadSession } from './load-session.js';
import { WsLoadSession } from './load-ws.js';
import { cpuMicros, rssKb } from './proc.js';
import { quantile } from './stats.js';

/** After a failed call a client waits, so that a dead server is not hammered. */
const AFTER_ERROR_MS = 20;
/** How long calls in flight may take when the window is over. */
const GRACE_MS = 10_000;
const HANGS = 'a call hangs';

/** What happened since the window was opened. */
class Window {
  readonly latencies: number[] = [];
  readonly problems = new Set<string>();
  errors = 0;
  private readonly cpuBefore: readonly number[];
  private readonly since = performance.now();

  constructor(private readonly pids: readonly number[]) {
    this.cpuBefore = pids.map(cpuMicros);
  }

  add(ms: number, problem: string | undefined): void {
    if (problem === undefined) {
      this.latencies.push(ms);
      return;
    }
    this.errors += 1;
    if (this.problems.size < 5) this.problems.add(problem);
  }

  close(concurrency: number): LoadResult {
    const seconds = (performance.now() - this.since) / 1000;
    const cpuAfter = this.pids.map(cpuMicros);
    const calls = this.latencies.length;
    const sorted = Float64Array.from(this.latencies).sort();
    return {
      event: 'done',
      concurrency,
      seconds,
      calls,
      callsPerSecond: calls / seconds,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      errors: this.errors,
      problems: [...this.problems],
      processes: this.pids.map((pid, i) => ({
        pid,
        cpuUsPerCall: ((cpuAfter[i] ?? 0) - (this.cpuBefore[i] ?? 0)) / calls,
        rssMb: rssKb(pid) / 1024,
      })),
    };
  }
}

/** Keeps one session calling until told to stop; then reports that its last call is over. */
class Client {
  private lastId = 0;
  private stopping: (() => void) | undefined;

  constructor(
    private readonly session: LoadSession,
    private readonly name: string,
    private readonly record: (ms: number, problem: string | undefined) => void,
  ) {}

  start(): void {
    this.next();
  }

  stop(): Promise<void> {
    return new Promise((resolve) => (this.stopping = resolve));
  }

  private next(): void {
    if (this.stopping !== undefined) {
      this.stopping();
      return;
    }
    const id = ++this.lastId;
    const since = performance.now();
    this.session.call(id, `${this.name}-${id}`, (problem) => {
      this.record(performance.now() - since, problem);
      if (problem === undefined) this.next();
      else setTimeout(() => this.next(), AFTER_ERROR_MS);
    });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    transport: { type: 'string', default: 'http' },
    tool: { type: 'string', default: 'echo' },
    concurrency: { type: 'string', short: 'c', default: '1' },
    seconds: { type: 'string', default: '5' },
    count: { type: 'string' },
    warmup: { type: 'string', default: '1' },
    pid: { type: 'string', multiple: true, default: [] },
    token: { type: 'string' },
    'on-demand': { type: 'boolean', default: false },
  },
});

/** The sessions of one load, and the windows that they are measured in. */
class Load {
  readonly #sessions: readonly LoadSession[];
  readonly #name = Math.random().toString(36).slice(2, 8);
  #windows = 0;

  constructor(sessions: readonly LoadSession[]) {
    this.#sessions = sessions;
  }

  /** Calls for a while, and measures what comes after the warm-up: so many seconds, or so many calls. */
  async run(
    length: { readonly seconds: number } | { readonly count: number },
    warmupSeconds: number,
  ): Promise<LoadResult> {
    const run = (this.#windows += 1);
    const count = 'count' in length ? length.count : Number.POSITIVE_INFINITY;
    let window: Window | undefined;
    let enough: (() => void) | undefined;
    const clients = this.#sessions.map(
      (session, i) =>
        new Client(session, `${this.#name}-${run}-${i}`, (ms, problem) => {
          if (window === undefined) return;
          window.add(ms, problem);
          if (window.latencies.length + window.errors >= count) enough?.();
        }),
    );
    const counted = new Promise<void>((resolve) => (enough = resolve));
    for (const client of clients) client.start();
    await delay(warmupSeconds * 1000);
    window = new Window(values.pid.map(Number));
    await ('seconds' in length ? delay(length.seconds * 1000) : counted);
    const result = window.close(this.#sessions.length);
    window = undefined;
    const stopped = Promise.all(clients.map((client) => client.stop())).then(() => true);
    const inTime = await Promise.race([stopped, delay(GRACE_MS).then(() => false)]);
    return inTime ? result : { ...result, errors: result.errors + 1, problems: [...result.problems, HANGS] };
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()));
  }
}

async function open(url: string): Promise<Load> {
  const sessions = Array.from({ length: Number(values.concurrency) }, () =>
    values.transport === 'ws'
      ? new WsLoadSession(url, values.tool)
      : new HttpLoadSession(url, values.tool, values.token),
  );
  await Promise.all(sessions.map((session) => session.open()));
  return new Load(sessions);
}

exitWithParent();
if (values.url === undefined) throw new Error('--url is needed');
const load = await open(values.url);
const warmup = Number(values.warmup);
if (values['on-demand']) {
  process.on('message', ({ window, seconds }: WindowRequest) => {
    void load.run({ seconds }, warmup).then((result) => announce({ ...result, event: windowEvent(window) }));
  });
  announce({ event: 'open' });
} else {
  const length = values.count === undefined ? { seconds: Number(values.seconds) } : { count: Number(values.count) };
  const result = await load.run(length, warmup);
  announce({ ...result });
  if (!result.problems.includes(HANGS)) await load.close();
  process.exit(0);
}
