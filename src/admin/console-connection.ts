/**
 * One connected console (on the admin socket, or a WebSocket as a stream), server side: reads its lines, runs its requests, writes answers and events.
 *
 * Bounds: a console that does not read stops being read itself (answers in the making are at most `maxInFlight`), and
 * its streams hold back few events each: of snapshots the newest, of log lines some and a count of those it missed.
 */
import type { Duplex } from 'node:stream';
import { LineSplitter } from './lines.js';
import type { AdminError, AdminReply, AdminRequest, LogLine } from './protocol.js';
import { parseAdminRequest } from './requests.js';
import type { AdminHandler, AdminLimits } from './handler.js';

export interface ConsoleOptions {
  readonly handler: AdminHandler;
  readonly limits: AdminLimits;
  readonly onError: (error: Error) => void;
  readonly onDrop: (count: number) => void;
  readonly onClosed: () => void;
}

/** A request in flight or a followed stream. */
interface Exchange {
  readonly request: AdminRequest;
  readonly abort: AbortController;
  answered: boolean;
  /** Events held back until the request is answered and the console reads again. */
  held: unknown[];
  /** Log lines lost since the last one written. */
  missed: number;
}

/** Log lines held back for one slow stream. */
const HELD_LINES = 256;

export class ConsoleConnection {
  readonly #socket: Duplex;
  readonly #options: ConsoleOptions;
  readonly #lines: LineSplitter;
  readonly #exchanges = new Map<number, Exchange>();
  /** The console sends nothing more (`nc -U`); what it asked is still answered. */
  #ending = false;
  /** It was dismissed: nothing is read or written any more. */
  #dismissed = false;

  constructor(socket: Duplex, options: ConsoleOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#lines = new LineSplitter(options.limits.maxLineBytes);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('end', () => this.#end());
    // A console that vanishes is no fault of ours: `close` follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
  }

  /** Ends the connection; its streams have ended when this returns. */
  destroy(): void {
    this.#closed();
    this.#socket.destroy();
  }

  /** A last event of id 0; from then on nothing is taken, answered or followed. Whoever calls this closes the connection. */
  dismiss(event: unknown): void {
    this.#write({ id: 0, event });
    this.#dismissed = true;
    for (const exchange of this.#exchanges.values()) exchange.abort.abort();
    this.#exchanges.clear();
  }

  #read(chunk: Buffer): void {
    if (this.#dismissed) return;
    for (const line of this.#lines.push(chunk)) {
      if (line === null) {
        const message = `A request line may hold at most ${this.#options.limits.maxLineBytes} bytes.`;
        this.#refuse(0, { code: 'line_too_long', message });
      } else {
        this.#begin(line);
      }
    }
  }

  #begin(line: string): void {
    const parsed = parseAdminRequest(line);
    if (!parsed.ok) {
      this.#refuse(parsed.id, parsed.error);
      return;
    }
    const { request } = parsed;
    if (request.method === 'cancel') {
      this.#cancel(request);
    } else if (this.#exchanges.has(request.id)) {
      const message = `The id ${request.id} is in use by a request of this connection; number requests upwards.`;
      this.#refuse(request.id, { code: 'duplicate_id', message });
    } else if (this.#exchanges.size >= this.#options.limits.maxInFlight) {
      this.#refuse(request.id, { code: 'overloaded', message: 'Too many requests in flight; wait for an answer.' });
    } else {
      void this.#run(request);
    }
  }

  async #run(request: AdminRequest): Promise<void> {
    const exchange: Exchange = {
      request,
      abort: new AbortController(),
      answered: false,
      held: [],
      missed: 0,
    };
    this.#exchanges.set(request.id, exchange);
    const reply = await this.#ask(exchange);
    const cancelled = exchange.abort.signal.aborted;
    const follows = reply.ok && !cancelled && !this.#ending && isStream(request);
    if (!follows) {
      this.#exchanges.delete(request.id);
      exchange.abort.abort();
    }
    this.#write({ id: request.id, ...reply });
    exchange.answered = true;
    if (follows) this.#flush(exchange);
    else this.#endWhenDone();
  }

  async #ask(exchange: Exchange): Promise<AdminReply> {
    const context = { signal: exchange.abort.signal, emit: (event: unknown) => this.#emit(exchange, event) };
    try {
      return await this.#options.handler(exchange.request, context);
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      const message = 'The gateway could not answer because of a defect; its log says more.';
      return { ok: false, error: { code: 'internal_error', message } };
    }
  }

  #cancel(request: AdminRequest): void {
    const id = Number(request.params?.['id']);
    const exchange = this.#exchanges.get(id);
    // An unanswered request keeps its place until its handler ends, so that it is still answered once.
    if (exchange?.answered === true) this.#exchanges.delete(id);
    exchange?.abort.abort();
    this.#write({ id: request.id, ok: true, result: { cancelled: exchange !== undefined } });
  }

  #emit(exchange: Exchange, event: unknown): void {
    if (exchange.abort.signal.aborted || this.#socket.destroyed) return;
    const newestOnly = exchange.request.method !== 'logs';
    if (exchange.answered && !this.#isFull()) {
      this.#flush(exchange);
      this.#write({ id: exchange.request.id, event });
    } else if (newestOnly) {
      if (exchange.held.length > 0) this.#options.onDrop(1);
      exchange.held = [event];
    } else if (exchange.held.length < HELD_LINES) {
      exchange.held.push(event);
    } else {
      exchange.missed += 1;
      this.#options.onDrop(1);
    }
  }

  #flush(exchange: Exchange): void {
    const { id } = exchange.request;
    const { held, missed } = exchange;
    exchange.held = [];
    exchange.missed = 0;
    for (const event of held) this.#write({ id, event });
    if (missed > 0) this.#write({ id, event: missedLines(missed) });
  }

  #refuse(id: number, error: AdminError): void {
    this.#write({ id, ok: false, error });
  }

  #write(message: unknown): void {
    if (this.#socket.destroyed || this.#dismissed) return;
    this.#socket.write(`${JSON.stringify(message)}\n`);
    if (this.#isFull()) this.#socket.pause();
  }

  #isFull(): boolean {
    // Below the stream's own mark there is no 'drain', so nothing would say that it can go on.
    const { writableLength, writableHighWaterMark } = this.#socket;
    return writableLength > Math.max(this.#options.limits.maxBufferedBytes, writableHighWaterMark);
  }

  #resume(): void {
    for (const exchange of this.#exchanges.values()) if (exchange.answered && !this.#isFull()) this.#flush(exchange);
    if (!this.#isFull()) this.#socket.resume();
  }

  #end(): void {
    this.#ending = true;
    for (const [id, exchange] of this.#exchanges) {
      if (!exchange.answered) continue;
      exchange.abort.abort();
      this.#exchanges.delete(id);
    }
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#ending && this.#exchanges.size === 0) this.#socket.end();
  }

  #closed(): void {
    for (const exchange of this.#exchanges.values()) exchange.abort.abort();
    this.#exchanges.clear();
    this.#options.onClosed();
  }
}

function isStream(request: AdminRequest): boolean {
  const { method, params } = request;
  return method === 'watch' || ((method === 'logs' || method === 'drain') && params?.['follow'] === true);
}

function missedLines(missed: number): LogLine {
  return {
    at: Date.now(),
    level: 'warn',
    event: 'console.slow',
    message: `${missed} log lines were left out: this console reads too slowly`,
    fields: { missed },
  };
}
