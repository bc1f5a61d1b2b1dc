/** `viable tree`: the live supervision tree. */
import type { Command } from 'commander';
import { treeColumns } from '../admin/view/columns.js';
import { treeRows } from '../admin/view/tree.js';
import { printTable, type CliIo } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

interface TreeOptions extends WatchOptions {
  readonly filter?: string;
}

export function addTree(program: Command, io: CliIo): void {
  program
    .command('tree')
    .description('the live supervision tree: state, restarts, mailbox depth, last fault')
    .option('--filter <text>', 'only actors whose id, state or fault contains it, and their supervisors')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText(
      'after',
      '\nExamples:\n  viable tree\n  viable tree --filter failed\n  viable tree --json | jq .children',
    )
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<TreeOptions>();
      return show(
        io,
        options,
        async (client) => (options.json === true ? client.request('tree') : client.request('status')),
        (answer, paper) => {
          // People get ages, and only the whole snapshot says at what instant it was taken.
          if (!('tree' in answer)) return;
          const rows = treeRows(answer.tree, options.filter);
          printTable(paper, treeColumns(answer.takenAt), rows, 'No actor matches.');
        },
      );
    });
}
