/**
 * `node dist/main.js`: the gateway as a process. Options, configuration, signals, exit codes; the rest is `gateway.ts`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import {
  type Config,
  demoConfig,
  EXIT_USAGE,
  loadConfig,
  type LoadResult,
  parseProcessOptions,
  type ProcessOptions,
  renderProblems,
  secretsOf,
  watchConfig,
} from './config/index.js';
import { Gateway } from './gateway.js';
import { VERSION } from './gateway/version.js';
import { Predecessor } from './handover/predecessor.js';
import { toError } from './kernel/index.js';
import { createLog, type Logger, type LogOutput } from './telemetry/logger.js';

/** Exit codes of the process. `docs/operations.md` lists them; 2 is a wrong command line. */
const EXIT = { ok: 0, failed: 1, configuration: 3, cannotListen: 4, defect: 70, forced: 130 } as const;

async function main(): Promise<void> {
  const parsed = parseProcessOptions(process.argv.slice(2), process.env, VERSION);
  if (!parsed.ok) {
    (parsed.exit === 0 ? process.stdout : process.stderr).write(`${parsed.text}\n`);
    exit(parsed.exit === 0 ? EXIT.ok : EXIT_USAGE);
    return;
  }
  const { options } = parsed;
  const loaded = await load(options);
  if (!loaded.ok) {
    process.stderr.write(`${renderProblems(loaded.problems, options.config ?? null)}\n`);
    exit(EXIT.configuration);
    return;
  }
  if (options.checkConfig) {
    if (loaded.warnings.length > 0)
      process.stderr.write(`${renderProblems(loaded.warnings, options.config ?? null)}\n`);
    process.stdout.write(`The configuration is valid: ${loaded.config.servers.size} upstreams.\n`);
    exit(EXIT.ok);
    return;
  }
  // Whoever read the log has gone: the gateway goes on, the ring still has the lines.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', () => undefined);
  const terminal = process.stderr.isTTY;
  const output = createLog(loaded.config.gateway.logging.level, terminal);
  for (const warning of loaded.warnings)
    output.log.warn({ event: 'configuration_warning', path: warning.path }, warning.message);
  await run(options, loaded.config, output);
}

function load(options: ProcessOptions): Promise<LoadResult> {
  const { config: file, overrides } = options;
  return file === undefined
    ? demoConfig({ env: process.env, overrides })
    : loadConfig({ file, env: process.env, overrides });
}

async function run(options: ProcessOptions, config: Config, output: LogOutput): Promise<void> {
  const { log } = output;
  const dashboard = config.gateway.dashboard.enabled && process.stdout.isTTY && process.stdin.isTTY;
  const predecessor = Predecessor.of(process);
  const reload = async (): Promise<LoadResult> => {
    const loaded = await load(options);
    if (loaded.ok) output.hide([...secretsOf(config), ...secretsOf(loaded.config)]);
    return loaded;
  };
  const gateway = new Gateway({ config, log: output, dashboard, predecessor, reload });
  try {
    await gateway.start();
  } catch (cause) {
    const error = toError(cause);
    log.fatal({ event: 'start_failed', stack: error.stack }, startAdvice(error, config));
    exit(EXIT.cannotListen);
    return;
  }
  onSignals(gateway, log);
  const watch = options.config === undefined ? undefined : watchConfig(options.config, () => gateway.reload('file'));
  // A change between the first reading and the watch is found by reading once more: no difference costs nothing.
  void watch?.ready.then(() => gateway.reload('start'));
  if (options.pidFile !== undefined) writePid(options.pidFile, log);
  sayReady(gateway, config, log);
  const end = await gateway.ended;
  watch?.close();
  if (end.kind === 'drained') {
    log.info({ event: 'stopped', outcome: end.outcome }, 'stopped');
    exit(end.outcome === 'forced' ? EXIT.forced : EXIT.ok);
    return;
  }
  log.fatal({ event: 'failed' }, `the gateway cannot go on: ${end.reason}`);
  exit(EXIT.failed);
}

/** In one step, so that whoever watches the file never reads half a number. */
function writePid(file: string, log: Logger): void {
  try {
    writeFileSync(`${file}.new`, `${process.pid}\n`);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    log.error({ event: 'pid_file', file }, `the process id could not be written: ${toError(cause).message}`);
  }
}

/** Said at every log level: scripts wait for this line. */
function sayReady(gateway: Gateway, config: Config, log: Logger): void {
  const line = `ready: connect MCP clients to ${gateway.url} (for one upstream alone: ${gateway.url}/s/<name>)`;
  log.child({}, { level: 'info' }).info(
    {
      event: 'ready',
      url: gateway.url,
      adminSocket: gateway.adminSocket,
      upstreams: [...config.servers.keys()],
      pid: process.pid,
    },
    line,
  );
}

/** `npm start` sends on what a terminal has sent to every process of its group: a second time, but not a second word. */
const ECHO_MS = 500;

/** SIGTERM and SIGINT drain, a second one forces; SIGHUP reads the configuration again. */
function onSignals(gateway: Gateway, log: Logger): void {
  const byNpm = process.env['npm_lifecycle_event'] === 'start';
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    if (first === null) {
      first = { signal, at };
      log.info({ event: 'signal', signal }, `${signal}: draining`);
      void gateway.gracefulShutdown();
    } else if (!(byNpm && signal === first.signal && at - first.at < ECHO_MS)) {
      log.info({ event: 'signal', signal }, `${signal} again: stopping at once`);
      void gateway.forceShutdown();
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => gateway.reload('SIGHUP'));
  process.on('unhandledRejection', (cause) => {
    const error = toError(cause);
    log.error({ event: 'defect', stack: error.stack }, `a promise nobody awaited was rejected: ${error.message}`);
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ event: 'defect', stack: error.stack }, `an error outside any actor: ${error.message}`);
    void gateway.forceShutdown().finally(() => exit(EXIT.defect));
  });
}

function startAdvice(error: Error, config: Config): string {
  const { host, port } = config.gateway.listen;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `something listens on ${host}:${port} already: stop it, or choose another port with --port (0 takes a free one)`;
  }
  return error.message;
}

function exit(code: number): void {
  process.exitCode = code;
  // Everything of ours has been stopped; what keeps the loop alive now is a leak, and must not keep the process.
  setImmediate(() => process.exit());
}

await main();
