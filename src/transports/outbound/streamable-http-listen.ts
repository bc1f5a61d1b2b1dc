/**
 * The standalone server→client stream of Streamable HTTP: one GET, opened again whenever it drops.
 *
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP › Listening for Messages from the Server". A server
 * without such a stream says 405 and is not asked again; other client errors end it the same way. It carries no
 * answers, so its loss fails no request.
 */
import { deliver } from './deliver.js';
import { castsDoubt, connectFailed, sessionLost } from './errors.js';
import { Exchange, type ResponseHead } from './http-exchange.js';
import { SseStream } from './sse-stream.js';
import type { RequestOwner } from './streamable-http-request.js';

export interface ListenOwner extends Pick<
  RequestOwner,
  'url' | 'handlers' | 'clock' | 'maxMessageBytes' | 'sessionGone' | 'unreachable'
> {
  /** True while the transport sends a session id. */
  readonly hasSession: boolean;
  /** Sends the GET for `exchange`, with Last-Event-ID when there is one. */
  listenAgain(exchange: ListenExchange, lastEventId: string | undefined): void;
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MIN_RETRY_MS = 100;
/** Client errors that may pass: request timeout, too early, too many requests. */
const PASSING: readonly number[] = [408, 425, 429];

export class ListenExchange extends Exchange {
  readonly #owner: ListenOwner;
  #stream: SseStream | undefined;
  #status = 0;
  #isStream = false;
  /** It was a stream before: a server that refuses it now has changed its mind, or is another one. */
  #wasStream = false;
  /** Attempts in a row that brought no message. */
  #attempts = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(owner: ListenOwner) {
    super();
    this.#owner = owner;
  }

  start(): void {
    this.#owner.listenAgain(this, this.#stream?.resumeHeader);
  }

  override cancel(): void {
    this.#cancelTimer?.();
    super.cancel();
  }

  protected override onHead(status: number, head: ResponseHead): void {
    this.#status = status;
    this.#isStream = status === 200 && head.contentType.startsWith('text/event-stream');
    if (!this.#isStream) return;
    this.#wasStream = true;
    const before = this.#stream;
    this.#stream = new SseStream(this.#owner.maxMessageBytes, (data, type) => this.#onEvent(data, type));
    this.#stream.lastEventId = before?.lastEventId;
    this.#stream.retryMs = before?.retryMs;
  }

  protected override onBody(chunk: Buffer): void {
    if (!this.#isStream || this.#stream?.feed(chunk) !== false) return;
    this.#owner.handlers.onJunk('an event past the size limit on the listening stream', chunk.length);
    // Resuming from the last id would bring the same event again, so the next stream begins anew.
    this.#stream = undefined;
    this.drop(new Error('event past the size limit'));
  }

  protected override onEnd(): void {
    if (this.#status === 404 && this.#owner.hasSession) this.#owner.sessionGone(sessionLost(this.#owner.url));
    else if (this.#isStream || this.#status >= 500 || PASSING.includes(this.#status)) this.#later();
    else if (this.#wasStream && castsDoubt(this.#status)) this.#owner.handlers.onDoubt();
  }

  protected override onFailure(error: Error): void {
    this.#later();
    if (!this.sent) this.#owner.unreachable(connectFailed(this.#owner.url, error));
  }

  #onEvent(data: string, type: string | undefined): void {
    if (this.cancelled || (type !== undefined && type !== 'message')) return;
    this.#attempts = 0;
    deliver(data, Buffer.byteLength(data), this.#owner.handlers);
  }

  #later(): void {
    const first = Math.max(MIN_RETRY_MS, this.#stream?.retryMs ?? FIRST_RETRY_MS);
    const wait = Math.min(MAX_RETRY_MS, first * 2 ** Math.min(this.#attempts, 10));
    this.#attempts++;
    this.#isStream = false;
    this.#cancelTimer = this.#owner.clock.after(wait, () => {
      this.rewind();
      this.start();
    });
  }
}
