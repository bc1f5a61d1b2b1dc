/** Clients of the transports that stay open, with a token: one face, so that what holds of one is tried on each. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { EventLog } from '../event-log.js';
import { within } from '../eventually.js';
import { phoenixUrl } from '../phoenix-peer.js';
import { fetchRaw, flatten, initializeRequest, type Json, SseStream, type Wire } from '../raw-http.js';
import { bearer } from './tokens.js';

export interface TokenPeer {
  /** A request and its answer. */
  request(method: string, params?: Json): Promise<Wire>;
  notify(method: string, params?: Json): Promise<void>;
  /** Notices about its credential: `expiring`, `renewed`, `refused`, `expired`, `revoked`. */
  readonly notices: EventLog<string>;
  /** Resolves with the close code, 0 where there is none. */
  readonly closed: Promise<number>;
  /** Shows a newer token in band. */
  renew(token: string): Promise<void>;
  close(): void;
}

export interface TokenPeerKind {
  readonly name: string;
  /** `headers` go with every request that can have some. */
  readonly open: (base: string, token: string, headers?: Readonly<Record<string, string>>) => Promise<TokenPeer>;
  /** How a login with this token is refused: an HTTP status. */
  readonly login: (base: string, token: string, headers?: Readonly<Record<string, string>>) => Promise<number>;
}

/** The status of an upgrade: 101, or that of the refusal. */
export async function upgradeStatus(
  url: string,
  protocols: string[],
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const socket = new WebSocket(url, protocols, { headers });
  socket.on('error', () => undefined);
  const status = new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
  });
  const seen = await within(status, url);
  socket.terminate();
  return seen;
}

const ws = (base: string): string => `${base.replace(/^http/, 'ws')}/mcp/ws`;

function answersIn(log: EventLog<Wire>, send: (message: Json) => unknown): TokenPeer['request'] {
  let lastId = 0;
  return async (method, params = {}) => {
    const id = (lastId += 1);
    const from = log.items.length;
    await send({ jsonrpc: '2.0', id, method, params });
    return await log.waitFor((wire) => wire.id === id && wire.method === undefined, `answer of ${method}`, from);
  };
}

async function initialized(peer: TokenPeer, revision: string): Promise<TokenPeer> {
  const { params } = initializeRequest(revision) as { params: Json };
  const { error } = await peer.request('initialize', params);
  if (error) throw new Error(JSON.stringify(error));
  await peer.notify('notifications/initialized');
  return peer;
}

const WEBSOCKET: TokenPeerKind = {
  name: 'WebSocket',
  login: (base, token, headers = {}) => upgradeStatus(ws(base), ['mcp', `bearer.${token}`], headers),
  open: async (base, token, headers = {}) => {
    const socket = new WebSocket(ws(base), ['mcp'], { headers: { ...headers, ...bearer(token) } });
    const log = new EventLog<Wire>();
    const notices = new EventLog<string>();
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const wire = JSON.parse(data.toString()) as Wire;
      log.push(wire);
      if (wire.method === 'notifications/viable/credential') notices.push(String(wire.params?.['state']));
    });
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await within(once(socket, 'open'), 'open');
    const send = (message: Json): void => socket.send(JSON.stringify(message));
    const notify = (method: string, params: Json = {}): Promise<void> => {
      send({ jsonrpc: '2.0', method, params });
      return Promise.resolve();
    };
    const renew = (newer: string): Promise<void> => notify('notifications/viable/authenticate', { token: newer });
    const peer = { request: answersIn(log, send), notify, notices, closed, renew, close: () => socket.terminate() };
    return await initialized(peer, '2025-11-25');
  },
};

const PHOENIX: TokenPeerKind = {
  name: 'Phoenix',
  /** A bad token gets as far as the join. */
  login: async (base, token, headers = {}) =>
    await upgradeStatus(phoenixUrl(base, `?vsn=2.0.0&token=${token}`), [], headers),
  open: async (base, token, headers = {}) => {
    const socket = new WebSocket(phoenixUrl(base, `?vsn=2.0.0&token=${token}`), { headers });
    const log = new EventLog<Wire>();
    const replies = new EventLog<string>();
    const notices = new EventLog<string>();
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const [, ref, , event, payload] = JSON.parse(data.toString()) as [string, string, string, string, Json];
      if (event === 'mcp') log.push(payload);
      if (event === 'credential') notices.push(String(payload['state']));
      if (event === 'phx_reply') replies.push(`${ref} ${String(payload['status'])}`);
    });
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await within(once(socket, 'open'), 'open');
    let lastRef = 0;
    const push = async (event: string, payload: Json): Promise<void> => {
      const ref = `r${(lastRef += 1)}`;
      socket.send(JSON.stringify(['1', ref, 'mcp:gateway', event, payload]));
      const reply = await replies.waitFor((text) => text.startsWith(`${ref} `), `reply to ${event}`);
      if (reply !== `${ref} ok`) throw new Error(`${event}: ${reply}`);
    };
    await (async () => {
      socket.send(JSON.stringify(['1', 'j', 'mcp:gateway', 'phx_join', {}]));
      await replies.waitFor((text) => text === 'j ok', 'the join');
    })();
    const notify = (method: string, params: Json = {}): Promise<void> =>
      push('mcp', { jsonrpc: '2.0', method, params });
    const peer = {
      request: answersIn(log, (message) => push('mcp', message)),
      notify,
      notices,
      closed,
      renew: (newer: string) => push('authenticate', { token: newer }),
      close: () => socket.terminate(),
    };
    return await initialized(peer, '2025-11-25');
  },
};

const SSE: TokenPeerKind = {
  name: 'HTTP+SSE',
  login: async (base, token, headers = {}) => (await SseStream.open(`${base}/mcp/sse?token=${token}`, headers)).status,
  open: async (base, token, headers = {}) => {
    const stream = await SseStream.open(`${base}/mcp/sse`, { ...headers, ...bearer(token) });
    const hello = await stream.events.waitFor(({ event }) => event === 'endpoint', 'endpoint');
    const log = new EventLog<Wire>();
    const notices = new EventLog<string>();
    void follow(stream, log, notices);
    let shown = token;
    const post = async (message: Json): Promise<void> => {
      const { status, body } = await fetchRaw(new URL(hello.data, base).href, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers, ...bearer(shown) },
        body: JSON.stringify(message),
      });
      if (status !== 202) throw new Error(`${status} ${body}`);
    };
    const notify = (method: string, params: Json = {}): Promise<void> => post({ jsonrpc: '2.0', method, params });
    const request = answersIn(log, post);
    const renew = async (newer: string): Promise<void> => {
      shown = newer;
      await request('ping');
    };
    const closed = stream.ended.then(() => 0);
    return await initialized({ request, notify, notices, closed, renew, close: () => stream.close() }, '2024-11-05');
  },
};

async function follow(stream: SseStream, log: EventLog<Wire>, notices: EventLog<string>): Promise<void> {
  for (let index = 0; ; index += 1) {
    const event = await stream.events.next(index);
    if (event === undefined) return;
    if (event.event === 'credential') notices.push((JSON.parse(event.data) as { state: string }).state);
    else if ((event.event ?? 'message') === 'message') for (const wire of flatten(event.data)) log.push(wire);
  }
}

export const TOKEN_PEERS: readonly TokenPeerKind[] = [WEBSOCKET, PHOENIX, SSE];
