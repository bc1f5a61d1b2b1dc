/**
 * One POST of Streamable HTTP and what comes of it: a JSON body, an SSE stream, 202, or a failure.
 *
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP › Sending Messages" and "Resumability and
 * Redelivery". Invariants: a request ends in exactly one of its answer (`onMessage`), `onRequestFailed`, or silence when
 * it was abandoned or the whole transport ended; a stream that ends before the answer is resumed by GET with
 * Last-Event-ID when the server gave event ids, else the request fails: it is never sent a second time.
 */
import { parseFrame } from '../../protocol/parse.js';
import type { JsonRpcId } from '../../protocol/jsonrpc.js';
import type { Clock } from './clock.js';
import { deliver } from './deliver.js';
import { castsDoubt, connectFailed, connectionLost, httpStatus, sessionLost, tooLarge } from './errors.js';
import { Exchange, type ResponseHead } from './http-exchange.js';
import { SseStream } from './sse-stream.js';
import type { OutboundHandlers, TransportError } from './transport.js';

/** What a request needs of its transport. */
export interface RequestOwner {
  readonly url: URL;
  readonly handlers: OutboundHandlers;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  /** A session id came with a successful answer. */
  sessionGiven(id: string): void;
  /** The server no longer knows the session: the transport ends. */
  sessionGone(error: TransportError): void;
  /** No connection to the server comes about. */
  unreachable(error: TransportError): void;
  /** So many bytes no longer wait to be written. */
  unqueued(bytes: number): void;
  /** The request has its answer or failure. */
  settled(exchange: RequestExchange): void;
  /** The status of a message that gets no answer came. */
  accepted(exchange: RequestExchange): void;
  /** What is left of the body serves nobody, but it is still open. */
  lingers(exchange: RequestExchange): void;
  /** The exchange is over and its connection free. */
  ended(exchange: RequestExchange): void;
  /** Sends GET with Last-Event-ID for `exchange`. */
  resume(exchange: RequestExchange, lastEventId: string): void;
}

const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_RESUMPTIONS = 5;
const DEFAULT_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MIN_RETRY_MS = 10;

type Mode = 'ignore' | 'json' | 'sse' | 'error';

