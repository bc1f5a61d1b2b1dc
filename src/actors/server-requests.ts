/**
 * What servers have asked of one client and the client has not answered yet. Process-free.
 *
 * Each request goes to the client under an id of the session's own, so that equal ids of different servers never meet;
 * the answer finds its way back by it. Invariant: every request that is taken gets one answer upstream: the client's, or
 * an error when the client cancels nothing and leaves.
 * Source: MCP specification 2025-11-25, "Client Features" (sampling, elicitation, roots).
 */
import { gatewayError } from '../protocol/errors.js';
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { LazyMap } from './lazy-map.js';

/** Requests that servers may have outstanding at one client. */
const MAX_OUTSTANDING = 256;

/** What the client said to it. */
export type ClientAnswer = { readonly result: JsonObject } | { readonly error: JsonRpcErrorObject };

interface Asked {
  /** Who asked, and the asker's own id: by these a request is taken back. */
  readonly asker: object;
  readonly id: JsonRpcId;
  readonly settle: (answer: ClientAnswer) => void;
}

export class ServerRequests {
  readonly #asked = new LazyMap<number, Asked>();
  #nextId = 1;

  get size(): number {
    return this.#asked.size;
  }

  /**
   * The request as the client is to read it; `undefined` when too many wait already (the asker has been told). `settle`
   * is called once, with the client's answer or an error.
   */
  ask(
    asker: object,
    id: JsonRpcId,
    method: string,
    params: JsonObject | undefined,
    settle: Asked['settle'],
  ): string | undefined {
    if (this.#asked.size >= MAX_OUTSTANDING) {
      settle({ error: gatewayError('overloaded', 'too many requests wait for this client') });
      return undefined;
    }
    const shown = this.#nextId++;
    this.#asked.set(shown, { asker, id, settle });
    return JSON.stringify({ jsonrpc: '2.0', id: shown, method, params });
  }

  /** The last request could not be handed to the client. */
  undeliverable(): void {
    this.#settle(this.#nextId - 1, { error: gatewayError('upstream_unavailable', 'the client has no open stream') });
  }

  /** The client answered; `false` when nothing of that id waits. */
  answered(response: JsonRpcResponse): boolean {
    return this.#settle(response.id, 'error' in response ? { error: response.error } : { result: response.result });
  }

  /** Forgets what this asker has asked; nobody is told. */
  forget(asker: object): void {
    for (const [shown, asked] of this.#asked) if (asked.asker === asker) this.#asked.delete(shown);
  }

  /** The server gave up: the notification for the client, `undefined` when nothing waits. */
  cancelled(asker: object, id: JsonRpcId, reason: unknown): string | undefined {
    for (const [shown, asked] of this.#asked) {
      if (asked.asker !== asker || asked.id !== id) continue;
      this.#asked.delete(shown);
      return JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: shown, reason },
      });
    }
    return undefined;
  }

  /** The client is gone. */
  close(): void {
    for (const shown of [...this.#asked.keys()])
      this.#settle(shown, { error: gatewayError('cancelled_by_gateway', 'the client is gone') });
  }

  #settle(shown: JsonRpcId | null, answer: ClientAnswer): boolean {
    const asked = typeof shown === 'number' ? this.#asked.get(shown) : undefined;
    if (asked === undefined) return false;
    this.#asked.delete(shown as number);
    asked.settle(answer);
    return true;
  }
}
