/** The part of the error catalogue that says what may not be. `errors.ts` is the catalogue. */
import { type ErrorEntry } from './error-entry.js';

export const SECURITY_ERRORS = {
  insufficient_scope: {
    code: -31040,
    origin: 'gateway',
    httpStatus: 403,
    retryable: false,
    message: 'Insufficient scope',
    meaning:
      'The policy keeps this from the caller, and a token with further permissions would get it. Over HTTP the header WWW-Authenticate names them. What no permission would give is answered as if it did not exist.',
    remedy: 'Authorize again, with the scope that is named.',
    data: { scope: 'the permissions that are missing, separated by spaces' },
  },
  tool_quarantined: {
    code: -31041,
    origin: 'gateway',
    httpStatus: 200,
    retryable: false,
    message: 'Tool quarantined',
    meaning:
      'The definition of the tool is not the one that is pinned: its server changed it without anybody having looked. It is in no list, and the call was not sent.',
    remedy: 'Look at the difference with `viable tools diff NAME`, and accept it with `viable tools accept NAME`.',
  },
} as const satisfies Record<string, ErrorEntry>;
