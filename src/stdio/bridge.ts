/**
 * A stdio MCP server in front of a gateway: a line of the client becomes a POST, messages of the gateway become lines.
 *
 * Invariants: every request gets exactly one answer, and none when it was cancelled; a request that may have run is
 * never sent a second time; a message that the gateway cannot have seen waits for it to come back, for `WAIT_MS` at most;
 * what waits is bounded in number and bytes. When the session is lost (gateway restarted, session unknown) `session.ts`
 * begins another one. Messages of the modern era have no session and pass through.
 */
import { gatewayError, type ErrorName } from '../protocol/errors.js';
import {
  errorText,
  isJsonObject,
  isJsonRpcId,
  type JsonObject,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from '../protocol/jsonrpc.js';
import { parseFrame, type ParsedMessage } from '../protocol/parse.js';
import { modernHeaders } from './headers.js';
import { MirroredParams } from './mirrored.js';
import { type RemoteAnswer, UnreachableError } from './remote.js';
import { idKey, type Session, type SessionDeps, SessionKeeper } from './session.js';

interface InFlight {
  readonly request: JsonRpcRequest;
  readonly text: string;
  /** Headers of a message of the modern era. */
  readonly modern: Readonly<Record<string, string>> | undefined;
  /** Ends the exchange. */
  readonly abort: AbortController;
  /** Where it was sent, and the session that came back. */
  url: string;
  newSession: string | undefined;
  /** Times that it was refused for want of a header, and is sent again. */
  refusals: number;
}

const MAX_IN_FLIGHT = 4_096;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const MAX_CONTROL = 1_024;
const MAX_ASKED = 4_096;
/** How long a message waits for a gateway that cannot be reached. */
const WAIT_MS = 30_000;
const RETRY_MS = 250;
const MAX_RESUMPTIONS = 5;
/** A tool may want several headers, which are learnt one by one. */
const MAX_REFUSALS = 100;
/** How long requests may take to finish once the client has closed its end. */
const FINISH_MS = 1_000;

export class Bridge {
  readonly #deps: SessionDeps;
  readonly #sessions: SessionKeeper;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #mirrored = new MirroredParams();
  readonly #stopped = new AbortController();
  /** What must be through before the next line is sent: `initialize`, `notifications/initialized`. */
  #gate: Promise<void> = Promise.resolve();
  /** Notifications and answers, one after the other. */
  #control: Promise<void> = Promise.resolve();
  #controls = 0;
  #heldBytes = 0;
  #onIdle: () => void = () => undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#sessions = new SessionKeeper(deps, this.#stopped.signal, (text, session) => this.#deliver(text, session));
  }

  /** Takes a line of the client. Never throws; failures become answers. */
  line(text: string): void {
    const frame = parseFrame(text);
    if (frame.kind !== 'batch') return this.#message(frame, text);
    // JSON-RPC lets a batch be answered in any order, and stdio message by message.
    for (const item of frame.items) this.#message(item, 'message' in item ? JSON.stringify(item.message) : '');
  }

  /** The client has closed its end: what runs may finish for a moment, then the session is deleted. */
  async close(finishMs = FINISH_MS): Promise<void> {
    const over = new AbortController();
    const finished = Promise.all([
      this.#control,
      this.#inFlight.size === 0 ? null : new Promise<void>((resolve) => (this.#onIdle = resolve)),
    ]);
    await Promise.race([finished, this.#deps.sleep(finishMs, over.signal)]);
    over.abort();
    await this.#sessions.end();
    this.#stopped.abort();
    for (const entry of this.#inFlight.values()) entry.abort.abort();
    await this.#deps.remote.destroy();
  }

  #message(message: ParsedMessage, text: string): void {
    switch (message.kind) {
      case 'invalid':
        return this.#refuse(message.id, message.error, message.detail);
      case 'request':
        return this.#request(message.message, text);
      case 'notification':
        return this.#notification(message.message, text);
      case 'response':
        return this.#respond(message.message.id, text);
    }
  }

  #request(request: JsonRpcRequest, text: string): void {
    const { id, method, params } = request;
    if (this.#inFlight.has(idKey(id))) return this.#refuse(null, 'invalid_request', 'the id is in use');
    if (this.#inFlight.size >= MAX_IN_FLIGHT || this.#heldBytes + text.length > MAX_HELD_BYTES)
      return this.#refuse(id, 'overloaded', 'too much is in flight');
    const modern = modernHeaders(method, params);
    const entry = { request, text, modern, abort: new AbortController(), url: '', newSession: undefined, refusals: 0 };
    this.#inFlight.set(idKey(id), entry);
    this.#heldBytes += text.length;
    const done = this.#gate.then(() => this.#run(entry));
    if (method === 'initialize' && !modern) this.#gate = done;
  }

  /** From here on the request is answered, or cancelled, when the promise resolves. It never rejects. */
  async #run(entry: InFlight): Promise<void> {
    const { id } = entry.request;
    try {
      await this.#send(entry);
      if (this.#settle(entry)) this.#refuse(id, 'upstream_lost', 'the gateway sent no answer');
    } catch (error) {
      const name = error instanceof UnreachableError ? 'upstream_unavailable' : 'upstream_lost';
      const detail = error instanceof Error ? error.message : String(error);
      if (this.#settle(entry)) this.#refuse(id, name, `the gateway: ${detail}`);
    } finally {
      this.#heldBytes -= entry.text.length;
    }
  }

  /** Sends a request until the gateway has seen it. */
  async #send(entry: InFlight): Promise<void> {
    const until = performance.now() + WAIT_MS;
    while (this.#waits(entry)) {
      const session = entry.modern ? null : await this.#sessions.current(until - performance.now());
      try {
        const answer = await this.#exchange(entry, session);
        if (answer === 'again') continue;
        if (answer.status !== 404 || !session) return;
        this.#sessions.lose(session, 'the gateway no longer knows the session');
      } catch (error) {
        if (!(error instanceof UnreachableError) || performance.now() >= until) throw error;
        if (session) this.#sessions.lose(session, error.message);
        else await this.#deps.sleep(RETRY_MS, entry.abort.signal);
      }
    }
  }

  /** One POST and, where its stream ends early, the GETs that go on with it. `again`: it was refused for want of a header. */
  async #exchange(entry: InFlight, session: Session | null): Promise<RemoteAnswer | 'again'> {
    const { remote, sleep, locate } = this.#deps;
    const { signal } = entry.abort;
    entry.url = session?.url ?? (await locate());
    const common = entry.modern ? { ...entry.modern, ...this.#mirrored.of(entry.request) } : (session?.headers ?? {});
    const { refusals } = entry;
    const onMessage = async (text: string, status: number): Promise<void> => {
      if (status === 404 && session) return; // not seen by the gateway: it is sent again
      if (status === 400 && this.#mayTryAgain(entry, text)) return;
      await this.#deliver(text, session, entry, status);
    };
    const onHead = (_status: number, id: string | undefined): void => void (entry.newSession = id);
    const request = { url: entry.url, signal, onMessage };
    const accept = 'application/json, text/event-stream';
    const headers = { ...common, accept, 'content-type': 'application/json' };
    let answer = await remote.send({ ...request, method: 'POST', headers, body: entry.text, onHead });
    if (entry.refusals > refusals) return 'again';
    for (let tries = 0; tries < MAX_RESUMPTIONS && this.#waits(entry); tries += 1) {
      if (answer.lastEventId === undefined) break;
      await sleep(answer.retryMs ?? RETRY_MS, signal);
      const after = { ...common, accept: 'text/event-stream', 'last-event-id': answer.lastEventId };
      answer = await remote.send({ ...request, method: 'GET', headers: after });
    }
    return answer;
  }

  #mayTryAgain(entry: InFlight, refusal: string): boolean {
    if (!entry.modern || entry.refusals >= MAX_REFUSALS || !this.#mirrored.learn(entry.request, refusal)) return false;
    entry.refusals += 1;
    return true;
  }

  #notification(notification: JsonRpcNotification, text: string): void {
    const { method, params = {} } = notification;
    if (method === 'notifications/cancelled' && this.#cancel(params)) return;
    const done = this.#queue(text, modernHeaders(method, params));
    if (method === 'notifications/initialized') this.#gate = done.then(() => this.#sessions.initialized());
  }

  /** True when the gateway need not hear of it: closing the stream cancels in the modern era. */
  #cancel(params: JsonObject): boolean {
    const id = params['requestId'];
    const entry = isJsonRpcId(id) ? this.#inFlight.get(idKey(id)) : undefined;
    if (!entry) return false;
    this.#settle(entry);
    if (entry.modern) entry.abort.abort();
    return entry.modern !== undefined;
  }

  /** An answer of the client's to a request of the gateway. */
  #respond(id: JsonRpcId | null, text: string): void {
    if (id !== null) void this.#queue(text, undefined, id);
  }

  /** Sends what has no answer, in order. What cannot be sent in time is dropped: nobody waits for it. */
  #queue(text: string, modern: Record<string, string> | undefined, answerTo?: JsonRpcId): Promise<void> {
    if (this.#controls >= MAX_CONTROL || this.#heldBytes + text.length > MAX_HELD_BYTES) {
      this.#deps.log('a notification was dropped: too many wait');
      return Promise.resolve();
    }
    this.#controls += 1;
    this.#heldBytes += text.length;
    const gate = this.#gate;
    this.#control = this.#control
      .then(() => gate)
      .then(() => this.#sendControl(text, modern, answerTo))
      .catch((error: unknown) => this.#deps.log(`a message was not sent: ${String(error)}`))
      .finally(() => {
        this.#controls -= 1;
        this.#heldBytes -= text.length;
      });
    return this.#control;
  }

  async #sendControl(
    body: string,
    modern: Record<string, string> | undefined,
    answerTo: JsonRpcId | undefined,
  ): Promise<void> {
    const session = modern ? null : await this.#sessions.current(WAIT_MS);
    // Asked by a session that is gone, or not at all: it would answer somebody else's request.
    if (answerTo !== undefined && session?.asked.delete(idKey(answerTo)) !== true) return;
    const url = session?.url ?? (await this.#deps.locate());
    const accept = 'application/json, text/event-stream';
    const headers = { ...(modern ?? session?.headers), accept, 'content-type': 'application/json' };
    const { signal } = this.#stopped;
    const onMessage = (): Promise<void> => Promise.resolve();
    const { status } = await this.#deps.remote.send({ method: 'POST', url, headers, body, signal, onMessage });
    if (status === 404 && session) this.#sessions.lose(session, 'the gateway no longer knows the session');
  }

  /** A message of the gateway: to the client, as it is. */
  async #deliver(text: string, session: Session | null, entry?: InFlight, status = 200): Promise<void> {
    const message: unknown = JSON.parse(text);
    if (!isJsonObject(message)) {
      this.#deps.log('the gateway sent what is no message');
      return;
    }
    const { id, method } = message;
    if (typeof method === 'string') {
      if (isJsonRpcId(id) && session && session.asked.size < MAX_ASKED) session.asked.set(idKey(id), id);
      return this.#deps.write(text);
    }
    // A refusal of the whole POST does not always carry the id of the request.
    const own = entry && status >= 400 && !isJsonRpcId(id) ? entry : undefined;
    const asked = own ?? (isJsonRpcId(id) ? this.#inFlight.get(idKey(id)) : undefined);
    if (!asked || !this.#settle(asked)) return; // cancelled, or answered already
    if (isJsonObject(message['result'])) this.#learn(asked, message['result']);
    await this.#deps.write(own ? JSON.stringify({ ...message, id: own.request.id }) : text);
  }

  /** What an answer means for the session. */
  #learn({ request, modern, url, newSession }: InFlight, result: JsonObject): void {
    if (modern) return;
    if (request.method !== 'initialize') return this.#sessions.remember(request);
    if (!this.#sessions.begun) this.#sessions.begin(url, newSession, request.params ?? {}, result);
  }

  #waits(entry: InFlight): boolean {
    return this.#inFlight.get(idKey(entry.request.id)) === entry;
  }

  /** Takes the right to answer a request; `false` when it is gone. */
  #settle(entry: InFlight): boolean {
    const key = idKey(entry.request.id);
    if (this.#inFlight.get(key) !== entry) return false;
    this.#inFlight.delete(key);
    if (this.#inFlight.size === 0) this.#onIdle();
    return true;
  }

  #refuse(id: JsonRpcId | null, name: ErrorName, detail: string): void {
    void this.#deps.write(errorText(id, gatewayError(name, detail)));
  }
}
