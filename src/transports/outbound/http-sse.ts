/**
 * Outbound adapter: HTTP+SSE, the transport of revision 2024-11-05.
 *
 * Source: MCP specification 2024-11-05, "Transports › HTTP with SSE". One GET stream brings every message; its first
 * event, `endpoint`, says where to POST ours. Invariants: the endpoint has the stream's origin, so that credentials go
 * nowhere else; the stream's end is the transport's end, since answers on it are lost for good.
 *
 * Phases: new → opening → open → ended.
 */
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/jsonrpc.js';
import { Outstanding } from '../../protocol/outstanding.js';
import { deliver } from './deliver.js';
import {
  closedByUs,
  connectFailed,
  connectionLost,
  httpStatus,
  openAborted,
  redactUrl,
  sessionLost,
  tooLarge,
} from './errors.js';
import { withHeaders } from './headers.js';
import { HeldSends, INITIALIZED } from './held-sends.js';
import { HttpEndpoint } from './http-endpoint.js';
import { Exchange, type ResponseHead } from './http-exchange.js';
import { resolveLimits, type TransportLimits } from './limits.js';
import { SseStream } from './sse-stream.js';
import type { HttpOptions } from './streamable-http.js';
import type { OutboundHandlers, OutboundTransport, TraceHeaders, TransportError } from './transport.js';

type Phase = 'new' | 'opening' | 'open' | 'ended';

class HttpSseTransport implements OutboundTransport {
  readonly network = 'tcp';
  readonly #handlers: OutboundHandlers;
  readonly #limits: TransportLimits;
  readonly #endpoint: HttpEndpoint;
  readonly #posts = new Outstanding<PostExchange>();
  #serial = 0;
  readonly #initialized: HeldSends;
  #stream: StreamExchange | undefined;
  #phase: Phase = 'new';
  #postPath = '';
  #headers: string[];
  #buffered = 0;
  #ending: Promise<void> | undefined;
  #opened: (error: TransportError | undefined) => void = () => undefined;

  constructor(options: HttpOptions, handlers: OutboundHandlers) {
    this.#handlers = handlers;
    this.#limits = resolveLimits(options);
    this.#endpoint = new HttpEndpoint(options);
    this.#headers = [...this.#endpoint.headers, 'content-type', 'application/json'];
    this.#initialized = new HeldSends();
  }

