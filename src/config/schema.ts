/**
 * The shape of the configuration file: one zod schema that drives validation, defaults, the JSON Schema for editors
 * and the reference page. Unknown keys are refused at every level.
 *
 * Every option here does something. `meta.unit` and `meta.apply` feed the reference page and `diff.ts`; `apply:
 * 'restart'` marks what a running gateway cannot take over from a changed file.
 */
import { z } from 'zod';
import { audit } from './blocks/audit.js';
import { input } from './blocks/input.js';
import { block, bytes, count, glob, LIVE, MiB, RESTART, scalar, text, time } from './blocks/parts.js';
import { auth } from './blocks/auth.js';
import { limits } from './blocks/limits.js';
import { tls } from './blocks/tls.js';
import { draining } from './blocks/draining.js';
import { retries } from './blocks/retries.js';
import { breaker, serverBreaker } from './blocks/breaker.js';
import { concurrency, serverConcurrency } from './blocks/concurrency.js';
import { telemetry } from './blocks/telemetry.js';
import { pool, serverPool } from './blocks/pool.js';
import { credentials } from './blocks/credentials.js';
import { upstreamAuth } from './blocks/upstream-auth.js';
import { policy } from './blocks/policy.js';
import { tools } from './blocks/tools.js';
import { vsm } from './blocks/vsm.js';
import { isHost, isProxy } from './host.js';
import { IGNORED_SERVER_KEYS, IGNORED_TOP_LEVEL_KEYS, type IgnoredKey } from './client-keys.js';

/** RFC 6454, 6.2: what browsers send. Empty text has a message of its own. */
const ORIGIN = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/]+)?$/;

const listen = block(RESTART, 'Where clients connect.', {
  host: text('the address')
    .refine(isHost, { error: 'must be an IP address or a host name, without scheme or port' })
    .default('127.0.0.1')
    .describe(
      'Address to listen on. On anything but a loopback address clients must log in, unless `--insecure` is given.',
    ),
  port: z.int().min(0).max(65_535).default(4000).describe('TCP port; 0 picks a free one.'),
  allowedHosts: z
    .array(text('a host name').regex(/^[^\s/]*$/, { error: 'must be a host name, without scheme or path' }))
    .default([])
    .describe('Values of the Host header that are accepted besides the loopback names and `host`.'),
  allowedOrigins: z
    .array(text('an origin').regex(ORIGIN, { error: 'must be an origin, as in `https://app.example`, without a path' }))
    .default([])
    .describe('Values of the Origin header that are accepted besides loopback origins, as in `https://app.example`.'),
  maxBodyBytes: bytes('Largest message from a client, on every transport.').default(4 * MiB),
  maxConnections: count('Open sockets; the next one is refused.').default(10_000),
  maxBufferedBytes: bytes(
    'Unread bytes that may wait for one client; with more it is cut off (WebSocket close code 1008). One message may go past it.',
  ).default(8 * MiB),
  stallTimeout: time('A client that has something unread and reads none of it for this long is cut off.', 100).default(
    30_000,
  ),
  headersTimeout: time(
    'From the first byte of a request, or of a connection, to the end of its headers; a later one is answered 408.',
    100,
  ).default(15_000),
  requestTimeout: time('From the first byte of a request to its last; a later one is answered 408.', 100).default(
    60_000,
  ),
  trustedProxies: z
    .array(
      text('a proxy').refine(isProxy, { error: 'must be an IP address, a subnet as in `10.0.0.0/8`, or `loopback`' }),
    )
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses, subnets, or `loopback`.',
    ),
  tls: tls.prefault({}),
});

const sessions = block(LIVE, 'Client sessions.', {
  max: count('Sessions at a time; the next `initialize` is refused.').default(10_000),
  idleTimeout: time('A session without traffic for this long is ended.', 1000).default(1_800_000),
});

const requests = block(LIVE, 'Requests to upstream servers. A server may set its own in its `viable` block.', {
  timeout: time('From a request to its answer.').default(60_000),
  maxInFlight: count(
    'Requests that wait for the answer of one upstream at a time; the next is refused at once.',
  ).default(256),
  progressExtends: z
    .boolean()
    .default(false)
    .describe(
      'Progress of a call sets its deadline anew, up to `maxTimeout`. Servers send it to clients that ask for it.',
    ),
  maxTimeout: time('The longest time from a request to its answer, whatever progress there is.').default(600_000),
  openStreamAfter: time(
    'A call of a session that has waited this long gets its event stream opened, so that the client can resume it when the connection breaks.',
  ).default(60),
});

const search = block(
  LIVE,
  'For catalogues too large for a model: clients are shown `find_tool` and `call_tool` in place of the tools.',
  {
    enabled: z
      .boolean()
      .default(false)
      .describe('On every endpoint; a toolset may say otherwise. Calls by the real names work all the same.'),
    maxResults: count('The most tools that one `find_tool` answers with.', 1, 100).default(10),
  },
);

