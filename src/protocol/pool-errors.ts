/** The part of the error catalogue that is about pools. `errors.ts` is the catalogue. */
import { type ErrorEntry } from './error-entry.js';

export const POOL_ERRORS = {
  pool_exhausted: {
    code: -31017,
    origin: 'gateway',
    httpStatus: 200,
    retryable: true,
    message: 'No session with the upstream is free',
    meaning:
      'The server gives each client or principal a session of its own, and all that the pool may have are in use. The request waited for one as long as the configuration allows, or too many waited already. It was not sent to any server.',
    remedy: 'Try again after retryAfter, end sessions that are not needed, or raise gateway.pool.overflow.',
    data: { server: 'name of the server', retryAfter: 'seconds to wait' },
  },
} as const satisfies Record<string, ErrorEntry>;
