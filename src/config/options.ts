/**
 * Options of the gateway process: one table for the command line, the `VIABLE_…` variables and the reference page.
 * A flag wins over its variable, and both win over the file (`ConfigOverrides`).
 */
import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isHost } from './host.js';
import { LOG_LEVELS } from './schema.js';
import { nearest } from './suggest.js';
import type { ConfigOverrides, Environment } from './types.js';

/** The command line or a `VIABLE_…` variable is wrong. */
export const EXIT_USAGE = 2;

type OptionKey =
  'config' | 'host' | 'port' | 'noDashboard' | 'adminSocket' | 'pidFile' | 'logLevel' | 'checkConfig' | 'insecure';

interface OptionSpec {
  readonly flag: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly env: string;
  readonly description: string;
  /** What happens without it, in words. */
  readonly fallback: string;
}

export const PROCESS_OPTIONS: Readonly<Record<OptionKey, OptionSpec>> = {
  config: {
    flag: '--config',
    value: '<file>',
    env: 'VIABLE_CONFIG',
    description: 'configuration file, JSON or YAML',
    fallback: 'the built-in demo servers',
  },
  host: {
    flag: '--host',
    value: '<address>',
    env: 'VIABLE_HOST',
    description: 'address to listen on',
    fallback: '`gateway.listen.host`',
  },
  port: {
    flag: '--port',
    value: '<number>',
    env: 'VIABLE_PORT',
    description: 'TCP port; 0 picks a free one',
    fallback: '`gateway.listen.port`',
  },
  noDashboard: {
    flag: '--no-dashboard',
    env: 'VIABLE_NO_DASHBOARD',
    description: 'write logs, even on a terminal',
    fallback: '`gateway.dashboard.enabled`',
  },
  adminSocket: {
    flag: '--admin-socket',
    value: '<path>',
    env: 'VIABLE_ADMIN_SOCKET',
    description: 'Unix socket for `viable` commands',
    fallback: '`gateway.admin.socket`',
  },
  pidFile: {
    flag: '--pid-file',
    value: '<path>',
    env: 'VIABLE_PID_FILE',
    description: 'file for the process id, once clients are served; a successor writes its own',
    fallback: 'none',
  },
  logLevel: {
    flag: '--log-level',
    value: '<level>',
    env: 'VIABLE_LOG_LEVEL',
    description: `least severe level to log: ${LOG_LEVELS.join(', ')}`,
    fallback: '`gateway.logging.level`',
  },
  checkConfig: {
    flag: '--check-config',
    env: 'VIABLE_CHECK_CONFIG',
    description: 'check the configuration, explain every mistake, and exit',
    fallback: 'start',
  },
  insecure: {
    flag: '--insecure',
    env: 'VIABLE_INSECURE',
    description: 'serve on an address that other machines reach, without any login',
    fallback: 'refuse to',
  },
};

export interface ProcessOptions {
  /** As given; relative to the working directory. */
  readonly config?: string;
  readonly checkConfig: boolean;
  /** Absolute. */
  readonly pidFile?: string;
  readonly overrides: ConfigOverrides;
}

export type ProcessOptionsResult =
  | { readonly ok: true; readonly options: ProcessOptions }
  /** `text` belongs on stdout when `exit` is 0 (help, version), else on stderr. */
  | { readonly ok: false; readonly exit: number; readonly text: string };

type Values = Partial<Record<OptionKey, string | boolean>>;

/**
 * @param argv without the program: `process.argv.slice(2)`
 * @param version what `--version` prints; without it there is no such option
 */
export function parseProcessOptions(argv: readonly string[], env: Environment, version?: string): ProcessOptionsResult {
  let output = '';
  const collect = (text: string): void => {
    output += text;
  };
  try {
    const values = { ...fromEnvironment(env), ...fromArguments(argv, version, collect) };
    return { ok: true, options: toOptions(values) };
  } catch (error) {
    if (error instanceof CommanderError) {
      const exit = error.exitCode === 0 ? 0 : EXIT_USAGE;
      return { ok: false, exit, text: (output === '' ? error.message : output).trimEnd() };
    }
    throw error;
  }
}

function fromArguments(argv: readonly string[], version: string | undefined, write: (text: string) => void): Values {
  const program = new Command('viable-gateway')
    .description('An MCP gateway: one endpoint in front of many MCP servers.')
    .usage('[options]')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write, writeErr: write })
    .addHelpText('after', '\nEvery option can also be given as the variable named in its line.')
    .exitOverride();
  if (version !== undefined) program.version(version);
  const values: Values = {};
  for (const key of optionKeys()) {
    const { flag, value, env, description } = PROCESS_OPTIONS[key];
    const option = new Option(value === undefined ? flag : `${flag} ${value}`, `${description} [${env}]`);
    if (value !== undefined) option.argParser((text: string) => check(key, text));
    program.addOption(option);
    program.on(`option:${option.name()}`, (text: string | undefined) => {
      values[key] = text ?? true;
    });
  }
  program.parse(argv, { from: 'user' });
  return values;
}

function fromEnvironment(env: Environment): Values {
  const values: Values = {};
  for (const key of optionKeys()) {
    const { env: name, value } = PROCESS_OPTIONS[key];
    const text = env[name];
    if (text === undefined || text === '') continue;
    try {
      values[key] = value === undefined ? toSwitch(text) : check(key, text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new CommanderError(
        EXIT_USAGE,
        'viable.environment',
        `error: environment variable ${name}: ${error.message}`,
      );
    }
  }
  return values;
}

function optionKeys(): OptionKey[] {
  return Object.keys(PROCESS_OPTIONS) as OptionKey[];
}

/** The text of an option that takes a value. Throws an `InvalidArgumentError` when it is no such value. */
function check(key: OptionKey, text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('must not be empty.');
  if (key === 'host' && !isHost(text)) {
    throw new InvalidArgumentError('must be an IP address or a host name, without scheme or port.');
  }
  if (key === 'port' && !(/^\d{1,5}$/.test(text) && Number(text) <= 65_535)) {
    throw new InvalidArgumentError('must be a whole number from 0 to 65535.');
  }
  if (key === 'logLevel' && !isLogLevel(text)) {
    const near = nearest(text, LOG_LEVELS);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new InvalidArgumentError(`must be one of ${LOG_LEVELS.join(', ')}.${hint}`);
  }
  return text;
}

function toSwitch(text: string): boolean {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  if (/^(?:0|false|no|off)$/i.test(text)) return false;
  throw new InvalidArgumentError('must be true or false.');
}

function isLogLevel(text: string): text is (typeof LOG_LEVELS)[number] {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

function toOptions(values: Values): ProcessOptions {
  const { config, host, port, noDashboard, adminSocket, pidFile, logLevel, checkConfig, insecure } = values;
  return {
    ...(typeof config === 'string' ? { config } : {}),
    checkConfig: checkConfig === true,
    ...(typeof pidFile === 'string' ? { pidFile: path.resolve(pidFile) } : {}),
    overrides: {
      ...(typeof host === 'string' ? { host } : {}),
      ...(typeof port === 'string' ? { port: Number(port) } : {}),
      ...(typeof noDashboard === 'boolean' ? { dashboard: !noDashboard } : {}),
      ...(typeof adminSocket === 'string' ? { adminSocket: path.resolve(adminSocket) } : {}),
      ...(typeof logLevel === 'string' && isLogLevel(logLevel) ? { logLevel } : {}),
      ...(insecure === true ? { insecure } : {}),
    },
  };
}
