/**
 * A Streamable HTTP upstream inside the test, of either era: the test sees every request as it came, with its headers,
 * and says when and what is answered. By hand on node:http, so that it can also do what no SDK would.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo } from 'node:net';
import { type ClientEra } from '../../support/clients.js';
import { EventLog } from '../../support/event-log.js';
import { type Json, type Wire } from '../../support/raw-http.js';
import { MODERN, VERSION_KEY } from './modern-http.js';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

export interface Seen {
  readonly message: Wire;
  readonly headers: IncomingHttpHeaders;
  /** `performance.now()` when it had been read. */
  readonly at: number;
}

export interface DoubleOptions {
  readonly port?: number;
  readonly tools?: readonly Json[];
  readonly resources?: readonly Json[];
}

const EVERY_TOOL = [{ name: 'echo' }, { name: 'hold' }].map((tool) => ({ ...tool, inputSchema: { type: 'object' } }));
const TWO_RESOURCES = [
  { uri: 'double://one', name: 'one' },
  { uri: 'double://two', name: 'two' },
];

/** One request on its HTTP response. */
export class Exchange {
  readonly message: Wire;
  readonly headers: IncomingHttpHeaders;
  /** Settles when the response is over, whoever ended it. */
  readonly closed: Promise<unknown>;
  readonly #res: ServerResponse;
  readonly #upstream: UpstreamDouble;

  constructor(upstream: UpstreamDouble, message: Wire, headers: IncomingHttpHeaders, res: ServerResponse) {
    this.#upstream = upstream;
    this.message = message;
    this.headers = headers;
    this.#res = res;
    this.closed = once(res, 'close');
  }

  get args(): Json {
    return (this.message.params?.['arguments'] ?? {}) as Json;
  }

  get isOpen(): boolean {
    return !this.#res.destroyed && !this.#res.writableEnded;
  }

  notify(method: string, params: Json): void {
    this.event({ jsonrpc: '2.0', method, params });
  }

  /** Legacy era: asks the client of this call; resolves with its answer. */
  async ask(method: string, params: Json): Promise<Wire> {
    const id = `ask-${randomUUID()}`;
    const from = this.#upstream.seen.items.length;
    this.event({ jsonrpc: '2.0', id, method, params });
    const answer = ({ message }: Seen): boolean => message.id === id && message.method === undefined;
    return (await this.#upstream.seen.waitFor(answer, `answer of ${method}`, from)).message;
  }

  answer(result: Json): void {
    const typed = this.#upstream.era === 'modern' ? { resultType: 'complete', ...result } : result;
    this.#end({ jsonrpc: '2.0', id: this.message.id, result: typed }, 200);
  }

  text(text: string): void {
    this.answer({ content: [{ type: 'text', text }] });
  }

  fail(code: number, message: string, status = 200): void {
    this.#end({ jsonrpc: '2.0', id: this.message.id ?? null, error: { code, message } }, status);
  }

  /** Ends the stream without an answer. */
  destroy(): void {
    this.#res.destroy();
  }

  event(message: Json): void {
    if (!this.#res.headersSent) this.#res.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#res.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  #end(message: Json, status: number): void {
    if (this.#res.headersSent) {
      this.event(message);
      this.#res.end();
    } else this.#res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(message));
  }
}

export class UpstreamDouble {
  era: ClientEra;
  /** Every message that came, answers too. */
  readonly seen = new EventLog<Seen>();
  /** Calls of every tool but `echo`, and reads of resources, for the test to answer. */
  readonly calls = new EventLog<Exchange>();
  /** Modern: the `subscriptions/listen` streams, in the order in which they were opened. */
  readonly listens = new EventLog<Exchange>();
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;
  readonly #options: DoubleOptions;
  /** What it lists from now on; clients hear of it by `broadcast`. */
  tools: readonly Json[];
  /** Whether it answers those who come new; the others it serves. */
  greets = true;

  private constructor(era: ClientEra, options: DoubleOptions) {
    this.era = era;
    this.#options = options;
    this.tools = options.tools ?? EVERY_TOOL;
    this.#server = createServer((request, response) => {
      response.on('error', () => undefined);
      void this.#receive(request, response);
    });
  }

