/**
 * The HTTP upstream: Streamable HTTP on plain node:http, JSON answers, sessions. As fast as node:http allows, so that
 * what is measured in front of it is not hidden behind it.
 *
 *   node dist-test/bench/upstream.js [--port 0]
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { answer, type WireMessage } from './echo-server.js';
import { announce, exitWithParent } from './lifeline.js';

const sessions = new Set<string>();

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

function handlePost(request: IncomingMessage, response: ServerResponse, body: string): void {
  const message = JSON.parse(body) as WireMessage;
  const given = request.headers['mcp-session-id'];
  let opened: string | undefined;
  if (message.method === 'initialize') {
    opened = randomUUID();
    sessions.add(opened);
  } else if (typeof given !== 'string' || !sessions.has(given)) {
    refuse(response, given === undefined ? 400 : 404);
    return;
  }
  const reply = answer(message);
  if (reply === undefined) {
    refuse(response, 202);
    return;
  }
  const text = JSON.stringify(reply);
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(text))];
  if (opened !== undefined) headers.push('mcp-session-id', opened);
  response.writeHead(200, headers);
  response.end(text);
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      try {
        handlePost(request, response, body);
      } catch {
        refuse(response, 400);
      }
    });
  } else if (request.method === 'DELETE') {
    sessions.delete(String(request.headers['mcp-session-id']));
    refuse(response, 204);
  } else {
    refuse(response, 405);
  }
}

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
exitWithParent();
const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, handle);
server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4096 }, () => {
  announce({ event: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
});
