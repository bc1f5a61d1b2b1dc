/** `viable logs`: the newest log lines, and the ones to come. */
import { Option, type Command } from 'commander';
import { NoGatewayError } from '../admin/client.js';
import { LOG_LEVELS, type LogLevel, type LogLine } from '../admin/protocol.js';
import { logLine } from '../admin/view/logs.js';
import { printLines, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { oneOf, wholeNumber } from './parse.js';

interface LogsOptions extends GlobalOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly level?: LogLevel;
}

const MOST_LINES = 10_000;

export function addLogs(program: Command, io: CliIo): void {
  program
    .command('logs')
    .description('the newest log lines')
    .option('-n, --lines <count>', 'how many', wholeNumber(0, MOST_LINES), 100)
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .addOption(new Option('--level <level>', 'least severe level').choices(LOG_LEVELS).argParser(oneOf(LOG_LEVELS)))
    .addHelpText(
      'after',
      '\nExamples:\n  viable logs -n 20\n  viable logs -f --level warn\n  viable logs --json | jq .event',
    )
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<LogsOptions>();
      return withGateway(io, options, async (client) => {
        const print = (entry: LogLine): void => {
          if (options.json === true) io.stdout.write(`${JSON.stringify(entry)}\n`);
          else printLines(io, [logLine(entry)]);
        };
        const wanted = { lines: options.lines, ...(options.level === undefined ? {} : { level: options.level }) };
        if (options.follow !== true) {
          (await client.request('logs', wanted)).forEach(print);
          return;
        }
        await client.followLogs(wanted, print);
        await new Promise<void>((resolve) => client.onClose(resolve));
        if (!io.signal.aborted) throw new NoGatewayError('connection_lost', 'The gateway closed the connection.');
      });
    });
}
