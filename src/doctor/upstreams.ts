/**
 * Upstream servers: whether the program is there, whether the address speaks MCP.
 *
 * The hand shaken here is that of 2025-11-25, which servers of every era answer: those of 2026-07-28 alone with an error.
 */
import type { ServerConfig } from '../config/index.js';
import { LATEST_LEGACY_REVISION } from '../protocol/revisions.js';
import { isJsonObject, type JsonRpcMessage } from '../protocol/jsonrpc.js';
import { stripControl } from '../protocol/text.js';
import { createOutboundTransport } from '../transports/outbound/create.js';
import { createReaper } from '../transports/outbound/reaper.js';
import { prepare } from '../transports/outbound/stdio-spawn.js';
import type { TransportError } from '../transports/outbound/transport.js';
import { fail, ok, type Finding } from './check.js';

export interface UpstreamOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Start stdio servers, too. */
  readonly start: boolean;
}

export async function upstreamFinding(server: ServerConfig, options: UpstreamOptions): Promise<Finding> {
  const { target } = server;
  if (server.disabled) return ok('disabled');
  if (target.transport === 'stdio') {
    const launch = { command: target.command, args: target.args, env: target.env, cwd: target.cwd };
    const found = await prepare(launch, options.env, target.inheritEnv);
    if ('kind' in found) return described(found, server);
    if (!options.start) return ok(`${found.command} can be started`);
  }
  return await greet(server, options.timeoutMs);
}

/** A first request whose answer shows that this is an MCP server. */
const HELLO = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: LATEST_LEGACY_REVISION,
    capabilities: {},
    clientInfo: { name: 'viable-doctor', version: '1' },
  },
} as const satisfies JsonRpcMessage;

const CLOSE_GRACE_MS = 1_000;

async function greet(server: ServerConfig, timeoutMs: number): Promise<Finding> {
  const reaper = createReaper();
  const timeout = AbortSignal.timeout(timeoutMs);
  let settle: (answer: JsonRpcMessage | TransportError) => void = () => undefined;
  const answer = new Promise<JsonRpcMessage | TransportError>((resolve) => (settle = resolve));
  timeout.addEventListener('abort', () =>
    settle({ kind: 'timeout', message: `no answer within ${timeoutMs / 1_000} s` }),
  );
  const transport = createOutboundTransport(
    server.target,
    {
      onMessage: (message) => {
        if ('id' in message && message.id === HELLO.id && !('method' in message)) settle(message);
      },
      onRequestFailed: (_, error) => settle(error),
      onClosed: (error) => settle(error),
      onStderr: () => undefined,
      onJunk: () => undefined,
      onDoubt: () => undefined,
    },
    { reaper },
  );
  try {
    const refused = await transport.open(timeout);
    if (refused !== undefined) return described(refused, server);
    transport.send(HELLO);
    const first = await answer;
    return 'kind' in first ? described(first, server) : introduced(first);
  } finally {
    await transport.close(CLOSE_GRACE_MS);
    await reaper.stop();
  }
}

function introduced(answer: JsonRpcMessage): Finding {
  if (!('result' in answer) || !isJsonObject(answer.result)) return ok('speaks MCP, 2026-07-28 or later alone');
  const { serverInfo, protocolVersion } = answer.result;
  const { name, version } = isJsonObject(serverInfo) ? serverInfo : {};
  const who = typeof name === 'string' ? `${name} ${typeof version === 'string' ? version : ''}`.trim() : 'it';
  return ok(stripControl(`${who} speaks MCP ${typeof protocolVersion === 'string' ? protocolVersion : ''}`, 200));
}

function described({ kind, message, status }: TransportError, { name, auth, target }: ServerConfig): Finding {
  switch (kind) {
    case 'unauthorized':
      if (auth?.type === 'authorization_code')
        return ok(`is there and asks for a login; \`viable upstream login ${name}\` gives the gateway one`);
      if (auth !== undefined) return ok('is there and asks for a token, which viable.auth will get');
      return fail(message, 'put a token into `headers`, or set `viable.auth`');
    case 'http_status':
      return fail(message, statusAdvice(status, target.transport));
    case 'protocol':
      return fail(message, 'check that the address is that of the MCP endpoint, and `type` its transport');
    case 'timeout':
      return fail(message, 'see whether the server runs; give a slow one more time with --timeout');
    case 'spawn_failed':
      return fail(message, 'correct `command` or `cwd`; the gateway retries, its other upstreams are not touched');
    default:
      return fail(
        message,
        target.transport === 'stdio' ? 'start it by hand to see why' : 'start the server, or correct its `url`',
      );
  }
}

function statusAdvice(status: number | undefined, transport: string): string {
  if ((status === 404 || status === 405) && transport === 'http')
    return 'check the path; if it is a server of 2024-11-05, set `"type": "sse"`';
  return 'check the path of `url` and `type`';
}
