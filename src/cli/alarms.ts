/** `viable alarms` and `viable ack`: what hurts, and taking note of it. */
import { InvalidArgumentError, type Command } from 'commander';
import { alarmColumns, lastResortColumns, pastSignalColumns } from '../admin/view/alarms.js';
import { line, span } from '../admin/view/line.js';
import { printJson, printLines, printTable, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

interface AlarmOptions extends WatchOptions {
  readonly history?: true;
}

export function addAlarms(program: Command, io: CliIo): void {
  program
    .command('alarms')
    .description('algedonic alarms: severity, source, age, who has them, who took note')
    .option('--history', 'those of the past, and pleasures')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText(
      'after',
      `\nExamples:\n  viable alarms\n  viable alarms --history\n  viable alarms --json | jq '.active[] | select(.severity == "critical") | .message'`,
    )
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<AlarmOptions>();
      return show(
        io,
        options,
        (client) => client.request('alarms'),
        ({ active, history, lastResort }, paper) => {
          const now = Date.now();
          if (options.history === true) {
            printTable(paper, pastSignalColumns(now), history, 'No alarm is over, and there was no pleasure.');
            return;
          }
          printTable(paper, alarmColumns(now), active, 'No alarm.');
          if (lastResort.length === 0) return;
          printLines(paper, [[], line(span('Said by last resort, for nobody was there to decide:', 'bad'))]);
          printTable(paper, lastResortColumns(now), lastResort, '');
        },
      );
    });
}

export function addAck(program: Command, io: CliIo): void {
  program
    .command('ack')
    .description('take note of an alarm; it goes on rising while it still hurts')
    .argument('<id>', 'the number that `viable alarms` shows', alarmId)
    .addHelpText('after', '\nExamples:\n  viable ack 7')
    .action((id: number, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const alarm = await client.request('ack', { id });
        if (options.json === true) printJson(io, alarm);
        else printLines(io, [line('Noted: ', span(`${alarm.source} ${alarm.index}`, 'strong'), `, ${alarm.message}.`)]);
      });
    });
}

function alarmId(text: string): number {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1) throw new InvalidArgumentError('an alarm has a number.');
  return id;
}
