/**
 * Entry of the terminal dashboard, a process of its own: `node dist/tui/main.js [--socket PATH] [--interval MS]`.
 *
 * Started by hand, by `viable top`, or by the gateway (`VIABLE_EMBEDDED=1`), in which case it ends with its parent.
 * Exit codes: 0 after q or SIGTERM, 2 wrong usage or no fit terminal, 3 several gateways to choose from, 130 Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { discoverSocket } from '#src/admin/client.js';
import { startDashboard } from './app.js';

const EXIT = { usage: 2, noGateway: 3 } as const;
const FASTEST_MS = 50;
const SLOWEST_MS = 3_600_000;

function fail(code: number, message: string): never {
  process.stderr.write(`viable: ${message}\n`);
  process.exit(code);
}

function readOptions(): { readonly socket: string | undefined; readonly intervalMs: number } {
  try {
    const { values } = parseArgs({ options: { socket: { type: 'string' }, interval: { type: 'string' } } });
    const intervalMs = Number(values.interval ?? 1_000);
    if (!Number.isInteger(intervalMs) || intervalMs < FASTEST_MS || intervalMs > SLOWEST_MS) {
      fail(EXIT.usage, `--interval takes milliseconds, ${FASTEST_MS} to ${SLOWEST_MS}.`);
    }
    return { socket: values.socket, intervalMs };
  } catch (error) {
    fail(
      EXIT.usage,
      `${error instanceof Error ? error.message : String(error)} (options: --socket PATH --interval MS)`,
    );
  }
}

function findSocket(socket: string | undefined): string {
  try {
    return discoverSocket({ socket });
  } catch (error) {
    fail(EXIT.noGateway, error instanceof Error ? error.message : String(error));
  }
}

const { socket, intervalMs } = readOptions();
if (!process.stdin.isTTY || !process.stdout.isTTY) {
  fail(EXIT.usage, 'the dashboard needs a terminal; use `viable status --watch` or `--json` in pipes.');
}
if (process.env['TERM'] === undefined || process.env['TERM'] === '' || process.env['TERM'] === 'dumb') {
  fail(
    EXIT.usage,
    'this terminal (TERM=dumb) cannot place text; use `viable status --watch`, or set TERM=xterm-256color.',
  );
}

const parent = process.ppid;
const embedded = process.env['VIABLE_EMBEDDED'] === '1';
const dashboard = startDashboard({
  input: process.stdin,
  output: process.stdout,
  color: (process.env['NO_COLOR'] ?? '') === '',
  socket: findSocket(socket),
  intervalMs,
  // A gateway that was killed takes its dashboard along; the terminal belongs to the shell again.
  onLost: () => embedded && process.ppid !== parent,
});
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => dashboard.stop());
// The terminal was closed: there is nobody left to draw for.
process.stdin.on('error', () => dashboard.stop());
process.stdout.on('error', () => process.exit(0));
process.exitCode = await dashboard.done;
process.exit();
