/**
 * One face for raw clients of the three client transports, so that a test of bad input or isolation runs on each.
 */
import { once } from 'node:events';
import WebSocket from 'ws';
import { EventLog } from './event-log.js';
import { within } from './eventually.js';
import {
  fetchRaw,
  flatten,
  HttpSession,
  initializeRequest,
  messagesIn,
  SseStream,
  type HttpReply,
  type Json,
  type Wire,
} from './raw-http.js';

/** What came back for bytes that were sent as they were. */
export interface Verdict {
  /** HTTP status; `undefined` on a WebSocket. */
  readonly status: number | undefined;
  readonly messages: readonly Wire[];
  /** WebSocket close code, when the gateway closed. */
  readonly closed: number | undefined;
}

export interface RawPeer {
  /** Sends text as it is and waits for `count` messages, an HTTP refusal, or the close. */
  send(text: string, count?: number): Promise<Verdict>;
  request(method: string, params?: Json, id?: string | number): Promise<Wire>;
  /** Sends a notification, which has no answer. */
  notify(method: string, params?: Json): Promise<void>;
  close(): Promise<void>;
}

export interface RawPeerKind {
  readonly name: string;
  readonly open: (base: string, protocolVersion?: string) => Promise<RawPeer>;
}

/** Sent with every request of a peer, upgrades included. */
type Headers = Readonly<Record<string, string>>;

export class HttpPeer implements RawPeer {
  readonly session: HttpSession;

  constructor(session: HttpSession) {
    this.session = session;
  }

  async send(text: string): Promise<Verdict> {
    const reply = await this.session.post(text);
    return { status: reply.status, messages: messagesIn(reply), closed: undefined };
  }

  async request(method: string, params: Json = {}, id?: string | number): Promise<Wire> {
    return await this.session.request(method, params, id);
  }

  async notify(method: string, params: Json = {}): Promise<void> {
    const reply = await this.session.post({ jsonrpc: '2.0', method, params });
    if (reply.status !== 202) throw new Error(`${method}: ${reply.status} ${reply.body}`);
  }

  async close(): Promise<void> {
    await this.session.end();
  }
}

/** HTTP+SSE (2024-11-05): requests by POST, answers on the stream. */
export class SsePeer implements RawPeer {
  readonly messages = new EventLog<Wire>();
  readonly stream: SseStream;
  readonly endpoint: string;
  readonly #headers: Headers;
  #lastId = 0;

  private constructor(stream: SseStream, endpoint: string, headers: Headers) {
    this.stream = stream;
    this.endpoint = endpoint;
    this.#headers = headers;
  }

  static async open(
    base: string,
    protocolVersion = '2024-11-05',
    headers: Headers = {},
    clientInfo?: Json,
  ): Promise<SsePeer> {
    const stream = await SseStream.open(`${base}/mcp/sse`, headers);
    const hello = await stream.events.waitFor((event) => event.event === 'endpoint', 'the endpoint event');
    const peer = new SsePeer(stream, new URL(hello.data, base).href, headers);
    void peer.#follow();
    const answer = await peer.exchange(initializeRequest(protocolVersion, 'open', clientInfo));
    if (answer.result === undefined) throw new Error(`initialize: ${JSON.stringify(answer)}`);
    await peer.notify('notifications/initialized');
    return peer;
  }

