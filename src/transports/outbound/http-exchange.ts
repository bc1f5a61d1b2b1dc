/**
 * One HTTP request and its answer, as undici's dispatcher calls it: the base of all exchanges.
 *
 * It implements undici's raw handler, not the newer controller form: that one wraps each handler in two more objects
 * and parses every header, while an exchange needs three of them. Invariants: nothing is told to a cancelled exchange;
 * an exchange that is cancelled while it waits in the pool costs no connection.
 */

/** The response headers that MCP looks at. Values as sent, in Latin-1. */
export interface ResponseHead {
  contentType: string;
  sessionId: string | undefined;
  location: string | undefined;
}

const CONTENT_TYPE = 'content-type';
const SESSION_ID = 'mcp-session-id';
const LOCATION = 'location';

/** Picks the known headers out of undici's flat list of names and values. */
export function scanHead(raw: readonly Buffer[]): ResponseHead {
  const head: ResponseHead = { contentType: '', sessionId: undefined, location: undefined };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i];
    const value = raw[i + 1];
    if (name === undefined || value === undefined) break;
    // The length tells most headers apart without making a string of them.
    if (name.length === CONTENT_TYPE.length && is(name, CONTENT_TYPE)) head.contentType = text(value).toLowerCase();
    else if (name.length === SESSION_ID.length && is(name, SESSION_ID)) head.sessionId = text(value);
    else if (name.length === LOCATION.length && is(name, LOCATION)) head.location = text(value);
  }
  return head;
}

function is(name: Buffer, expected: string): boolean {
  return text(name).toLowerCase() === expected;
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1');
}

const CANCELLED = new Error('cancelled before it was sent');

export abstract class Exchange {
  /** True once the request was given to a socket: from then on the peer may have acted on it. */
  protected sent = false;
  protected cancelled = false;
  #abort: ((reason?: Error) => void) | undefined;

  /** The final status and headers. */
  protected abstract onHead(status: number, head: ResponseHead): void;
  protected abstract onBody(chunk: Buffer): void;
  protected abstract onEnd(): void;
  protected abstract onFailure(error: Error): void;
  /** The request leaves the queue, by being written, failing or being cancelled. At most once a dispatch. */
  protected onUnqueued(): void {
    // Most exchanges count nothing.
  }

  /** Gives up: nothing more is told to this exchange, and its connection is closed if it has one. */
  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    if (!this.sent) this.onUnqueued();
    this.#abort?.(CANCELLED);
  }

  /** Ends the present answer early; the exchange hears of it through `onFailure`. */
  protected drop(reason: Error): void {
    this.#abort?.(reason);
  }

  /** Makes a finished exchange fit for another dispatch. */
  protected rewind(): void {
    this.sent = false;
    this.#abort = undefined;
  }

  onConnect(abort: (reason?: Error) => void): void {
    // Thrown, not aborted: aborting here would destroy a healthy socket.
    if (this.cancelled) throw CANCELLED;
    this.#abort = abort;
    this.sent = true;
    this.onUnqueued();
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    if (status >= 200) this.onHead(status, scanHead(raw));
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (!this.cancelled) this.onBody(chunk);
    return true;
  }

  onComplete(): void {
    this.#abort = undefined;
    if (!this.cancelled) this.onEnd();
  }

  onError(error: Error): void {
    this.#abort = undefined;
    if (this.cancelled) return;
    if (!this.sent) this.onUnqueued();
    this.onFailure(error);
  }
}
