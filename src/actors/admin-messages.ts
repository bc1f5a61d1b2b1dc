/**
 * The admin messages of each actor: what `viable send ACTOR MESSAGE` may say, with a schema for the arguments. One table:
 * the list that consoles print, the check and the message itself come from it.
 */
import { z } from 'zod';
import { type AdminMessageInfo } from '../admin/protocol.js';
import { type ReplyTo } from '../kernel/index.js';

export interface AdminMessage {
  readonly name: string;
  readonly description: string;
  readonly args: z.ZodObject;
  /** The actor's own message. `args` has passed the schema. */
  readonly message: (args: Readonly<Record<string, unknown>>, replyTo: ReplyTo<unknown>) => unknown;
}

export interface AdminMessages {
  /** Matches the actor's path. */
  readonly actor: RegExp;
  readonly messages: readonly AdminMessage[];
}

const none = z.strictObject({});

function plain(name: string, description: string, type: string): AdminMessage {
  return { name, description, args: none, message: (_args, replyTo) => ({ type, replyTo }) };
}

export const ADMIN_MESSAGES: readonly AdminMessages[] = [
  {
    actor: /^\/operations\/provisioning\/upstreams\/[^/]+\/lifecycle$/,
    messages: [
      plain('reconnect', 'End the session and open a new one now.', 'upstream/reconnect'),
      plain('disable', 'End the session and stay away until enabled.', 'upstream/disable'),
      plain('enable', 'Connect again after `disable`.', 'upstream/enable'),
    ],
  },
  {
    actor: /^\/operations\/provisioning\/upstreams\/[^/]+\/breaker$|^\/front\/breakers\/[a-z]+$/,
    messages: [
      plain('open', 'Refuse calls until it is closed or tried again.', 'breaker/force-open'),
      plain('half-open', 'Let one call through as a probe now.', 'breaker/half-open'),
      plain('close', 'Close it and forget its past.', 'breaker/reset'),
    ],
  },
  {
    actor: /^\/operations\/provisioning\/upstreams\/[^/]+\/pool$/,
    messages: [
      plain(
        'drain',
        'Give out no more sessions; each ends when its calls are answered. Answers when none is left.',
        'pool/drain',
      ),
      plain('resume', 'Give out sessions again after `drain`.', 'pool/resume'),
    ],
  },
  {
    actor: /^\/operations\/provisioning\/configuration$/,
    messages: [
      {
        name: 'reload',
        description: 'Read the configuration again and apply what has changed.',
        args: none,
        message: (_args, replyTo) => ({ type: 'configuration/reload', cause: 'operator', replyTo }),
      },
    ],
  },
  {
    actor: /^\/front\/connections\/[^/]+\/(?:http|sse|ws|phx)-\d+$/,
    messages: [
      {
        name: 'close',
        description: 'End this client session; what it waits for is answered with an error first.',
        args: none,
        message: (_args, replyTo) => ({ type: 'client/close', reason: 'operator', replyTo }),
      },
    ],
  },
  {
    actor: /^\/admission\/authenticator$/,
    messages: [
      {
        name: 'revoke',
        description: 'Revoke a token, the token of a jti, or everything a subject was given until now.',
        args: z
          .strictObject({
            token: z.string().min(1).max(16_384).optional(),
            jti: z.string().min(1).max(256).optional(),
            subject: z.string().min(1).max(256).optional(),
            issuer: z.string().min(1).max(512).optional(),
          })
          .refine((args) => [args.token, args.jti, args.subject].filter((given) => given !== undefined).length === 1, {
            error: 'give one of token, jti, subject',
          }),
        message: (args, replyTo) => ({ type: 'authenticator/revoke', args, replyTo }),
      },
      plain('refresh', 'Fetch the key sets of external issuers now.', 'authenticator/refresh'),
    ],
  },
  {
    actor: /^\/admission\/limiter$/,
    messages: [plain('count', 'How many subjects and addresses are being counted.', 'limiter/count')],
  },
  {
    actor: /^\/front\/session-registry$/,
    messages: [plain('count', 'How many client sessions are open.', 'registry/count')],
  },
  {
    actor: /^\/vitals\/telemetry$/,
    messages: [
      plain(
        'flush',
        'Send the spans and metrics that wait to the collector now. Answers how many spans it took, after 2 s at the latest.',
        'telemetry/flush',
      ),
    ],
  },
  {
    actor: /^\/drain\/gateway$/,
    messages: [
      {
        name: 'begin',
        description: 'Refuse newcomers, let work in flight finish, then stop.',
        args: z.strictObject({
          timeoutMs: z.number().int().min(0).optional(),
          graceMs: z.number().int().min(0).optional(),
        }),
        message: (args, replyTo) => ({ type: 'drain/begin', reason: 'operator', ...args, replyTo }),
      },
      plain('cancel', 'Serve again; possible until the closing has begun.', 'drain/cancel'),
      {
        name: 'force',
        description: 'Stop at once, whatever is in flight.',
        args: none,
        message: (_args, replyTo) => ({ type: 'drain/force', reason: 'operator', replyTo }),
      },
    ],
  },
  {
    actor: /^\/drain\/partial\/[^/]+$/,
    messages: [
      plain('force', 'Close it at once, whatever is in flight.', 'drain/force'),
      plain('cancel', 'Take it into service again.', 'drain/cancel'),
    ],
  },
];

/** The admin messages of the actor at `path`; none for most. */
export function messagesOf(path: string): readonly AdminMessage[] {
  return ADMIN_MESSAGES.find(({ actor }) => actor.test(path))?.messages ?? [];
}

export function describeMessage({ name, description, args }: AdminMessage): AdminMessageInfo {
  const takesNone = Object.keys(args.shape).length === 0;
  return takesNone ? { name, description } : { name, description, args: z.toJSONSchema(args) };
}
