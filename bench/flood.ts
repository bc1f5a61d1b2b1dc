/**
 * What attackers are made of: many connections that each do their worst again as soon as they may. Closed loops, so that what
 * is measured is the gateway and not the memory of the attacker.
 */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { ResponseReader } from './http-wire.js';

export interface FloodTarget {
  /** Streamable HTTP endpoint. */
  readonly url: URL;
  /** A token that is good, for attacks from within. */
  readonly token: string;
  /** Counts one blow, and how it was answered: a status, a close code, `sent`. */
  readonly count: (answer: string) => void;
}

/** How soon a connection that was closed is made again. Milliseconds. */
const AGAIN_MS = 10;
/** Frames that a WebSocket writes before it looks whether they have gone. */
const BURST = 64;
const HIGH_WATER = 256 * 1024;

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The body without its length, in chunks. */
  readonly chunked?: true;
}

/** One request as bytes. */
export function httpRequest({ url }: FloodTarget, parts: RequestParts): Buffer {
  const { method = 'POST', path = url.pathname, headers = {}, body = '', chunked } = parts;
  const bytes = Buffer.from(body);
  const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${bytes.length}`;
  const fields = Object.entries({
    host: url.host,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields.join('')}${length}\r\n\r\n`, 'latin1');
  if (!chunked) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]);
}

/** `connections` that each send `next(n)` and, when it is answered, another. */
export function floodHttp(target: FloodTarget, connections: number, next: (n: number) => Buffer): void {
  let sent = 0;
  const open = (): void => {
    const socket = dial(target, () => setTimeout(open, AGAIN_MS));
    const reader = new ResponseReader(({ status }) => {
      target.count(String(status));
      socket.write(next((sent += 1)));
    });
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('connect', () => socket.write(next((sent += 1))));
  };
  for (let i = 0; i < connections; i += 1) open();
}

/**
 * `connections` that write `frames(n)` as fast as they are taken. With `reads: false` nothing is read meanwhile; a calm one
 * writes once in a while, so many times, and then keeps still.
 */
export function floodWs(
  target: FloodTarget,
  connections: number,
  frames: (n: number) => readonly WsFrame[],
  { path = `${target.url.pathname}/ws`, protocols = ['mcp'], opening = [], reads = true, calm }: WsFloodOptions = {},
): void {
  let sent = 0;
  const open = (): void => {
    let left = calm?.times ?? Infinity;
    const burst = calm === undefined ? BURST : 1;
    const socket = new WebSocket(`ws://${target.url.host}${path}`, [...protocols], {
      headers: { authorization: `Bearer ${target.token}` },
      perMessageDeflate: false,
    });
    const blow = (): void => {
      for (let i = 0; i < burst && left > 0 && socket.bufferedAmount < HIGH_WATER; i += 1, left -= 1) {
        for (const { data, ...options } of frames((sent += 1))) socket.send(data, options);
        target.count('sent');
      }
      if (left > 0 && socket.readyState === WebSocket.OPEN) setTimeout(blow, calm?.everyMs ?? 1);
    };
    socket.on('open', () => {
      for (const text of opening) socket.send(text);
      if (!reads) socket.pause();
      blow();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      target.count(`closed ${code}`);
      setTimeout(open, AGAIN_MS);
    });
  };
  for (let i = 0; i < connections; i += 1) open();
}

export interface WsFrame {
  readonly data: string | Buffer;
  readonly fin?: boolean;
}

export interface WsFloodOptions {
  readonly path?: string;
  readonly protocols?: readonly string[];
  /** Sent before the flood. */
  readonly opening?: readonly string[];
  readonly reads?: boolean;
  readonly calm?: Calm;
}

/** So many times, this often. */
export interface Calm {
  readonly times: number;
  readonly everyMs: number;
}

/** `connections` that write one byte now and then and never come to an end. */
export function drip(target: FloodTarget, connections: number, head: string, everyMs: number): void {
  const open = (): void => {
    const timer = setInterval(() => {
      socket.write('a');
      target.count('sent');
    }, everyMs);
    const socket = dial(target, () => {
      clearInterval(timer);
      target.count('closed');
      setTimeout(open, AGAIN_MS);
    });
    socket.resume();
    socket.write(head);
  };
  for (let i = 0; i < connections; i += 1) open();
}

/** Connections that are made and dropped, `atATime` of them. */
export function knock(target: FloodTarget, atATime: number): void {
  const open = (): void => {
    const socket = dial(target, () => setImmediate(open));
    socket.on('connect', () => {
      target.count('connected');
      socket.destroy();
    });
  };
  for (let i = 0; i < atATime; i += 1) open();
}

/** A raw connection; `onClose` is called once. */
export function dial({ url }: FloodTarget, onClose: () => void): Socket {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  socket.on('error', () => undefined);
  socket.once('close', onClose);
  return socket;
}
