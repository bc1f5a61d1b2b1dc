/**
 * The client transports as the columns of the threats in docs/security.md, each behind one face: an attack is written
 * once and tried on all of them. `RAW_PEERS` are three of these in any revision; here both eras and Phoenix are too.
 */
import { type HttpReply, fetchRaw, HttpSession, initializeRequest, messagesIn, POST_HEADERS } from './raw-http.js';
import { type Json, SseStream, type Wire } from './raw-http.js';
import { HttpPeer, type RawPeer, SsePeer, type Verdict, WebSocketPeer } from './raw-peers.js';
import { PhoenixPeer, phoenixUrl } from './phoenix-peer.js';
import { upgradeStatus } from './auth/peers.js';
import { INFO_KEY, modernHeaders, modernMessage } from '../e2e/eras/modern-http.js';

type Headers = Readonly<Record<string, string>>;

/** How the first request of a newcomer is answered. */
export interface Welcome {
  /** HTTP status; 101 of an upgrade. A join that is refused counts as 401. */
  readonly status: number;
  /** Of an answer over HTTP. */
  readonly headers?: HttpReply['headers'];
  readonly body: string;
}

export interface Door {
  readonly name: 'HTTP' | 'HTTP, modern' | 'HTTP+SSE' | 'WebSocket' | 'Phoenix';
  /** Refusals of this transport have an HTTP status. */
  readonly hasStatus: boolean;
  /** A client that may ask; `headers` go with each of its requests, `clientInfo` is what it says of itself. */
  readonly open: (base: string, headers?: Headers, clientInfo?: Json) => Promise<RawPeer>;
  /** What a newcomer with these headers is told. Leaves nothing open. */
  readonly knock: (base: string, headers?: Headers) => Promise<Welcome>;
}

const CALL: Json = { name: 'good__echo', arguments: { text: 'modern' } };

/** Modern era: no session; each request stands alone. */
export class ModernPeer implements RawPeer {
  readonly #base: string;
  readonly #headers: Headers;
  readonly #meta: Json;
  #lastId = 0;

  constructor(base: string, headers: Headers = {}, clientInfo?: Json) {
    this.#base = base;
    this.#headers = headers;
    this.#meta = clientInfo === undefined ? {} : { [INFO_KEY]: clientInfo };
  }

  async post(body: string | Iterable<string>, method: string, params: Json, more: Headers = {}): Promise<HttpReply> {
    const headers = modernHeaders(method, params, { headers: { ...this.#headers, ...more } });
    return await fetchRaw(`${this.#base}/mcp`, { method: 'POST', headers, body });
  }

  /** Text as it is, under the headers of a call of `good__echo`. */
  async send(text: string): Promise<Verdict> {
    const reply = await this.post(text, 'tools/call', CALL);
    return { status: reply.status, messages: messagesIn(reply), closed: undefined };
  }

  async request(method: string, params: Json = {}, id: string | number = (this.#lastId += 1)): Promise<Wire> {
    const text = JSON.stringify(modernMessage(method, params, { id, meta: this.#meta }));
    const reply = await this.post(text, method, params);
    const answer = messagesIn(reply).find((message) => message.method === undefined);
    if (answer === undefined) throw new Error(`${method}: no answer in ${reply.status} ${reply.body.slice(0, 500)}`);
    return answer;
  }

  async notify(): Promise<void> {
    // The modern era has no notification of clients that these tests need.
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

const INIT = JSON.stringify(initializeRequest('2025-11-25'));

export const DOORS: readonly Door[] = [
  {
    name: 'HTTP',
    hasStatus: true,
    open: async (base, headers = {}, clientInfo) => {
      const options = { headers, ...(clientInfo === undefined ? {} : { clientInfo }) };
      return new HttpPeer(await HttpSession.open(base, options));
    },
    knock: async (base, headers = {}) => {
      const begun = { method: 'POST', headers: { ...POST_HEADERS, ...headers }, body: INIT };
      const reply = await fetchRaw(`${base}/mcp`, begun);
      const { 'mcp-session-id': id } = reply.headers;
      if (typeof id === 'string')
        await fetchRaw(`${base}/mcp`, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': id } });
      return reply;
    },
  },
  {
    name: 'HTTP, modern',
    hasStatus: true,
    open: async (base, headers, clientInfo) => new ModernPeer(base, headers, clientInfo),
    knock: (base, headers) =>
      new ModernPeer(base, headers).post(JSON.stringify(modernMessage('tools/list')), 'tools/list', {}),
  },
  {
    name: 'HTTP+SSE',
    hasStatus: false,
    open: (base, headers, clientInfo) => SsePeer.open(base, '2024-11-05', headers, clientInfo),
    knock: async (base, headers) => {
      const stream = await SseStream.open(`${base}/mcp/sse`, headers);
      stream.close();
      return { status: stream.status, body: '' };
    },
  },
  {
    name: 'WebSocket',
    hasStatus: false,
    open: (base, headers, clientInfo) => WebSocketPeer.open(base, '2025-11-25', headers, clientInfo),
    knock: async (base, headers = {}) => ({
      status: await upgradeStatus(`${base.replace(/^http/, 'ws')}/mcp/ws`, ['mcp'], headers),
      body: '',
    }),
  },
  {
    name: 'Phoenix',
    hasStatus: false,
    open: (base, headers, clientInfo) => PhoenixPeer.open(base, '2025-11-25', headers, clientInfo),
    knock: async (base, headers = {}) => {
      const status = await upgradeStatus(phoenixUrl(base), [], headers);
      if (status !== 101) return { status, body: '' };
      const peer = await PhoenixPeer.connect(base, headers);
      const reply = (await peer.exchange(['1', '1', 'mcp:gateway', 'phx_join', {}]))[4];
      await peer.close();
      return { status: reply['status'] === 'ok' ? 101 : 401, body: JSON.stringify(reply) };
    },
  },
];

/** The status with which this door lets somebody in. */
export function welcome(door: Door): number {
  return door.name === 'WebSocket' || door.name === 'Phoenix' ? 101 : 200;
}

/** `reason` of an error's data: its name in the catalogue. */
export function reasonOf({ error }: Wire): unknown {
  return (error?.data as Json | undefined)?.['reason'];
}
