/**
 * Where a gateway's admin socket is: the rules that the gateway and its consoles share.
 */
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoGatewayError } from './client-errors.js';

const DEFAULT_PORT = 4000;
const SOCKET_NAME = /^viable-\d{1,5}\.sock$/;

type Environment = Readonly<Record<string, string | undefined>>;

export interface SocketQuery {
  /** `--socket` */
  readonly socket?: string | undefined;
  /** `--port` */
  readonly port?: number | undefined;
}

/** `$XDG_RUNTIME_DIR/viable-<port>.sock`, or in the temporary directory where that variable is unset. */
export function defaultSocketPath(port: number, env: Environment = process.env): string {
  return join(socketDirectory(env), `viable-${port}.sock`);
}

/**
 * The socket a console should connect to: `--socket`, `VIABLE_ADMIN_SOCKET`, the one of `--port` or `VIABLE_PORT`, the
 * one of port 4000 if it exists, or the only `viable-*.sock` there is. Throws `NoGatewayError` when that leaves several.
 * With none at all it answers port 4000's, so that connecting to it explains what is missing.
 */
export function discoverSocket(query: SocketQuery = {}, env: Environment = process.env): string {
  const named = query.socket ?? nonEmpty(env['VIABLE_ADMIN_SOCKET']);
  if (named !== undefined) return named;
  const port = query.port ?? portOf(env['VIABLE_PORT']);
  if (port !== undefined) return defaultSocketPath(port, env);
  const usual = defaultSocketPath(DEFAULT_PORT, env);
  if (existsSync(usual)) return usual;
  const others = socketsIn(socketDirectory(env));
  const [only] = others;
  if (only === undefined) return usual;
  if (others.length === 1) return only;
  const message = `Several gateways run here; name one with --socket or --port: ${others.join(', ')}.`;
  throw new NoGatewayError('several_gateways', message);
}

function socketDirectory(env: Environment): string {
  return nonEmpty(env['XDG_RUNTIME_DIR']) ?? nonEmpty(env['TMPDIR']) ?? tmpdir();
}

function socketsIn(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isSocket() && SOCKET_NAME.test(entry.name))
      .map((entry) => join(directory, entry.name))
      .sort();
  } catch {
    return [];
  }
}

/** Port 0 means "any free one", which names no socket. */
function portOf(text: string | undefined): number | undefined {
  const port = Number(nonEmpty(text));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
