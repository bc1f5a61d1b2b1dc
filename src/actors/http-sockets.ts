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
  /** Of the last request: HTTP/1.1 clients wait for its answer before they send the next. */
  response: ServerResponse | null;
  /** Whether that request has work behind it. */
  work: boolean;
  /** The session whose message is being read from this socket. */
  reading: string | null;
  /** The answer after which a survey first found it idle, and when. Milliseconds since the epoch. */
  idleAfter: ServerResponse | null;
  idleSince: number;
}

/** A client that was just heard of may be sending its next request: it is left alone so long. Milliseconds. */
export const MAY_SEND_MS = 500;

export class HttpSockets {
  readonly #peers = new Map<Socket, HttpPeer>();
  #made = 0;
  #http: HttpServer | null = null;
  #idle: readonly HttpPeer[] = [];
  #surveyedAt = 0;
  #give: ((socket: Socket) => void) | null = null;
  /** No new requests are taken on them until then; `null` while they are. Written by the listener's drain. */
  quietUntil: number | null = null;

  /** The id of the next connection actor; unique over all listeners and their incarnations. */
  nextId(): string {
    return `socket-${(this.#made += 1)}`;
  }

  /** The parser that all sockets are read by. */
  readBy(http: HttpServer): void {
    this.#http = http;
  }

  add(socket: Socket, ref: Ref<HttpConnectionMessage>): void {
    this.#peers.set(socket, { socket, ref, response: null, work: false, reading: null, idleAfter: null, idleSince: 0 });
    socket.once('close', () => this.#peers.delete(socket));
  }

  /** It is a WebSocket now. */
  remove(socket: Socket): void {
    this.#peers.delete(socket);
  }

  get(socket: Socket): Ref<HttpConnectionMessage> | undefined {
    return this.#peers.get(socket)?.ref;
  }

  /** A request has begun on this socket. */
  began(socket: Socket, response: ServerResponse): void {
    const peer = this.#peers.get(socket);
    if (!peer) return;
    peer.response = response;
    peer.work = false;
    if (this.#give && !isSecure(socket)) this.#giveAfter(peer, response);
  }

  /** It is a message, for this session if one is named, which is being read. */
  works(socket: Socket, session: string | null): void {
    const peer = this.#peers.get(socket);
    if (!peer) return;
    peer.work = true;
    peer.reading = session;
  }

  /** The message has been read. */
  read(socket: Socket): void {
    const peer = this.#peers.get(socket);
    if (peer) peer.reading = null;
  }

  /** Sessions for which a message is being read: it is not theirs yet, and will be. */
  get reading(): ReadonlySet<string> {
    const sessions = new Set<string>();
    for (const { reading } of this.#peers.values()) if (reading !== null) sessions.add(reading);
    return sessions;
  }

  /**
   * From now on sockets go to `give` as soon as they are between two requests. Those over TLS cannot: they are what the
   * survey finds idle.
   * @param now milliseconds since the epoch
   */
  handOver(give: (socket: Socket) => void, now: number): void {
    if (!this.#give) {
      this.#give = give;
      for (const peer of this.#peers.values()) {
        const { socket, response } = peer;
        if (!response || isOver(response)) continue;
        if (isSecure(socket)) response.shouldKeepAlive = false;
        else this.#giveAfter(peer, response);
      }
    }
    const silent = [...this.#peers.values()].filter(({ socket }) => socket.bytesRead === 0);
    const idle = [...this.between(), ...silent];
    for (const peer of idle) this.#giveAway(peer);
    this.#note(
      idle.filter(({ socket }) => this.#peers.has(socket)),
      now,
    );
  }

  /** The client can send nothing before it has the response, so nothing is lost if the socket goes in the same moment. */
  #giveAfter(peer: HttpPeer, response: ServerResponse): void {
    response.once('finish', () => {
      // Node's own end of the exchange comes first.
      process.nextTick(() => {
        if (peer.response === response && response.req.complete && response.shouldKeepAlive) this.#giveAway(peer);
      });
    });
  }

  #giveAway(peer: HttpPeer): void {
    const { socket, ref } = peer;
    if (socket.destroyed || isSecure(socket) || !this.#peers.delete(socket)) return;
    ref.urgent({ type: 'socket/upgraded' });
    stopReading(socket);
    this.#give?.(socket);
    // Until it has left it is an idle connection like the others, which `between` must not have closed.
    socket.destroy = () => socket;
  }

  /** Messages whose HTTP response is not over. */
  get busy(): number {
    let busy = 0;
    for (const { response, work } of this.#peers.values())
      if (work && response !== null && !isOver(response)) busy += 1;
    return busy;
  }

  get size(): number {
    return this.#peers.size;
  }

  /** Whether there is any over TLS. */
  get secure(): boolean {
    for (const socket of this.#peers.keys()) if (isSecure(socket)) return true;
    return false;
  }

  /** Sockets between two requests, as of the last survey. */
  get idle(): number {
    return this.#idle.length;
  }

  /** @param now milliseconds since the epoch */
  survey(now: number): void {
    this.#note(this.between(), now);
  }

  #note(idle: readonly HttpPeer[], now: number): void {
    this.#surveyedAt = now;
    this.#idle = idle;
    for (const peer of idle) {
      if (peer.idleSince > 0 && peer.idleAfter === peer.response) continue;
      peer.idleAfter = peer.response;
      peer.idleSince = now;
    }
  }

  /**
   * Closes up to `most` of the sockets that the survey of this moment has found idle; how many. At once, for in the next
   * one a request may have come.
   * @param quietFor leaves out those that have not been idle for so many milliseconds
   */
  closeIdle(most: number, quietFor = MAY_SEND_MS): number {
    const before = this.#surveyedAt - quietFor;
    const closing = this.#idle.filter(({ idleSince }) => idleSince <= before).slice(0, most);
    const closed = new Set(closing);
    this.#idle = this.#idle.filter((peer) => !closed.has(peer));
    for (const { socket } of closing) socket.destroySoon();
    return closing.length;
  }

  /** Nobody is to send another request over the connection on which an answer of now comes. */
  lastAnswers(): void {
    for (const { response } of this.#peers.values())
      if (response !== null && !response.headersSent) response.shouldKeepAlive = false;
  }

  /** Whether this process still holds bytes that a client has been sent. */
  get unsent(): boolean {
    for (const { writableLength } of this.#peers.keys()) if (writableLength > 0) return true;
    return false;
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

/**
 * Node goes on reading from a socket that is on its way to another process, and throws away what comes. There is no public
 * way to stop it: `pause` stops the stream, not the handle.
 */
function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStop?: () => void } | null };
  handle?.readStop?.();
}

/** Its keys are in this process: it cannot be passed on. */
export function isSecure(socket: Socket): boolean {
  return 'encrypted' in socket;
}

function isOver(response: ServerResponse): boolean {
  return response.writableFinished || response.destroyed;
}
