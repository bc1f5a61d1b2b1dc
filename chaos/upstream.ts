/**
 * The upstream of chaos runs: an MCP 2025-11-25 server with one tool, `echo`, over stdio, Streamable HTTP, HTTP+SSE or
 * WebSocket. It writes each call into its journal before it answers, and answers with the nonce and its process id.
 *
 *   node dist-test/chaos/upstream.js --journal FILE --over stdio|http|sse|ws [--port N] [--garbage] [--slow MS]
 *     [--sick-while FILE]
 *
 * `--garbage`: between its answers it writes what no server should (stdio), answers twice and under ids nobody used.
 * `--sick-while`: as long as this file is there, every call is answered with an internal error.
 * A call with `notices` is sent so many progress notifications of `pad` characters first (stdio), as fast as they are read;
 * without a message it is not counted.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { onLines } from '../test/support/lines.js';
import { announce, exitWithParent } from '../bench/lifeline.js';
import { Journal, now } from './journal.js';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly arguments?: Arguments; readonly _meta?: { readonly progressToken?: number } };
}

interface Arguments {
  readonly message?: string;
  readonly notices?: number;
  readonly pad?: number;
}

type Reply = (text: string) => void;

const { values } = parseArgs({
  options: {
    journal: { type: 'string' },
    over: { type: 'string', default: 'stdio' },
    port: { type: 'string', default: '0' },
    garbage: { type: 'boolean', default: false },
    slow: { type: 'string', default: '0' },
    'sick-while': { type: 'string' },
  },
});
if (values.journal === undefined) throw new Error('--journal is needed');
const journal = new Journal(values.journal);
const slow = Number(values.slow);
const TOOL = { name: 'echo', inputSchema: { type: 'object', properties: { message: { type: 'string' } } } };

function serve(message: Message, reply: Reply): void {
  const { id } = message;
  if (id === undefined) return;
  const send = (result: unknown): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', id, result });
    reply(text);
    if (!values.garbage) return;
    reply(text);
    reply(JSON.stringify({ jsonrpc: '2.0', id: `never-${id}`, result }));
    reply(JSON.stringify({ jsonrpc: '2.0', id: Number(id) + 1_000_000, result }));
  };
  switch (message.method) {
    case 'initialize': {
      const serverInfo = { name: 'chaos', version: '1.0.0' };
      return send({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo });
    }
    case 'tools/list':
      return send({ tools: [TOOL] });
    case 'tools/call':
      return call(id, message.params ?? {}, reply, send);
    case 'ping':
      return send({});
    default:
      reply(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }));
  }
}

function call(
  id: number | string,
  params: NonNullable<Message['params']>,
  reply: Reply,
  send: (result: unknown) => void,
): void {
  const nonce = params.arguments?.message ?? '';
  if (nonce !== '') journal.write({ e: 'ran', nonce, t: now() });
  if (values['sick-while'] !== undefined && existsSync(values['sick-while']))
    return reply(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: 'sick' } }));
  const result = { content: [{ type: 'text', text: `${nonce} ${process.pid}` }] };
  const { notices = 0, pad = 0 } = params.arguments ?? {};
  if (notices > 0) return flood(params._meta?.progressToken ?? 0, notices, 'x'.repeat(pad), () => send(result));
  if (slow > 0) setTimeout(() => send(result), slow);
  else send(result);
}

/** The next is written when the last has been read. */
function flood(progressToken: number, notices: number, message: string, done: () => void, sent = 0): void {
  if (sent === notices) return done();
  const params = { progressToken, progress: sent, message };
  const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params });
  process.stdout.write(`${text}\n`, () => flood(progressToken, notices, message, done, sent + 1));
}

function stdio(): void {
  onLines(process.stdin, (line) => {
    if (values.garbage) process.stdout.write('not json\n{"jsonrpc":"2.0","id":\n[1,2\n\u0000\u0001\n');
    serve(JSON.parse(line) as Message, (text) => void process.stdout.write(`${text}\n`));
  });
  process.stdin.on('end', () => process.exit(0));
}

function body(request: IncomingMessage, done: (text: string) => void): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => done(text));
}

function streamableHttp(): (request: IncomingMessage, response: ServerResponse) => void {
  const sessions = new Set<string>();
  return (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'DELETE' ? 204 : 405).end();
      return;
    }
    body(request, (text) => {
      const message = JSON.parse(text) as Message;
      const given = request.headers['mcp-session-id'];
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (message.method === 'initialize') {
        headers['mcp-session-id'] = randomUUID();
        sessions.add(headers['mcp-session-id']);
      } else if (typeof given !== 'string' || !sessions.has(given)) {
        response.writeHead(given === undefined ? 400 : 404).end();
        return;
      }
      if (message.id === undefined) {
        response.writeHead(202).end();
        return;
      }
      // The first answer is the response; what garbage adds has nowhere to go over HTTP.
      serve(message, (answer) => {
        if (!response.writableEnded) response.writeHead(200, headers).end(answer);
      });
    });
  };
}

function sse(): (request: IncomingMessage, response: ServerResponse) => void {
  const streams = new Map<string, ServerResponse>();
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET') {
      const id = randomUUID();
      streams.set(id, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: /messages?id=${id}\n\n`);
      response.on('close', () => streams.delete(id));
      return;
    }
    body(request, (text) => {
      const stream = streams.get(url.searchParams.get('id') ?? '');
      response.writeHead(stream ? 202 : 404).end();
      if (stream) serve(JSON.parse(text) as Message, (answer) => void stream.write(`data: ${answer}\n\n`));
    });
  };
}

function network(over: string): void {
  const handler = over === 'sse' ? sse() : streamableHttp();
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    handler(request, response);
  });
  if (over === 'ws') {
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        if (values.garbage) socket.send('{"jsonrpc":');
        serve(JSON.parse(data.toString('utf8')) as Message, (text) => socket.send(text));
      });
    });
  }
  server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 1_024 }, () => {
    announce({ event: 'ready', port: (server.address() as AddressInfo).port });
  });
}

exitWithParent();
if (values.over === 'stdio') stdio();
else network(values.over);
