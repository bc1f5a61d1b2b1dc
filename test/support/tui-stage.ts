/** The terminal dashboard on a stage: a terminal without a terminal before it, a gateway without a gateway behind it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startAdminServer, type AdminServer } from '#src/admin/server.js';
import { startDashboard, type Dashboard } from '#src/tui/app.js';
import { unexpected, withDirectory } from './admin/console.js';
import { FakeGateway } from './admin/fake-gateway.js';
import { FakeTerminal } from './fake-terminal.js';

export interface Stage {
  readonly gateway: FakeGateway;
  readonly socket: string;
  readonly terminal: FakeTerminal;
  readonly dashboard: Dashboard;
  readonly restart: () => Promise<void>;
  readonly halt: () => Promise<void>;
}

/** A dashboard on a fake terminal, in front of a fake gateway on a real socket. */
export function onStage(
  columns: number,
  rows: number,
  work: (stage: Stage) => Promise<void>,
  color = true,
): Promise<void> {
  return withDirectory(async (directory) => {
    const gateway = new FakeGateway();
    const path = join(directory, 'v.sock');
    const open = (): Promise<AdminServer> => startAdminServer({ path, handler: gateway.handler, onError: unexpected });
    let server = await open();
    const terminal = new FakeTerminal(columns, rows);
    const dashboard = startDashboard({
      input: terminal.input,
      output: terminal.output,
      color,
      socket: path,
      intervalMs: 1_000,
      // Frames and retries at once: what is tested is what is drawn, not when.
      schedule: (_, task) => {
        const soon = setImmediate(task);
        return () => clearImmediate(soon);
      },
    });
    const halt = (): Promise<void> => server.close();
    const restart = async (): Promise<void> => {
      server = await open();
    };
    try {
      await work({ gateway, socket: path, terminal, dashboard, restart, halt });
    } finally {
      dashboard.stop();
      await dashboard.done;
      await server.close();
      await rm(path, { force: true });
    }
  });
}
