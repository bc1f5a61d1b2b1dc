/** `viable restart`: starts an actor that was stopped for good. */
import type { Command } from 'commander';
import { line, span } from '../admin/view/line.js';
import { resolveActor } from './actors.js';
import { printJson, printLines, withGateway, type CliIo, type GlobalOptions } from './context.js';

export function addRestart(program: Command, io: CliIo): void {
  program
    .command('restart')
    .description('start an actor that `viable kill --for-good` has stopped')
    .argument('<actor>', 'a path, a unique id, or the end of a path')
    .addHelpText('after', '\nExamples:\n  viable restart /viability/policy\n  viable restart coordination')
    .action((actor: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      return withGateway(io, options, async (client) => {
        const answer = await client.request('restart', { actor: await resolveActor(client, actor) });
        if (options.json === true) printJson(io, answer);
        else printLines(io, [line('Started ', span(answer.restarted, 'strong'), '.')]);
      });
    });
}
