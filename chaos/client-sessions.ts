/**
 * A client's session over each client transport, as the load of chaos runs needs it: many calls outstanding at once, every
 * answer handed over with its id, the end of the connection told once. Ids are small numbers from 1 in every session, so
 * that all sessions of all clients use the same ones.
 */
import { createParser } from 'eventsource-parser';
import { Agent, type Dispatcher } from 'undici';
import { WebSocket } from 'ws';

export type ClientTransport = 'http' | 'sse' | 'websocket';

export interface SessionEvents {
  /** An answer: a JSON-RPC response with an id. */
  answer(message: JsonRpcAnswer): void;
  /** The gateway drains; come back after so many milliseconds. */
  notice(reconnectAfter: number): void;
  /** This call will not be answered: what carried it is gone. */
  cut(id: number): void;
  /** The session is over. Calls that are open are cut. */
  over(): void;
}

export interface JsonRpcAnswer {
  readonly id: number;
  readonly result?: { readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly code: number; readonly data?: { readonly reason?: string } };
}

export interface ClientSession {
  /** Connects and shakes hands. Rejects when the gateway refuses. */
  open(): Promise<void>;
  call(id: number, tool: string, nonce: string): void;
  close(): void;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'chaos', version: '1.0.0' } },
};
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

function callOf(id: number, tool: string, nonce: string): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: { message: nonce } } };
}

interface Incoming {
  readonly id?: number;
  readonly method?: string;
  readonly type?: string;
  readonly reconnect_after?: number;
}

/** Sorts what came in: answers, notices, and what a client of this kind does not care for. */
function take(message: Incoming, events: SessionEvents): void {
  if (message.type === 'shutdown_pending') events.notice(message.reconnect_after ?? 0);
  else if (message.id !== undefined && message.method === undefined) events.answer(message as JsonRpcAnswer);
}

function parserFor(events: SessionEvents, onEndpoint?: (path: string) => void): ReturnType<typeof createParser> {
  return createParser({
    onEvent: ({ event, data }) => {
      if (event === 'endpoint') onEndpoint?.(data);
      else if (data !== '') take(JSON.parse(data) as Incoming, events);
    },
  });
}

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

export class HttpClientSession implements ClientSession {
  readonly #base: string;
  readonly #events: SessionEvents;
  readonly #agent: Dispatcher;
  #session: string | undefined;
  #running = 0;
  /** The gateway does not know the session any more. What was asked before is still answered. */
  #gone = false;

