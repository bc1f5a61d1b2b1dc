/**
 * The legacy session that the bridge holds with the gateway, and its next one when it is lost.
 *
 * A new session begins with the params of the client's own `initialize`, gets the log level and subscriptions of the one
 * before, and tells the client that every list may have changed. Requests of the lost session that the client has not
 * answered are cancelled at the client: their ids may come again and mean something else.
 * Source: MCP specification 2025-11-25, "Transports › Session Management".
 */
import { isJsonObject, type JsonObject, type JsonRpcId, type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { type Remote, UnreachableError } from './remote.js';

export interface SessionDeps {
  readonly remote: Remote;
  /** Where the gateway is now. Rejects when it cannot be found. */
  readonly locate: () => Promise<string>;
  /** Writes a line to the client; resolves when it takes more. */
  readonly write: (line: string) => Promise<void>;
  readonly log: (text: string) => void;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Session {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests of the gateway that the client has not answered, by `idKey`. */
  readonly asked: Map<string, JsonRpcId>;
  /** Ends its stream. */
  readonly abort: AbortController;
}

/** Ids as map keys: `1` is not `"1"`. */
export function idKey(id: JsonRpcId): string {
  return typeof id === 'string' ? `s${id}` : `n${id}`;
}

const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2_000;
const RECONNECT_STREAM_MS = 500;
const MAX_REPLAYS = 1_000;
const OPEN_TIMEOUT_MS = 10_000;
const LISTS = { tools: 'tools', prompts: 'prompts', resources: 'resources' } as const;
const ACCEPT = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

export class SessionKeeper {
  readonly #deps: SessionDeps;
  readonly #stopped: AbortSignal;
  readonly #deliver: (text: string, session: Session) => Promise<void>;
  /** Params of the client's `initialize`. */
  #params: JsonObject | null = null;
  #initialized = false;
  #session: Session | null = null;
  #opening: Promise<Session> | null = null;
  /** Requests whose effect a new session must have too, by what they set. */
  readonly #replays = new Map<string, JsonRpcRequest>();
  #made = 0;

  constructor(deps: SessionDeps, stopped: AbortSignal, deliver: (text: string, session: Session) => Promise<void>) {
    this.#deps = deps;
    this.#stopped = stopped;
    this.#deliver = deliver;
  }

  /** Whether the client has initialized a session. */
  get begun(): boolean {
    return this.#params !== null;
  }

  /** The session, once there is one again; `null` while the client has begun none. Rejects with `UnreachableError`. */
  async current(waitMs: number): Promise<Session | null> {
    if (!this.begun) return null;
    if (this.#session) return this.#session;
    this.#opening ??= this.#reopen();
    const over = new AbortController();
    const late = this.#deps.sleep(Math.max(0, waitMs), over.signal).then(() => {
      throw new UnreachableError('the gateway did not come back in time');
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([this.#opening, late]);
    } finally {
      over.abort();
    }
  }

  /** The client's `initialize` was answered. */
  begin(url: string, sessionId: string | undefined, params: JsonObject, result: JsonObject): void {
    this.#params = params;
    this.#session = newSession(url, sessionId, result);
  }

  /** The client's `notifications/initialized` is through: the gateway may speak of its own. */
  initialized(): void {
    this.#initialized = true;
    if (this.#session) void this.#listen(this.#session);
  }

  /** Remembers what a request has set for the session. */
  remember(request: JsonRpcRequest): void {
    const uri = request.params?.['uri'];
    if (request.method === 'logging/setLevel') this.#replays.set('level', request);
    else if (typeof uri !== 'string') return;
    else if (request.method === 'resources/unsubscribe') this.#replays.delete(`uri ${uri}`);
    else if (request.method === 'resources/subscribe' && this.#replays.size < MAX_REPLAYS)
      this.#replays.set(`uri ${uri}`, request);
  }

  /** The gateway does not know the session any more, or is gone. Begins the next one at once. */
  lose(session: Session, why: string): void {
    if (this.#session !== session) return;
    this.#session = null;
    session.abort.abort();
    this.#deps.log(`${why}; connecting again`);
    for (const requestId of session.asked.values()) {
      const params = { requestId, reason: 'the session with the gateway was lost' };
      void this.#deps.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    }
    this.#opening ??= this.#reopen();
    this.#opening.catch(() => undefined);
  }

  /** Ends the session with DELETE. */
  async end(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (!session) return;
    session.abort.abort();
    const { url, headers } = session;
    const signal = AbortSignal.timeout(1_000);
    const onMessage = (): Promise<void> => Promise.resolve();
    await this.#deps.remote.send({ method: 'DELETE', url, headers, signal, onMessage }).catch(() => undefined);
  }

  async #reopen(): Promise<Session> {
    for (let wait = MIN_BACKOFF_MS; ; wait = Math.min(wait * 2, MAX_BACKOFF_MS)) {
      if (this.#stopped.aborted) throw new UnreachableError('the bridge is closed');
      try {
        const { session, result } = await this.#open();
        this.#session = session;
        this.#opening = null;
        this.#deps.log(`connected again to ${session.url}`);
        if (this.#initialized) void this.#listen(session);
        await this.#announce(result);
        return session;
      } catch {
        await this.#deps.sleep(wait, this.#stopped);
      }
    }
  }

  async #open(): Promise<{ session: Session; result: JsonObject }> {
    const url = await this.#deps.locate();
    let sessionId: string | undefined;
    const begun = await this.#ask(url, {}, 'initialize', this.#params ?? {}, (id) => (sessionId = id));
    const result = begun?.['result'];
    if (!isJsonObject(result)) throw new Error('initialize was refused');
    const session = newSession(url, sessionId, result);
    if (this.#initialized) {
      const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
      await this.#post(url, session.headers, body, () => undefined);
      for (const { method, params } of this.#replays.values()) await this.#ask(url, session.headers, method, params);
    }
    return { session, result };
  }

  /** One request of the bridge's own; the client sees nothing of it. */
  async #ask(
    url: string,
    headers: Readonly<Record<string, string>>,
    method: string,
    params: JsonObject = {},
    onSession: (id: string | undefined) => void = () => undefined,
  ): Promise<JsonObject | undefined> {
    const id = `viable-stdio-${(this.#made += 1)}`;
    let answer: JsonObject | undefined;
    const take = (text: string): void => {
      const message: unknown = JSON.parse(text);
      if (isJsonObject(message) && message['id'] === id && !('method' in message)) answer = message;
    };
    await this.#post(url, headers, JSON.stringify({ jsonrpc: '2.0', id, method, params }), take, onSession);
    return answer;
  }

  async #post(
    url: string,
    more: Readonly<Record<string, string>>,
    body: string,
    take: (text: string) => void,
    onSession: (id: string | undefined) => void = () => undefined,
  ): Promise<void> {
    const signal = AbortSignal.any([this.#stopped, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
    const onHead = (_status: number, id: string | undefined): void => onSession(id);
    const onMessage = (text: string): Promise<void> => {
      take(text);
      return Promise.resolve();
    };
    const headers = { ...more, ...ACCEPT };
    await this.#deps.remote.send({ method: 'POST', url, headers, body, signal, onMessage, onHead });
  }

  /** Keeps the stream of the session open, for as long as the session lives. */
  async #listen(session: Session): Promise<void> {
    const { remote, sleep } = this.#deps;
    const signal = AbortSignal.any([this.#stopped, session.abort.signal]);
    let after: Record<string, string> = {};
    while (!signal.aborted) {
      const headers = { ...session.headers, ...after, accept: 'text/event-stream' };
      const onMessage = (text: string, status: number): Promise<void> =>
        status < 300 ? this.#deliver(text, session) : Promise.resolve();
      let wait = RECONNECT_STREAM_MS;
      try {
        const answer = await remote.send({ method: 'GET', url: session.url, headers, signal, onMessage });
        if (answer.status === 405) return; // this gateway has no stream
        if (answer.status === 404) {
          this.lose(session, 'the gateway no longer knows the session');
          return;
        }
        if (answer.lastEventId !== undefined) after = { 'last-event-id': answer.lastEventId };
        wait = answer.retryMs ?? wait;
      } catch (error) {
        if (error instanceof UnreachableError) {
          this.lose(session, error.message);
          return;
        }
        wait = MIN_BACKOFF_MS; // the connection broke: find out soon whether the gateway is still there
      }
      await sleep(wait, signal);
    }
  }

  /** What the client knows of the lists is of another session. */
  async #announce(result: JsonObject): Promise<void> {
    if (!this.#initialized) return;
    const capabilities = isJsonObject(result['capabilities']) ? result['capabilities'] : {};
    for (const list of Object.values(LISTS)) {
      const offered = capabilities[list];
      if (!isJsonObject(offered) || offered['listChanged'] !== true) continue;
      await this.#deps.write(`{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`);
    }
  }
}

function newSession(url: string, sessionId: string | undefined, result: JsonObject): Session {
  const version = result['protocolVersion'];
  const headers = {
    ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
    ...(typeof version === 'string' && { 'mcp-protocol-version': version }),
  };
  return { url, headers, asked: new Map(), abort: new AbortController() };
}
