/**
 * The upstream side of node-mcp: one message in, its answer out, over Streamable HTTP or a stdio child. Ids are the
 * caller's business; each must be unique within one upstream.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { type Writable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import { PROTOCOL_VERSION, type WireMessage } from './echo-server.js';

/** `reply` is absent when the upstream took a notification; `session` is what its answer to `initialize` named. */
export type Done = (error: Error | undefined, reply?: WireMessage, session?: string) => void;

export interface Upstream {
  /** Sends one message of an upstream session (empty for the `initialize` that opens it). */
  send(session: string, message: WireMessage, done: Done): void;
  close(session: string): void;
}

class HttpExchange implements Dispatcher.DispatchHandler {
  private status = 0;
  private session: string | undefined;
  private body: Buffer | undefined;

  constructor(
    private readonly opening: boolean,
    private readonly done: Done,
  ) {}

  onConnect(): void {
    // Nothing to do: a call that has reached the upstream is not taken back. undici insists on the method.
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    this.status = status;
    if (this.opening) {
      const at = headers.findIndex(
        (part, i) => i % 2 === 0 && part.toString('latin1').toLowerCase() === 'mcp-session-id',
      );
      this.session = at < 0 ? '' : headers[at + 1]?.toString('latin1');
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.body = this.body === undefined ? chunk : Buffer.concat([this.body, chunk]);
    return true;
  }

  onComplete(): void {
    if (this.status === 202 || this.status === 204) this.done(undefined);
    else if (this.status !== 200 || this.body === undefined) this.done(new Error(`upstream answered ${this.status}`));
    else this.parse(this.body);
  }

  onError(error: Error): void {
    this.done(error);
  }

  private parse(body: Buffer): void {
    let reply: WireMessage;
    try {
      reply = JSON.parse(body.toString('utf8')) as WireMessage;
    } catch (error) {
      this.done(error as Error);
      return;
    }
    this.done(undefined, reply, this.session);
  }
}

/** Streamable HTTP with JSON answers, through one undici Pool. */
export class HttpUpstream implements Upstream {
  private readonly pool: Pool;
  private readonly path: string;

  constructor(url: URL) {
    this.pool = new Pool(url.origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    this.path = url.pathname;
  }

  send(session: string, message: WireMessage, done: Done): void {
    const opening = session === '';
    const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];
    if (!opening) headers.push('mcp-protocol-version', PROTOCOL_VERSION, 'mcp-session-id', session);
    this.pool.dispatch(
      { path: this.path, method: 'POST', headers, body: JSON.stringify(message) },
      new HttpExchange(opening, done),
    );
  }

  close(session: string): void {
    const ignore = (): void => undefined;
    this.pool.dispatch(
      { path: this.path, method: 'DELETE', headers: ['mcp-session-id', session] },
      new HttpExchange(false, ignore),
    );
  }
}

/** One stdio child shared by every session; messages of one turn of the event loop leave in one write. */
export class StdioUpstream implements Upstream {
  private readonly child: ChildProcess;
  private readonly stdin: Writable;
  private readonly waiting = new Map<number, Done>();
  private outgoing = '';
  private rest = '';

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    this.stdin = child.stdin;
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => this.receive(chunk));
    child.on('exit', () => this.fail(new Error('upstream has exited')));
    child.on('error', (error) => this.fail(error));
    child.stdin.on('error', (error) => this.fail(error));
  }

  send(_session: string, message: WireMessage, done: Done): void {
    if (this.child.exitCode !== null) {
      done(new Error('upstream has exited'));
      return;
    }
    if (this.outgoing === '') setImmediate(() => this.flush());
    this.outgoing += `${JSON.stringify(message)}\n`;
    if (typeof message.id === 'number') this.waiting.set(message.id, done);
    else done(undefined);
  }

  close(): void {
    // The child serves every session: it ends with this process.
  }

  private flush(): void {
    const out = this.outgoing;
    this.outgoing = '';
    this.stdin.write(out);
  }

  private receive(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const reply = JSON.parse(line) as WireMessage;
      const done = this.waiting.get(reply.id as number);
      this.waiting.delete(reply.id as number);
      done?.(undefined, reply, 'shared');
    }
  }

  private fail(error: Error): void {
    for (const done of this.waiting.values()) done(error);
    this.waiting.clear();
  }
}
