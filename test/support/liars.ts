/**
 * Servers inside the test, one for each transport of upstreams, that have one tool, `hold`, and write what the test wants
 * word for word: with these a test says what no SDK would. What is written goes where the newest call came from: the
 * gateway's audit (S3*) opens sessions of its own whenever it likes.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { EventLog } from './event-log.js';
import { type FixtureHub } from './hub.js';
import { type Json, type Wire } from './raw-http.js';

export interface Liar {
  /** Its `mcpServers` entry. */
  readonly entry: Json;
  /** The id under which the call with this nonce came, once it is here. */
  held(nonce: string): Promise<string | number>;
  /** One frame: a text message, the data of an event, a line. */
  write(text: string): void;
  close(): Promise<void>;
}

interface Held {
  readonly nonce: unknown;
  readonly id: string | number;
}

/** What it says to everything but a call of `hold`; `undefined` to what wants no answer. */
function answerTo({ id, method, params }: Wire): string | undefined {
  if (id === undefined || method === undefined) return undefined;
  const results: Readonly<Record<string, Json>> = {
    initialize: {
      protocolVersion: params?.['protocolVersion'],
      capabilities: { tools: {} },
      serverInfo: { name: 'liar', version: '1.0.0' },
    },
    'tools/list': { tools: [{ name: 'hold', inputSchema: { type: 'object' } }] },
  };
  return JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} });
}

class Calls {
  readonly #log = new EventLog<Held>();

  /** Whether it is a call, which is held. */
  took({ id, method, params }: Wire): boolean {
    if (method !== 'tools/call' || id === undefined || id === null) return false;
    this.#log.push({ nonce: (params?.['arguments'] as Json | undefined)?.['nonce'], id });
    return true;
  }

  async held(nonce: string): Promise<string | number> {
    return (await this.#log.waitFor((call) => call.nonce === nonce, `call ${nonce}`)).id;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Wire> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Wire;
}

/** Calls that each may have outstanding. */
export const MAX_IN_FLIGHT = 4;
const LEGACY = { viable: { era: 'legacy', maxMessageBytes: 1024 * 1024, maxInFlight: MAX_IN_FLIGHT } };
const STREAM = { 'content-type': 'text/event-stream' };

/** HTTP, with the stream that `stream` keeps for what is written. */
async function overHttp(
  type: 'http' | 'sse',
  receive: (request: IncomingMessage, response: ServerResponse, calls: Calls) => void | Promise<void>,
  stream: () => ServerResponse | undefined,
): Promise<Liar> {
  const calls = new Calls();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void receive(request, response, calls);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    entry: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, type, ...LEGACY },
    held: (nonce) => calls.held(nonce),
    write: (text) => void stream()?.write(`data: ${text}\n\n`),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Streamable HTTP: it writes to the stream of the newest call that waits, and when none does to its session's GET stream. */
function http(): Promise<Liar> {
  const listening = new Map<unknown, ServerResponse>();
  const calling: ServerResponse[] = [];
  let newest: unknown;
  const receive = async (request: IncomingMessage, response: ServerResponse, calls: Calls): Promise<void> => {
    const session = request.headers['mcp-session-id'];
    if (request.method === 'GET') {
      response.writeHead(200, STREAM).flushHeaders();
      listening.set(session, response);
      return;
    }
    if (request.method !== 'POST') return void response.writeHead(200).end();
    const message = await bodyOf(request);
    if (calls.took(message)) {
      newest = session;
      response.writeHead(200, STREAM).flushHeaders();
      response.on('close', () => void calling.splice(calling.indexOf(response), 1));
      calling.push(response);
      return;
    }
    const answer = answerTo(message);
    if (answer === undefined) return void response.writeHead(202).end();
    const headers = { 'content-type': 'application/json', 'mcp-session-id': session ?? randomUUID() };
    response.writeHead(200, headers).end(answer);
  };
  return overHttp('http', receive, () => calling.at(-1) ?? listening.get(newest));
}

/** HTTP+SSE: all of a session on one stream. */
function sse(): Promise<Liar> {
  const streams = new Map<string, ServerResponse>();
  let newest: ServerResponse | undefined;
  const receive = async (request: IncomingMessage, response: ServerResponse, calls: Calls): Promise<void> => {
    if (request.method === 'GET') {
      const endpoint = `/messages/${randomUUID()}`;
      response.writeHead(200, STREAM).write(`event: endpoint\ndata: ${endpoint}\n\n`);
      streams.set(endpoint, response);
      return;
    }
    const stream = streams.get(String(request.url));
    const message = await bodyOf(request);
    response.writeHead(202).end();
    if (calls.took(message)) {
      newest = stream;
      return;
    }
    const answer = answerTo(message);
    if (answer !== undefined) stream?.write(`data: ${answer}\n\n`);
  };
  return overHttp('sse', receive, () => newest);
}

async function ws(): Promise<Liar> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mcp' });
  await once(server, 'listening');
  const calls = new Calls();
  let newest: WebSocket | undefined;
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as Wire;
      if (calls.took(message)) {
        newest = socket;
        return;
      }
      const answer = answerTo(message);
      if (answer !== undefined) socket.send(answer);
    });
  });
  return {
    entry: { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, type: 'ws', ...LEGACY },
    held: (nonce) => calls.held(nonce),
    write: (text) => newest?.send(text),
    close: async () => {
      for (const client of server.clients) client.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A process of its own, which is told what to write. */
async function stdio(hub: FixtureHub, name: string): Promise<Liar> {
  return {
    entry: { ...hub.stdio('raw/liar', name), ...LEGACY },
    held: async (nonce) => {
      const { id } = await hub.waitFor(name, 'held', (event) => event['nonce'] === nonce);
      return id as string | number;
    },
    write: (text) => hub.tell(name, 'write', { text }),
    close: () => Promise.resolve(),
  };
}

/** By the name of the transport; `name` is the server's in the configuration. */
export const LIARS: Readonly<Record<string, (hub: FixtureHub, name: string) => Promise<Liar>>> = {
  stdio,
  http,
  sse,
  ws,
};
