/** `viable tools`: what servers offer, whether it is what was pinned, and an operator's word on what changed. */
import type { Command } from 'commander';
import { line, span, type Line, type Tone } from '../admin/view/line.js';
import { type Column } from '../admin/view/table.js';
import { type ToolDifference, type ToolPin } from '../admin/snapshot/tools.js';
import { printJson, printLines, printTable, withGateway, type CliIo, type GlobalOptions } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const EXAMPLES = `
Examples:
  viable tools list
  viable tools list --json | jq '.[] | select(.state == "quarantined")'
  viable tools diff github__create_issue
  viable tools accept github__create_issue
  viable tools lock`;

const TONES: Readonly<Record<ToolPin['state'], Tone>> = { pinned: 'ok', unpinned: 'dim', quarantined: 'bad' };

const COLUMNS: readonly Column<ToolPin>[] = [
  { title: 'TOOL', min: 20, cell: ({ name }) => [span(name)] },
  { title: 'SERVER', rank: 2, cell: ({ server }) => [span(server)] },
  { title: 'STATE', cell: ({ state }) => [span(state, TONES[state])] },
  { title: 'HASH', rank: 1, cell: ({ hash }) => [span(hash.slice(0, 12))] },
  { title: 'PINNED', rank: 3, cell: ({ pinnedHash }) => [span(pinnedHash === null ? '–' : pinnedHash.slice(0, 12))] },
];

export function addTools(program: Command, io: CliIo): void {
  const tools = program
    .command('tools')
    .description('tools and their pins: what changed, and whether it is accepted')
    .addHelpText('after', EXAMPLES);
  tools
    .command('list')
    .description('every tool with the state of its pin')
    .option(WATCH_FLAG, WATCH_HELP)
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => client.request('tools'),
        (list, paper) => printTable(paper, COLUMNS, list, 'No server offers a tool.'),
      ),
    );
  tools
    .command('diff')
    .description('what differs between the pinned definition and the one that is offered')
    .argument('<name>', 'as at /mcp, <server>__<tool>')
    .action((name: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const difference = await client.request('tools-diff', { name });
        if (options.json === true) printJson(io, difference);
        else printLines(io, differenceLines(difference));
      });
    });
  tools
    .command('accept')
    .description('pin the definition that is offered now; ends the quarantine of the tool')
    .argument('<name>', 'as at /mcp, <server>__<tool>')
    .action((name: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const answer = await client.request('tools-accept', { name });
        if (options.json === true) printJson(io, answer);
        else printLines(io, [line('Accepted ', span(name, 'strong'), '.')]);
      });
    });
  tools
    .command('lock')
    .description('pin every tool as it is offered now, and write the file of pins')
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const answer = await client.request('tools-lock');
        if (options.json === true) printJson(io, answer);
        else
          printLines(io, [line(`Locked ${answer.locked} tools in ${answer.file ?? 'memory: no file is configured'}.`)]);
      });
    });
}

function differenceLines({ name, state, differences }: ToolDifference): Line[] {
  if (differences.length === 0) return [line(`${name} is as it is pinned.`)];
  return [
    line(span(name, 'strong'), ' ', span(state, TONES[state])),
    ...differences.flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [[span(`- ${path}: ${before}`, 'bad')]]),
      ...(after === undefined ? [] : [[span(`+ ${path}: ${after}`, 'ok')]]),
    ]),
  ];
}
