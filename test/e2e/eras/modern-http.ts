/** Requests of the modern era (2026-07-28) by hand: one POST each, with envelope and headers as a test wants them. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { EventLog } from '../../support/event-log.js';
import { within } from '../../support/eventually.js';
import {
  fetchRaw,
  flatten,
  messagesIn,
  POST_HEADERS,
  type HttpReply,
  type Json,
  type Wire,
} from '../../support/raw-http.js';

export const MODERN = '2026-07-28';
export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';
export const INFO_KEY = 'io.modelcontextprotocol/clientInfo';

/** A client that can be asked everything. */
export const ASKABLE = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };

export interface ModernOptions {
  readonly id?: string | number;
  readonly route?: string;
  readonly capabilities?: Json;
  /** Beside or in place of the envelope's members. */
  readonly meta?: Json;
  /** Beside or in place of the standard headers; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export function modernMessage(method: string, params: Json = {}, options: ModernOptions = {}): Json {
  const info = { name: 'raw-modern', version: '1.0.0' };
  const envelope = { [VERSION_KEY]: MODERN, [CAPABILITIES_KEY]: options.capabilities ?? {}, [INFO_KEY]: info };
  const { _meta } = params;
  const meta = { ...envelope, ...(_meta as Json | undefined), ...options.meta };
  return { jsonrpc: '2.0', id: options.id ?? 1, method, params: { ...params, _meta: meta } };
}

export function modernHeaders(method: string, params: Json = {}, options: ModernOptions = {}): Record<string, string> {
  const target = params['name'] ?? params['uri'];
  const safe = typeof target === 'string' && /^[\x21-\x7e]*$/.test(target);
  const encoded = safe ? target : `=?base64?${Buffer.from(String(target)).toString('base64')}?=`;
  const named = ['tools/call', 'prompts/get', 'resources/read'].includes(method) ? { 'mcp-name': encoded } : {};
  const all: Record<string, string | undefined> = {
    ...POST_HEADERS,
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...named,
    ...options.headers,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** One request; the whole reply. */
export async function modernPost(
  base: string,
  method: string,
  params?: Json,
  options: ModernOptions = {},
): Promise<HttpReply> {
  return await fetchRaw(`${base}${options.route ?? '/mcp'}`, {
    method: 'POST',
    headers: modernHeaders(method, params, options),
    body: JSON.stringify(modernMessage(method, params, options)),
  });
}

/** One request; its answer. */
export async function modernRequest(
  base: string,
  method: string,
  params?: Json,
  options: ModernOptions = {},
): Promise<Wire> {
  const reply = await modernPost(base, method, params, options);
  const answer = messagesIn(reply).find((message) => message.method === undefined);
  if (answer === undefined) throw new Error(`${method}: no answer in ${reply.status} ${reply.body.slice(0, 500)}`);
  return answer;
}

/** A request whose response is a stream that stays open. */
export class ModernStream {
  readonly messages = new EventLog<Wire>();
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    const parser = createParser({
      onEvent: ({ data }) => {
        for (const message of flatten(data)) this.messages.push(message);
      },
    });
    response.setEncoding('utf8').on('data', (chunk: string) => parser.feed(chunk));
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        this.messages.end(new Error('the stream ended'));
        resolve();
      });
    });
  }

  static async open(
    base: string,
    method: string,
    params: Json = {},
    options: ModernOptions = {},
  ): Promise<ModernStream> {
    const request = httpRequest(`${base}${options.route ?? '/mcp'}`, {
      method: 'POST',
      headers: { connection: 'close', ...modernHeaders(method, params, options) },
      agent: false,
    });
    const head = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
    });
    request.end(JSON.stringify(modernMessage(method, params, options)));
    return new ModernStream(await within(head, method));
  }

  /** It has ended, and not because the connection was cut. */
  get whole(): boolean {
    return this.#response.complete;
  }

  /** Reads no more: what comes waits in the kernel, then at the gateway. */
  stopReading(): void {
    this.#response.pause();
  }

  close(): void {
    this.#response.destroy();
  }
}
