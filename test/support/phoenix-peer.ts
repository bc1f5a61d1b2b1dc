/** A Phoenix Channels client by hand: frames as they are, for what the official client would never send. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { EventLog } from './event-log.js';
import { within } from './eventually.js';
import { initializeRequest, type Json, type Wire } from './raw-http.js';
import { type RawPeer, type Verdict } from './raw-peers.js';

/** `[join_ref, ref, topic, event, payload]` as it came. */
export type Frame = readonly [string | null, string | null, string, string, Json];

const TOPIC = 'mcp:gateway';

/** Where a gateway at `base` (`http://host:port`) takes Phoenix sockets. */
export function phoenixUrl(base: string, query = '?vsn=2.0.0'): string {
  return `${base.replace(/^http/, 'ws')}/mcp/ws/websocket${query}`;
}

export class PhoenixPeer implements RawPeer {
  readonly frames = new EventLog<Frame>();
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  #lastRef = 0;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString('utf8')) as Frame));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number) => {
        this.frames.end(new Error(`the socket closed with ${code}`));
        resolve(code);
      });
    });
  }

  /** Connected, nothing joined. */
  static async connect(base: string, headers: Readonly<Record<string, string>> = {}): Promise<PhoenixPeer> {
    const socket = new WebSocket(phoenixUrl(base), { headers });
    const peer = new PhoenixPeer(socket);
    await within(once(socket, 'open'), 'Phoenix socket open');
    return peer;
  }

  /** Joined as `1`, and initialized. */
  static async open(
    base: string,
    protocolVersion = '2025-11-25',
    headers: Readonly<Record<string, string>> = {},
    clientInfo?: Json,
  ): Promise<PhoenixPeer> {
    const peer = await PhoenixPeer.connect(base, headers);
    await peer.exchange(['1', '1', TOPIC, 'phx_join', {}]);
    const answer = await peer.#message(initializeRequest(protocolVersion, 'open', clientInfo));
    if (answer.result === undefined) throw new Error(`initialize: ${JSON.stringify(answer)}`);
    await peer.notify('notifications/initialized');
    return peer;
  }

  /** Sends a frame and waits for its reply. */
  async exchange(frame: Frame): Promise<Frame> {
    const from = this.frames.items.length;
    this.socket.send(JSON.stringify(frame));
    return await this.#reply(frame[1], from);
  }

  /** Sends `text` as the payload of a push; an error comes as reply, an answer as event. Or the gateway closes. */
  async send(text: string, count = 1): Promise<Verdict> {
    const closed = this.closed.then((code) => ({ status: undefined, messages: [], closed: code }));
    const answered = this.#push(text, count).catch((error: unknown) => {
      if (this.socket.readyState === WebSocket.OPEN) throw error;
      return closed;
    });
    return await Promise.race([answered, closed]);
  }

  async #push(text: string, count: number): Promise<Verdict> {
    const ref = `r${(this.#lastRef += 1)}`;
    const from = this.frames.items.length;
    this.socket.send(`["1","${ref}","${TOPIC}","mcp",${text}]`);
    const reply = await this.#reply(ref, from);
    if (reply[4]['status'] === 'error') {
      return { status: undefined, messages: [reply[4]['response'] as Wire], closed: undefined };
    }
    const answers = (): Wire[] =>
      this.frames.items.slice(from).flatMap(([, , , event, payload]) => (event === 'mcp' ? [payload as Wire] : []));
    await this.frames.waitFor(() => answers().length >= count, `${count} answers`, from);
    return { status: undefined, messages: answers(), closed: undefined };
  }

  async request(method: string, params: Json = {}, id: string | number = (this.#lastId += 1)): Promise<Wire> {
    return await this.#message({ jsonrpc: '2.0', id, method, params });
  }

  async notify(method: string, params: Json = {}): Promise<void> {
    const reply = await this.exchange([
      '1',
      `r${(this.#lastRef += 1)}`,
      TOPIC,
      'mcp',
      { jsonrpc: '2.0', method, params },
    ]);
    if (reply[4]['status'] !== 'ok') throw new Error(JSON.stringify(reply));
  }

  async close(): Promise<void> {
    this.socket.close();
    await within(this.closed, 'Phoenix close');
  }

  async #message(message: Json): Promise<Wire> {
    const from = this.frames.items.length;
    this.socket.send(JSON.stringify(['1', `r${(this.#lastRef += 1)}`, TOPIC, 'mcp', message]));
    const matches = ([, , , event, payload]: Frame): boolean => event === 'mcp' && payload['id'] === message['id'];
    return (await this.frames.waitFor(matches, `answer of ${String(message['method'])}`, from))[4];
  }

  async #reply(ref: string | null, from: number): Promise<Frame> {
    return await this.frames.waitFor((got) => got[3] === 'phx_reply' && got[1] === ref, `reply to ${ref ?? '?'}`, from);
  }
}
