/**
 * How a stdio server is started: which program, which environment, and held at a gate until it is on record.
 *
 * Invariants: the user's command never meets a shell's parser (its words are positional parameters, `"$@"`); of the
 * gateway's own environment a child sees the allowlist only; no server runs before the reaper knows its group.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { compileFilter } from '../../protocol/globs.js';
import type { TransportError } from './transport.js';

/** What a server inherits from the gateway's environment, besides `LC_*`. Everything else is configured or absent. */
export const INHERITED_ENV: readonly string[] = [
  'PATH',
  'HOME',
  'LANG',
  'TERM',
  'TZ',
  'TMPDIR',
  'USER',
  'LOGNAME',
  'SHELL',
];

const PORTABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
/** Some shells set these for their children; unset again unless configured. */
const SHELL_OWN_NAMES = ['PWD', 'OLDPWD', 'SHLVL'];

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

/** The environment of a server: the allowlist and what matches `inherit` (names or globs) out of `own`, then the configured variables. */
export function childEnv(
  own: NodeJS.ProcessEnv,
  configured: Readonly<Record<string, string>>,
  inherit: readonly string[] = [],
): Record<string, string> {
  const env: Record<string, string> = {};
  const wanted = compileFilter({ allow: inherit });
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    if (INHERITED_ENV.includes(name) || name.startsWith('LC_') || (PORTABLE_NAME.test(name) && wanted(name)))
      env[name] = value;
  }
  return { ...env, ...configured };
}

/** Finds the program as `execvp` would; a name with a slash is taken relative to `cwd`. */
export async function resolveCommand(command: string, searchPath: string, cwd: string): Promise<string | undefined> {
  const candidates = command.includes('/')
    ? [path.resolve(cwd, command)]
    : searchPath.split(':').map((folder) => path.resolve(cwd, folder === '' ? '.' : folder, command));
  for (const candidate of candidates) {
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Checks all that can be checked before a process exists, and gives the launch with an absolute program. */
export async function prepare(
  launch: Launch,
  own: NodeJS.ProcessEnv,
  inherit: readonly string[] = [],
): Promise<Launch | TransportError> {
  if (process.platform === 'win32') {
    return failed('stdio servers need a POSIX system; on Windows run the gateway in WSL');
  }
  const oddName = Object.keys(launch.env).find((name) => !PORTABLE_NAME.test(name));
  if (oddName !== undefined) {
    return failed(
      `the environment variable name ${JSON.stringify(oddName)} is not portable; use letters, digits and _`,
    );
  }
  if ([launch.command, ...launch.args, ...Object.values(launch.env)].some((text) => text.includes('\0'))) {
    return failed('a null character stands in the command, its arguments or its environment');
  }
  const cwd = launch.cwd ?? process.cwd();
  const folder = await stat(cwd).catch(() => undefined);
  if (folder?.isDirectory() !== true) return failed(`the working directory ${cwd} does not exist or is no directory`);
  const env = childEnv(own, launch.env, inherit);
  const program = await resolveCommand(launch.command, env['PATH'] ?? DEFAULT_PATH, cwd);
  if (program === undefined) return failed(missing(launch.command));
  return { command: program, args: launch.args, env, cwd };
}

function missing(command: string): string {
  if (command.includes('/')) return `${command} does not exist or is not executable; check the path and its mode`;
  const hints: Readonly<Record<string, string>> = {
    npx: 'install Node.js, or give the absolute path of npx',
    node: 'install Node.js, or give the absolute path of node',
    uvx: 'install uv (https://docs.astral.sh/uv/), or give the absolute path of uvx',
    uv: 'install uv (https://docs.astral.sh/uv/), or give the absolute path of uv',
    python: 'install Python, or use python3',
    docker: 'install Docker, or give the absolute path of docker',
  };
  return `the command ${command} is not on PATH; ${hints[command] ?? 'install it, or give its absolute path'}`;
}

export function failed(message: string): TransportError {
  return { kind: 'spawn_failed', message, unsent: true };
}

/**
 * Starts the program behind a gate: `/bin/sh` waits on descriptor 3 for a line and becomes the program, or ends when
 * the descriptor is closed without one. Process id and group (of its own: `setsid`) stay the same through `exec`.
 */
export function spawnGated(launch: Launch): ChildProcess {
  const unset = SHELL_OWN_NAMES.filter((name) => !(name in launch.env)).join(' ');
  const gate = `read -r go <&3 || exit 125; exec 3<&-; unset go ${unset}; exec "$@"`;
  return spawn('/bin/sh', ['-c', gate, 'sh', launch.command, ...launch.args], {
    cwd: launch.cwd,
    env: launch.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
}
