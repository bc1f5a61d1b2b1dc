/**
 * The page's one source of figures: the admin protocol over a WebSocket or, where that does not pass, an event stream and
 * requests by POST. Connects again by itself and keeps the last figures meanwhile. Draws nothing.
 */
import type {
  AdminError,
  AdminEvent,
  AdminMethod,
  AdminResponse,
  GatewaySnapshot,
  LogLine,
  WatchEnded,
} from '#src/admin/protocol.js';
import { lookedAt, NOTHING_LOOKED, requestFor, sameWanted, type Looked, type Wanted } from '#src/admin/view/wanted.js';

export type Access = 'look' | 'act';

export interface NumberedLine {
  readonly number: number;
  readonly entry: LogLine;
}

export interface FeedView extends Looked {
  /** `signed-out`: the gateway wants a token. `off`: its dashboards are switched off. */
  readonly link: 'connecting' | 'live' | 'lost' | 'signed-out' | 'off';
  /** How the figures come. */
  readonly way: 'websocket' | 'stream' | null;
  readonly access: Access;
  readonly snapshot: GatewaySnapshot | null;
  readonly logs: readonly NumberedLine[];
}

/** A request was refused, with a sentence that says why. */
export class RefusedError extends Error {
  constructor(error: AdminError) {
    super(error.message);
    this.name = error.code;
  }
}

type Watched = GatewaySnapshot | WatchEnded;

const BASE = '/mcp/dashboard';
const MOST_LINES = 1_000;
const RETRY_MS = { first: 250, most: 4_000 } as const;
/** Attempts by WebSocket that never opened before the other way is taken. */
const SOCKET_ATTEMPTS = 2;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to the gateway, whichever way it goes. */
interface Link {
  request(method: AdminMethod, params?: object): Promise<unknown>;
  close(): void;
}

export class Feed {
  view: FeedView = { link: 'connecting', way: null, access: 'look', snapshot: null, logs: [], ...NOTHING_LOOKED };
  readonly #onChange: () => void;
  readonly #token: () => string | null;
  #link: Link | null = null;
  #intervalMs = 1_000;
  #retryMs: number = RETRY_MS.first;
  #failedSockets = 0;
  #wanted: Wanted | null = null;
  #asking = false;
  #nextNumber = 1;

  constructor(token: () => string | null, onChange: () => void) {
    this.#token = token;
    this.#onChange = onChange;
  }

  start(): void {
    void this.#connect();
  }

