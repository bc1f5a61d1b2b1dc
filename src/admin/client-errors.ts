/** What can go wrong between a console and a gateway, as types that consoles map to words and exit codes. */
import type { AdminError } from './protocol.js';

/** No gateway answers; `message` says how to get one. */
export class NoGatewayError extends Error {
  override readonly name = 'NoGatewayError';
  readonly code: 'no_gateway' | 'several_gateways' | 'socket_forbidden' | 'connection_lost';

  constructor(code: NoGatewayError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The gateway answered with an error. */
export class AdminRequestError extends Error {
  override readonly name = 'AdminRequestError';
  readonly code: string;
  readonly suggestions: readonly string[];

  constructor(error: AdminError) {
    super(error.message);
    this.code = error.code;
    this.suggestions = error.suggestions ?? [];
  }
}
