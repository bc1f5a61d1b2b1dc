/**
 * Yardstick: a bare Node reverse proxy, node:http in front and an undici Pool behind. It knows nothing of MCP. Request
 * bodies are buffered, as nginx does; answers are streamed, head and first chunk in one write.
 *
 *   node dist-test/bench/node-proxy.js --upstream http://127.0.0.1:3000 [--port 0]
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Pool, type Dispatcher } from 'undici';
import { announce, exitWithParent } from './lifeline.js';

/** Headers of one hop, which a proxy does not pass on. Source: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect']);

function passOn(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

/** undici's raw handler: one object a request, no stream in between. */
class Exchange implements Dispatcher.DispatchHandler {
  constructor(private readonly response: ServerResponse) {}

  onConnect(abort: (error?: Error) => void): void {
    this.response.on('close', () => {
      if (!this.response.writableFinished) abort();
    });
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    const { response } = this;
    response.cork();
    process.nextTick(() => response.uncork());
    response.writeHead(status, passOn(headers.map((part) => part.toString('latin1'))));
    response.flushHeaders();
    response.on('drain', resume);
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.response.write(chunk);
  }

  onComplete(): void {
    this.response.end();
  }

  onError(): void {
    if (!this.response.headersSent) this.response.writeHead(502, { 'content-length': 0 });
    this.response.end();
  }
}

const { values } = parseArgs({
  options: { upstream: { type: 'string' }, port: { type: 'string', default: '0' } },
});
if (values.upstream === undefined) throw new Error('--upstream URL is needed');
exitWithParent();
const pool = new Pool(new URL(values.upstream).origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer | null): void {
  const { url = '/', method = 'GET' } = request;
  pool.dispatch({ path: url, method, headers: passOn(request.rawHeaders), body }, new Exchange(response));
}

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [first] = chunks;
    forward(request, response, first === undefined ? null : chunks.length === 1 ? first : Buffer.concat(chunks));
  });
});
server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4096 }, () => {
  announce({ event: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
});
