/** `gateway.concurrency`: how many calls a server gets at a time, by how quickly it answers. */
import { z } from 'zod';
import { block, count, LIVE, time } from './parts.js';

export const concurrency = block(
  LIVE,
  'The limit of calls to one server at a time, below its `maxInFlight`: lower while it answers slower than usual, which is what a queue in it looks like. Calls past it are refused at once as `overloaded`.',
  {
    adaptive: z.boolean().default(true).describe('Off: `maxInFlight` alone.'),
    min: count('The limit is never lower.').default(16),
    tolerance: z
      .number()
      .min(1)
      .max(10)
      .default(2)
      .describe('How many times slower than usual is no sign of a queue. Tools are compared with themselves.'),
    minimumSamples: count('Fewer answers between two looks change nothing.').default(20),
    interval: time('Time between two looks.', 100).default(1000),
    halfLife: time('What is usual moves half of the way to what is in this time.', 1000).default(60_000),
  },
);

export const serverConcurrency = z
  .strictObject({
    adaptive: z.boolean().optional().describe('In place of `gateway.concurrency.adaptive`.'),
    min: count('In place of `gateway.concurrency.min`.').optional(),
    tolerance: z.number().min(1).max(10).optional().describe('In place of `gateway.concurrency.tolerance`.'),
  })
  .describe('The adaptive limit of this server. Its upper end is `maxInFlight`.');
