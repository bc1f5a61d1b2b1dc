/** HTTP by hand (node:http), for what official clients would never send and for seeing exactly what comes back. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { EventLog } from './event-log.js';
import { within } from './eventually.js';

export type Json = { [key: string]: unknown };

/** A JSON-RPC message as it came, unchecked. */
export interface Wire {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent with Content-Length, chunks without. */
  readonly body?: string | Iterable<string | Buffer>;
}

/** One request on a connection of its own. Resolves with the whole answer. */
export async function fetchRaw(url: string, options: HttpOptions = {}): Promise<HttpReply> {
  const response = await begin(url, options);
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!response.readableEnded) await within(once(response, 'end'), `end of the answer of ${url}`);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') };
}

/** Resolves with the answer's head. */
async function begin(url: string, options: HttpOptions): Promise<IncomingMessage> {
  const { body } = options;
  const headers: Record<string, string> = { connection: 'close', ...options.headers };
  if (typeof body === 'string') headers['content-length'] ??= String(Buffer.byteLength(body));
  const request = httpRequest(url, { method: options.method ?? 'GET', headers, agent: false });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // A server that refuses a body early may reset the connection while the rest is being sent.
    request.on('error', reject);
  });
  if (typeof body === 'string' || body === undefined) request.end(body);
  else void pump(request, body);
  return await within(head, `${options.method ?? 'GET'} ${url}`);
}

async function pump(request: ReturnType<typeof httpRequest>, chunks: Iterable<string | Buffer>): Promise<void> {
  const over = new AbortController();
  request.once('response', () => over.abort());
  request.once('close', () => over.abort());
  try {
    for (const chunk of chunks) {
      if (over.signal.aborted) return;
      if (!request.write(chunk)) await once(request, 'drain', { signal: over.signal });
    }
    request.end();
  } catch {
    // The answer came before the end of the body; `begin` has it.
  }
}

/** A server-sent event stream that stays open. */
export class SseStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly events = new EventLog<EventSourceMessage>();
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    const parser = createParser({ onEvent: (event) => this.events.push(event) });
    response.setEncoding('utf8').on('data', (chunk: string) => parser.feed(chunk));
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        this.events.end(new Error('the stream ended'));
        resolve();
      });
    });
  }

  /** Resolves once the head is here, whatever the status. With a body it is the stream of a POST. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<SseStream> {
    const request = body === undefined ? {} : { method: 'POST', body };
    return new SseStream(await begin(url, { ...request, headers: { accept: 'text/event-stream', ...headers } }));
  }

  /** Reads no more: what comes waits in the kernel, then at the gateway. */
  stopReading(): void {
    this.#response.pause();
  }

  close(): void {
    this.#response.destroy();
  }
}

/** The JSON-RPC messages in a body, JSON (single or batch) or a finished event stream. */
export function messagesIn(reply: Pick<HttpReply, 'headers' | 'body'>): Wire[] {
  const type = reply.headers['content-type'] ?? '';
  if (type.startsWith('text/event-stream')) {
    const found: Wire[] = [];
    const parser = createParser({ onEvent: (event) => found.push(...flatten(event.data)) });
    parser.feed(reply.body);
    return found;
  }
  return type.startsWith('application/json') && reply.body !== '' ? flatten(reply.body) : [];
}

/** One JSON text to messages: batches are arrays. Empty data (priming events) holds none. */
export function flatten(text: string): Wire[] {
  if (text === '') return [];
  const value = JSON.parse(text) as Wire | Wire[];
  return Array.isArray(value) ? value : [value];
}

export function initializeRequest(
  protocolVersion: string,
  id: string | number = 0,
  clientInfo: Json = { name: 'raw-client', version: '1.0.0' },
): Json {
  const params = { protocolVersion, capabilities: {}, clientInfo };
  return { jsonrpc: '2.0', id, method: 'initialize', params };
}

/** What every POST of Streamable HTTP carries. */
export const POST_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const;

export interface SessionOptions {
  readonly route?: string;
  readonly protocolVersion?: string;
  readonly clientInfo?: Json;
  /** Sent with every request, as a token is. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A Streamable HTTP session by hand. */
export class HttpSession {
  readonly url: string;
  readonly id: string;
  readonly protocolVersion: string;
  readonly #headers: Readonly<Record<string, string>>;
  #lastId = 0;

  private constructor(url: string, id: string, protocolVersion: string, headers: Readonly<Record<string, string>>) {
    this.url = url;
    this.id = id;
    this.protocolVersion = protocolVersion;
    this.#headers = headers;
  }

  static async open(base: string, options: SessionOptions = {}): Promise<HttpSession> {
    const protocolVersion = options.protocolVersion ?? '2025-11-25';
    const url = `${base}${options.route ?? '/mcp'}`;
    const body = JSON.stringify(initializeRequest(protocolVersion, 0, options.clientInfo));
    const { headers = {} } = options;
    const reply = await fetchRaw(url, { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body });
    const id = reply.headers['mcp-session-id'];
    if (reply.status !== 200 || typeof id !== 'string') throw new Error(`initialize: ${reply.status} ${reply.body}`);
    const session = new HttpSession(url, id, protocolVersion, headers);
    const accepted = await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    if (accepted.status !== 202) throw new Error(`notifications/initialized: ${accepted.status} ${accepted.body}`);
    return session;
  }

  get headers(): Record<string, string> {
    return { ...this.#headers, 'mcp-session-id': this.id, 'mcp-protocol-version': this.protocolVersion };
  }

  /** Posts a message, or text as it is. */
  async post(message: object | string, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    return await fetchRaw(this.url, {
      method: 'POST',
      headers: { ...POST_HEADERS, ...this.headers, ...headers },
      body,
    });
  }

  /** A request, and the answer with its id. */
  async request(method: string, params: Json = {}, id: string | number = (this.#lastId += 1)): Promise<Wire> {
    const reply = await this.post({ jsonrpc: '2.0', id, method, params });
    const answer = messagesIn(reply).find((message) => message.id === id && message.method === undefined);
    if (answer === undefined) throw new Error(`${method}: no answer in ${reply.status} ${reply.body.slice(0, 500)}`);
    return answer;
  }

  /** Every page of a list. */
  async listAll(method: string, key: string): Promise<Json[]> {
    const items: Json[] = [];
    let cursor: unknown;
    do {
      const answer = await this.request(method, cursor === undefined ? {} : { cursor });
      if (answer.result === undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
      items.push(...(answer.result[key] as Json[]));
      cursor = answer.result['nextCursor'];
    } while (cursor !== undefined);
    return items;
  }

  async listen(headers: Readonly<Record<string, string>> = {}): Promise<SseStream> {
    return await SseStream.open(this.url, { ...this.headers, ...headers });
  }

  /** DELETE of the session. */
  async end(): Promise<HttpReply> {
    return await fetchRaw(this.url, { method: 'DELETE', headers: this.headers });
  }
}
