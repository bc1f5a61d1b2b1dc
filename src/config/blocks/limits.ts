/** `gateway.limits`: how often. Nothing of it applies with `gateway.auth.mode` off. */
import { z } from 'zod';
import { block, count, glob, LIVE, text } from './parts.js';

const perMinute = (who: string) => count(`Requests a minute of ${who}.`);

const roles = block(LIVE, 'Requests a minute by role.', {
  admin: perMinute('each `admin`').default(10_000),
  premium: perMinute('each `premium` user').default(1_000),
  user: perMinute('each `user`').default(100),
  guest: perMinute('each address without a token').default(10),
});

export const limits = block(LIVE, 'How often clients may ask. Requests count, notifications and answers do not.', {
  roles: roles.prefault({}),
  burst: z
    .number()
    .min(0.01)
    .max(10)
    .default(1)
    .describe('Requests that may come at once after a rest, as a share of what a minute allows.'),
  tools: z
    .record(glob, count('Calls a minute.'))
    .default({})
    .describe(
      'Calls a minute of one subject to the tools that a glob names, as clients see them: `"github__*": 60`. All globs that match count.',
    ),
  tenants: z
    .record(text('a tenant').max(256), count('Requests a minute.'))
    .default({})
    .describe('Requests a minute of all of a tenant together, by its name; `"*"` for each tenant not named.'),
  tenantClaim: text('the claim').max(256).default('tenant').describe('Path of the claim that names the tenant.'),
  failedLogins: count('Failed logins a minute from one address; then it waits.').default(30),
  maxKeys: count('Subjects or addresses that one limit remembers; those beyond share one.', 100).default(100_000),
});
