/**
 * The TCP sockets of HTTP clients, and what runs on each: plain memory, for drains. A socket enters itself when it is
 * accepted and leaves when it closes or becomes a WebSocket.
 */
import { type Server as HttpServer, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Ref } from '../kernel/index.js';
import { type HttpConnectionMessage } from './http-connection.js';

export interface HttpPeer {
  readonly socket: Socket;
  readonly ref: Ref<HttpConnectionMessage>;
  /** The last request with work behind it: HTTP/1.1 clients wait for its answer before they send the next. */
  response: ServerResponse | null;
}

export class HttpSockets {
  readonly #peers = new Map<Socket, HttpPeer>();
  #http: HttpServer | null = null;
  #idle: readonly HttpPeer[] = [];

  /** The parser that all sockets are read by. */
  readBy(http: HttpServer): void {
    this.#http = http;
  }

  add(socket: Socket, ref: Ref<HttpConnectionMessage>): void {
    this.#peers.set(socket, { socket, ref, response: null });
    socket.once('close', () => this.#peers.delete(socket));
  }

  /** It is a WebSocket now. */
  remove(socket: Socket): void {
    this.#peers.delete(socket);
  }

  get(socket: Socket): Ref<HttpConnectionMessage> | undefined {
    return this.#peers.get(socket)?.ref;
  }

  /** A message is being read from this socket, and will be answered by `response`. */
  began(socket: Socket, response: ServerResponse): void {
    const peer = this.#peers.get(socket);
    if (peer) peer.response = response;
  }

  /** Messages whose HTTP response is not over. */
  get busy(): number {
    let busy = 0;
    for (const { response } of this.#peers.values())
      if (response !== null && !response.writableFinished && !response.destroyed) busy += 1;
    return busy;
  }

  /** Sockets between two requests, as of the last survey. */
  get idle(): number {
    return this.#idle.length;
  }

  survey(): void {
    this.#idle = this.between();
  }

  /** Closes up to `most` of the idle sockets; how many. */
  closeIdle(most: number): number {
    const closing = this.#idle.slice(0, most);
    this.#idle = this.#idle.slice(closing.length);
    for (const { ref } of closing) ref.urgent({ type: 'client/close', reason: 'shutdown' });
    return closing.length;
  }

  /**
   * Sockets on which a request has been answered and nothing of the next has come. Node alone knows, and says it by closing
   * them: here they are only noted.
   */
  between(): HttpPeer[] {
    const idle: HttpPeer[] = [];
    for (const peer of this.#peers.values()) {
      const { socket } = peer;
      socket.destroy = () => {
        idle.push(peer);
        return socket;
      };
    }
    this.#http?.closeIdleConnections();
    for (const { socket } of this.#peers.values()) Reflect.deleteProperty(socket, 'destroy');
    return idle;
  }
}