export class RequestExchange extends Exchange {
  /** Which of its transport's exchanges it is. */
  readonly serial: number;
  /** The request's id; undefined for notifications and responses, which have no answer. */
  readonly id: JsonRpcId | undefined;
  /** True for `notifications/initialized`, which others wait for. */
  readonly releases: boolean;
  /** Answered, and still open when the linger timer last came by. */
  hasLingered = false;
  readonly #owner: RequestOwner;
  #queuedBytes: number;
  readonly #carriedSession: boolean;
  #mode: Mode = 'ignore';
  #status = 0;
  #head: ResponseHead | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #stream: SseStream | undefined;
  #settled: boolean;
  /** Resumptions in a row that brought nothing new. */
  #resumptions = 0;
  #resuming = false;
  #resumedFrom: string | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(
    owner: RequestOwner,
    serial: number,
    id: JsonRpcId | undefined,
    queuedBytes: number,
    releases: boolean,
    carriesSession: boolean,
  ) {
    super();
    this.#owner = owner;
    this.serial = serial;
    this.id = id;
    this.releases = releases;
    this.#queuedBytes = queuedBytes;
    this.#carriedSession = carriesSession;
    this.#settled = id === undefined;
  }

  get isCancelled(): boolean {
    return this.cancelled;
  }

  override cancel(): void {
    this.#cancelTimer?.();
    super.cancel();
  }

  protected override onUnqueued(): void {
    this.#owner.unqueued(this.#queuedBytes);
    this.#queuedBytes = 0;
  }

  protected override onHead(status: number, head: ResponseHead): void {
    this.#status = status;
    this.#head = head;
    this.#chunks = [];
    this.#size = 0;
    this.#mode = this.#modeOf(status, head);
    if (status < 300 && head.sessionId !== undefined) this.#owner.sessionGiven(head.sessionId);
    if (this.#mode === 'ignore') {
      // A body behind this is read to its end, so that the connection can be used again, but not for ever.
      this.#owner.lingers(this);
      this.#owner.accepted(this);
      this.#fail(this.#protocol(`answered ${status} without a message`));
    } else if (this.#mode === 'sse') {
      const before = this.#stream;
      this.#stream = new SseStream(this.#owner.maxMessageBytes, (data, type) => this.#onEvent(data, type));
      this.#stream.lastEventId = before?.lastEventId;
      this.#stream.retryMs = before?.retryMs;
    }
  }

  protected override onBody(chunk: Buffer): void {
    switch (this.#mode) {
      case 'sse':
        if (this.#stream?.feed(chunk) === false) this.#reject(this.#tooLarge('an event'));
        return;
      case 'json':
        this.#size += chunk.length;
        if (this.#size > this.#owner.maxMessageBytes) this.#reject(this.#tooLarge('the answer'));
        else this.#chunks.push(chunk);
        return;
      case 'error':
      case 'ignore':
        this.#size += chunk.length;
        if (this.#size > MAX_ERROR_BODY_BYTES) this.#cutShort();
        else if (this.#mode === 'error') this.#chunks.push(chunk);
        return;
    }
  }

  protected override onEnd(): void {
    const mayPass = this.#resuming && this.#status >= 500;
    if (this.#mode === 'sse' || mayPass) {
      this.#streamOver(new Error('end of stream'));
      return;
    }
    if (this.#mode === 'json') this.#onJson();
    else if (this.#mode === 'error') this.#onErrorStatus();
    this.#owner.ended(this);
  }

  protected override onFailure(error: Error): void {
    if (this.#resuming || this.#mode === 'sse') {
      this.#streamOver(error);
      return;
    }
    const failure = this.sent ? connectionLost(this.#owner.url, error) : connectFailed(this.#owner.url, error);
    this.#fail(failure);
    this.#owner.ended(this);
    // After the failure of this request, which is its own.
    if (!this.sent) queueMicrotask(() => this.#owner.unreachable(failure));
  }

  #modeOf(status: number, { contentType }: ResponseHead): Mode {
    if (status >= 300) return 'error';
    if (this.id === undefined) return 'ignore';
    if (contentType.startsWith('text/event-stream')) return 'sse';
    return contentType.startsWith('application/json') ? 'json' : 'ignore';
  }

  #bodyText(): string {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return bytes.toString('utf8');
  }

  #onJson(): void {
    const outcome = deliver(this.#bodyText(), this.#size, this.#owner.handlers, this.id);
    if (outcome === 'answer') this.#settle();
    else this.#fail(this.#protocol(outcome === 'junk' ? 'answered with no JSON-RPC' : 'left the answer out'));
  }

  #onEvent(data: string, type: string | undefined): void {
    if (this.cancelled || (type !== undefined && type !== 'message')) return;
    this.#resumptions = 0;
    const outcome = deliver(data, Buffer.byteLength(data), this.#owner.handlers, this.id);
    if (outcome !== 'answer') return;
    this.#settle();
    this.#owner.lingers(this);
  }

  /** The SSE stream, or an attempt to resume it, ended. */
  #streamOver(error: Error): void {
    const lastEventId = this.#stream?.resumeHeader;
    // A new id is progress even without a message: so a server makes its clients poll (SEP-1699).
    if (lastEventId !== this.#resumedFrom) this.#resumptions = 0;
    if (this.#settled || lastEventId === undefined || this.#resumptions >= MAX_RESUMPTIONS) {
      this.#fail(connectionLost(this.#owner.url, error));
      this.#owner.ended(this);
      return;
    }
    const first = Math.max(MIN_RETRY_MS, this.#stream?.retryMs ?? DEFAULT_RETRY_MS);
    const wait = Math.min(MAX_RETRY_MS, first * 2 ** this.#resumptions);
    this.#resumptions++;
    this.#resumedFrom = lastEventId;
    this.#cancelTimer = this.#owner.clock.after(wait, () => {
      this.#resuming = true;
      this.rewind();
      this.#owner.resume(this, lastEventId);
    });
  }

  #onErrorStatus(): void {
    const { url } = this.#owner;
    if (this.#status === 404 && this.#carriedSession) {
      const error = sessionLost(url);
      this.#fail(error);
      this.#owner.sessionGone(error);
      return;
    }
    const isJson = this.#head?.contentType.startsWith('application/json') === true;
    const isText = this.#head?.contentType.startsWith('text/plain') === true;
    const body = isJson || isText ? this.#bodyText() : '';
    const frame = isJson ? parseFrame(body) : undefined;
    const failure = frame?.kind === 'response' && 'error' in frame.message ? frame.message : undefined;
    if (this.#carriedSession && castsDoubt(this.#status)) this.#owner.handlers.onDoubt();
    const refused = this.#status === 401 || this.#status === 403;
    if (failure !== undefined && !refused && this.id !== undefined && failure.id === this.id) {
      // A JSON-RPC error that names this request is its answer, whatever the status says.
      this.#owner.handlers.onMessage(failure, this.#size);
      this.#settle();
      return;
    }
    this.#fail(httpStatus(url, this.#status, failure?.error.message ?? (isText ? body : ''), this.#head?.location));
  }

  /** A body nobody reads is not waited for. */
  #cutShort(): void {
    super.cancel();
    if (this.#mode === 'error') this.#onErrorStatus();
    this.#owner.ended(this);
  }

  #reject(error: TransportError): void {
    super.cancel();
    this.#fail(error);
    this.#owner.ended(this);
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.settled(this);
  }

  #fail(error: TransportError): void {
    const { id } = this;
    if (this.#settled || id === undefined) return;
    this.#settle();
    // undici reports some failures inside `dispatch`, which is inside `send`.
    queueMicrotask(() => this.#owner.handlers.onRequestFailed(id, error));
  }

  #tooLarge(what: string): TransportError {
    return tooLarge(what, this.#owner.maxMessageBytes);
  }

  #protocol(what: string): TransportError {
    return { kind: 'protocol', message: `the server ${what}` };
  }
}
