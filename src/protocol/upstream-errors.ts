/** The part of the error catalogue that is about upstream servers and the way to them. `errors.ts` is the catalogue. */
import { type ErrorEntry } from './error-entry.js';

export const UPSTREAM_ERRORS = {
  upstream_unavailable: {
    code: -31010,
    origin: 'gateway',
    httpStatus: 200,
    retryable: true,
    message: 'Upstream unavailable',
    meaning:
      'The server behind this name is not up, or is starting and has not listed what it offers yet. The request was not sent to it.',
    remedy: 'Try again later. `viable upstreams` shows the server’s state and last error.',
    data: {
      server: 'name of the server',
      retryAfter: 'seconds until the next attempt to reach it, at least 1; absent while it is switched off',
    },
  },
  upstream_lost: {
    code: -31011,
    origin: 'gateway',
    httpStatus: 200,
    retryable: false,
    message: 'Upstream lost during the request',
    meaning: 'The server went away after the request was sent. The call may have run, wholly or in part.',
    remedy: 'Find out whether it took effect before sending it again.',
    data: { server: 'name of the server' },
  },
  upstream_protocol_error: {
    code: -31012,
    origin: 'gateway',
    httpStatus: 200,
    retryable: false,
    message: 'Upstream broke the protocol',
    meaning: 'The server answered with something that is no valid MCP. The call may have run.',
    remedy: 'Report it to the author of the server; `viable logs` has the details.',
    data: { server: 'name of the server' },
  },
  request_timeout: {
    code: -31013,
    origin: 'gateway',
    httpStatus: 200,
    retryable: false,
    message: 'Request timed out',
    meaning: 'The server did not answer in time. It was told to cancel; the call may have run.',
    remedy: 'Find out whether it took effect before sending it again, or raise the timeout of that server.',
    data: { server: 'name of the server', timeoutMs: 'milliseconds waited' },
  },
  overloaded: {
    code: -31014,
    origin: 'gateway',
    httpStatus: 200,
    retryable: true,
    message: 'Overloaded',
    meaning: 'A bounded queue on the way is full. The request was not sent to any server.',
    remedy: 'Try again after a while, with fewer requests at once.',
    data: { server: 'name of the server, if one is the reason', retryAfter: 'seconds to wait, if known' },
  },
  breaker_open: {
    code: -31020,
    origin: 'gateway',
    httpStatus: 503,
    retryable: true,
    message: 'Circuit breaker open',
    meaning:
      'The server behind this name, or the transport of this connection, has failed again and again and is left alone for a while. The request was not sent to any server.',
    remedy:
      'Try again after `retryAfter` seconds; one request is let through then to find out. `viable breaker show NAME` says why it opened, `viable breaker close NAME` closes it.',
    data: {
      server: 'name of the server, if one is the reason',
      transport: 'name of the client transport, if that is the reason',
      retryAfter: 'seconds to wait, also in Retry-After where the error is the whole HTTP answer',
    },
  },
} as const satisfies Record<string, ErrorEntry>;
