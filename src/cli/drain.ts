/** `viable drain` and `viable force-shutdown`: take the gateway, or a part of it, out of service. */
import type { Command } from 'commander';
import type { AdminClient } from '../admin/client.js';
import type { DrainSnapshot, DrainTarget } from '../admin/protocol.js';
import { drainLine } from '../admin/view/drains.js';
import { line, span } from '../admin/view/line.js';
import { EXIT_CODES } from './exit-codes.js';
import { printJson, printLines, UsageError, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { DrainMeter } from './drain-meter.js';
import { milliseconds } from './parse.js';

interface DrainOptions extends GlobalOptions {
  readonly timeout?: number;
  readonly grace?: number;
  readonly upstream?: string;
  readonly session?: string;
  readonly principal?: string;
  readonly listener?: string;
  readonly wait?: boolean;
  readonly cancel?: boolean;
}

const EXAMPLES = `
Times are milliseconds, or have a unit: 500ms, 30s, 2m.
With --wait the exit code is ${EXIT_CODES.ok} when everything finished and ${EXIT_CODES.unfinished} when it did not.

Examples:
  viable drain --wait
  viable drain --timeout 60s --grace 10s
  viable drain --upstream github --wait
  viable drain --upstream github --cancel
  viable drain --principal alice`;

/** @param finish takes the exit code */
export function addDrain(program: Command, io: CliIo, finish: (code: number) => void): void {
  program
    .command('drain')
    .description('take the gateway, or a part of it, out of service without losing work')
    .option('--timeout <time>', 'the longest wait for work in flight', milliseconds)
    .option('--grace <time>', 'first answer /readyz with 503 for this long, while accepting', milliseconds)
    .option('--upstream <name>', 'this server alone: its tools leave the lists, its calls finish, then it is disabled')
    .option('--session <id>', 'this client session alone')
    .option('--principal <subject>', 'all sessions of this subject')
    .option('--listener <id>', 'this listening socket, and what is connected by it')
    .option('--wait', 'show the progress until it has ended')
    .option('--cancel', 'call it off, or take an upstream or listener into service again')
    .addHelpText('after', EXAMPLES)
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<DrainOptions>();
      const target = targetOf(options);
      await withGateway(io, options, async (client) => {
        if (options.cancel === true) print(io, options, await client.request('cancel-drain', { target }));
        else finish(await begin(io, options, target, client));
      });
    });
}

export function addForceShutdown(program: Command, io: CliIo): void {
  program
    .command('force-shutdown')
    .description('stop the gateway at once; what is in flight is answered with an error')
    .addHelpText('after', '\nExamples:\n  viable force-shutdown')
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const answer = await client.request('force-shutdown');
        if (options.json === true) printJson(io, answer);
        else printLines(io, [line(span('The gateway stops.', 'strong'))]);
      });
    });
}

async function begin(io: CliIo, options: DrainOptions, target: DrainTarget, client: AdminClient): Promise<number> {
  const { timeout, grace } = options;
  const params = {
    target,
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(grace !== undefined && { graceMs: grace }),
  };
  if (options.wait !== true) {
    print(io, options, await client.request('drain', params));
    return EXIT_CODES.ok;
  }
  const meter = new DrainMeter(io, options.json === true);
  try {
    return exitCodeOf(await client.drain(params, (snapshot) => meter.show(snapshot)));
  } finally {
    meter.stop();
  }
}

/** A gateway that has stopped cannot say so: its last word is that it closes, with the outcome. */
function exitCodeOf({ outcome }: DrainSnapshot): number {
  return outcome === 'completed' ? EXIT_CODES.ok : EXIT_CODES.unfinished;
}

function print(io: CliIo, options: GlobalOptions, snapshot: DrainSnapshot): void {
  if (options.json === true) printJson(io, snapshot);
  else printLines(io, [drainLine(snapshot, Date.now())]);
}

function targetOf({ upstream, session, principal, listener }: DrainOptions): DrainTarget {
  const named: DrainTarget[] = [];
  if (upstream !== undefined) named.push({ kind: 'upstream', name: upstream });
  if (session !== undefined) named.push({ kind: 'session', id: session });
  if (principal !== undefined) named.push({ kind: 'principal', subject: principal });
  if (listener !== undefined) named.push({ kind: 'listener', id: listener });
  if (named.length > 1) throw new UsageError('Name one of --upstream, --session, --principal and --listener.');
  return named[0] ?? { kind: 'gateway' };
}
