/** `gateway.breaker` and `viable.breaker`: when calls to a server that is in trouble are refused at once. */
import { z } from 'zod';
import { CLIENT_ERROR_CODES } from '../../protocol/client-errors.js';
import { block, count, LIVE, time } from './parts.js';

const flag = (description: string) => z.boolean().describe(description);

const errorCode = z.int().refine((code) => !CLIENT_ERROR_CODES.includes(code), {
  error: 'is a mistake of the client, which never opens a breaker',
});

const failures = block(LIVE, 'What counts as a failure. Mistakes of clients and calls that they cancel never do.', {
  timeout: flag('A request that was not answered in time.').default(true),
  lost: flag(
    'The server went away after the request was sent. Calls that are lost with one session count once.',
  ).default(true),
  unavailable: flag('The request could not be sent.').default(true),
  protocol: flag('An answer that is no MCP.').default(true),
  errorCodes: z
    .array(errorCode)
    .max(64)
    .default([-32603])
    .describe('JSON-RPC error codes of the server’s own answers.'),
  toolErrors: flag('Results of tools with `isError`.').default(false),
});

const flap = block(LIVE, 'A breaker that opens and closes again and again is held open for longer.', {
  halfLife: time('Each change adds 1 to a penalty that halves in this time.').default(30_000),
  suppress: z.number().min(1).max(100).default(3).describe('Penalty from which it is held open for longer.'),
  release: z.number().min(0.1).max(100).default(1).describe('Penalty below which it is not any more.'),
  hold: time('Held open for this long at a penalty of 2, doubled with each 1 more.').default(60_000),
  maxHold: time('The longest hold.').default(300_000),
});

const CATALOGUE_MODES = ['withdraw', 'mark', 'keep'] as const;
const CATALOGUE =
  'What clients see of a server whose breaker is open, or that is away. `withdraw`: nothing. `mark`: its entries, with `_meta["viable/unavailable"]` and a note in the description. `keep`: its entries as ever. They are told by `list_changed`.';

const ratio = z.number().min(0.01).max(1);

const transports = block(
  LIVE,
  'Breakers of the client transports, for failures of the gateway’s own: a connection that crashes or cannot be started. Nothing that clients send can open one. An open one refuses newcomers with 503.',
  {
    enabled: flag('Refuse newcomers on a transport that fails.').default(true),
    consecutiveFailures: count('Failures in a row that open it. 0: none do.', 0).default(10),
    failureRatio: ratio.default(0.5).describe('Part of the outcomes in the window whose failure opens it.'),
    minimumSamples: count('Fewer outcomes in the window say nothing.').default(50),
  },
);

export const breaker = block(
  LIVE,
  'Circuit breakers. A server that fails is left alone for a while: calls to it are refused at once with `breaker_open`. A server may have its own in its `viable` block.',
  {
    enabled: flag('Open breakers by what is observed. Off: only operators open them.').default(true),
    consecutiveFailures: count('Failures in a row that open it. 0: none do.', 0).default(5),
    failureRatio: ratio.default(0.5).describe('Part of the calls in the window whose failure opens it.'),
    minimumSamples: count('Fewer calls in the window say nothing about the ratio.').default(20),
    window: time('Calls that ended within this time are looked at.', 1000).default(30_000),
    openFor: time(
      'Open for this long before one call is let through as a probe; doubles each time the probe fails.',
    ).default(5000),
    maxOpenFor: time('The longest time between probes, while it does not flap.').default(60_000),
    probeAfter: time(
      'When no call has come for a probe this long, the gateway asks the server itself (`ping`, `server/discover`).',
      100,
    ).default(2000),
    catalogue: z.enum(CATALOGUE_MODES).default('withdraw').describe(CATALOGUE),
    failures: failures.prefault({}),
    flap: flap.prefault({}),
    transports: transports.prefault({}),
  },
);

/** In place of the gateway's option of the same name. */
function own<T extends z.ZodType>(option: string, schema: T) {
  return schema.optional().describe(`In place of \`gateway.breaker.${option}\`.`);
}

/** The same without defaults and without what is not a server's: what is given takes the place of the gateway's. */
export const serverBreaker = z
  .strictObject({
    enabled: own('enabled', z.boolean()),
    consecutiveFailures: own('consecutiveFailures', count('', 0)),
    failureRatio: own('failureRatio', ratio),
    minimumSamples: own('minimumSamples', count('')),
    window: own('window', time('', 1000)),
    openFor: own('openFor', time('')),
    maxOpenFor: own('maxOpenFor', time('')),
    probeAfter: own('probeAfter', time('', 100)),
    catalogue: own('catalogue', z.enum(CATALOGUE_MODES)),
    failures: z
      .strictObject({
        timeout: own('failures.timeout', z.boolean()),
        lost: own('failures.lost', z.boolean()),
        unavailable: own('failures.unavailable', z.boolean()),
        protocol: own('failures.protocol', z.boolean()),
        errorCodes: own('failures.errorCodes', z.array(errorCode).max(64)),
        toolErrors: own('failures.toolErrors', z.boolean()),
      })
      .optional()
      .describe('What counts as a failure of this server.'),
  })
  .describe('The circuit breaker of this server.');
