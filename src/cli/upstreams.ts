/** `viable upstreams`: the MCP servers behind the gateway. */
import type { Command } from 'commander';
import { upstreamColumns } from '../admin/view/columns.js';
import { printTable, type CliIo } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

export function addUpstreams(program: Command, io: CliIo): void {
  program
    .command('upstreams')
    .description('upstream MCP servers: state, breaker, tools, calls, failures, last error')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText(
      'after',
      `\nExamples:\n  viable upstreams\n  viable upstreams --json | jq '.[] | select(.state != "ready") | .name'`,
    )
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => client.request('upstreams'),
        (upstreams, paper) => printTable(paper, upstreamColumns(Date.now()), upstreams, 'No upstreams are configured.'),
      ),
    );
}