  static async start(era: ClientEra, options: DoubleOptions = {}): Promise<UpstreamDouble> {
    const double = new UpstreamDouble(era, options);
    double.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(double.#server, 'listening');
    return double;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Another program answers from now on; connections stay, as behind a proxy. */
  become(era: ClientEra, tools: readonly Json[]): void {
    this.era = era;
    this.tools = tools;
  }

  /** Requests of one method that have come so far. */
  requests(method: string): Wire[] {
    return this.seen.items.flatMap(({ message }) => (message.method === method ? [message] : []));
  }

  /** The call with this nonce in its arguments, once it is here. */
  async call(nonce: string, from = 0): Promise<Exchange> {
    return await this.calls.waitFor(({ args }) => args['nonce'] === nonce, `call ${nonce}`, from);
  }

  /** Tells every listener; in the modern era those whose filter has it. */
  broadcast(method: string, params: Json = {}): void {
    const text = { jsonrpc: '2.0', method, params };
    for (const stream of this.#streams) stream.write(`data: ${JSON.stringify(text)}\n\n`);
    for (const listen of this.listens.items) {
      const { notifications } = listen.message.params as { notifications: Json };
      const [, list] = method.split('/');
      const uris = (notifications['resourceSubscriptions'] ?? []) as unknown[];
      const own = `${String(params['uri'])}/`;
      const wanted = method.endsWith('updated')
        ? uris.some((uri) => own.startsWith(`${String(uri)}/`))
        : notifications[`${list}ListChanged`];
      if (wanted !== true || !listen.isOpen) continue;
      listen.event({ ...text, params: { ...params, _meta: { [SUBSCRIPTION_ID]: listen.message.id } } });
    }
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && this.era === 'legacy') {
      this.#listen(response);
      return;
    }
    if (request.method !== 'POST') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Wire;
    const { headers } = request;
    this.seen.push({ message, headers, at: performance.now() });
    if (message.id === undefined || message.method === undefined) return void response.writeHead(202).end();
    const exchange = new Exchange(this, message, headers, response);
    if (this.era === 'modern') this.#modern(exchange);
    else this.#legacy(exchange, headers, response);
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #legacy(exchange: Exchange, headers: IncomingHttpHeaders, response: ServerResponse): void {
    const { method, params } = exchange.message;
    if (method === 'initialize') {
      if (!this.greets) return;
      response.setHeader('mcp-session-id', randomUUID());
      const capabilities = {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
      };
      const serverInfo = { name: 'double', version: '1.0.0' };
      return exchange.answer({ protocolVersion: params?.['protocolVersion'], capabilities, serverInfo });
    }
    if (headers['mcp-session-id'] === undefined) return exchange.fail(-32000, 'Bad Request: no session', 400);
    this.#serve(exchange);
  }

  #modern(exchange: Exchange): void {
    const { method, params } = exchange.message;
    if (method === 'server/discover') {
      const capabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } };
      const serverInfo = { name: 'double', version: '1.0.0' };
      return exchange.answer({ supportedVersions: [MODERN], capabilities, serverInfo, ttlMs: 0, cacheScope: 'public' });
    }
    if (method === 'initialize') return exchange.fail(-32601, 'Method not found', 404);
    const { [VERSION_KEY]: version } = (params?.['_meta'] ?? {}) as Json;
    if (version !== MODERN) return exchange.fail(-32602, 'Invalid params: no envelope', 400);
    if (method !== 'subscriptions/listen') return this.#serve(exchange);
    this.listens.push(exchange);
    const notifications = (params?.['notifications'] ?? {}) as Json;
    exchange.notify('notifications/subscriptions/acknowledged', {
      notifications,
      _meta: { [SUBSCRIPTION_ID]: exchange.message.id },
    });
  }

  #serve(exchange: Exchange): void {
    const { resources = TWO_RESOURCES } = this.#options;
    const hints = this.era === 'modern' ? { ttlMs: 0, cacheScope: 'public' } : {};
    switch (exchange.message.method) {
      case 'tools/list':
        return exchange.answer({ tools: this.tools, ...hints });
      case 'resources/list':
        return exchange.answer({ resources, ...hints });
      case 'resources/templates/list':
        return exchange.answer({ resourceTemplates: [], ...hints });
      case 'ping':
      case 'logging/setLevel':
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return exchange.answer({});
      case 'tools/call':
        if (exchange.message.params?.['name'] === 'echo') exchange.text(String(exchange.args['text']));
        else this.calls.push(exchange);
        return;
      case 'resources/read':
        this.calls.push(exchange);
        return;
      default:
        exchange.fail(-32601, 'Method not found', this.era === 'modern' ? 404 : 200);
    }
  }
}
