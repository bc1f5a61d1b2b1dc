/** `gateway.tools`: whether tools may change under their users. */
import { z } from 'zod';
import { block, RESTART, text } from './parts.js';

export const tools = block(RESTART, 'Pinning of tool definitions: a tool that changed silently is kept back.', {
  pinning: z
    .enum(['off', 'first-sight', 'lock'])
    .default('off')
    .describe(
      'first-sight: a definition is pinned when it is first seen, and another one is kept back until it is accepted. lock: so is every tool that is not in the file.',
    ),
  file: text('the path')
    .nullable()
    .default(null)
    .describe('Where the pins are, relative to this file. `null`: `viable-tools.lock.json` beside this file.'),
});
