/** `viable policy mode`: what the gateway admits, and an operator's word on it. */
import { Argument, type Command } from 'commander';
import { clock } from '../admin/view/format.js';
import { line, span, type Tone } from '../admin/view/line.js';
import { printJson, printLines, withGateway, type CliIo, type GlobalOptions } from './context.js';

const MODES = ['normal', 'conserve', 'lockdown'] as const;
const TONES: Readonly<Record<(typeof MODES)[number], Tone>> = { normal: 'ok', conserve: 'warn', lockdown: 'bad' };

/** Below the `policy` command group. */
export function addPolicyMode(policy: Command, io: CliIo): void {
  policy
    .command('mode')
    .description('show or set what is admitted: all, what cannot wait, or nobody new')
    .addArgument(new Argument('[mode]', 'absent: show it').choices(MODES))
    .addHelpText(
      'after',
      '\nExamples:\n  viable policy mode\n  viable policy mode conserve\n  viable policy mode normal',
    )
    .action((mode: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const standing = await client.request('policy-mode', mode === undefined ? {} : { mode });
        if (options.json === true) {
          printJson(io, standing);
          return;
        }
        const { version, since, by, reason } = standing;
        printLines(io, [
          line(
            span(standing.mode, TONES[standing.mode]),
            ` since ${clock(since)}, version ${version}, by ${by}: `,
            reason,
          ),
        ]);
      });
    });
}
