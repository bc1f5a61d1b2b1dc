/** Errors of the modes of admission (S5). `errors.ts` is the catalogue. */
import { type ErrorEntry } from './error-entry.js';

export const MODE_ERRORS = {
  conserving: {
    code: -31030,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'The gateway conserves its strength',
    meaning:
      'It is in mode conserve: what can wait is shed, by role or method, so that the rest is served. The request was not sent to any server.',
    remedy: 'Try again after a while. `viable policy mode` says why, gateway.vsm.policy.conserve what is shed.',
    data: { mode: 'conserve' },
  },
  lockdown: {
    code: -31031,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'The gateway is locked down',
    meaning:
      'It is in mode lockdown: administrators and the sessions that are there already are served, nobody new. The request was not sent to any server.',
    remedy: 'Ask whoever runs the gateway; `viable policy mode normal` ends it.',
    data: { mode: 'lockdown' },
  },
  feature_disabled: {
    code: -31032,
    origin: 'gateway',
    httpStatus: 503,
    retryable: false,
    message: 'Switched off',
    meaning:
      'An operator has switched this part of the gateway off, such as its dashboards. MCP is served all the same.',
    remedy: '`viable features` shows what is off, `viable features enable NAME` switches it on.',
    data: { feature: 'which one' },
  },
} as const satisfies Record<string, ErrorEntry>;
