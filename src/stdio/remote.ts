/**
 * The gateway as the bridge reaches it: one HTTP request, and the texts of the messages that it is answered with.
 *
 * Texts are passed on as they came, but for line ends between JSON tokens, which would break the lines of stdio.
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP".
 */
import { Agent, type Dispatcher, request } from 'undici';
import { SseStream } from '../transports/outbound/sse-stream.js';

/** Longest message in either direction. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

/** Nothing listens: the request was not made, and may be made again. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export interface RemoteRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Gets each message in order; what comes behind it waits for the promise. */
  readonly onMessage: (text: string, status: number) => Promise<void>;
  /** The head is there: its status and session id. */
  readonly onHead?: (status: number, sessionId: string | undefined) => void;
}

export interface RemoteAnswer {
  readonly status: number;
  /** To go on after with GET, where the server gave event ids. */
  readonly lastEventId: string | undefined;
  /** How long the server wants a client to wait before that, milliseconds. */
  readonly retryMs: number | undefined;
}

const NOT_MADE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class Remote {
  // Calls may take as long as they like and all of them may run at once: no timeout, no limit of connections.
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: CONNECT_TIMEOUT_MS } });

  readonly #credential: Readonly<Record<string, string>>;

  /** `token`: shown with every request. */
  constructor(token?: string) {
    this.#credential = token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
  }

  /** Resolves when the answer has ended. Rejects with `UnreachableError`, or with what broke the connection. */
  async send(wanted: RemoteRequest): Promise<RemoteAnswer> {
    const { url, method, body, signal } = wanted;
    const headers = { ...this.#credential, ...wanted.headers };
    const options = { method, headers, signal, dispatcher: this.#agent, ...(body !== undefined && { body }) };
    const ask = async (address: string): Promise<Dispatcher.ResponseData> =>
      await request(address, options).catch((error: unknown) => {
        throw wasNotMade(error) ? new UnreachableError(`nothing listens at ${url}`, { cause: error }) : error;
      });
    let response = await ask(url);
    const elsewhere = redirectOf(url, response);
    if (elsewhere !== undefined) {
      await response.body.dump();
      response = await ask(elsewhere);
    }
    wanted.onHead?.(response.statusCode, headerOf(response, 'mcp-session-id'));
    const type = headerOf(response, 'content-type') ?? '';
    if (type.startsWith('text/event-stream')) return await readEvents(response, wanted);
    const text = await readText(response);
    if (type.startsWith('application/json') && text !== '') await wanted.onMessage(oneLine(text), response.statusCode);
    return { status: response.statusCode, lastEventId: undefined, retryMs: undefined };
  }

  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Where a gateway that hands over sends a request whose session has gone before its connection. Nobody else's address. */
function redirectOf(url: string, response: Dispatcher.ResponseData): string | undefined {
  const location = headerOf(response, 'location');
  if (response.statusCode !== 307 || location === undefined) return undefined;
  const next = new URL(location, url);
  return next.origin === new URL(url).origin ? next.href : undefined;
}

async function readEvents(response: Dispatcher.ResponseData, wanted: RemoteRequest): Promise<RemoteAnswer> {
  let ready: string[] = [];
  const stream = new SseStream(MAX_MESSAGE_BYTES, (data, type) => {
    if (type === undefined || type === 'message') ready.push(data);
  });
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (!stream.feed(chunk)) throw new Error('an event is too large');
    const texts = ready;
    ready = [];
    for (const text of texts) await wanted.onMessage(oneLine(text), response.statusCode);
  }
  return { status: response.statusCode, lastEventId: stream.resumeHeader, retryMs: stream.retryMs };
}

async function readText(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MESSAGE_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Raw line ends are white space in JSON: within a string they would be escaped. */
function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, ' ') : text;
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function wasNotMade(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_MADE.has(String(error.code));
}
