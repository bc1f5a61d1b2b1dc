/** `gateway.audit`: who did what, in a file that shows when it was tampered with. */
import { z } from 'zod';
import { block, bytes, count, MiB, RESTART, text } from './parts.js';

export const audit = block(
  RESTART,
  'The audit log: authentications, denials, admin commands, tool calls, one JSON line each, chained by hashes.',
  {
    path: text('the path')
      .nullable()
      .default(null)
      .describe('The file, relative to this one. `null`: no audit log. Full files are renamed to `<path>.<number>`.'),
    maxFileBytes: bytes('A file that is larger is rotated.').default(64 * MiB),
    maxFiles: count('Files that are kept, the current one among them; the oldest is removed.', 1, 10_000).default(10),
    arguments: z
      .enum(['none', 'hash'])
      .default('none')
      .describe(
        'What is kept of the arguments of tool calls: nothing, or the SHA-256 of their canonical form (RFC 8785).',
      ),
    queue: count('Events that may wait for the disk; more are dropped and counted.', 16, 1_000_000).default(10_000),
    key: text('the key')
      .min(32)
      .nullable()
      .default(null)
      .describe(
        'At least 32 characters, as in `${AUDIT_KEY}`: the chain is made of HMACs, so that who can write the file cannot forge it. `null`: plain SHA-256.',
      ),
  },
);
