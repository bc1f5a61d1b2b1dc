/** One-shot or repeated output of a figure: what `--watch` and `--json` mean for every subcommand that shows some. */
import type { AdminClient } from '../admin/client.js';
import { printJson, UsageError, withGateway, type CliIo, type GlobalOptions } from './context.js';

export interface WatchOptions extends GlobalOptions {
  /** Seconds, or `true` for the default. */
  readonly watch?: string | true;
}

const DEFAULT_SECONDS = 2;
const FASTEST_SECONDS = 0.1;
/** Home, then clear to the end: less flicker than clearing first. */
const HOME = '\u001b[H';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_ALL = '\u001b[2J';

export const WATCH_FLAG = '-w, --watch [seconds]';
export const WATCH_HELP = 'repeat every so many seconds (2 by default)';

/** Fetches and shows once, or until interrupted. With `--json` each round is one line. */
export async function show<T>(
  io: CliIo,
  options: WatchOptions,
  fetch: (client: AdminClient) => Promise<T>,
  draw: (value: T) => void,
): Promise<void> {
  const interval = intervalMs(options.watch);
  await withGateway(io, options, async (client) => {
    const redraw = interval !== undefined && options.json !== true && io.stdout.isTTY === true;
    if (redraw) io.stdout.write(CLEAR_ALL);
    do {
      const value = await fetch(client);
      if (options.json === true) {
        if (interval === undefined) printJson(io, value);
        else io.stdout.write(`${JSON.stringify(value)}\n`);
      } else {
        if (redraw) io.stdout.write(HOME);
        draw(value);
        if (redraw) io.stdout.write(CLEAR_BELOW);
      }
      if (interval !== undefined) await io.sleep(interval);
    } while (interval !== undefined && !io.signal.aborted);
  });
}

function intervalMs(watch: string | true | undefined): number | undefined {
  if (watch === undefined) return undefined;
  if (watch === true) return DEFAULT_SECONDS * 1_000;
  const seconds = Number(watch);
  if (!Number.isFinite(seconds) || seconds < FASTEST_SECONDS) {
    throw new UsageError(`--watch takes seconds, ${FASTEST_SECONDS} or more; ${JSON.stringify(watch)} is none.`);
  }
  return seconds * 1_000;
}
