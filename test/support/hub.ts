/**
 * The line between a test and the upstream fixtures that it does not start itself (the gateway does).
 *
 * Each fixture process connects back to the hub (`--control host:port`) and reports events, one JSON object a line; the
 * test sends commands the same way. So tests wait for what an upstream really saw, and fixtures end with the test.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { EventLog } from './event-log.js';
import { eventually } from './eventually.js';
import { onLines } from './lines.js';
import { isAlive, signalIfAlive } from './processes.js';

export interface FixtureEvent {
  /** `--name` of the fixture. */
  readonly server: string;
  readonly pid: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A `mcpServers` entry of the stdio kind. */
export interface StdioEntry {
  readonly command: string;
  readonly args: readonly string[];
  readonly [key: string]: unknown;
}

const FIXTURES = path.join(import.meta.dirname, '../fixtures');

/** How long a stdio fixture may outlive its gateway. */
const ORPHAN_DEADLINE = 5_000;

/** Every fixture process (and what it started) that any hub of this test run heard of. */
const seen = new Set<number>();

/** Those of them that still run; the root hook demands that there are none. */
export function livingFixtures(): number[] {
  return [...seen].filter(isAlive);
}

export class FixtureHub {
  readonly log = new EventLog<FixtureEvent>();
  readonly #server: Server;
  readonly #links = new Map<Socket, FixtureEvent>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async start(): Promise<FixtureHub> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FixtureHub(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The arguments of a fixture script, for `spawn` or a configuration entry. */
  args(script: string, name: string, ...more: string[]): string[] {
    return [path.join(FIXTURES, `${script}.js`), '--name', name, '--control', this.address, ...more];
  }

  /** A configuration entry that starts a fixture over stdio, on the runtime of this test run. */
  stdio(script: string, name: string, ...more: string[]): StdioEntry {
    return { command: process.execPath, args: this.args(script, name, ...more) };
  }

  /** The first event of that kind from that fixture, now or later, at or after position `from` of the log. */
  async waitFor(
    server: string,
    event: string,
    matches: (event: FixtureEvent) => boolean = () => true,
    from = 0,
  ): Promise<FixtureEvent> {
    const wanted = (item: FixtureEvent): boolean => item.server === server && item.event === event && matches(item);
    return await this.log.waitFor(wanted, `event ${event} of upstream ${server}`, from);
  }

  /** Position in the log, for `waitFor(…, from)`. */
  get position(): number {
    return this.log.items.length;
  }

  events(server: string, event: string): FixtureEvent[] {
    return this.log.items.filter((item) => item.server === server && item.event === event);
  }

  /** Sends a command to every running process of that fixture. */
  tell(server: string, command: string, fields: Readonly<Record<string, unknown>> = {}): void {
    for (const [socket, hello] of this.#links) {
      if (hello.server === server) socket.write(`${JSON.stringify({ command, ...fields })}\n`);
    }
  }

  /** Pids of the connected processes of one fixture, or of all. */
  pids(server?: string): number[] {
    return [...this.#links.values()]
      .filter((hello) => server === undefined || hello.server === server)
      .map((h) => h.pid);
  }

  /**
   * Ends the hub and every fixture that still runs. Close it after the gateway: a stdio fixture that outlives its
   * gateway is an orphan, and the promise rejects.
   */
  async close(): Promise<void> {
    const orphans = await eventually(
      () => {
        const left = [...this.#links.values()].filter((hello) => hello['transport'] === 'stdio');
        if (left.length > 0) throw new Error('fixtures are left');
        return left;
      },
      { deadline: ORPHAN_DEADLINE },
    ).catch(() => [...this.#links.values()].filter((hello) => hello['transport'] === 'stdio'));
    const pids = this.pids();
    for (const pid of pids) signalIfAlive(pid, 'SIGKILL');
    for (const socket of this.#links.keys()) socket.destroy();
    this.#server.close();
    this.log.end(new Error('the hub is closed'));
    await eventually(
      () => {
        const left = pids.filter(isAlive);
        if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
      },
      { what: 'fixtures gone' },
    );
    if (orphans.length > 0) {
      throw new Error(`orphans: ${orphans.map((hello) => `${hello.server} (${hello.pid})`).join(', ')}`);
    }
  }

  #accept(socket: Socket): void {
    let hello: FixtureEvent | undefined;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#links.delete(socket);
      if (hello !== undefined) this.log.push({ ...hello, event: 'gone' });
    });
    onLines(socket, (line) => {
      const event = JSON.parse(line) as FixtureEvent;
      seen.add(event.pid);
      if (typeof event['child'] === 'number') seen.add(event['child']);
      if (hello === undefined) {
        hello = event;
        this.#links.set(socket, event);
      }
      this.log.push(event);
    });
  }
}
