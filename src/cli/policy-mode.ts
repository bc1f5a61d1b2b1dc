/** `viable policy mode`: what the gateway admits, and an operator's word on it. */
import { Argument, type Command } from 'commander';
import { clock } from '../admin/view/format.js';
import type { PolicySnapshot } from '../admin/snapshot/vsm.js';
import { line, span, type Line, type Tone } from '../admin/view/line.js';
import { printLines, UsageError, type CliIo } from './context.js';
import { oneOf } from './parse.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

const MODES = ['normal', 'conserve', 'lockdown'] as const;
const TONES: Readonly<Record<(typeof MODES)[number], Tone>> = { normal: 'ok', conserve: 'warn', lockdown: 'bad' };

/** Below the `policy` command group. */
export function addPolicyMode(policy: Command, io: CliIo): void {
  policy
    .command('mode')
    .description('show or set what is admitted: all, what cannot wait, or nobody new')
    .addArgument(new Argument('[mode]', 'absent: show it').choices(MODES).argParser(oneOf(MODES)))
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText(
      'after',
      '\nExamples:\n  viable policy mode\n  viable policy mode conserve\n  viable policy mode normal',
    )
    .action((mode: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<WatchOptions>();
      if (mode !== undefined && options.watch !== undefined)
        throw new UsageError('--watch goes with looking, not with setting a mode.');
      return show(
        io,
        options,
        (client) => client.request('policy-mode', mode === undefined ? {} : { mode }),
        (standing, paper) => printLines(paper, [standingLine(standing)]),
      );
    });
}

function standingLine({ mode, since, version, by, reason }: PolicySnapshot): Line {
  return line(span(mode, TONES[mode]), ` since ${clock(since)}, version ${version}, by ${by}: `, reason);
}
