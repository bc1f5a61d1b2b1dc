/**
 * Closed-loop load generator, a process of its own: C clients, each calls, waits for its answer, checks it and calls
 * again. Prints one JSON line with what it saw; the CPU of the processes named by --pid is read at the two ends of the
 * same window.
 *
 *   node dist-test/bench/load.js --url http://127.0.0.1:4000/mcp --tool bench__echo -c 16 --seconds 5
 *   node dist-test/bench/load.js --transport ws --url ws://127.0.0.1:4000/mcp/ws --tool bench__echo --count 10000
 */
import { parseArgs } from 'node:util';
import { announce, exitWithParent } from './lifeline.js';
import { type LoadResult } from './load-result.js';
import { HttpLoadSession } from './load-http.js';
import { type LoadSession } from './load-session.js';
import { WsLoadSession } from './load-ws.js';
import { cpuMicros, rssKb } from './proc.js';
import { quantile } from './stats.js';

/** After a failed call a client waits, so that a dead server is not hammered. */
const AFTER_ERROR_MS = 20;
/** How long calls in flight may take when the window is over. */
const GRACE_MS = 10_000;

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
  },
});

async function run(url: string): Promise<LoadResult> {
  const concurrency = Number(values.concurrency);
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  const sessions = Array.from({ length: concurrency }, () =>
    values.transport === 'ws'
      ? new WsLoadSession(url, values.tool)
      : new HttpLoadSession(url, values.tool, values.token),
  );
  await Promise.all(sessions.map((session) => session.open()));

  let window: Window | undefined;
  let enough: (() => void) | undefined;
  const run = Math.random().toString(36).slice(2, 8);
  const clients = sessions.map(
    (session, i) =>
      new Client(session, `${run}-${i}`, (ms, problem) => {
        if (window === undefined) return;
        window.add(ms, problem);
        if (window.latencies.length + window.errors >= count) enough?.();
      }),
  );
  const counted = new Promise<void>((resolve) => (enough = resolve));
  for (const client of clients) client.start();
  await delay(Number(values.warmup) * 1000);
  window = new Window(values.pid.map(Number));
  await (values.count === undefined ? delay(Number(values.seconds) * 1000) : counted);
  const result = window.close(concurrency);
  window = undefined;

  const stopped = Promise.all(clients.map((client) => client.stop())).then(() => true);
  const inTime = await Promise.race([stopped, delay(GRACE_MS).then(() => false)]);
  if (inTime) await Promise.all(sessions.map((session) => session.close()));
  return inTime ? result : { ...result, errors: result.errors + 1, problems: [...result.problems, 'a call hangs'] };
}

exitWithParent();
if (values.url === undefined) throw new Error('--url is needed');
const result = await run(values.url);
announce({ ...result });
process.exit(0);
