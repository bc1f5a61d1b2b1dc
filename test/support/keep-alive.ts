/**
 * An HTTP/1.1 client on one connection that it keeps, by hand on a socket, as simple clients do it: it opens another one when
 * the server has said `Connection: close` or has closed between two requests, follows no redirect, and repeats nothing.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from './eventually.js';

export interface KeptReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class KeepAliveClient {
  readonly #url: URL;
  #socket: Socket | null = null;
  /** Connections that it has opened. */
  connections = 0;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<KeptReply> {
    const socket = await this.#connected();
    const all = { host: this.#url.host, ...headers, 'content-length': String(Buffer.byteLength(body)) };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = readReply(socket);
    socket.write(`POST ${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    const reply = await within(answer, `the answer of ${path}`);
    if (reply.headers.get('connection') === 'close') this.close();
    return reply;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #connected(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && !this.#socket.readableEnded) return this.#socket;
    const { hostname: host, port, protocol } = this.#url;
    const secure = protocol === 'https:';
    const where = { host, port: Number(port), noDelay: true };
    const socket = secure ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
    await within(once(socket, secure ? 'secureConnect' : 'connect'), 'a connection');
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    this.#socket = socket;
    this.connections += 1;
    return socket;
  }
}

/** One response with `Content-Length` or in chunks. Rejects when the connection ends before it does. */
function readReply(socket: Socket): Promise<KeptReply> {
  return new Promise((resolve, reject) => {
    let buffered = Buffer.alloc(0);
    const over = (settle: () => void): void => {
      socket.off('data', take);
      socket.off('close', lost);
      settle();
    };
    const lost = (): void => over(() => reject(new Error(`the connection ended after ${buffered.length} bytes`)));
    const take = (data: Buffer): void => {
      buffered = Buffer.concat([buffered, data]);
      const reply = parse(buffered);
      if (reply) over(() => resolve(reply));
    };
    socket.on('data', take);
    socket.once('close', lost);
  });
}

function parse(bytes: Buffer): KeptReply | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.replace(/^[^:]*:\s*/, '')]),
  );
  const rest = bytes.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? chunks(rest) : whole(rest, headers);
  return body === undefined ? undefined : { status: Number(first.split(' ')[1]), headers, body };
}

function whole(rest: Buffer, headers: ReadonlyMap<string, string>): string | undefined {
  const length = Number(headers.get('content-length') ?? 0);
  return rest.length < length ? undefined : rest.subarray(0, length).toString('utf8');
}

function chunks(rest: Buffer): string | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = rest.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(rest.subarray(at, line).toString('latin1'), 16);
    const begin = line + 2;
    if (rest.length < begin + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(rest.subarray(begin, begin + size));
    at = begin + size + 2;
  }
}
