/** `viable breaker`: the circuit breakers of upstreams and client transports, to be seen and operated. */
import type { Command } from 'commander';
import type { AdminClient } from '../admin/client.js';
import type { BreakerSnapshot } from '../admin/protocol.js';
import { nearMisses } from '../admin/suggest.js';
import { breakerColumns, breakerLines } from '../admin/view/breakers.js';
import { line, span } from '../admin/view/line.js';
import { BREAKER_MARKS, marked } from '../admin/view/marks.js';
import {
  printJson,
  printLines,
  printTable,
  RefusedError,
  withGateway,
  type CliIo,
  type GlobalOptions,
} from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const NAME_HELP = 'name of an upstream, or transport:http, transport:sse, transport:websocket';

const OPERATIONS = [
  { name: 'open', message: 'open', description: 'refuse calls until it is closed or tried again' },
  { name: 'half-open', message: 'half-open', description: 'let one call through as a probe now' },
  { name: 'close', alias: 'reset', message: 'close', description: 'close it and forget its past' },
] as const;

export function addBreaker(program: Command, io: CliIo): void {
  const breaker = program
    .command('breaker')
    .description('circuit breakers: list, show, open, half-open, close')
    .addHelpText(
      'after',
      `\nExamples:\n  viable breaker list\n  viable breaker show github\n  viable breaker open github\n  viable breaker list --json | jq '.[] | select(.state != "closed") | .name'`,
    );
  breaker
    .command('list')
    .description('all breakers: state, why, failures, next probe')
    .option(WATCH_FLAG, WATCH_HELP)
    .action((_, command: Command) =>
      show(io, command.optsWithGlobals<WatchOptions>(), breakers, (rows, paper) =>
        printTable(paper, breakerColumns(Date.now()), rows, 'There are no breakers.'),
      ),
    );
  breaker
    .command('show')
    .description('everything known of one breaker')
    .argument('<name>', NAME_HELP)
    .option(WATCH_FLAG, WATCH_HELP)
    .action((name: string, _, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        (client) => find(client, name),
        (row, paper) => printLines(paper, breakerLines(row, Date.now())),
      ),
    );
  for (const operation of OPERATIONS) {
    const command = breaker
      .command(operation.name)
      .description(operation.description)
      .argument('<name>', NAME_HELP)
      .action((name: string, _, self: Command) => {
        const options = self.optsWithGlobals<GlobalOptions>();
        return withGateway(io, options, (client) => operate(io, options, client, name, operation.message));
      });
    if ('alias' in operation) command.alias(operation.alias);
  }
}

async function operate(
  io: CliIo,
  options: GlobalOptions,
  client: AdminClient,
  name: string,
  message: string,
): Promise<void> {
  const { actor } = await find(client, name);
  const answer = (await client.request('send', { actor, message })) as BreakerSnapshot;
  if (options.json === true) printJson(io, answer);
  else
    printLines(io, [
      line('Breaker ', span(answer.name, 'strong'), ' is ', ...marked(BREAKER_MARKS[answer.state]), '.'),
    ]);
}

async function breakers(client: AdminClient): Promise<readonly BreakerSnapshot[]> {
  return (await client.request('status')).breakers;
}

/** Throws `RefusedError` when there is none of this name. */
async function find(client: AdminClient, name: string): Promise<BreakerSnapshot> {
  const rows = await breakers(client);
  const found = rows.find((row) => row.name === name);
  if (found) return found;
  const near = nearMisses(
    name,
    rows.map((row) => row.name),
  );
  throw new RefusedError('unknown_breaker', `There is no breaker ${name}; \`viable breaker list\` lists them.`, near);
}