const catalogue = block(LIVE, 'The joined list of tools, prompts and resources.', {
  pageSize: count('Entries on a page of a list.', 1, 100_000).default(1000),
  listChangedDebounce: time('Changes within this time are announced to clients once.', 0).default(250),
  search: search.prefault({}),
});

/** One segment of an address, the same however it is encoded. */
const TOOLSET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const toolset = block(LIVE, 'A part of the catalogue with an endpoint of its own, `/mcp/t/<name>`.', {
  tools: z
    .array(glob)
    .describe('Globs (`*`, `?`) of tools, by the names that clients see at `/mcp`: `github__*`, `*__search`.'),
  prompts: z.array(glob).optional().describe('The same of prompts. Absent: none.'),
  resources: z
    .array(glob)
    .optional()
    .describe(
      'Globs of resources and templates, by URI: `file:///srv/*`; or by server prefix: `viable://github/*`. Absent: none.',
    ),
  description: text('the description')
    .max(4096)
    .optional()
    .describe('What it is for. Clients get it with the instructions of its servers.'),
  search: z.boolean().optional().describe('In place of `gateway.catalogue.search.enabled`.'),
});

const toolsets = z
  .record(
    z.string().regex(TOOLSET_NAME, {
      error: 'the name of a toolset must be 1 to 64 letters, digits, `.`, `_` or `-`, and begin with a letter or digit',
    }),
    toolset,
  )
  .describe('Named parts of the catalogue, each with an endpoint of its own: `/mcp/t/<name>`.')
  .meta({ apply: 'live' });

const upstreams = block(LIVE, 'Life cycle of upstream servers.', {
  connectTimeout: time('From spawn or connect to the end of the handshake.').default(30_000),
  maxBufferedBytes: bytes(
    'Bytes that may wait for one session of a server that does not read; with more a request is answered `overloaded`.',
  ).default(8 * MiB),
  backoffBase: time('Wait before the first new attempt; doubles with each failure.').default(250),
  backoffMax: time('The longest wait between attempts.').default(30_000),
  shutdownGrace: time('From SIGTERM to SIGKILL for a child process, and for a polite goodbye elsewhere.', 0).default(
    3000,
  ),
});

const dashboard = block(RESTART, 'The dashboards: on the terminal, and in a browser at `/mcp/dashboard`.', {
  enabled: z.boolean().default(true).describe('Show the one on the terminal when the gateway is started on one.'),
  refreshInterval: time('Time between two frames.', 100).default(1000),
  web: z
    .boolean()
    .default(true)
    .describe('Serve the browser dashboard.')
    .meta({ ...LIVE }),
  webActions: z
    .boolean()
    .default(false)
    .describe(
      'Let the browser dashboard act (reconnect, disable, kill, drain) although nobody had to sign in. With authentication on, the token decides.',
    )
    .meta({ ...LIVE }),
  historySize: count('Seconds of history in the charts.', 2, 3600)
    .default(60)
    .meta({ ...LIVE }),
});

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const requestState = block(RESTART, 'What clients of 2026-07-28 bring back with a retry.', {
  secret: text('the secret')
    .min(32)
    .nullable()
    .default(null)
    .describe(
      'At least 32 characters, the same on every node that may get the retry; as in `${REQUEST_STATE_SECRET}`. `null`: a key of this process alone.',
    ),
});

const logging = block(LIVE, 'The log on stderr.', {
  level: z.enum(LOG_LEVELS).default('info').describe('Lines below this level are not written.'),
});

const admin = block(RESTART, 'The door for `viable` commands.', {
  socket: text('the path')
    .nullable()
    .default(null)
    .describe(
      'Path of the Unix socket, relative to the file. `null`: `$XDG_RUNTIME_DIR/viable-<port>.sock`, or in the temporary directory.',
    ),
});

export const gatewaySchema = z
  .strictObject({
    listen: listen.prefault({}),
    auth: auth.prefault({}),
    limits: limits.prefault({}),
    sessions: sessions.prefault({}),
    requests: requests.prefault({}),
    breaker: breaker.prefault({}),
    concurrency: concurrency.prefault({}),
    retries: retries.prefault({}),
    input: input.prefault({}),
    catalogue: catalogue.prefault({}),
    toolsets: toolsets.prefault({}),
    upstreams: upstreams.prefault({}),
    pool: pool.prefault({}),
    draining: draining.prefault({}),
    dashboard: dashboard.prefault({}),
    requestState: requestState.prefault({}),
    logging: logging.prefault({}),
    admin: admin.prefault({}),
    vsm: vsm.prefault({}),
    audit: audit.prefault({}),
    telemetry: telemetry.prefault({}),
    policy: policy.prefault({}),
    credentials: credentials.prefault({}),
    tools: tools.prefault({}),
  })
  .describe('Settings of the gateway itself.');

/** What `namespacePrefix` (protocol/naming.ts) leaves as it is, so that clients see what is written here. */
const PREFIX = /^(?=.{1,30}$)[A-Za-z0-9-]+(?:_[A-Za-z0-9-]+)*$/;

