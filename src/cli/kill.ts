/** `viable kill`: ends one actor, which its supervisor restarts as its restart type says. */
import type { Command } from 'commander';
import { line, span } from '../admin/view/line.js';
import { resolveActor } from './actors.js';
import { printJson, printLines, withGateway, type CliIo, type GlobalOptions } from './context.js';

export function addKill(program: Command, io: CliIo): void {
  program
    .command('kill')
    .description('end an actor; its supervisor restarts it as its restart type says')
    .argument('<actor>', 'a path, a unique id, or the end of a path')
    .option('--for-good', 'it is not restarted, until its supervisor is or `viable restart`')
    .addHelpText(
      'after',
      '\nExamples:\n  viable kill upstream:memory\n  viable kill /operations/provisioning/upstreams/upstream:memory',
    )
    .action((actor: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { readonly forGood?: true }>();
      return withGateway(io, options, async (client) => {
        const answer = await client.request('kill', {
          actor: await resolveActor(client, actor),
          ...(options.forGood === true && { forGood: true }),
        });
        if (options.json === true) printJson(io, answer);
        else printLines(io, [line('Killed ', span(answer.killed, 'strong'), '.')]);
      });
    });
}
