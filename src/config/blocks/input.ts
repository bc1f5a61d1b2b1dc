/** `gateway.input`: what servers ask of clients while a call runs (sampling, elicitation, roots). */
import { block, count, LIVE, time } from './parts.js';

export const input = block(
  LIVE,
  'What servers ask of clients while a call runs: sampling, elicitation, roots. A client of 2026-07-28 comes back with the answer; until it does, the call is parked at the gateway.',
  {
    timeout: time(
      'How long a client, and the person in front of it, may take for one answer. Then the call ends, and its server is told.',
    ).default(600_000),
    maxParked: count(
      'Calls of 2026-07-28 clients to older servers that may run or wait at a time; the next is refused as "overloaded".',
    ).default(1000),
  },
);
