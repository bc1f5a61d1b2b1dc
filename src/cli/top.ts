/** `viable top`: the terminal dashboard, in a process of its own on this terminal. */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { discoverSocket } from '../admin/client.js';
import type { CliIo, GlobalOptions } from './context.js';
import { show } from './watch.js';

interface TopOptions extends GlobalOptions {
  readonly interval?: string;
}

const DASHBOARD = fileURLToPath(new URL('../tui/main.js', import.meta.url));

/** @param finish takes the dashboard's exit code */
export function addTop(program: Command, io: CliIo, finish: (code: number) => void): void {
  program
    .command('top')
    .description('the terminal dashboard')
    .option('--interval <ms>', 'refresh interval in milliseconds (1000 by default)')
    .addHelpText(
      'after',
      '\nExamples:\n  viable top\n  viable top --interval 250\n\nPress ? in the dashboard for its keys.',
    )
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<TopOptions>();
      // For scripts: what the dashboard would draw, as JSON.
      if (options.json === true) {
        await show(
          io,
          options,
          (client) => client.request('status'),
          () => undefined,
        );
        return;
      }
      const interval = options.interval === undefined ? [] : ['--interval', options.interval];
      finish(await io.run(process.execPath, [DASHBOARD, '--socket', discoverSocket(options, io.env), ...interval]));
    });
}