  /** Begins anew, with another token or another interval. */
  restart(intervalMs = this.#intervalMs): void {
    this.#intervalMs = intervalMs;
    this.#failedSockets = 0;
    if (this.#link) this.#link.close();
    else void this.#connect();
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** What is looked at from now on; `null`: the snapshot alone. */
  want(wanted: Wanted | null): void {
    if (sameWanted(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    // Another actor's messages must not be sent to this one.
    if (wanted?.what === 'messages') this.view = { ...this.view, messages: [] };
    void this.#ask();
  }

  /** Rejects with `RefusedError` when the gateway says no. */
  async request(method: AdminMethod, params?: object): Promise<unknown> {
    if (this.#link === null) throw new Error('There is no connection to the gateway now.');
    return this.#link.request(method, params);
  }

  async #connect(): Promise<void> {
    try {
      const ticket = await this.#ticket();
      if (ticket === undefined) this.#change({ link: 'signed-out' });
      else if (this.#failedSockets < SOCKET_ATTEMPTS) this.#openSocket(ticket);
      else this.#openStream(ticket);
    } catch {
      this.#retry();
    }
  }

  /** A query that lets this connection in: empty where nobody has to sign in, `undefined` when a token is needed. */
  async #ticket(): Promise<string | undefined> {
    const token = this.#token();
    if (token === null) {
      const probe = await fetch(`${BASE}/admin`, post({ id: 1, method: 'cancel', params: { id: 0 } }));
      if (probe.status === 503) this.#change({ link: 'off' });
      return probe.status === 401 || probe.status === 403 ? undefined : '';
    }
    const answer = await fetch('/mcp/ticket', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    if (answer.status === 401 || answer.status === 403) return undefined;
    if (!answer.ok) throw new Error(`the ticket was answered ${answer.status}`);
    const { ticket } = (await answer.json()) as { ticket: string };
    return `ticket=${encodeURIComponent(ticket)}`;
  }

  #openSocket(ticket: string): void {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}${BASE}/feed?${ticket}`);
    const waiting = new Map<number, Waiting>();
    const streams = new Map<number, (event: unknown) => void>();
    let lastId = 0;
    let opened = false;
    const ask = (method: AdminMethod, params: object = {}, follow?: (event: unknown) => void): Promise<unknown> => {
      const id = (lastId += 1);
      if (follow) streams.set(id, follow);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        socket.send(`${JSON.stringify({ id, method, params })}\n`);
      });
    };
    const follow = (method: AdminMethod, params: object, take: (value: unknown) => void): void => {
      ask(method, params, take).then(take, () => socket.close());
    };
    socket.onopen = () => {
      opened = true;
      this.#failedSockets = 0;
      this.#opened({ request: ask, close: () => socket.close() }, 'websocket');
      follow('watch', { intervalMs: this.#intervalMs }, (value) => this.#snapshot(value as Watched));
      follow('logs', { follow: true, lines: 200 }, (value) => this.#log(value));
    };
    socket.onmessage = ({ data }) => {
      for (const line of String(data).split('\n')) {
        if (line === '') continue;
        const message = JSON.parse(line) as AdminResponse | AdminEvent;
        if ('event' in message) {
          if (message.id === 0) this.#told(message.event as { readonly access?: Access });
          else streams.get(message.id)?.(message.event);
          continue;
        }
        const waits = waiting.get(message.id);
        waiting.delete(message.id);
        if (message.ok) waits?.resolve(message.result);
        else waits?.reject(new RefusedError(message.error));
      }
    };
    socket.onclose = () => {
      if (!opened) this.#failedSockets += 1;
      for (const { reject } of waiting.values()) reject(new Error('The connection to the gateway was lost.'));
      this.#lost();
    };
  }

  /** What it may do. Of the end of its token it is told too; the connection that ends then says it all. */
  #told({ access }: { readonly access?: Access }): void {
    if (access !== undefined) this.#change({ access });
  }

  #openStream(ticket: string): void {
    const source = new EventSource(`${BASE}/events?interval=${this.#intervalMs}&${ticket}`);
    const on = (name: string, take: (value: unknown) => void): void =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data)));
    const link: Link = { request: (method, params) => this.#post(method, params), close: () => end() };
    const end = (): void => {
      source.close();
      this.#lost();
    };
    source.onopen = () => this.#opened(link, 'stream');
    // It would try again by itself, with a ticket that is spent.
    source.onerror = end;
    on('access', (access) => this.#change({ access: access as Access }));
    on('snapshot', (snapshot) => this.#snapshot(snapshot as Watched));
    on('log', (line) => this.#log(line));
  }

  async #post(method: AdminMethod, params: object = {}): Promise<unknown> {
    const answer = await fetch(`${BASE}/admin`, post({ id: 1, method, params }, this.#token()));
    const message = (await answer.json()) as AdminResponse;
    if (message.ok) return message.result;
    throw new RefusedError(message.error);
  }

  #opened(link: Link, way: FeedView['way']): void {
    this.#link = link;
    this.#retryMs = RETRY_MS.first;
    this.#change({ way, logs: [] });
  }

  #snapshot(snapshot: Watched): void {
    if ('ended' in snapshot) {
      this.#change({ link: 'off' });
      this.#link?.close();
      return;
    }
    this.#change({ link: 'live', snapshot });
    void this.#ask();
  }

  #log(value: unknown): void {
    const entries = (Array.isArray(value) ? value : [value]) as LogLine[];
    const added = entries.map((entry) => ({ number: this.#nextNumber++, entry }));
    this.#change({ logs: [...this.view.logs, ...added].slice(-MOST_LINES) });
  }

  async #ask(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || this.#asking || this.#link === null) return;
    this.#asking = true;
    try {
      const { method, params } = requestFor(wanted);
      const result = await this.#link.request(method, params);
      if (wanted === this.#wanted) this.#change(lookedAt(wanted, result));
    } catch {
      // A lost connection is noticed where it is lost; the old list stays.
    } finally {
      this.#asking = false;
    }
    // Somebody has turned to something else meanwhile.
    if (wanted !== this.#wanted) await this.#ask();
  }

  #lost(): void {
    this.#link = null;
    this.#retry();
  }

  #retry(): void {
    // Switched off stays what it is until figures come again.
    if (this.view.link !== 'off') this.#change({ link: 'lost' });
    setTimeout(() => void this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS.most, this.#retryMs * 2);
  }

  #change(part: Partial<FeedView>): void {
    this.view = { ...this.view, ...part };
    this.#onChange();
  }
}

function post(request: object, token: string | null = null): RequestInit {
  const headers = { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) };
  return { method: 'POST', headers, body: JSON.stringify(request) };
}