  constructor(base: string, events: SessionEvents) {
    this.#base = base;
    this.#events = events;
    this.#agent = new Agent({ connections: 8, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  }

  async open(): Promise<void> {
    const { statusCode, headers, body } = await this.#post(INITIALIZE);
    await body.dump();
    if (statusCode !== 200) throw new Error(`initialize answered ${statusCode}`);
    this.#session = String(headers['mcp-session-id']);
    await (await this.#post(INITIALIZED)).body.dump();
  }

  call(id: number, tool: string, nonce: string): void {
    if (this.#gone) return this.#events.cut(id);
    this.#running += 1;
    void this.#exchange(id, callOf(id, tool, nonce))
      .catch(() => this.#events.cut(id))
      .finally(() => {
        this.#running -= 1;
        if (this.#gone && this.#running === 0) this.#events.over();
      });
  }

  close(): void {
    void this.#agent.destroy();
  }

  async #exchange(id: number, message: object): Promise<void> {
    const { statusCode, headers, body } = await this.#post(message);
    const exchange = { answered: false };
    const seen: SessionEvents = {
      ...this.#events,
      answer: (answer) => {
        if (answer.id === id) exchange.answered = true;
        this.#events.answer(answer);
      },
    };
    if (String(headers['content-type']).startsWith('text/event-stream')) {
      const parser = parserFor(seen);
      for await (const chunk of body) parser.feed((chunk as Buffer).toString('utf8'));
    } else {
      const text = await body.text();
      // A refusal before the message was read has no id of its own; on HTTP it is the answer to this request all the same.
      if (text !== '') take({ ...(JSON.parse(text) as Incoming), id }, seen);
    }
    if (statusCode === 404) this.#gone = true;
    if (!exchange.answered) this.#events.cut(id);
  }

  #post(message: object): Promise<Dispatcher.ResponseData> {
    const headers = this.#session === undefined ? JSON_HEADERS : { ...JSON_HEADERS, 'mcp-session-id': this.#session };
    const [origin, path] = [this.#base, '/mcp'];
    return this.#agent.request({ origin, path, method: 'POST', headers, body: JSON.stringify(message) });
  }
}

export class SseClientSession implements ClientSession {
  readonly #base: string;
  readonly #events: SessionEvents;
  readonly #agent: Dispatcher;
  #endpoint = '';
  #settled: (() => void) | null = null;

  constructor(base: string, events: SessionEvents) {
    this.#base = base;
    this.#events = events;
    this.#agent = new Agent({ connections: 8, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  }

  async open(): Promise<void> {
    const request = { origin: this.#base, path: '/mcp/sse', method: 'GET', headers: { accept: 'text/event-stream' } };
    const { statusCode, body } = await this.#agent.request({ ...request, method: 'GET' });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`the stream answered ${statusCode}`);
    }
    const greeted = new Promise<void>((resolve) => (this.#settled = resolve));
    void this.#read(body).finally(() => {
      this.#settled?.();
      this.#events.over();
    });
    await greeted;
    if (this.#endpoint === '') throw new Error('the stream ended at once');
    const answered = new Promise<void>((resolve) => (this.#settled = resolve));
    await this.#post(INITIALIZE);
    await answered;
    await this.#post(INITIALIZED);
  }

  call(id: number, tool: string, nonce: string): void {
    this.#post(callOf(id, tool, nonce)).catch(() => this.#events.cut(id));
  }

  close(): void {
    void this.#agent.destroy();
  }

  async #read(body: AsyncIterable<unknown>): Promise<void> {
    const events: SessionEvents = {
      ...this.#events,
      answer: (message) => {
        if (message.id === 0) this.#settled?.();
        else this.#events.answer(message);
      },
    };
    const parser = parserFor(events, (path) => {
      this.#endpoint = path;
      this.#settled?.();
    });
    try {
      for await (const chunk of body) parser.feed((chunk as Buffer).toString('utf8'));
    } catch {
      // The stream was cut: `over` says so.
    }
  }

  async #post(message: object): Promise<void> {
    const request = { origin: this.#base, path: this.#endpoint, headers: JSON_HEADERS, body: JSON.stringify(message) };
    const { statusCode, body } = await this.#agent.request({ ...request, method: 'POST' });
    await body.dump();
    if (statusCode !== 202) throw new Error(`the message was answered ${statusCode}`);
  }
}

export class WebSocketClientSession implements ClientSession {
  readonly #base: string;
  readonly #events: SessionEvents;
  #socket: WebSocket | undefined;

  constructor(base: string, events: SessionEvents) {
    this.#base = base;
    this.#events = events;
  }

  async open(): Promise<void> {
    const socket = new WebSocket(`${this.#base.replace('http', 'ws')}/mcp/ws`, 'mcp', { perMessageDeflate: false });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => {
        reject(new Error('the socket was closed'));
        this.#events.over();
      });
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString('utf8')) as Incoming;
        if (message.id === 0) resolve();
        else take(message, this.#events);
      });
      socket.on('open', () => socket.send(JSON.stringify(INITIALIZE)));
    });
    socket.send(JSON.stringify(INITIALIZED));
  }

  call(id: number, tool: string, nonce: string): void {
    this.#socket?.send(JSON.stringify(callOf(id, tool, nonce)), (error) => {
      if (error) this.#events.cut(id);
    });
  }

  close(): void {
    this.#socket?.terminate();
  }
}

export function openSession(transport: ClientTransport, base: string, events: SessionEvents): ClientSession {
  switch (transport) {
    case 'http':
      return new HttpClientSession(base, events);
    case 'sse':
      return new SseClientSession(base, events);
    case 'websocket':
      return new WebSocketClientSession(base, events);
  }
}
