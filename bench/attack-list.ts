/**
 * The attacks of docs/security.md that cost the gateway time, each as bad as one client can make it. Limits by role and for
 * failed logins are lifted in the gateway that is attacked: what is measured is what they would have kept out.
 */
import {
  type Calm,
  dial,
  drip,
  floodHttp,
  floodWs,
  httpRequest,
  knock,
  type FloodTarget,
  type RequestParts,
} from './flood.js';
import { callText, INITIALIZE, INITIALIZED } from './load-session.js';

export interface Attack {
  readonly id: string;
  readonly what: string;
  /** Begins; goes on until the process ends. */
  readonly begin: (target: FloodTarget) => void;
  /** So many connections that do nothing any more once they have something unread: only that state is measured. */
  readonly still?: number;
}

/** Readers that sit still: the one attack whose mark is what honest clients see. */
export const STILL_READERS = 'still-readers';
export const ATTACKED_TOOL = 'bench__echo';
/** Largest message that the gateway takes, as it comes. */
const LIMIT = 4 * 1024 * 1024;

export const ATTACKS: readonly Attack[] = [
  {
    id: 'bad-json',
    what: 'broken JSON, 64 connections',
    begin: from(64, { body: '{"jsonrpc":"2.0","id":1,"method":' }),
  },
  { id: 'deep-json', what: '4 MB of [, 8 connections', begin: from(8, { body: '['.repeat(LIMIT) }) },
  {
    id: 'large-text',
    what: 'calls with 4 MB of text, 8 connections',
    begin: inSession(8, () => callText(1, ATTACKED_TOOL, 'x'.repeat(LIMIT - 200))),
  },
  {
    id: 'many-values',
    what: '4 MB of small values, 8 connections',
    begin: inSession(8, () => filled('[', '1,', '1]')),
  },
  {
    id: 'many-members',
    what: '4 MB of members, each of another name, 8 connections',
    begin: inSession(8, () => filled('{', (n) => `"${n.toString(36)}":1,`, '"":1}')),
  },
  { id: 'same-members', what: '4 MB of members of one name, 8 connections', begin: from(8, { body: sameMembers() }) },
  {
    id: 'oversize',
    what: 'chunked bodies beyond the limit, 16 connections',
    begin: from(16, { body: ' '.repeat(LIMIT + 1), chunked: true }),
  },
  { id: 'batches', what: 'batches of 100 pings, 32 connections', begin: inSession(32, () => batch(), '2025-03-26') },
  { id: 'tokens', what: 'tokens that are none, 64 connections', begin: badTokens },
  { id: 'sessions', what: 'sessions without end, 32 connections', begin: from(32, { body: INITIALIZE }) },
  { id: 'names', what: 'names, addresses and headers made for slow expressions', begin: slowNames },
  { id: 'slowloris', what: 'heads that never end, 1,000 connections', begin: slowloris },
  { id: 'connects', what: 'connections made and dropped, 64 at a time', begin: (target) => knock(target, 64) },
  {
    id: 'ws-pings',
    what: 'WebSocket: requests, 16 connections',
    begin: (target) =>
      floodWs(target, 16, (n) => [{ data: `{"jsonrpc":"2.0","id":${n},"method":"ping"}` }], { opening: OPENING }),
  },
  {
    id: 'ws-notifications',
    what: 'WebSocket: notifications, which no limit counts, 16 connections',
    begin: (target) => floodWs(target, 16, () => [{ data: NOTIFICATION }], { opening: OPENING }),
  },
  {
    id: 'ws-junk',
    what: 'WebSocket: broken JSON, 16 connections',
    begin: (target) => floodWs(target, 16, () => [{ data: '{"jsonrpc"' }], { opening: OPENING }),
  },
  {
    id: 'ws-fragments',
    what: 'WebSocket: messages in tiny fragments, 16 connections',
    begin: (target) => floodWs(target, 16, (n) => [{ data: ' ', fin: n % 60 === 0 }], { opening: OPENING }),
  },
  {
    id: 'phoenix',
    what: 'Phoenix: joins, leaves and unknown events, 16 connections',
    begin: (target) => floodWs(target, 16, phoenixFrames, { path: '/mcp/ws/websocket?vsn=2.0.0', protocols: [] }),
  },
  {
    id: 'slow-readers',
    what: '100 WebSockets and 100 HTTP+SSE streams that read nothing of large answers, ask on and come back when cut off',
    begin: (target) => slowReaders(target),
  },
  {
    id: STILL_READERS,
    what: '100 WebSockets and 100 HTTP+SSE streams that asked for 5 MB each, read none of it and sit still',
    begin: (target) => slowReaders(target, { times: 80, everyMs: 100 }),
    still: 200,
  },
];

