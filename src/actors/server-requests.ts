/**
 * What servers have asked of one client and the client has not answered yet. Process-free.
 *
 * Each request goes to the client under an id of the session's own, so that equal ids of different servers never meet;
 * the answer finds its way back by it. Invariant: every request that is taken gets one answer upstream: the client's, or
 * an error when the client cancels nothing and leaves.
 * Source: MCP specification 2025-11-25, "Client Features" (sampling, elicitation, roots).
 */
import { type Ref } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcId, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type ServerAnswer, type UpstreamSessionMessage } from './call.js';

/** Requests that servers may have outstanding at one client. */
const MAX_OUTSTANDING = 256;

interface Asked {
  readonly from: Ref<UpstreamSessionMessage>;
  /** The server's own id. */
  readonly id: JsonRpcId;
}

export class ServerRequests {
  readonly #asked = new Map<number, Asked>();
  #nextId = 1;

  get size(): number {
    return this.#asked.size;
  }

  /** The request as the client is to read it; `undefined` when too many wait already (the server has been told). */
  ask(from: Ref<UpstreamSessionMessage>, id: JsonRpcId, method: string, params: JsonObject): string | undefined {
    if (this.#asked.size >= MAX_OUTSTANDING) {
      refuse(from, id, gatewayError('overloaded', 'too many requests wait for this client'));
      return undefined;
    }
    const shown = this.#nextId++;
    this.#asked.set(shown, { from, id });
    return JSON.stringify({ jsonrpc: '2.0', id: shown, method, params });
  }

  /** The last request could not be handed to the client. */
  undeliverable(): void {
    this.#settle(this.#nextId - 1, (id) => ({
      id,
      error: gatewayError('upstream_unavailable', 'the client has no open stream'),
    }));
  }

  /** The client answered; `false` when nothing of that id waits. */
  answered(response: JsonRpcResponse): boolean {
    return this.#settle(response.id, (id) =>
      'error' in response ? { id, error: response.error } : { id, result: response.result },
    );
  }

  /** The server gave up: the notification for the client, `undefined` when nothing waits. */
  cancelled(from: Ref<UpstreamSessionMessage>, id: JsonRpcId, reason: unknown): string | undefined {
    for (const [shown, asked] of this.#asked) {
      if (asked.from !== from || asked.id !== id) continue;
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
    for (const shown of [...this.#asked.keys()]) {
      this.#settle(shown, (id) => ({ id, error: gatewayError('cancelled_by_gateway', 'the client is gone') }));
    }
  }

  #settle(shown: JsonRpcId | null, answer: (id: JsonRpcId) => ServerAnswer): boolean {
    const asked = typeof shown === 'number' ? this.#asked.get(shown) : undefined;
    if (asked === undefined) return false;
    this.#asked.delete(shown as number);
    asked.from.answer({ type: 'server-request/answered', answer: answer(asked.id) });
    return true;
  }
}

function refuse(from: Ref<UpstreamSessionMessage>, id: JsonRpcId, error: JsonRpcErrorObject): void {
  from.answer({ type: 'server-request/answered', answer: { id, error } });
}