  async post(text: string, headers: Headers = {}): Promise<HttpReply> {
    return await fetchRaw(this.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.#headers, ...headers },
      body: text,
    });
  }

  async send(text: string, count = 1): Promise<Verdict> {
    const from = this.messages.items.length;
    const reply = await this.post(text);
    if (reply.status >= 400) return { status: reply.status, messages: messagesIn(reply), closed: undefined };
    await this.messages.waitFor(() => this.messages.items.length >= from + count, `${count} answers`, from + count - 1);
    return { status: reply.status, messages: this.messages.items.slice(from), closed: undefined };
  }

  async request(method: string, params: Json = {}, id: string | number = (this.#lastId += 1)): Promise<Wire> {
    return await this.exchange({ jsonrpc: '2.0', id, method, params });
  }

  async exchange(message: Json): Promise<Wire> {
    const from = this.messages.items.length;
    const reply = await this.post(JSON.stringify(message));
    if (reply.status !== 202) throw new Error(`${String(message['method'])}: ${reply.status} ${reply.body}`);
    const matches = (wire: Wire): boolean => wire.method === undefined && wire.id === message['id'];
    return await this.messages.waitFor(matches, `answer of ${String(message['method'])}`, from);
  }

  async notify(method: string, params: Json = {}): Promise<void> {
    const reply = await this.post(JSON.stringify({ jsonrpc: '2.0', method, params }));
    if (reply.status !== 202) throw new Error(`${method}: ${reply.status} ${reply.body}`);
  }

  async close(): Promise<void> {
    this.stream.close();
    await this.stream.ended;
  }

  async #follow(): Promise<void> {
    for (let index = 0; ; index += 1) {
      const event = await this.stream.events.next(index);
      if (event === undefined) break;
      if ((event.event ?? 'message') === 'message') for (const wire of flatten(event.data)) this.messages.push(wire);
    }
    this.messages.end(new Error('the stream ended'));
  }
}

export class WebSocketPeer implements RawPeer {
  readonly messages = new EventLog<Wire>();
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      for (const wire of flatten(data.toString('utf8'))) this.messages.push(wire);
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number) => {
        this.messages.end(new Error(`the WebSocket closed with ${code}`));
        resolve(code);
      });
    });
  }

  static async open(
    base: string,
    protocolVersion = '2025-11-25',
    headers: Headers = {},
    clientInfo?: Json,
  ): Promise<WebSocketPeer> {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/mcp/ws`, 'mcp', { headers });
    await within(once(socket, 'open'), 'WebSocket open');
    const peer = new WebSocketPeer(socket);
    const answer = await peer.exchange(initializeRequest(protocolVersion, 'open', clientInfo));
    if (answer.result === undefined) throw new Error(`initialize: ${JSON.stringify(answer)}`);
    await peer.notify('notifications/initialized');
    return peer;
  }

  async send(text: string | Buffer, count = 1): Promise<Verdict> {
    const from = this.messages.items.length;
    this.socket.send(text);
    const answered = this.messages.waitFor(() => true, `${count} frames`, from + count - 1).then(() => undefined);
    const code = await Promise.race([answered.catch(async () => await this.closed), this.closed]);
    return { status: undefined, messages: this.messages.items.slice(from), closed: code };
  }

  async request(method: string, params: Json = {}, id: string | number = (this.#lastId += 1)): Promise<Wire> {
    return await this.exchange({ jsonrpc: '2.0', id, method, params });
  }

  async exchange(message: Json): Promise<Wire> {
    const from = this.messages.items.length;
    this.socket.send(JSON.stringify(message));
    const matches = (wire: Wire): boolean => wire.method === undefined && wire.id === message['id'];
    return await this.messages.waitFor(matches, `answer of ${String(message['method'])}`, from);
  }

  async notify(method: string, params: Json = {}): Promise<void> {
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  async close(): Promise<void> {
    this.socket.close();
    await within(this.closed, 'WebSocket close');
  }
}

/** The client transports of interface.md, each with its newest protocol version unless another is asked for. */
export const RAW_PEERS: readonly RawPeerKind[] = [
  {
    name: 'Streamable HTTP',
    open: async (base, protocolVersion) =>
      new HttpPeer(await HttpSession.open(base, protocolVersion === undefined ? {} : { protocolVersion })),
  },
  { name: 'HTTP+SSE', open: async (base, protocolVersion) => await SsePeer.open(base, protocolVersion) },
  { name: 'WebSocket', open: async (base, protocolVersion) => await WebSocketPeer.open(base, protocolVersion) },
];
