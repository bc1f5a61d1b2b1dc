/**
 * The bytes of one `text/event-stream` → its events, with a cap on the size of a single event.
 *
 * Source: WHATWG HTML, "Server-sent events". The last event id and the retry time are kept for a resumption.
 */
import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';

const BOM = 0xfeff;
const MAX_ID_CHARS = 1_024;
const HEADER_VALUE = /^[\x20-\x7e\x80-\xff]+$/;

export class SseStream {
  /** The id to resume after, once the server gave one. */
  lastEventId: string | undefined;
  /** How long the server wants us to wait before reconnecting, once it said so. Milliseconds. */
  retryMs: number | undefined;
  readonly #decoder = new StringDecoder('utf8');
  readonly #parser: EventSourceParser;
  #first = true;
  #overflown = false;

  /** @param onEvent gets every event with data; `type` is undefined where the server named none */
  constructor(maxEventBytes: number, onEvent: (data: string, type: string | undefined) => void) {
    this.#parser = createParser({
      maxBufferSize: maxEventBytes,
      onEvent: ({ data, event, id }) => {
        if (id !== undefined) this.lastEventId = id;
        // The parser looks at what waits for its end; an event whose end came with its last bytes it lets pass.
        if (data.length > maxEventBytes) this.#overflown = true;
        // An event without data only primes the id (SEP-1699).
        else if (data !== '') onEvent(data, event);
      },
      onRetry: (ms) => (this.retryMs = ms),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#overflown = true;
      },
    });
  }

  /**
   * The last event id as the value of a Last-Event-ID header: its UTF-8 bytes (WHATWG HTML), one character a byte.
   * Undefined when there is none or HTTP cannot carry it.
   */
  get resumeHeader(): string | undefined {
    const { lastEventId } = this;
    if (lastEventId === undefined || lastEventId === '' || lastEventId.length > MAX_ID_CHARS) return undefined;
    const bytes = Buffer.from(lastEventId).toString('latin1');
    return HEADER_VALUE.test(bytes) ? bytes : undefined;
  }

  /** Takes the next bytes. Returns false once an event is past the cap; the stream is spent then. */
  feed(chunk: Buffer): boolean {
    let text = this.#decoder.write(chunk);
    if (text === '') return true;
    if (this.#first) {
      this.#first = false;
      if (text.charCodeAt(0) === BOM) text = text.slice(1);
    }
    this.#parser.feed(text);
    return !this.#overflown;
  }
}
