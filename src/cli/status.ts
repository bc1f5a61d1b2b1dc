/** `viable status`: the gateway in one screen. */
import type { Command } from 'commander';
import type { GatewaySnapshot } from '../admin/protocol.js';
import { upstreamColumns } from '../admin/view/columns.js';
import { cutLine, fitLine, line, span, type Line } from '../admin/view/line.js';
import { connectionFacts, phaseLine, processFacts, trafficFacts } from '../admin/view/status.js';
import { layoutTable } from '../admin/view/table.js';
import { outputWidth, printLines, type CliIo } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const NAME_WIDTH = 18;

export function addStatus(program: Command, io: CliIo): void {
  program
    .command('status')
    .description('the gateway in one screen: connections, traffic, upstreams, process')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText('after', '\nExamples:\n  viable status\n  viable status --watch 1\n  viable status --json | jq .phase')
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => client.request('status'),
        (snapshot, paper) => printLines(paper, statusLines(snapshot, outputWidth(paper))),
      ),
    );
}

/** @param width cells of the terminal; `undefined` for no limit */
export function statusLines(snapshot: GatewaySnapshot, width: number | undefined): readonly Line[] {
  const title = line(span(snapshot.name, 'strong'), ` ${snapshot.version}  `);
  const where = line(span(`  ${snapshot.url}`, 'accent'), span(`  ${snapshot.node} pid ${snapshot.pid}`, 'dim'));
  const facts = [connectionFacts(snapshot), trafficFacts(snapshot), processFacts(snapshot)];
  const lines: Line[] = [[...title, ...phaseLine(snapshot), ...where], []];
  for (const group of facts) {
    for (const [name, value] of group) lines.push([...fitLine([span(name, 'dim')], NAME_WIDTH), ...value]);
    lines.push([]);
  }
  if (snapshot.upstreams.length === 0) lines.push([span('No upstreams are configured.', 'dim')]);
  else {
    const table = layoutTable(upstreamColumns(snapshot.takenAt), snapshot.upstreams, width);
    lines.push(table.header, ...table.rows);
  }
  return width === undefined ? lines : lines.map((row) => cutLine(row, width));
}
