/**
 * Outbound adapter: Streamable HTTP, revisions 2025-03-26 to 2025-11-25 (and the sending half of later ones).
 *
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP". The data path: one POST a message through
 * undici's dispatcher, one `JSON.parse` an answer, one `Buffer.concat` at most. It owns the session id, the protocol
 * version header and the event ids of its streams, and no other MCP state.
 *
 * Phases: new → open → ended. A lost connection fails the requests on it and nothing else; the transport itself ends by
 * `close`, when the server no longer knows the session, or when it cannot be reached and no request is under way.
 */
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/jsonrpc.js';
import { Outstanding } from '../../protocol/outstanding.js';
import { systemClock, type Clock } from './clock.js';
import { closedByUs } from './errors.js';
import { HeldSends, INITIALIZED } from './held-sends.js';
import { HttpEndpoint, type EndpointOptions } from './http-endpoint.js';
import { Exchange } from './http-exchange.js';
import { withHeaders } from './headers.js';
import { resolveLimits, type TransportLimits } from './limits.js';
import { ListenExchange, type ListenOwner } from './streamable-http-listen.js';
import { RequestExchange, type RequestOwner } from './streamable-http-request.js';
import type { OutboundHandlers, OutboundTransport, TraceHeaders, TransportError } from './transport.js';

export interface HttpOptions extends EndpointOptions, Partial<TransportLimits> {
  readonly clock?: Clock;
}

/** A session id is visible ASCII (specification, "Session Management"). */
const SESSION_ID = /^[\x21-\x7e]+$/;
/** What was said last, such as that a call is cancelled, is waited for this long when the transport is closed. */
const LAST_WORDS_MS = 1_000;
/** How long a server may keep a stream open after it gave the answer. Checked in steps of this. */
const LINGER_MS = 5_000;

type Phase = 'new' | 'open' | 'ended';

class StreamableHttpTransport implements OutboundTransport, RequestOwner, ListenOwner {
  readonly network = 'tcp';
  readonly handlers: OutboundHandlers;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #endpoint: HttpEndpoint;
  readonly #pending = new Outstanding<RequestExchange>();
  /** Notifications and responses that the server has not taken yet. */
  readonly #notices = new Outstanding<RequestExchange>();
  /** Answered requests whose stream the server has not ended. */
  readonly #lingering = new Outstanding<RequestExchange>();
  #exchanges = 0;
  readonly #initialized = new HeldSends();
  #phase: Phase = 'new';
  #sessionId: string | undefined;
  #version: string | undefined;
  #postHeaders: string[];
  #streamHeaders: string[];
  #buffered = 0;
  #listening: ListenExchange | undefined;
  #cancelLinger: (() => void) | undefined;
  #ending: Promise<void> | undefined;
  /** Called when the last notice is taken or lost. */
  #onNoticed: (() => void) | undefined;

  constructor(options: HttpOptions, handlers: OutboundHandlers) {
    const limits = resolveLimits(options);
    this.maxMessageBytes = limits.maxMessageBytes;
    this.#maxBufferedBytes = limits.maxBufferedBytes;
    this.handlers = handlers;
    this.clock = options.clock ?? systemClock;
    this.#endpoint = new HttpEndpoint(options);
    this.#postHeaders = this.#headersFor('post');
    this.#streamHeaders = this.#headersFor('stream');
  }

  get url(): URL {
    return this.#endpoint.url;
  }

  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  async open(signal: AbortSignal): Promise<TransportError | undefined> {
    const error = await this.#endpoint.open(signal);
    if (error !== undefined) {
      await this.#endpoint.destroy();
      this.#phase = 'ended';
    } else if (this.#phase === 'new') {
      this.#phase = 'open';
    }
    return error;
  }

