/** A raw Streamable HTTP server whose answers a test can replace. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { behave, type Action } from './behaviour.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
  /** The parsed body; undefined for a request without one. */
  readonly message: Record<string, unknown> | undefined;
}

/** Answers an exchange and returns true, or returns false to leave it to the default. */
export type Override = (exchange: Exchange) => boolean;

export class HttpFixture {
  readonly seen: Exchange[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();
  override: Override = () => false;
  /** How requests are answered when they bring one message only. */
  answers: 'json' | 'sse' = 'json';

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#notify();
      });
    });
  }

  static async start(): Promise<HttpFixture> {
    const fixture = new HttpFixture();
    await new Promise<void>((resolve) => fixture.#server.listen(0, '127.0.0.1', resolve));
    return fixture;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#watchers.delete(watcher);
        resolve(found);
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks).toString();
    const message = body === '' ? undefined : (JSON.parse(body) as Record<string, unknown>);
    const exchange = { request, response, body, message };
    this.seen.push(exchange);
    if (!this.override(exchange)) this.#answer(exchange);
    this.#notify();
  }

  #answer({ request, response, message }: Exchange): void {
    if (request.method !== 'POST' || message === undefined) {
      response.writeHead(request.method === 'DELETE' ? 204 : 405).end();
      return;
    }
    if (message['id'] === undefined || message['method'] === undefined) {
      response.writeHead(202).end();
      return;
    }
    const actions = behave(message);
    if (actions.length === 0) return;
    const [only] = actions;
    if (actions.length === 1 && only?.kind === 'message' && this.answers === 'json') {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(only.message));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const action of actions) writeSse(response, action);
    if (!actions.some((action) => action.kind === 'die')) response.end();
  }
}

/** One action on an event stream. */
export function writeSse(response: ServerResponse, action: Action): void {
  switch (action.kind) {
    case 'message':
      response.write(`event: message\ndata: ${JSON.stringify(action.message)}\n\n`);
      return;
    case 'garbage':
      response.write(':comment\n\nevent: message\ndata: {"truncated":\n\ndata: \u0007bell\n\nbogus line\n\n');
      return;
    case 'die':
      response.socket?.destroy();
      return;
  }
}