export const viableSchema = z
  .strictObject({
    prefix: z
      .string()
      .regex(PREFIX, { error: 'must be 1 to 30 letters, digits, `-`, or single `_` between them' })
      .optional()
      .describe('Takes the place of the server name in `<server>__<tool>`.'),
    allow: z
      .array(glob)
      .optional()
      .describe('Only tools whose own name matches one of these globs (`*`, `?`) are served.'),
    deny: z
      .array(glob)
      .optional()
      .describe('Tools whose own name matches one of these globs are never served; goes before `allow`.'),
    inheritEnv: z
      .array(glob)
      .optional()
      .describe('Names or globs of variables that the child inherits from the gateway, besides the safe few.'),
    timeouts: z
      .strictObject({
        connect: time('In place of `gateway.upstreams.connectTimeout`.').optional(),
        request: time('In place of `gateway.requests.timeout`.').optional(),
        tools: z
          .record(glob, time('From a call of such a tool to its answer.'))
          .optional()
          .describe(
            'Globs of tools, by their own names, and the time that each may take: `{"slow_*": 120000}`. The first that fits counts.',
          ),
        progress: z.boolean().optional().describe('In place of `gateway.requests.progressExtends`.'),
        max: time('In place of `gateway.requests.maxTimeout`.').optional(),
      })
      .optional()
      .describe('Timeouts of this server.'),
    breaker: serverBreaker.optional(),
    concurrency: serverConcurrency.optional(),
    era: z
      .enum(['auto', 'legacy', 'modern'])
      .default('auto')
      .describe(
        'Which protocol the server speaks. `auto`: it is asked. `legacy`: 2024-11-05 to 2025-11-25, with `initialize`. `modern`: 2026-07-28.',
      ),
    sharing: z
      .enum(['auto', 'shared', 'session', 'principal'])
      .default('auto')
      .describe(
        'Who shares a session with this server. `auto`: clients that it may ask something (sampling, elicitation, roots) have one each, the others share one. `shared`: all share one, and it can ask nobody. `session`: one for each client session, for servers that keep state. `principal`: one for all sessions of one principal, and nobody else’s; who is not authenticated has one a session.',
      ),
    pool: serverPool.optional(),
    auth: upstreamAuth,
    maxInFlight: count('In place of `gateway.requests.maxInFlight`.').optional(),
    maxMessageBytes: bytes('Largest single message that is accepted from this server.').default(16 * MiB),
  })
  .describe('What the gateway does with this server. MCP clients ignore this block.');

/** Spellings of `type` in the files of the various clients, and the transport that each means. */
export const TRANSPORT_TYPES = {
  stdio: 'stdio',
  http: 'http',
  sse: 'sse',
  ws: 'ws',
  'streamable-http': 'http',
  streamableHttp: 'http',
} as const;

function ignored(keys: readonly IgnoredKey[]): Record<string, z.ZodOptional<z.ZodUnknown>> {
  return Object.fromEntries(
    keys.map(({ key, client, hint }) => {
      const description = `Ignored: a setting of ${client}.${hint === undefined ? '' : ` ${hint}`}`;
      return [key, z.unknown().optional().describe(description).meta({ ignored: true })];
    }),
  );
}

export const serverSchema = z
  .strictObject({
    command: text('the command')
      .optional()
      .describe('Program to start: a name in PATH, or a path (relative to this file). Give this or `url`.'),
    args: z.array(scalar).optional().describe('Arguments of the program, one an entry. No shell reads them.'),
    env: z.record(z.string(), scalar).optional().describe('Variables for the program.'),
    cwd: text('the folder').optional().describe('Working directory of the program, relative to this file.'),
    url: text('the address').optional().describe('Address of a running server. Give this or `command`.'),
    type: z
      .enum(Object.keys(TRANSPORT_TYPES) as (keyof typeof TRANSPORT_TYPES)[])
      .optional()
      .describe(
        'Transport. Absent: `stdio` with `command`; with `url`, `ws` for ws:// and wss://, `sse` when the path ends in `/sse`, else `http`.',
      ),
    headers: z.record(z.string(), scalar).optional().describe('Headers of every request to `url`.'),
    disabled: z.boolean().default(false).describe('Keep the entry but do not start it.'),
    viable: viableSchema.prefault({}),
    ...ignored(IGNORED_SERVER_KEYS),
  })
  .describe('One MCP server.')
  // For editors; the loader says the same in better words (check-server.ts).
  .meta({ oneOf: [{ required: ['command'] }, { required: ['url'] }] });

const serversSchema = z.record(z.string(), serverSchema);

export const fileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Address of this schema, for editors.'),
    mcpServers: serversSchema
      .optional()
      .describe('The servers behind the gateway, exactly as MCP clients write them: name → entry.'),
    servers: serversSchema.optional().describe('The same under the name that VS Code uses.'),
    gateway: gatewaySchema.prefault({}),
    ...ignored(IGNORED_TOP_LEVEL_KEYS),
  })
  .describe('Configuration of the Viable MCP gateway.');

export type FileDocument = z.output<typeof fileSchema>;
export type ServerEntry = z.output<typeof serverSchema>;
