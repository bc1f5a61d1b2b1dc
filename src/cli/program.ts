/**
 * The `viable` command: subcommands, options that all of them take, and the way from an error to words and a code.
 *
 * Free of process globals, so that tests run it in their own process.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { AdminRequestError, NoGatewayError } from '../admin/client.js';
import { span, type Line } from '../admin/view/line.js';
import { paintLine } from '../admin/view/paint.js';
import { addBreaker } from './breaker.js';
import { addAck, addAlarms } from './alarms.js';
import { addAudit } from './audit.js';
import { complete, completionText } from './complete.js';
import { addCompletion } from './completion.js';
import { addConnections } from './connections.js';
import { colorful, RefusedError, UsageError, type CliIo } from './context.js';
import { addClientConfig } from './client-config.js';
import { addDoctor } from './doctor.js';
import { addDrain, addForceShutdown } from './drain.js';
import { EXIT_CODES, EXIT_CODES_HELP } from './exit-codes.js';
import { addFeatures, addSampling } from './features.js';
import { addInit } from './init.js';
import { addKill } from './kill.js';
import { addLogs } from './logs.js';
import { port } from './parse.js';
import { addPolicy } from './policy.js';
import { addRestart } from './restart.js';
import { addSend } from './send.js';
import { addStatus } from './status.js';
import { addStdio } from './stdio.js';
import { addTools } from './tools.js';
import { addToken } from './token.js';
import { addTop } from './top.js';
import { addTree } from './tree.js';
import { addUpgrade } from './upgrade.js';
import { addUpstream } from './upstream.js';
import { addUpstreams } from './upstreams.js';
import { addVsm } from './vsm.js';

const FOOTER = `
The gateway is found by --socket, VIABLE_ADMIN_SOCKET, --port, VIABLE_PORT, port 4000, or as the only one running.
${EXIT_CODES_HELP}

Examples:
  viable status
  viable upstreams --watch
  viable tree --json
  viable drain --wait
  viable top
  viable stdio --server filesystem`;

/** For the scripts of `viable completion`: what follows is a command line, not one of ours. */
const COMPLETE = '__complete';

/** Runs one command line, without the `node viable` before it. Resolves with the exit code; never rejects. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT_CODES.ok;
  const program = buildProgram(io, (childCode) => {
    code = childCode;
  });
  try {
    if (args[0] === COMPLETE) {
      io.stdout.write(completionText(await complete(program, args.slice(args[1] === '--' ? 2 : 1), io)));
      return EXIT_CODES.ok;
    }
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (io.signal.aborted) return EXIT_CODES.interrupted;
    return report(error, io, args.includes('--json'));
  }
}

/** All commands. @param finish takes the exit code of those that have one of their own */
export function buildProgram(io: CliIo, finish: (code: number) => void): Command {
  const program = new Command('viable')
    .description('Speaks to a running Viable gateway, and serves it to MCP clients that start a process.')
    .version(readVersion(), '--version', 'print the version')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', FOOTER)
    .exitOverride();
  addGlobalOptions(program);
  addStatus(program, io);
  addTree(program, io);
  addConnections(program, io);
  addUpstreams(program, io);
  addVsm(program, io);
  addBreaker(program, io);
  addAlarms(program, io);
  addAck(program, io);
  addPolicy(program, io);
  addSend(program, io);
  addKill(program, io);
  addRestart(program, io);
  addDrain(program, io, finish);
  addForceShutdown(program, io);
  addToken(program, io);
  addUpgrade(program, io);
  addInit(program, io);
  addClientConfig(program, io);
  addDoctor(program, io, finish);
  addTop(program, io, finish);
  addLogs(program, io);
  addFeatures(program, io);
  addSampling(program, io);
  addStdio(program, io);
  addAudit(program, io);
  addTools(program, io);
  addUpstream(program, io);
  addCompletion(program, io);
  // Subcommands made by `command()` copy these settings, but not global options: those are accepted anywhere this way.
  for (const command of [...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    addGlobalOptions(command).configureHelp({ showGlobalOptions: false });
  return program;
}

function addGlobalOptions(command: Command): Command {
  return command
    .option('--socket <path>', "the gateway's admin socket")
    .option('--port <number>', 'the port of the gateway, when its socket has the usual name', port(1))
    .option('--json', 'machine-readable output');
}

/** Says what went wrong on stderr, as JSON with `--json`, and answers the exit code. */
function report(error: unknown, io: CliIo, json: boolean): number {
  // commander has already written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  const { code, exitCode } = classify(error);
  const message = error instanceof Error ? error.message : String(error);
  const suggestions = error instanceof AdminRequestError || error instanceof RefusedError ? error.suggestions : [];
  if (json) {
    io.stderr.write(`${JSON.stringify({ error: { code, message, suggestions } })}\n`);
    return exitCode;
  }
  const lines: Line[] = [[span('viable: ', 'bad'), span(message)]];
  if (suggestions.length > 0) lines.push([span(`Did you mean: ${suggestions.join(', ')}?`)]);
  const color = colorful(io.stderr, io.env);
  io.stderr.write(lines.map((spans) => `${paintLine(spans, { color, attributes: color })}\n`).join(''));
  return exitCode;
}

function classify(error: unknown): { readonly code: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { code: 'usage', exitCode: error.exitCode };
  if (error instanceof RefusedError) return { code: error.code, exitCode: error.exitCode };
  if (error instanceof AdminRequestError) return { code: error.code, exitCode: EXIT_CODES.refused };
  if (error instanceof NoGatewayError) return { code: error.code, exitCode: EXIT_CODES.noGateway };
  return { code: 'internal_error', exitCode: EXIT_CODES.defect };
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new Error('package.json has no version');
}
