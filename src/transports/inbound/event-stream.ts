/**
 * A `text/event-stream` response: events out, bounded by what a slow reader may leave unread.
 *
 * Source: WHATWG HTML, "Server-sent events"; MCP specification, "Transports".
 */
import { type ServerResponse } from 'node:http';
import { encodeSse, SSE_KEEPALIVE, type SseEvent } from '../../protocol/sse.js';
import { type Outflow } from './outflow.js';

export class EventStream {
  readonly #res: ServerResponse;
  readonly #outflow: Outflow;
  bytes = 0;

  /** Sends the head at once, so that the client knows that it is heard. */
  constructor(res: ServerResponse, outflow: Outflow, headers: Readonly<Record<string, string>> = {}) {
    this.#res = res;
    this.#outflow = outflow;
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

  /** Bytes that the client has not read yet, as far as this process holds them. */
  get unread(): number {
    return this.#res.writableLength;
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
    if (!this.#outflow.admits(this.#res)) return false;
    this.bytes += text.length;
    this.#res.write(text);
    this.#outflow.watch(this.#res);
    return true;
  }
}
