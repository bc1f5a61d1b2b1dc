/**
 * Outbound adapter: WebSocket, one JSON-RPC message a text frame, subprotocol `mcp`.
 *
 * No standard transport of MCP, but allowed as a custom one ("Transports › Custom Transports"); the framing is that of
 * the official SDK v1. Invariants: compression is off (a bomb, and CPU); the peer's silence is noticed: a ping goes out
 * every interval, and an interval without any frame in return ends the connection.
 *
 * Phases: new → opening → open → ended.
 */
import { WebSocket } from 'ws';
import type { JsonRpcMessage } from '../../protocol/jsonrpc.js';
import { stripControl } from '../../protocol/text.js';
import { systemClock, type Clock } from './clock.js';
import { deliver, junk } from './deliver.js';
import { closedByUs, connectFailed, errorCode, httpStatus, openAborted, redactUrl, tooLarge } from './errors.js';
import { resolveLimits, type TransportLimits } from './limits.js';
import type { OutboundHandlers, OutboundTransport, TransportError } from './transport.js';

export interface WebSocketOptions extends Partial<TransportLimits> {
  /** `ws:` or `wss:`. */
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization` of the handshake, where it changes over time. */
  readonly authorization?: (() => string | undefined) | undefined;
  /** Between two pings; 0 turns them off. Milliseconds, default 30,000. */
  readonly pingIntervalMs?: number;
  readonly clock?: Clock;
}

const SUBPROTOCOL = 'mcp';
const DEFAULT_PING_MS = 30_000;
const MAX_FRAGMENTS = 1_024;
const NORMAL_CLOSURE = 1000;

type Phase = 'new' | 'opening' | 'open' | 'ended';

class WebSocketTransport implements OutboundTransport {
  readonly network = 'tcp';
  readonly #options: WebSocketOptions;
  readonly #handlers: OutboundHandlers;
  readonly #limits: TransportLimits;
  readonly #clock: Clock;
  readonly #gone: Promise<void>;
  #markGone: () => void = () => undefined;
  #phase: Phase = 'new';
  #socket: WebSocket | undefined;
  /** A frame came since the last ping. */
  #alive = true;
  #cancelPing: (() => void) | undefined;
  #fault: TransportError | undefined;

  constructor(options: WebSocketOptions, handlers: OutboundHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#limits = resolveLimits(options);
    this.#clock = options.clock ?? systemClock;
    this.#gone = new Promise((resolve) => (this.#markGone = resolve));
  }

  open(signal: AbortSignal): Promise<TransportError | undefined> {
    if (this.#phase !== 'new') return Promise.resolve(closedByUs());
    const { url } = this.#options;
    if (signal.aborted) return Promise.resolve(this.#ended(openAborted(redactUrl(url))));
    const socket = this.#connect();
    if (!(socket instanceof WebSocket)) return Promise.resolve(this.#ended(socket));
    this.#phase = 'opening';
    this.#socket = socket;
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#fault = openAborted(redactUrl(url));
        socket.terminate();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('open', () => {
        signal.removeEventListener('abort', onAbort);
        this.#phase = 'open';
        this.#schedulePing();
        resolve(undefined);
      });
      socket.once('close', (code, reason) => {
        signal.removeEventListener('abort', onAbort);
        const error = this.#fault ?? closeError(code, reason, this.#limits.maxMessageBytes);
        const wasOpen = this.#phase === 'open';
        this.#ended(error);
        if (wasOpen) this.#handlers.onClosed(error);
        else resolve(error);
        this.#markGone();
      });
    });
  }

  send(message: JsonRpcMessage): boolean {
    const socket = this.#socket;
    if (this.#phase !== 'open' || socket?.readyState !== WebSocket.OPEN) {
      if ('method' in message && 'id' in message) {
        const { id } = message;
        queueMicrotask(() => this.#handlers.onRequestFailed(id, closedByUs()));
      }
      return true;
    }
    if (socket.bufferedAmount >= this.#limits.maxBufferedBytes) return false;
    socket.send(JSON.stringify(message), onWritten);
    return true;
  }

  setProtocolVersion(): void {
    // Not repeated on this wire.
  }

  listen(): void {
    // The connection goes both ways.
  }

  abandon(): void {
    // Nothing is held for a request.
  }

  async close(graceMs: number): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) {
      this.#phase = 'ended';
      return;
    }
    if (socket.readyState === WebSocket.CLOSED) return this.#gone;
    this.#fault ??= closedByUs();
    // While it connects, `close` aborts the handshake.
    socket.close(NORMAL_CLOSURE);
    const cancel = this.#clock.after(graceMs, () => socket.terminate());
    await this.#gone;
    cancel();
  }

  #connect(): WebSocket | TransportError {
    const { url, headers = {}, authorization } = this.#options;
    const credential = authorization?.();
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [SUBPROTOCOL], {
        headers: credential === undefined ? headers : { ...headers, authorization: credential },
        perMessageDeflate: false,
        followRedirects: false,
        maxPayload: this.#limits.maxMessageBytes,
        maxFragments: MAX_FRAGMENTS,
      });
    } catch {
      return {
        kind: 'connect_failed',
        message: `${redactUrl(url)}: the URL must begin with ws:// or wss://, and headers hold plain characters`,
      };
    }
    socket.on('error', (error) => (this.#fault ??= this.#faultOf(error)));
    socket.on('unexpected-response', (request, response) => {
      this.#fault ??= httpStatus(url, response.statusCode ?? 0, '', response.headers.location);
      response.resume();
      request.destroy();
      socket.terminate();
    });
    socket.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    socket.on('pong', () => (this.#alive = true));
    socket.on('ping', () => (this.#alive = true));
    return socket;
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#alive = true;
    if (isBinary) junk('binary frame', data.length, this.#handlers);
    else deliver(data.toString('utf8'), data.length, this.#handlers);
  }

  #faultOf(error: Error): TransportError {
    const code = errorCode(error);
    const { url } = this.#options;
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code.startsWith('WS_ERR_TOO_MANY')) {
      return tooLarge('a message', this.#limits.maxMessageBytes);
    }
    if (code.startsWith('WS_ERR'))
      return { kind: 'protocol', message: `${redactUrl(url)} broke the framing (${code})` };
    if (this.#phase === 'open') return { kind: 'closed', message: `connection to ${redactUrl(url)} broke (${code})` };
    if (code === 'Error') {
      // ws has no codes for a handshake gone wrong; its texts hold nothing of ours.
      return { kind: 'protocol', message: `${redactUrl(url)}: ${stripControl(error.message, 200)}` };
    }
    return connectFailed(url, error);
  }

  #ended(error: TransportError): TransportError {
    this.#phase = 'ended';
    this.#cancelPing?.();
    return error;
  }

  #schedulePing(): void {
    const interval = this.#options.pingIntervalMs ?? DEFAULT_PING_MS;
    if (interval <= 0) return;
    this.#cancelPing = this.#clock.after(interval, () => {
      if (!this.#alive) {
        const message = `${redactUrl(this.#options.url)} was silent for ${interval} ms; the connection is given up`;
        this.#fault ??= { kind: 'timeout', message };
        this.#socket?.terminate();
        return;
      }
      this.#alive = false;
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.ping();
      this.#schedulePing();
    });
  }
}

function onWritten(): void {
  // A failed write ends the connection, and 'close' reports it.
}

/** What a close code of the peer means (RFC 6455 §7.4.1 and the IANA registry of close codes). */
export function closeError(code: number, reason: Buffer, maxMessageBytes: number): TransportError {
  const said = reason.length === 0 ? '' : `: ${stripControl(reason.toString('utf8'), 123)}`;
  const message = `the server closed the WebSocket with code ${code}${said}`;
  switch (code) {
    case 1002: // protocol error
    case 1003: // unsupported data
    case 1007: // invalid payload
    case 1010: // extension missing
      return { kind: 'protocol', message };
    case 1009: // message too big
      return { kind: 'too_large', message: `${message} (limit here ${maxMessageBytes} bytes)` };
    case 3000: // unauthorized
    case 3003: // forbidden
      return { kind: 'unauthorized', message };
    case 3008: // timeout
      return { kind: 'timeout', message };
    default:
      return { kind: 'closed', message };
  }
}

/** A server that speaks JSON-RPC over WebSocket. See `OutboundTransport` for the contract. */
export function createWebSocketTransport(options: WebSocketOptions, handlers: OutboundHandlers): OutboundTransport {
  return new WebSocketTransport(options, handlers);
}
