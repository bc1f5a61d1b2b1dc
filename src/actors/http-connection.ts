/**
 * HTTP connection: one TCP socket of the listener, from accept to close.
 *
 * Parent: connections (partitioned). Restart: temporary. It ends when its socket closes, and its socket closes when it
 * ends: killing the actor drops the connection, whatever runs on it. Requests of the legacy era do not pass through its
 * mailbox: they belong to their session.
 */
import { type Socket } from 'node:net';
import { type ActorContext, type Behavior, NORMAL } from '../kernel/index.js';
import { type Counters } from '../telemetry/counters.js';

export type HttpConnectionMessage =
  | { readonly type: 'socket/closed' }
  /** The socket became a WebSocket: its connection actor has it now. */
  | { readonly type: 'socket/upgraded' };

export function httpConnection(socket: Socket, counters: Counters) {
  return (context: ActorContext<HttpConnectionMessage>): Behavior<HttpConnectionMessage> =>
    new HttpConnection(socket, counters, context);
}

class HttpConnection implements Behavior<HttpConnectionMessage> {
  readonly #context: ActorContext<HttpConnectionMessage>;
  readonly #counters: Counters;
  #socket: Socket | null;

  constructor(socket: Socket, counters: Counters, context: ActorContext<HttpConnectionMessage>) {
    this.#context = context;
    this.#counters = counters;
    this.#socket = socket;
    counters.sockets += 1;
    socket.once('close', () => void context.self.answer({ type: 'socket/closed' }));
  }

  handle(message: HttpConnectionMessage): void {
    if (message.type === 'socket/upgraded') this.#socket = null;
    this.#context.exit(NORMAL);
  }

  terminate(): void {
    this.#counters.sockets -= 1;
    this.#socket?.destroy();
  }
}
