/** `gateway.retries`: when a call that failed is sent once more. */
import { z } from 'zod';
import { block, count, LIVE, time } from './parts.js';

export const retries = block(
  LIVE,
  'Sending a failed request once more, within its deadline: what certainly never reached the server, and reads (`prompts/get`, `resources/read`, `completion/complete`) that were lost with a connection. A `tools/call` that may have run is never sent again, unless its tool is annotated and `annotatedTools` is set.',
  {
    enabled: z.boolean().default(true).describe('Send again at all.'),
    max: count('Times that one request is sent again.', 1, 10).default(2),
    backoffBase: time('The first wait is drawn from zero to this, the next to twice this, and so on.').default(250),
    backoffMax: time('The longest wait.').default(30_000),
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('The budget of a server: each call to it adds this part of a retry.'),
    perSecond: z.number().min(0).max(1000).default(1).describe('And each second adds this many.'),
    annotatedTools: z
      .boolean()
      .default(false)
      .describe(
        'Believe `readOnlyHint` and `idempotentHint` of tools: a call of such a tool is sent again like a read.',
      ),
  },
);
