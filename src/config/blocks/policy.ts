/** `gateway.policy`: who may see and use what. */
import { z } from 'zod';
import { block, glob, LIVE, text } from './parts.js';

const globs = (description: string) => z.array(glob).min(1).optional().describe(description);

const rule = z
  .strictObject({
    name: text('the name').max(64).optional().describe('For people: said in explanations and in the audit log.'),
    effect: z.enum(['allow', 'deny']).describe('What happens when every condition of the rule holds.'),
    roles: globs('Globs of roles: the principal has one of them.'),
    permissions: z.array(text('a permission')).min(1).optional().describe('The principal has all of these.'),
    claims: z
      .record(z.string(), z.union([glob, z.array(glob).min(1)]))
      .optional()
      .describe('Claims of the token, by name or path (`org.team`): each has one of these values (globs).'),
    subjects: globs('Globs of subjects (`sub`).'),
    tenants: globs('Globs of tenants, read from the claim that `tenantClaim` names.'),
    servers: globs('Globs of servers, by their names in this file.'),
    tools: globs('Globs of tools, by their names at `/mcp`: `github__*`, `*__delete_*`.'),
    prompts: globs('The same of prompts.'),
    resources: globs('Globs of resources and templates, by URI or as `viable://<prefix>/<URI>`.'),
  })
  .describe('One rule. Conditions that it does not name always hold.');

export const policy = block(LIVE, 'Who may see and use what. The first rule that holds decides.', {
  default: z.enum(['allow', 'deny']).default('allow').describe('What holds when no rule does.'),
  tenantClaim: text('the claim').default('tenant').describe('The claim that names the tenant of a principal.'),
  rules: z.array(rule).max(1_000).default([]).describe('In order; see [security.md](security.md#policy).'),
});
