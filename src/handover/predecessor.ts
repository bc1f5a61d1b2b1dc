/**
 * The predecessor as its successor sees it: who has the listening socket, the connections and the sessions until they come
 * over. Lives as long as the channel.
 *
 * Invariants: a session has one owner: it is served here from the moment its state has arrived, and until then requests
 * for it are held; whoever is held gets an answer, for the channel ends.
 */
import { Server, Socket } from 'node:net';
import { HANDOVER_PROTOCOL, type SessionState, type ToPredecessor, type ToSuccessor } from './messages.js';
import { SUCCESSOR_MARK } from './successor.js';

/** Clients that may wait for a session at one time. */
const MAX_HELD = 4_096;

export interface Arrivals {
  onSession(state: SessionState): void;
  onSocket(socket: Socket): void;
  /** A notification or answer for a session that is here now. */
  onSaid(id: string, key: string, text: string): void;
}

/** What a client that came with an unknown session is to do. */
export type Claim = 'come' | 'unknown' | 'overloaded';

export class Predecessor {
  readonly #channel: NodeJS.Process;
  readonly #held = new Map<string, ((claim: Claim) => void)[]>();
  #heldCount = 0;
  #listening: ((server: Server) => void) | null = null;
  #arrivals: Arrivals | null = null;
  #open = true;
  #serving = false;

  /** `null`: this process was started by nobody who would hand over. */
  static of(process: NodeJS.Process): Predecessor | null {
    const marked = process.env[SUCCESSOR_MARK] !== undefined;
    Reflect.deleteProperty(process.env, SUCCESSOR_MARK); // neither for its servers nor for its own successor
    return marked && process.connected ? new Predecessor(process) : null;
  }

  private constructor(channel: NodeJS.Process) {
    this.#channel = channel;
    channel.on('message', (message, handle) => this.#heard(message as ToSuccessor, handle));
    channel.on('disconnect', () => this.#ended());
  }

  /** Whether sessions may still be with it. */
  get open(): boolean {
    return this.#open;
  }

  /** Says that everything is ready but the listening socket, and waits for that. */
  takeListener(): Promise<Server> {
    const server = new Promise<Server>((resolve) => {
      this.#listening = resolve;
    });
    this.#send({ type: 'successor/prepared', protocol: HANDOVER_PROTOCOL });
    return server;
  }

  /** From now on connections and sessions come over. */
  serving(arrivals: Arrivals): void {
    this.#arrivals = arrivals;
    this.#serving = true;
    this.#send({ type: 'successor/serving' });
  }

  /** A client came with this session: `then` is called once, when it is here or known to be nowhere. */
  claim(id: string, then: (claim: Claim) => void): void {
    if (!this.#open) return then('unknown');
    if (this.#heldCount >= MAX_HELD) return then('overloaded');
    const waiting = this.#held.get(id) ?? [];
    this.#held.set(id, [...waiting, then]);
    this.#heldCount += 1;
    if (waiting.length === 0) this.#send({ type: 'session/claim', id });
  }

  /** What a client says without being answered, for a session that is busy there: its calls may wait for it. */
  said(id: string, key: string, text: string): void {
    this.#send({ type: 'session/said', id, key, text });
  }

  #heard(message: ToSuccessor, handle: unknown): void {
    switch (message.type) {
      case 'handover/listen':
        if (handle instanceof Server) this.#listening?.(handle);
        return;
      case 'handover/socket':
        if (!(handle instanceof Socket)) return;
        if (this.#arrivals) this.#arrivals.onSocket(handle);
        else handle.destroy();
        return;
      case 'session/handed':
        this.#arrivals?.onSession(message.state);
        return this.#settle(message.state.id, 'come');
      case 'session/unknown':
        return this.#settle(message.id, 'unknown');
      case 'session/returned':
        return this.#arrivals?.onSaid(message.id, message.key, message.text);
      case 'session/busy':
        return;
      case 'handover/over':
        return this.#ended();
    }
  }

  #settle(id: string, claim: Claim): void {
    const waiting = this.#held.get(id) ?? [];
    this.#held.delete(id);
    this.#heldCount -= waiting.length;
    for (const then of waiting) then(claim);
  }

  #ended(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const id of [...this.#held.keys()]) this.#settle(id, 'unknown');
    if (this.#channel.connected) this.#channel.disconnect();
    // Nobody would know of a successor whose predecessor has gone before it serves.
    if (!this.#serving) this.#channel.exit(1);
  }

  #send(message: ToPredecessor): void {
    if (this.#channel.connected) this.#channel.send?.(message, undefined, {}, () => undefined);
  }
}
