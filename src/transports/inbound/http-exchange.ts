/**
 * One POST of Streamable HTTP as a channel: the answer is one JSON body when nothing comes before it, and an event
 * stream from the first notification on, or when the answer takes long (so that proxies and clients see life).
 *
 * Source: MCP specification 2025-11-25, "Transports › Streamable HTTP › Sending Messages to the Server"; batches 2025-03-26.
 */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ErrorName } from '../../protocol/errors.js';
import { type Channel } from './channel.js';
import { EventStream } from './event-stream.js';
import { type ErrorReply, sendElsewhere, sendError } from './http-reply.js';
import { type Outflow } from './outflow.js';
import { type Replay, type ReplayLog } from './replay-log.js';

/** After how long a client that lost the stream may come back. Milliseconds. */
const RETRY_MS = 1_000;

/** `WWW-Authenticate` for a request whose client needs these scopes. */
export type Challenge = (req: IncomingMessage, scopes: readonly string[]) => string;

/** What a session keeps of its streams. */
export interface ReplayTarget {
  log(): ReplayLog;
  /** Streams that are not over, by number. */
  readonly streams: { set(number: number, exchange: HttpExchange): void; delete(number: number): void };
  /** Whether a stream begins with an id, so that it can be resumed before its first message. */
  prime(): boolean;
}

export class HttpExchange implements Channel {
  readonly #res: ServerResponse;
  readonly #outflow: Outflow;
  readonly #challenge: Challenge;
  readonly #batch: boolean;
  readonly #answers: string[] = [];
  /** Requests of the body that are not answered yet. */
  #outstanding: number;
  #stream: EventStream | null = null;
  /** Where its stream is kept for a client that loses it; `null` where streams cannot be resumed. */
  #replay: ReplayTarget | null = null;
  /** Its number in the log, once it streams. */
  #number = 0;
  /** Set before the answer when it is that of `initialize`: sent as `Mcp-Session-Id`. */
  sessionId: string | null = null;

  constructor(res: ServerResponse, outflow: Outflow, challenge: Challenge, requests: number, batch: boolean) {
    this.#res = res;
    this.#outflow = outflow;
    this.#challenge = challenge;
    this.#outstanding = requests;
    this.#batch = batch;
  }

  /** Bytes of its stream that the client has not read yet. */
  get unread(): number {
    return this.#stream?.unread ?? 0;
  }

  /** Of the request. */
  get headers(): IncomingHttpHeaders {
    return this.#res.req.headers;
  }

  answer(text: string, status = 200, scopes?: readonly string[]): boolean {
    this.#outstanding -= 1;
    if (this.#stream === null && !this.#batch) return this.#whole(text, status, scopes);
    if (this.#stream === null) this.#answers.push(text);
    const sent = this.#stream === null ? this.#alive() : this.#send(this.#stream, text);
    if (this.#outstanding <= 0) this.#finish();
    return sent;
  }

  notify(text: string): boolean {
    if (this.#stream === null && !this.#alive()) return false;
    return this.#send(this.#streaming(), text);
  }

  /** Makes its stream resumable. Call before the body is handled. */
  keepIn(target: ReplayTarget): void {
    this.#replay = target;
  }

  /** The client came back for this stream: what follows goes to `stream`, after `missed`. */
  resume(stream: EventStream, missed: Replay['events']): void {
    for (const { id, text } of missed) stream.send({ id, data: text });
    this.#stream = stream;
    if (this.#outstanding <= 0) stream.end();
  }

  /** The body held nothing that is answered: 202, as the specification asks. */
  accepted(): void {
    if (this.#alive() && !this.#res.headersSent) this.#res.writeHead(202).end();
  }

  /** Answers the whole body with one error and its HTTP status. Before anything else was written. */
  refuse(name: ErrorName, reply?: ErrorReply): void {
    if (this.#alive()) sendError(this.#res, name, reply);
  }

  /** Another process has the session. Before anything else was written. */
  elsewhere(): void {
    sendElsewhere(this.#res);
  }

  release(): void {
    this.#outstanding -= 1;
    if (this.#outstanding <= 0) this.#finish();
  }

  /** Calls `listener` once when the client has gone before the response was over. */
  onAbandoned(listener: () => void): void {
    this.#res.once('close', () => {
      if (!this.#res.writableFinished) listener();
    });
  }

  stillWorking(): void {
    if (this.#alive()) this.#streaming().keepAlive();
  }

  #alive(): boolean {
    return !this.#res.destroyed && !this.#res.writableEnded;
  }

  #streaming(): EventStream {
    if (this.#stream) return this.#stream;
    const stream = new EventStream(this.#res, this.#outflow, this.#headers());
    this.#stream = stream;
    if (this.#replay) {
      this.#number = this.#replay.log().open();
      this.#replay.streams.set(this.#number, this);
      if (this.#replay.prime())
        stream.send({ id: this.#replay.log().append(this.#number, ''), retry: RETRY_MS, data: '' });
    }
    for (const answer of this.#answers.splice(0)) this.#send(stream, answer);
    return stream;
  }

  /** What is kept counts as sent: the client may come back for it. */
  #send(stream: EventStream, text: string): boolean {
    if (!this.#replay) return stream.send({ data: text });
    stream.send({ id: this.#replay.log().append(this.#number, text), data: text });
    return true;
  }

  #finish(): void {
    this.#replay?.streams.delete(this.#number);
    if (this.#stream !== null) return this.#stream.end();
    if (!this.#alive()) return;
    if (this.#answers.length > 0) {
      this.#whole(`[${this.#answers.join(',')}]`);
      return;
    }
    // Everything was cancelled: an empty stream is an end without an answer.
    this.#streaming().end();
  }

  /** The hot path: head and body in one write. */
  #whole(text: string, status = 200, scopes?: readonly string[]): boolean {
    if (!this.#alive()) return false;
    if (scopes !== undefined) this.#res.setHeader('www-authenticate', this.#challenge(this.#res.req, scopes));
    const length = Buffer.byteLength(text);
    this.#res.writeHead(
      status,
      this.sessionId === null
        ? ['content-type', 'application/json', 'content-length', String(length)]
        : ['content-type', 'application/json', 'content-length', String(length), 'mcp-session-id', this.sessionId],
    );
    this.#res.end(text);
    this.#outflow.watch(this.#res);
    return true;
  }

  #headers(): Record<string, string> {
    return this.sessionId === null ? {} : { 'mcp-session-id': this.sessionId };
  }
}
