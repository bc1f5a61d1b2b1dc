/**
 * Yardstick: the least that a Node MCP gateway can cost. Own session ids, each message parsed once and serialised once
 * in each direction, ids rewritten; no SDK, no schema, no supervision, no limits. Streamable HTTP and WebSocket in
 * front, Streamable HTTP or stdio behind. Every answer is one write with a content-length.
 *
 *   node dist-test/bench/node-mcp.js --upstream http://127.0.0.1:3000/mcp [--port 0]
 *   node dist-test/bench/node-mcp.js [--port 0] -- node dist-test/bench/upstream-stdio.js
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { WebSocketServer, type WebSocket } from 'ws';
import { type WireMessage } from './echo-server.js';
import { announce, exitWithParent } from './lifeline.js';
import { HttpUpstream, StdioUpstream, type Upstream } from './node-mcp-upstream.js';

const { values, positionals } = parseArgs({
  options: { upstream: { type: 'string' }, port: { type: 'string', default: '0' } },
  allowPositionals: true,
});

function chooseUpstream(): Upstream {
  const [command, ...args] = positionals;
  if (values.upstream !== undefined) return new HttpUpstream(new URL(values.upstream));
  if (command !== undefined) return new StdioUpstream(command, args);
  throw new Error('--upstream URL or -- COMMAND is needed');
}

const upstream = chooseUpstream();
/** Our session id to the upstream's. */
const sessions = new Map<string, string>();
let lastId = 0;

function failure(id: unknown, text: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code: -32603, message: text } });
}

/** Forwards one message; `done` gets the answer as text (`''` for a notification) and an opened upstream session. */
function exchange(session: string, message: WireMessage, done: (text: string, opened?: string) => void): void {
  const { id } = message;
  if (id !== undefined) message.id = ++lastId;
  upstream.send(session, message, (error, reply, opened) => {
    if (error !== undefined) {
      done(failure(id, error.message));
    } else if (reply === undefined || id === undefined) {
      done('');
    } else {
      reply.id = id;
      done(JSON.stringify(reply), opened);
    }
  });
}

function empty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

function sendJson(response: ServerResponse, text: string, session?: string): void {
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(text))];
  if (session !== undefined) headers.push('mcp-session-id', session);
  response.writeHead(200, headers);
  response.end(text);
}

function handlePost(given: string | undefined, response: ServerResponse, body: string): void {
  const message = JSON.parse(body) as WireMessage;
  if (message.method === 'initialize') {
    exchange('', message, (text, opened) => {
      const session = randomUUID();
      if (opened !== undefined) sessions.set(session, opened);
      sendJson(response, text, session);
    });
    return;
  }
  const session = given === undefined ? undefined : sessions.get(given);
  if (session === undefined) {
    empty(response, given === undefined ? 400 : 404);
    return;
  }
  exchange(session, message, (text) => {
    if (text === '') empty(response, 202);
    else sendJson(response, text);
  });
}

function receivePost(request: IncomingMessage, response: ServerResponse, given: string | undefined): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    try {
      handlePost(given, response, body);
    } catch {
      empty(response, 400);
    }
  });
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const header = request.headers['mcp-session-id'];
  const given = typeof header === 'string' ? header : undefined;
  if (request.method === 'POST') {
    receivePost(request, response, given);
    return;
  }
  const session = given === undefined ? undefined : sessions.get(given);
  if (given === undefined || session === undefined) {
    empty(response, 404);
  } else if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
  } else if (request.method === 'DELETE') {
    sessions.delete(given);
    upstream.close(session);
    empty(response, 204);
  } else {
    empty(response, 405);
  }
}

/** A WebSocket is a session: opened by its `initialize`, closed with the socket. */
function serveSocket(socket: WebSocket): void {
  let session = '';
  socket.on('message', (data: Buffer) => {
    let message: WireMessage;
    try {
      message = JSON.parse(data.toString('utf8')) as WireMessage;
    } catch {
      socket.close(1007);
      return;
    }
    exchange(session, message, (text, opened) => {
      if (opened !== undefined) session = opened;
      if (text !== '') socket.send(text);
    });
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    if (session !== '') upstream.close(session);
  });
}

exitWithParent();
const server = createServer({ requestTimeout: 0 }, handle);
const sockets = new WebSocketServer({
  server,
  path: '/mcp/ws',
  perMessageDeflate: false,
  clientTracking: false,
  handleProtocols: (offered) => (offered.has('mcp') ? 'mcp' : false),
});
sockets.on('connection', serveSocket);
server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4096 }, () => {
  announce({ event: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
});
