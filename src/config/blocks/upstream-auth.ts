/** `viable.auth` of a server: OAuth towards it. Static headers need none of this. */
import { z } from 'zod';
import { glob, text } from './parts.js';

const url = (description: string) =>
  text('the address')
    .regex(/^https?:\/\/[^\s/]+/, { error: 'must be an http or https address' })
    .optional()
    .describe(description);

export const upstreamAuth = z
  .strictObject({
    type: z
      .enum(['client_credentials', 'authorization_code'])
      .describe('client_credentials: the gateway as itself. authorization_code: a person, by `viable upstream login`.'),
    tokenUrl: url('Token endpoint. Absent: found by the metadata of `issuer`, or of the server (RFC 9728, RFC 8414).'),
    issuer: url('Authorization server. Absent: the one that the server names.'),
    clientId: text('the client').optional().describe('Absent: the gateway registers itself (RFC 7591).'),
    clientSecret: text('the secret').optional().describe('As in `${SECRET}`.'),
    scope: text('the scope').optional().describe('Scopes, separated by spaces.'),
    resource: url('Audience of the token (RFC 8707). Absent: the address of the server.'),
    allowedHosts: z
      .array(glob)
      .default([])
      .describe(
        'Origins (`https://auth.internal:8443`) that metadata may lead to although they are not public or not https. Those of `url`, `issuer` and `tokenUrl` may always be asked.',
      ),
  })
  .optional()
  .describe('OAuth credentials of the gateway towards this server.');
