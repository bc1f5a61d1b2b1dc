/**
 * A `text/event-stream` response: events out, bounded by what a slow reader may leave unread.
 *
 * Source: WHATWG HTML, "Server-sent events"; MCP specification, "Transports".
 */
import { type ServerResponse } from 'node:http';
import { encodeSse, SSE_KEEPALIVE, type SseEvent } from '../../protocol/sse.js';

/** Bytes that may wait for a slow reader before it is cut off. */
export const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

export class EventStream {
  readonly #res: ServerResponse;
  bytes = 0;

  /** Sends the head at once, so that the client knows that it is heard. */
  constructor(res: ServerResponse, headers: Readonly<Record<string, string>> = {}) {
    this.#res = res;
    res.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    res.flushHeaders();
  }

  get open(): boolean {
    return !this.#res.writableEnded && !this.#res.destroyed;
  }

  /** `false` when the client is gone, or was just cut off for not reading. */
  send(event: SseEvent): boolean {
    return this.#write(encodeSse(event));
  }

  keepAlive(): boolean {
    return this.#write(SSE_KEEPALIVE);
  }

  end(): void {
    if (this.open) this.#res.end();
  }

  onClose(listener: () => void): void {
    this.#res.once('close', listener);
  }

  #write(text: string): boolean {
    if (!this.open) return false;
    if (this.#res.writableLength > MAX_UNREAD_BYTES) {
      this.#res.destroy();
      return false;
    }
    this.bytes += text.length;
    this.#res.write(text);
    return true;
  }
}
