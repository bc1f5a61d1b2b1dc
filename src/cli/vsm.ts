/** `viable vsm`: the figures of S1 to S5, what S3 has granted, what S3* has found and S4 has noticed. */
import type { Command } from 'commander';
import { line, span, type Line } from '../admin/view/line.js';
import {
  EVENT_COLUMNS,
  FINDING_COLUMNS,
  leaseColumns,
  VIABILITY_COLUMNS,
  viabilityRows,
} from '../admin/view/viability.js';
import { printLines, printTable, type CliIo } from './context.js';
import { show, WATCH_FLAG, WATCH_HELP, type WatchOptions } from './watch.js';

export function addVsm(program: Command, io: CliIo): void {
  program
    .command('vsm')
    .description('the viable system: figures of S1 to S5, leases, findings of audits, events outside')
    .option(WATCH_FLAG, WATCH_HELP)
    .addHelpText('after', '\nExamples:\n  viable vsm\n  viable vsm --watch\n  viable vsm --json | jq .audit.findings')
    .action((_, command: Command) =>
      show(
        io,
        command.optsWithGlobals<WatchOptions>(),
        async (client) => (await client.request('status')).vsm,
        (vsm, paper) => {
          const { policy, control, audit, intelligence } = vsm;
          printTable(paper, VIABILITY_COLUMNS, viabilityRows(vsm), '');
          printLines(paper, [
            [],
            line(
              span('S5 policy  ', 'dim'),
              span(policy.mode, policy.mode === 'normal' ? 'ok' : 'warn'),
              `, ${policy.reason}`,
            ),
          ]);
          printLines(paper, title('S3 leases'));
          printTable(paper, leaseColumns(Date.now()), control.leases, 'No lease yet.');
          printLines(paper, title('S3* findings'));
          printTable(paper, FINDING_COLUMNS, audit.findings, 'No audit yet.');
          printLines(paper, title('S4 events'));
          printTable(paper, EVENT_COLUMNS, intelligence.recent, 'Nothing out of the ordinary.');
        },
      ),
    );
}

function title(text: string): readonly Line[] {
  return [[], line(span(text, 'strong'))];
}