const OPENING = [INITIALIZE, INITIALIZED];
const NOTIFICATION = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}';

function bearer(target: FloodTarget): Record<string, string> {
  return { authorization: `Bearer ${target.token}` };
}

/** The same request over and over, with a good token. */
function from(connections: number, parts: RequestParts): Attack['begin'] {
  return (target) => {
    const bytes = httpRequest(target, { ...parts, headers: bearer(target) });
    floodHttp(target, connections, () => bytes);
  };
}

/** Opens one session, then posts `body` in it over and over. */
function inSession(connections: number, body: () => string, version = '2025-11-25'): Attack['begin'] {
  return (target) => {
    const socket = dial(target, () => undefined);
    let said = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text;
      const id = /\r\nmcp-session-id:[ \t]*([^\r]*)\r\n/i.exec(said)?.[1];
      if (id === undefined) return;
      socket.destroy();
      const headers = { ...bearer(target), 'mcp-session-id': id, 'mcp-protocol-version': version };
      const ready = httpRequest(target, { headers, body: INITIALIZED });
      const bytes = httpRequest(target, { headers, body: body() });
      floodHttp(target, connections, (n) => (n === 1 ? ready : bytes));
    });
    const hello = INITIALIZE.replace(/"protocolVersion":"[^"]+"/, `"protocolVersion":"${version}"`);
    socket.write(httpRequest(target, { headers: bearer(target), body: hello }));
  };
}

/** A call whose arguments are `open`, as many of `item` as the limit has room for, and `close`. */
function filled(open: string, item: string | ((n: number) => string), close: string): string {
  const parts: string[] = [];
  const room = LIMIT - 300;
  for (let length = 0, n = 0; length < room; n += 1) {
    const part = typeof item === 'string' ? item : item(n);
    parts.push(part);
    length += part.length;
  }
  const args = `{"message":"x","more":${open}${parts.join('')}${close}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${ATTACKED_TOOL}","arguments":${args}}}`;
}

function sameMembers(): string {
  return `{"jsonrpc":"2.0","id":1,"method":"ping"${',"a":1'.repeat(LIMIT / 6 - 20)}}`;
}

function batch(): string {
  return `[${Array.from({ length: 100 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join(',')}]`;
}

function badTokens(target: FloodTarget): void {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [head = '', claims = ''] = target.token.split('.');
  const made = (n: number): string => {
    switch (n % 4) {
      case 0: // The signature has to be computed to be found wrong.
        return `${head}.${claims}.${Buffer.from(String(n).padStart(32, '0')).toString('base64url')}`;
      case 1:
        return `${part({ alg: 'RS256', kid: `k${n}` })}.${claims}.AAAA`;
      case 2:
        return `x.y.${n}`;
      default:
        return `${part({ alg: 'HS256', kid: 'k'.repeat(200) })}.${part({ sub: 'x'.repeat(8_000), n })}.AAAA`;
    }
  };
  floodHttp(target, 64, (n) =>
    httpRequest(target, { headers: { authorization: `Bearer ${made(n)}` }, body: INITIALIZE }),
  );
}

