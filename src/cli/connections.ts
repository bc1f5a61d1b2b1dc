/** `viable connections`: the clients that are connected. */
import type { Command } from 'commander';
import { connectionColumns } from '../admin/view/columns.js';
import { printTable, type CliIo } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

export function addConnections(program: Command, io: CliIo): void {
  program
    .command('connections')
    .description('client connections: transport, client, route, age, messages')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText('after', '\nExamples:\n  viable connections\n  viable connections --json | jq ".[].remote"')
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => client.request('connections'),
        (connections, paper) =>
          printTable(paper, connectionColumns(Date.now()), connections, 'No client is connected.'),
      ),
    );
}