  send(message: JsonRpcMessage, headers?: Readonly<Record<string, string>>, context?: TraceHeaders): boolean {
    const isRequest = 'method' in message && 'id' in message;
    const id = isRequest ? message.id : undefined;
    if (this.#phase !== 'open') {
      if (id !== undefined) queueMicrotask(() => this.handlers.onRequestFailed(id, closedByUs()));
      return true;
    }
    if (this.#buffered >= this.#maxBufferedBytes) return false;
    const body = Buffer.from(JSON.stringify(message));
    this.#buffered += body.length;
    const releases = 'method' in message && message.method === INITIALIZED;
    const serial = (this.#exchanges += 1);
    const carriesSession = this.hasSession && headers === undefined;
    const exchange = new RequestExchange(this, serial, id, body.length, releases, carriesSession);
    if (id === undefined) this.#notices.set(serial, exchange);
    else this.#pending.set(id, exchange);
    // A modern message stands alone: no session to wait for.
    if (headers) this.#post(exchange, body, withHeaders(this.#statelessHeaders(headers), context));
    else this.#initialized.run(() => this.#post(exchange, body, withHeaders(this.#postHeaders, context)));
    if (releases) this.#initialized.begin();
    return true;
  }

  setProtocolVersion(version: string): void {
    this.#version = version;
    this.#refreshHeaders();
  }

  listen(): void {
    if (this.#phase !== 'open' || this.#listening !== undefined) return;
    const listening = new ListenExchange(this);
    this.#listening = listening;
    this.#initialized.run(() => listening.start());
  }

  abandon(id: JsonRpcId): void {
    const exchange = this.#pending.get(id);
    if (exchange === undefined) return;
    this.#pending.delete(id);
    exchange.cancel();
  }

  close(graceMs: number): Promise<void> {
    return this.#end(closedByUs(), graceMs);
  }

  sessionGiven(id: string): void {
    if (this.#sessionId !== undefined || !SESSION_ID.test(id)) return;
    this.#sessionId = id;
    this.#refreshHeaders();
  }

  sessionGone(error: TransportError): void {
    this.#sessionId = undefined;
    void this.#end(error, 0);
  }

  unreachable(error: TransportError): void {
    // What is under way on connections that still stand may be answered yet.
    if (this.#phase === 'open' && this.#pending.size === 0) void this.#end(error, 0);
  }

  unqueued(bytes: number): void {
    this.#buffered -= bytes;
  }

  settled(exchange: RequestExchange): void {
    if (exchange.id !== undefined) this.#pending.delete(exchange.id);
  }

  lingers(exchange: RequestExchange): void {
    exchange.hasLingered = false;
    this.#lingering.set(exchange.serial, exchange);
    this.#cancelLinger ??= this.clock.after(LINGER_MS, this.#sweepLingering);
  }

  ended(exchange: RequestExchange): void {
    this.#lingering.delete(exchange.serial);
    this.#noticed(exchange);
    if (exchange.releases) this.#initialized.release();
  }

  accepted(exchange: RequestExchange): void {
    this.#noticed(exchange);
    if (exchange.releases) this.#initialized.release();
  }

  resume(exchange: RequestExchange, lastEventId: string): void {
    const headers = [...this.#streamHeaders, 'last-event-id', lastEventId];
    this.#endpoint.dispatch(this.#endpoint.requests, 'GET', this.#endpoint.path, headers, null, exchange);
  }

  listenAgain(exchange: ListenExchange, lastEventId: string | undefined): void {
    const headers =
      lastEventId === undefined ? this.#streamHeaders : [...this.#streamHeaders, 'last-event-id', lastEventId];
    this.#endpoint.dispatch(this.#endpoint.control, 'GET', this.#endpoint.path, headers, null, exchange);
  }

  #noticed(exchange: RequestExchange): void {
    if (this.#notices.delete(exchange.serial) && this.#notices.size === 0) this.#onNoticed?.();
  }

  #post(exchange: RequestExchange, body: Buffer, headers: string[]): void {
    if (exchange.isCancelled) return;
    const pool = exchange.id === undefined ? this.#endpoint.control : this.#endpoint.requests;
    this.#endpoint.dispatch(pool, 'POST', this.#endpoint.path, headers, body, exchange);
  }

  #statelessHeaders(own: Readonly<Record<string, string>>): string[] {
    const headers = [...this.#endpoint.headers];
    headers.push('content-type', 'application/json', 'accept', 'application/json, text/event-stream');
    for (const name in own) headers.push(name, own[name] ?? '');
    return headers;
  }

  #refreshHeaders(): void {
    this.#postHeaders = this.#headersFor('post');
    this.#streamHeaders = this.#headersFor('stream');
  }

  #headersFor(use: 'post' | 'stream'): string[] {
    const headers = [...this.#endpoint.headers];
    if (use === 'post') {
      headers.push('content-type', 'application/json', 'accept', 'application/json, text/event-stream');
    } else {
      headers.push('accept', 'text/event-stream');
    }
    if (this.#sessionId !== undefined) headers.push('mcp-session-id', this.#sessionId);
    if (this.#version !== undefined) headers.push('mcp-protocol-version', this.#version);
    return headers;
  }

  /** Servers should end a stream after the answer; a connection held by one that does not is taken back. */
  readonly #sweepLingering = (): void => {
    this.#cancelLinger = undefined;
    for (const exchange of this.#lingering.values()) {
      if (exchange.hasLingered) {
        exchange.cancel();
        this.ended(exchange);
      } else {
        exchange.hasLingered = true;
      }
    }
    if (this.#lingering.size > 0) this.#cancelLinger = this.clock.after(LINGER_MS, this.#sweepLingering);
  };

  #end(reason: TransportError, graceMs: number): Promise<void> {
    this.#ending ??= this.#endOnce(reason, graceMs);
    return this.#ending;
  }

  async #endOnce(reason: TransportError, graceMs: number): Promise<void> {
    const wasOpen = this.#phase === 'open';
    this.#phase = 'ended';
    this.#cancelLinger?.();
    this.#listening?.cancel();
    this.#initialized.clear();
    for (const exchange of this.#pending.values()) exchange.cancel();
    if (graceMs > 0 && this.#notices.size > 0) await this.#lastWords(Math.min(graceMs, LAST_WORDS_MS));
    for (const exchange of this.#notices.values()) exchange.cancel();
    for (const exchange of this.#lingering.values()) exchange.cancel();
    this.#pending.clear();
    this.#notices.clear();
    this.#lingering.clear();
    if (this.#sessionId !== undefined && graceMs > 0) await this.#deleteSession(graceMs);
    await this.#endpoint.destroy();
    if (wasOpen) this.handlers.onClosed(reason);
  }

  #lastWords(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = this.clock.after(ms, resolve);
      this.#onNoticed = (): void => {
        cancelTimer();
        resolve();
      };
    });
  }

  /** Best effort: 405 and every failure mean that the server keeps or drops the session by itself. */
  #deleteSession(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const goodbye = new Goodbye(() => {
        cancelTimer();
        resolve();
      });
      const cancelTimer = this.clock.after(graceMs, () => {
        goodbye.cancel();
        resolve();
      });
      const { control, path } = this.#endpoint;
      this.#endpoint.dispatch(control, 'DELETE', path, this.#streamHeaders, null, goodbye);
    });
  }
}

/** The DELETE of a session; only its end matters. */
class Goodbye extends Exchange {
  readonly #onOver: () => void;

  constructor(onOver: () => void) {
    super();
    this.#onOver = onOver;
  }

  protected override onHead(): void {
    this.#onOver();
  }

  protected override onBody(): void {
    // The status said it all.
  }

  protected override onEnd(): void {
    // `onHead` has reported it.
  }

  protected override onFailure(): void {
    this.#onOver();
  }
}

/** A Streamable HTTP server. See `OutboundTransport` for the contract. */
export function createStreamableHttpTransport(options: HttpOptions, handlers: OutboundHandlers): OutboundTransport {
  return new StreamableHttpTransport(options, handlers);
}