function slowNames(target: FloodTarget): void {
  const long = 'a'.repeat(200_000);
  const call = (name: string): string => callText(1, name, 'x');
  const read = (uri: string): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } });
  const requests = [
    { body: call(long) },
    { body: call(`bench__${'_'.repeat(100_000)}`) },
    { body: read(`file:///${'%2e%2e/'.repeat(20_000)}`) },
    { body: read(`${long}:${long}`) },
    { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: long } }) },
    { path: `/mcp/${'a/'.repeat(3_000)}`, body: '{}' },
    { headers: { accept: 'text/'.repeat(2_000) }, body: '{}' },
    { headers: { origin: `http://${'a.'.repeat(3_000)}` }, body: '{}' },
    { headers: { authorization: `Bearer${' '.repeat(8_000)}` }, body: '{}' },
    { headers: { 'x-forwarded-for': '1,'.repeat(4_000) }, body: '{}' },
  ];
  const bytes = requests.map(({ headers, ...parts }) =>
    httpRequest(target, { ...parts, headers: { ...bearer(target), ...headers } }),
  );
  const [first = Buffer.alloc(0)] = bytes;
  inSessionEach(target, 32, requests, (n) => bytes[n % bytes.length] ?? first);
}

/** Like `floodHttp`, and the requests that belong in a session have one. */
function inSessionEach(
  target: FloodTarget,
  connections: number,
  requests: readonly RequestParts[],
  outside: (n: number) => Buffer,
): void {
  for (const { body, headers } of requests)
    if (headers === undefined && typeof body === 'string') inSession(2, () => body)(target);
  floodHttp(target, connections - 2 * requests.length, outside);
}

function slowloris(target: FloodTarget): void {
  const { host, pathname } = target.url;
  drip(target, 1_000, `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\nx-a: `, 500);
}

function phoenixFrames(n: number): { data: string }[] {
  return [
    { data: `["${n}","${n}","mcp:gateway","phx_join",{}]` },
    { data: `["${n}","a${n}","mcp:gateway","nothing",{"a":1}]` },
    { data: `["${n}","b${n}","mcp:gateway","phx_leave",{}]` },
    { data: `["${n}","c${n}","other:topic","phx_join",{}]` },
  ];
}

/** Each asks for 60 kB, over and over or `calm`ly. */
function slowReaders(target: FloodTarget, calm?: Calm): void {
  const call = callText(1, ATTACKED_TOOL, 'x'.repeat(60_000));
  floodWs(target, 100, () => [{ data: call }], { opening: OPENING, reads: false, ...(calm && { calm }) });
  for (let i = 0; i < 100; i += 1) slowSse(target, call, calm);
}

/** An HTTP+SSE client that reads as far as its endpoint and then no more, while it goes on asking. */
function slowSse(target: FloodTarget, call: string, calm: Calm | undefined): void {
  let stop: () => void = () => undefined;
  const stream = dial(target, () => {
    target.count('closed');
    stop();
    setTimeout(() => slowSse(target, call, calm), 10);
  });
  let said = '';
  stream.setEncoding('latin1').on('data', (text: string) => {
    said += text;
    const endpoint = /data: (\/[^\r\n]+)/.exec(said)?.[1];
    if (endpoint === undefined) return;
    stream.pause();
    stream.removeAllListeners('data');
    stop = askOver(target, endpoint, call, calm);
  });
  const { host, pathname } = target.url;
  const { authorization = '' } = bearer(target);
  stream.write(
    `GET ${pathname}/sse HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${authorization}\r\naccept: text/event-stream\r\n\r\n`,
  );
}

/** Posts to the endpoint of a stream, over and over or `calm`ly, until told to stop. */
function askOver(target: FloodTarget, endpoint: string, call: string, calm: Calm | undefined): () => void {
  const headers = bearer(target);
  const opening = OPENING.map((body) => httpRequest(target, { path: endpoint, headers, body }));
  const again = httpRequest(target, { path: endpoint, headers, body: call });
  let sent = 0;
  const socket = dial(target, () => undefined);
  const next = (): void => void socket.write(opening[sent++] ?? again);
  socket.on('data', () => {
    target.count('sent');
    if (calm === undefined) next();
    else if (sent < opening.length + calm.times) setTimeout(next, calm.everyMs);
  });
  socket.on('connect', next);
  return () => socket.destroy();
}
