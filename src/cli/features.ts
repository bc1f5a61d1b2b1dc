/** `viable features` and `viable sampling`: what is switched on, what it costs, and switching it. */
import { Argument, InvalidArgumentError, type Command } from 'commander';
import { line, span } from '../admin/view/line.js';
import { FEATURE_NAMES, type FeatureSnapshot } from '../admin/snapshot/features.js';
import { type Column } from '../admin/view/table.js';
import { printLines, printTable, UsageError, type CliIo } from './context.js';
import { oneOf } from './parse.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const ACTIONS = ['enable', 'disable'];

interface FeatureOptions extends WatchOptions {
  readonly seconds?: number;
}

export function addFeatures(program: Command, io: CliIo): void {
  program
    .command('features')
    .description('what is switched on and what it costs; switch it, at once')
    .addArgument(new Argument('[action]', 'absent: show all').choices(ACTIONS).argParser(oneOf(ACTIONS)))
    .addArgument(new Argument('[name]', 'the feature').choices(FEATURE_NAMES).argParser(oneOf(FEATURE_NAMES)))
    .option('--seconds <number>', 'how long CPU is measured (default 1)', seconds)
    .addHelpText(
      'after',
      '\nExamples:\n  viable features\n  viable features --seconds 10\n  viable features disable dashboard\n  viable features enable tracing',
    )
    .option(WATCH_FLAG, WATCH_HELP)
    .action((action: string | undefined, name: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<FeatureOptions>();
      if (action !== undefined && options.watch !== undefined)
        throw new UsageError('--watch goes with looking, not with switching.');
      const params = action === undefined ? windowOf(options) : { action, ...(name !== undefined && { name }) };
      return show(
        io,
        options,
        (client) => client.request('features', params),
        (features, paper) => printTable(paper, COLUMNS, features, 'No feature can be switched.'),
      );
    });
}

export function addSampling(program: Command, io: CliIo): void {
  program
    .command('sampling')
    .description('show or set the share of the traces that is recorded')
    .argument('[rate]', '0 to 1; absent: show it', rate)
    .addHelpText('after', '\nExamples:\n  viable sampling\n  viable sampling 0.001\n  viable sampling 1')
    .option(WATCH_FLAG, WATCH_HELP)
    .action((wanted: number | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<WatchOptions>();
      if (wanted !== undefined && options.watch !== undefined)
        throw new UsageError('--watch goes with looking, not with setting a rate.');
      return show(
        io,
        options,
        (client) => client.request('sampling', wanted === undefined ? {} : { rate: wanted }),
        (state, paper) => {
          const of = state.tracing ? span('traced', 'ok') : span('nothing is traced now', 'dim');
          const share = span(`${+(state.samplingRate * 100).toPrecision(6)} %`, 'strong');
          printLines(paper, [line(share, ' of the requests: ', of)]);
        },
      );
    });
}

const COLUMNS: readonly Column<FeatureSnapshot>[] = [
  { title: 'FEATURE', cell: ({ name }) => [span(name, 'strong')] },
  { title: 'STATE', cell: ({ enabled }) => [enabled ? span('on', 'ok') : span('off', 'dim')] },
  { title: 'ACTIVE', rank: 1, cell: ({ active }) => [span(active === null ? '–' : active ? 'yes' : 'no')] },
  { title: 'CPU %', align: 'right', cell: ({ cpuPercent }) => [span(figure(cpuPercent, 2))] },
  { title: 'MEMORY MB', align: 'right', cell: ({ memoryMb }) => [span(figure(memoryMb, 2))] },
  { title: 'SPANS/S', align: 'right', rank: 3, cell: ({ spansPerSecond }) => [span(figure(spansPerSecond, 0))] },
  { title: 'CACHE HITS', align: 'right', rank: 2, cell: ({ cacheHits }) => [span(figure(cacheHits, 2))] },
];

function figure(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

function windowOf({ seconds: given }: FeatureOptions): { windowMs?: number } {
  return given === undefined ? {} : { windowMs: Math.round(given * 1_000) };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 60)) throw new InvalidArgumentError('0 to 60.');
  return value;
}

function rate(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('a rate is 0 to 1.');
  return value;
}