  async open(signal: AbortSignal): Promise<TransportError | undefined> {
    if (this.#phase !== 'new') return closedByUs();
    this.#phase = 'opening';
    const error = (await this.#endpoint.open(signal)) ?? (await this.#openStream(signal));
    if (error !== undefined) await this.#end(error);
    return error;
  }

  send(message: JsonRpcMessage, _headers?: Readonly<Record<string, string>>, context?: TraceHeaders): boolean {
    const isRequest = 'method' in message && 'id' in message;
    const id = isRequest ? message.id : undefined;
    if (this.#phase !== 'open') {
      this.#fail(id, closedByUs());
      return true;
    }
    if (this.#buffered >= this.#limits.maxBufferedBytes) return false;
    const body = Buffer.from(JSON.stringify(message));
    this.#buffered += body.length;
    const releases = 'method' in message && message.method === INITIALIZED;
    const serial = (this.#serial += 1);
    const post = new PostExchange(
      () => (this.#buffered -= body.length),
      (outcome) => this.#posted(serial, id, releases, outcome),
    );
    this.#posts.set(serial, post);
    this.#initialized.run(() => {
      this.#endpoint.dispatch(
        this.#endpoint.requests,
        'POST',
        this.#postPath,
        withHeaders(this.#headers, context),
        body,
        post,
      );
    });
    if (releases) this.#initialized.begin();
    return true;
  }

  setProtocolVersion(version: string): void {
    // Not part of this transport, but newer servers that still offer it read the header.
    this.#headers = [...this.#headers, 'mcp-protocol-version', version];
  }

  listen(): void {
    // The stream is open from the start.
  }

  abandon(): void {
    // The answer, if it comes, comes on the common stream.
  }

  close(): Promise<void> {
    return this.#end(closedByUs());
  }

  #openStream(signal: AbortSignal): Promise<TransportError | undefined> {
    // `close` may have been called while the connection was made.
    if (this.#ending !== undefined) return Promise.resolve(closedByUs());
    return new Promise((resolve) => {
      const onAbort = (): void => this.#opened(openAborted(redactUrl(this.#endpoint.url)));
      this.#opened = (error) => {
        signal.removeEventListener('abort', onAbort);
        resolve(error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#stream = new StreamExchange(
        this.#endpoint.url,
        this.#limits.maxMessageBytes,
        (data, type) => this.#onEvent(data, type),
        (error) => {
          this.#opened(error);
          void this.#end(error);
        },
      );
      const headers = [...this.#endpoint.headers, 'accept', 'text/event-stream'];
      this.#endpoint.dispatch(this.#endpoint.control, 'GET', this.#endpoint.path, headers, null, this.#stream);
    });
  }

  #onEvent(data: string, type: string | undefined): void {
    if (type === 'endpoint') this.#onEndpoint(data);
    else if (type === undefined || type === 'message') deliver(data, Buffer.byteLength(data), this.#handlers);
  }

  #onEndpoint(reference: string): void {
    if (this.#phase !== 'opening') return;
    const { url } = this.#endpoint;
    const target = URL.canParse(reference, url.href) ? new URL(reference, url) : undefined;
    if (target?.origin !== url.origin) {
      const message = `${redactUrl(url)} named an endpoint of another origin; messages are sent to its own only`;
      this.#opened({ kind: 'protocol', message });
      return;
    }
    this.#postPath = target.pathname + target.search;
    this.#phase = 'open';
    this.#opened(undefined);
  }

  #posted(serial: number, id: JsonRpcId | undefined, releases: boolean, outcome: PostOutcome): void {
    this.#posts.delete(serial);
    if (releases) this.#initialized.release();
    const { url } = this.#endpoint;
    if (outcome.error !== undefined) {
      this.#fail(id, outcome.sent ? connectionLost(url, outcome.error) : connectFailed(url, outcome.error));
    } else if (outcome.status === 404) {
      const error = sessionLost(url);
      this.#fail(id, error);
      void this.#end(error);
    } else if (outcome.status >= 300) {
      this.#fail(id, httpStatus(url, outcome.status, '', outcome.location));
    }
  }

  #fail(id: JsonRpcId | undefined, error: TransportError): void {
    if (id !== undefined) queueMicrotask(() => this.#handlers.onRequestFailed(id, error));
  }

  #end(reason: TransportError): Promise<void> {
    this.#ending ??= this.#endOnce(reason);
    return this.#ending;
  }

  async #endOnce(reason: TransportError): Promise<void> {
    const wasOpen = this.#phase === 'open';
    this.#phase = 'ended';
    this.#opened(closedByUs());
    this.#initialized.clear();
    this.#stream?.cancel();
    for (const post of this.#posts.values()) post.cancel();
    this.#posts.clear();
    await this.#endpoint.destroy();
    if (wasOpen) this.#handlers.onClosed(reason);
  }
}

/** The GET that brings every message. */
class StreamExchange extends Exchange {
  readonly #url: URL;
  readonly #limit: number;
  readonly #stream: SseStream;
  readonly #onOver: (error: TransportError) => void;
  #refused: TransportError | undefined;

  constructor(
    url: URL,
    limit: number,
    onEvent: (data: string, type: string | undefined) => void,
    onOver: (error: TransportError) => void,
  ) {
    super();
    this.#url = url;
    this.#limit = limit;
    this.#stream = new SseStream(limit, (data, type) => {
      if (!this.cancelled) onEvent(data, type);
    });
    this.#onOver = onOver;
  }

  protected override onHead(status: number, head: ResponseHead): void {
    if (status >= 300) this.#refused = httpStatus(this.#url, status, '', head.location);
    else if (!head.contentType.startsWith('text/event-stream')) {
      this.#refused = { kind: 'protocol', message: `${redactUrl(this.#url)} answered without an event stream` };
    }
    if (this.#refused !== undefined) this.#over(this.#refused);
  }

  protected override onBody(chunk: Buffer): void {
    if (!this.#stream.feed(chunk)) this.#over(tooLarge('an event', this.#limit));
  }

  protected override onEnd(): void {
    this.#over({ kind: 'closed', message: `${redactUrl(this.#url)} ended the event stream` });
  }

  protected override onFailure(error: Error): void {
    this.#over({ ...connectionLost(this.#url, error), message: `the event stream of ${redactUrl(this.#url)} broke` });
  }

  #over(error: TransportError): void {
    this.cancel();
    this.#onOver(error);
  }
}

interface PostOutcome {
  readonly status: number;
  readonly location?: string | undefined;
  readonly error?: Error;
  readonly sent: boolean;
}

/** The POST of one message; the answer to a request comes on the stream. */
class PostExchange extends Exchange {
  readonly #onWritten: () => void;
  readonly #onOutcome: (outcome: PostOutcome) => void;
  #status = 0;
  #location: string | undefined;

  constructor(onWritten: () => void, onOutcome: (outcome: PostOutcome) => void) {
    super();
    this.#onWritten = onWritten;
    this.#onOutcome = onOutcome;
  }

  protected override onUnqueued(): void {
    this.#onWritten();
  }

  protected override onHead(status: number, head: ResponseHead): void {
    this.#status = status;
    this.#location = head.location;
  }

  protected override onBody(): void {
    // "Accepted", or words for people.
  }

  protected override onEnd(): void {
    this.#onOutcome({ status: this.#status, location: this.#location, sent: true });
  }

  protected override onFailure(error: Error): void {
    this.#onOutcome({ status: this.#status, error, sent: this.sent });
  }
}

/** A server of the 2024-11-05 HTTP+SSE transport. See `OutboundTransport` for the contract. */
export function createHttpSseTransport(options: HttpOptions, handlers: OutboundHandlers): OutboundTransport {
  return new HttpSseTransport(options, handlers);
}
