/** Errors of authentication and limits. `errors.ts` is the catalogue. */
import { type ErrorEntry } from './error-entry.js';

export const AUTH_ERRORS = {
  unauthenticated: {
    code: -31050,
    origin: 'gateway',
    httpStatus: 401,
    retryable: false,
    message: 'Unauthenticated',
    meaning:
      'No credential came where one is needed, or it is none: expired, revoked, of another issuer or for another audience, not signed by a key that is trusted, or in a place where it must not be.',
    remedy:
      'Log in again: WWW-Authenticate names the metadata of this resource. Send the token as "Authorization: Bearer …".',
  },
  rate_limited: {
    code: -31051,
    origin: 'gateway',
    httpStatus: 429,
    retryable: true,
    message: 'Rate limited',
    meaning:
      'A limit of the role, the tenant, the tool or of failed logins is reached. The request was not sent to any server.',
    remedy: 'Try again after `retryAfter` seconds, which Retry-After says over HTTP.',
    data: { limit: '`role`, `tenant`, `tool` or `login`', name: 'whose limit it is', retryAfter: 'seconds to wait' },
  },
  authentication_unavailable: {
    code: -31052,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'Authentication unavailable',
    meaning:
      'The keys of the token’s issuer cannot be fetched, or too many tokens are being verified. Nothing is known of the token.',
    remedy: 'Try again after the time in Retry-After. `viable logs` says what the issuer answered.',
    data: { retryAfter: 'seconds to wait' },
  },
} as const satisfies Record<string, ErrorEntry>;
