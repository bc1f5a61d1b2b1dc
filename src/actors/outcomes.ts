/** How the end of a call counts for its upstream's breaker. Pure. */
import { type BreakerSettings } from '../config/types.js';
import { CLIENT_ERROR_CODES } from '../protocol/client-errors.js';
import { ERRORS } from '../protocol/errors.js';
import { type JsonRpcErrorObject, type JsonRpcResponse } from '../protocol/jsonrpc.js';
import { type Outcome } from './breaker-gate.js';

/** What counts as a failure, ready to be asked. */
export class FailurePolicy {
  readonly #codes: ReadonlySet<number>;
  readonly #toolErrors: boolean;

  constructor({ timeout, lost, unavailable, protocol, errorCodes, toolErrors }: BreakerSettings['failures']) {
    const codes = new Set(errorCodes);
    // The gateway's own errors stand for what befell the call.
    const own = [
      [timeout, ERRORS.request_timeout.code],
      [lost, ERRORS.upstream_lost.code],
      [unavailable, ERRORS.upstream_unavailable.code],
      [protocol, ERRORS.upstream_protocol_error.code],
    ] as const;
    for (const [counts, code] of own) if (counts) codes.add(code);
    for (const code of CLIENT_ERROR_CODES) codes.delete(code);
    this.#codes = codes;
    this.#toolErrors = toolErrors;
  }

  ofAnswer(answer: JsonRpcResponse): Outcome {
    if ('error' in answer) return this.ofError(answer.error);
    return this.#toolErrors && answer.result['isError'] === true ? 'failure' : 'success';
  }

  /** An error that is no failure says nothing: a server that refuses what it was asked may be well or not. */
  ofError({ code }: JsonRpcErrorObject): Outcome {
    return this.#codes.has(code) ? 'failure' : 'neutral';
  }
}

/** Before anybody has said what counts. */
export const NOTHING_FAILS = new FailurePolicy({
  timeout: false,
  lost: false,
  unavailable: false,
  protocol: false,
  errorCodes: [],
  toolErrors: false,
});
