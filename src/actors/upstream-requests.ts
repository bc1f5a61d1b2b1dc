/**
 * The gateway's own requests and notifications to one upstream: handshake, lists, log level, subscriptions. Process-free.
 *
 * Invariant: what was asked before the session ends is settled or dropped; nothing is asked afterwards.
 */
import { toError } from '../kernel/index.js';
import { type JsonObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { stripControl } from '../protocol/text.js';
import { type OutboundTransport } from '../transports/outbound/transport.js';
import { type ServerAnswer } from './call.js';
import { type PendingRequests } from './pending-requests.js';
import { RequestFailed } from './upstream-probe.js';
import { type UpstreamWire } from './upstream-wire.js';

export interface OwnRequestsDeps {
  readonly pending: PendingRequests;
  readonly transport: () => Pick<OutboundTransport, 'send' | 'abandon'>;
  /** How the server is spoken to now. */
  readonly wire: () => UpstreamWire;
  /** Reached over Streamable HTTP, where a closed stream says that an answer is not wanted any more. */
  readonly http: boolean;
  /** A notification or answer was left out: the upstream reads too slowly. */
  readonly onSlow: () => void;
  /** Told what is worth a line in the log. */
  readonly odd: (what: string) => void;
}

export class OwnRequests {
  readonly #deps: OwnRequestsDeps;
  #ended = false;

  constructor(deps: OwnRequestsDeps) {
    this.#deps = deps;
  }

  /** Resolves with the answer, an error or not. Rejects with `RequestFailed` when there will be none. */
  request(method: string, params?: JsonObject, wire = this.#deps.wire()): Promise<JsonRpcResponse> {
    const { pending, transport } = this.#deps;
    return new Promise((settle, fail) => {
      if (this.#ended) {
        fail(new RequestFailed('the session has ended'));
        return;
      }
      const id = pending.nextId();
      pending.add(id, { type: 'own', method, settle, fail });
      const { headers, ...outgoing } = wire.own(method, params) ?? {};
      if (transport().send({ jsonrpc: '2.0', id, method, ...outgoing }, headers)) return;
      pending.take(id);
      fail(new RequestFailed(`${method} could not be sent: the upstream reads too slowly`));
    });
  }

  /** A request whose answer matters only when it is an error. */
  inform(method: string, params: JsonObject): void {
    const { odd } = this.#deps;
    void this.request(method, params).then(
      (answer) => {
        if ('error' in answer) odd(`${method}: ${stripControl(answer.error.message, 200)}`);
      },
      (cause: unknown) => odd(toError(cause).message),
    );
  }

  /** Asks the server whether it is well. Any answer says that it is. */
  check(modern: boolean, ended: (outcome: 'success' | 'failure') => void): void {
    void this.request(modern ? 'server/discover' : 'ping').then(
      () => ended('success'),
      () => ended('failure'),
    );
  }

  /** Whether the server lives: who asks takes the request back when its answer is late. */
  ping(): void {
    void this.request('ping').catch(() => undefined);
  }

  /** A request that is a stream: its id, and when it ends. */
  open(method: string, params: JsonObject): { id: number; ended: Promise<unknown> } {
    const id = this.#deps.pending.peekId();
    const ended = this.request(method, params).catch(() => undefined);
    return { id, ended };
  }

  /** Its answer is not wanted any more: its promise is never settled. */
  drop(id: number): void {
    const { pending, transport, http } = this.#deps;
    if (pending.take(id) === undefined) return;
    transport().abandon(id);
    if (!http) this.notify('notifications/cancelled', { requestId: id });
  }

  notify(method: string, params?: JsonObject): void {
    const sent = this.#deps.transport().send({ jsonrpc: '2.0', method, ...(params && { params }) });
    if (!sent) this.#deps.onSlow();
  }

  /** The answer to a request of the server's. */
  reply(answer: ServerAnswer): void {
    if (!this.#deps.transport().send({ jsonrpc: '2.0', ...answer })) this.#deps.onSlow();
  }

  /** The session has ended. */
  end(): void {
    this.#ended = true;
  }
}
