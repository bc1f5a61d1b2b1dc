/**
 * A modern upstream's requests for input, put to a legacy client: each becomes a request of the session's to its client,
 * and their answers become the retry of the call. Process-free.
 *
 * Invariants: a call that waits for input is in here and not in the call table, under the same id; `requestState` goes
 * back byte for byte; a round ends once: by its answers, by the client's cancel, by time, or with the session.
 * Source: MCP specification 2026-07-28, "Patterns › Multi Round-Trip Requests"; 2025-11-25, "Client Features".
 */
import { randomUUID } from 'node:crypto';
import { type Ref, type TimerHandle } from '../kernel/index.js';
import { gatewayError } from '../protocol/errors.js';
import { type JsonObject, type JsonRpcErrorObject, type JsonRpcId } from '../protocol/jsonrpc.js';
import { missingCapabilities } from '../protocol/modern/capabilities.js';
import {
  bareResult,
  type InputRequest,
  readInputRequired,
  responseToFailure,
  retryParams,
  toLegacyRequest,
} from '../protocol/modern/mrtr.js';
import { Outstanding } from '../protocol/outstanding.js';
import { type Call } from './call.js';
import { type ClientLinks } from './client-links.js';
import { type ClientMessage } from './client-message.js';
import { type SessionEnvironment } from './legacy-session.js';
import { type ClientAnswer } from './server-requests.js';

/** Times that one call may ask for input. */
const MAX_ROUNDS = 16;

interface Round {
  readonly call: Call;
  readonly requestState: string | undefined;
  readonly answers: Map<string, JsonObject>;
  waiting: number;
  timer: TimerHandle | null;
}

export interface InputRoundsDeps {
  readonly links: ClientLinks;
  /** What the client declared, in the modern spelling. */
  readonly capabilities: () => JsonObject;
  /** Sends the call again with these params. */
  readonly retry: (call: Call, params: JsonObject) => void;
  readonly fail: (call: Call, error: JsonRpcErrorObject) => void;
  readonly env: Pick<SessionEnvironment, 'wheel' | 'plane'>;
  /** Told when the client has taken too long. */
  readonly self: Ref<ClientMessage>;
}

export class InputRounds {
  readonly #deps: InputRoundsDeps;
  readonly #rounds = new Outstanding<Round>();

  constructor(deps: InputRoundsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#rounds.size;
  }

  has(id: JsonRpcId): boolean {
    return this.#rounds.has(id);
  }

  /** The upstream answered `call` with `input_required`. */
  begin(call: Call, result: JsonObject): void {
    const required = readInputRequired(result);
    if ('fault' in required) return this.#deps.fail(call, gatewayError('upstream_protocol_error', required.fault));
    if (call.round >= MAX_ROUNDS)
      return this.#deps.fail(call, gatewayError('upstream_protocol_error', 'it asks for input without end'));
    for (const request of required.requests.values()) {
      if (missingCapabilities(request, this.#deps.capabilities()) === undefined) continue;
      return this.#deps.fail(
        call,
        gatewayError('upstream_protocol_error', `it asks for ${request.method}, which the client did not offer`),
      );
    }
    const { requests, requestState } = required;
    const round: Round = { call, requestState, answers: new Map(), waiting: requests.size, timer: null };
    if (requests.size === 0) return this.#deps.retry(call, retryParams(call.params, undefined, requestState));
    this.#rounds.set(call.id, round);
    const { env, self } = this.#deps;
    const late = { type: 'client/input-late', id: call.id } as const;
    round.timer = env.wheel.after(env.plane.options.input.timeout, () => void self.urgent(late));
    for (const [key, request] of requests) this.#ask(round, key, request);
  }

  /** Takes the round of this id out, with what it asked; its call is the caller's to answer. */
  take(id: JsonRpcId): Call | undefined {
    const round = this.#rounds.get(id);
    if (!round) return undefined;
    this.#rounds.delete(id);
    round.timer?.cancel();
    this.#deps.links.forget(round);
    return round.call;
  }

  takeAll(): Call[] {
    return this.#rounds.values().flatMap(({ call }) => this.take(call.id) ?? []);
  }

  #ask(round: Round, key: string, request: InputRequest): void {
    const { method, params } = toLegacyRequest(request, 0, randomUUID());
    const settle = (answer: ClientAnswer): void => this.#settled(round, key, request, answer);
    this.#deps.links.ask(round, key, method, params, round.call.channel, settle);
  }

  #settled(round: Round, key: string, request: InputRequest, answer: ClientAnswer): void {
    if (this.#rounds.get(round.call.id) !== round) return;
    const response = 'result' in answer ? bareResult(answer.result) : responseToFailure(request.method);
    if (response === undefined) {
      this.take(round.call.id);
      return this.#deps.fail(round.call, 'error' in answer ? answer.error : gatewayError('internal_error'));
    }
    round.answers.set(key, response);
    round.waiting -= 1;
    if (round.waiting > 0) return;
    this.take(round.call.id);
    this.#deps.retry(round.call, retryParams(round.call.params, round.answers, round.requestState));
  }
}
