/**
 * One-shot or repeated output of a figure: what `--watch` and `--json` mean for every subcommand that shows some.
 *
 * On a terminal a round takes the place of the one before, elsewhere it follows it; with `--json` each is one line. A
 * gateway that goes away is waited for, and said to be away: a watch outlives a restart.
 */
import { connectAdmin, discoverSocket, NoGatewayError, type AdminClient } from '../admin/client.js';
import { clock } from '../admin/view/format.js';
import { cutLine, line, span, spread, type Line } from '../admin/view/line.js';
import { paintLine } from '../admin/view/paint.js';
import {
  colorful,
  printJson,
  UsageError,
  withGateway,
  type CliIo,
  type GlobalOptions,
  type Output,
} from './context.js';

export interface WatchOptions extends GlobalOptions {
  /** Seconds, or `true` for the default. */
  readonly watch?: string | true;
}

const DEFAULT_SECONDS = 2;
const FASTEST_SECONDS = 0.1;
/** Between two attempts to reach a gateway that is away. */
const RETRY_MS = 500;

export const WATCH_FLAG = '-w, --watch [seconds]';
export const WATCH_HELP = 'repeat every so many seconds (2 by default)';

/**
 * Fetches and shows once, or until interrupted.
 * @param draw writes to the `io` that it is given
 */
export async function show<T>(
  io: CliIo,
  options: WatchOptions,
  fetch: (client: AdminClient) => Promise<T>,
  draw: (value: T, io: CliIo) => void,
): Promise<void> {
  const interval = intervalMs(options.watch);
  if (interval !== undefined) {
    const paper = options.json !== true && io.stdout.isTTY === true ? new Screen(io, interval) : new Roll(io, options);
    await watch(io, options, interval, fetch, draw, paper);
    return;
  }
  const value = await withGateway(io, options, fetch);
  if (options.json === true) printJson(io, value);
  else draw(value, io);
}

/** Where the rounds go. */
interface Paper {
  round<T>(value: T, draw: (value: T, io: CliIo) => void): void;
  /** Said once for each absence. */
  away(since: number, message: string): void;
  end(): void;
}

async function watch<T>(
  io: CliIo,
  options: WatchOptions,
  interval: number,
  fetch: (client: AdminClient) => Promise<T>,
  draw: (value: T, io: CliIo) => void,
  paper: Paper,
): Promise<void> {
  const path = discoverSocket(options, io.env);
  const stopped = (): boolean => io.signal.aborted;
  const link: { met: boolean; awaySince: number | null } = { met: false, awaySince: null };
  try {
    while (!stopped()) {
      try {
        await rounds(io, path, interval, fetch, (value) => {
          link.met = true;
          link.awaySince = null;
          paper.round(value, draw);
        });
      } catch (error) {
        if (stopped()) return;
        if (!link.met || !(error instanceof NoGatewayError)) throw error;
        if (link.awaySince === null) {
          link.awaySince = Date.now();
          paper.away(link.awaySince, error.message);
        }
        await io.sleep(Math.min(interval, RETRY_MS));
      }
    }
  } finally {
    paper.end();
  }
}

/** On one connection, until it is lost or the user has enough. */
async function rounds<T>(
  io: CliIo,
  path: string,
  interval: number,
  fetch: (client: AdminClient) => Promise<T>,
  take: (value: T) => void,
): Promise<void> {
  const client = await connectAdmin(path);
  const stop = (): void => client.close();
  io.signal.addEventListener('abort', stop);
  try {
    while (!io.signal.aborted) {
      take(await fetch(client));
      await io.sleep(interval);
    }
  } finally {
    io.signal.removeEventListener('abort', stop);
    client.close();
  }
}

/** A file, a pipe, or JSON: one round after the other. */
class Roll implements Paper {
  readonly #io: CliIo;
  readonly #json: boolean;

  constructor(io: CliIo, { json }: GlobalOptions) {
    this.#io = io;
    this.#json = json === true;
  }

  round<T>(value: T, draw: (value: T, io: CliIo) => void): void {
    if (this.#json) this.#io.stdout.write(`${JSON.stringify(value)}\n`);
    else draw(value, this.#io);
  }

  away(since: number, message: string): void {
    const text = this.#json
      ? JSON.stringify({ error: { code: 'connection_lost', message, suggestions: [] } })
      : `viable: ${awayText(since)}`;
    this.#io.stderr.write(`${text}\n`);
  }

  end(): void {
    // Nothing is held.
  }
}

/** Home, then clear what is left of each line and below: less flicker than clearing first. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_ALL = '\u001b[2J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** A terminal: each round in the place of the one before, cut to its height. */
class Screen implements Paper {
  readonly #io: CliIo;
  readonly #every: string;
  #last: readonly string[] | null = null;

  constructor(io: CliIo, interval: number) {
    this.#io = io;
    this.#every = `every ${interval / 1_000} s, Ctrl-C ends`;
  }

  round<T>(value: T, draw: (value: T, io: CliIo) => void): void {
    const { stdout } = this.#io;
    if (this.#last === null) stdout.write(HIDE_CURSOR + CLEAR_ALL);
    let text = '';
    const page: Output = { isTTY: true, columns: stdout.columns, write: (part) => (text += part) };
    draw(value, { ...this.#io, stdout: page });
    this.#last = text.replace(/\n$/, '').split('\n');
    this.#paint(spread(line(span(this.#every, 'dim')), line(span(clock(Date.now()), 'dim')), this.#width));
  }

  away(since: number): void {
    this.#paint(cutLine(line(span(`▲ ${awayText(since)}`, 'warn')), this.#width));
  }

  end(): void {
    if (this.#last !== null) this.#io.stdout.write(SHOW_CURSOR);
  }

  get #width(): number {
    return this.#io.stdout.columns ?? 80;
  }

  #paint(head: Line): void {
    const { stdout, env } = this.#io;
    const dress = { color: colorful(stdout, env), attributes: env['TERM'] !== 'dumb' };
    const room = (stdout.rows ?? Infinity) - 3;
    const last = this.#last ?? [];
    const cut = last.length > room;
    const shown = cut ? last.slice(0, Math.max(0, room - 1)) : last;
    const rest = cut ? [paintLine([span(`… ${last.length - shown.length} more lines`, 'dim')], dress)] : [];
    const lines = [paintLine(head, dress), '', ...shown, ...rest];
    stdout.write(`${HOME}${lines.map((each) => `${each}${CLEAR_LINE}\r\n`).join('')}${CLEAR_BELOW}`);
  }
}

function awayText(since: number): string {
  return `The gateway is away since ${clock(since)}; waiting for it to come back.`;
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
