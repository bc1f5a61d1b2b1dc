/**
 * The log: pino, JSON lines on stderr (stdout belongs to nobody), pretty on a terminal, and a ring of the last lines
 * for the consoles. While the terminal dashboard has the screen, lines go to the ring alone.
 */
import { pino, type Logger as PinoLogger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { type LogLine } from '../admin/protocol.js';
import { HIDDEN, redact } from '../protocol/redact.js';
import { stripControl } from '../protocol/text.js';

/** A pino logger. */
export type Logger = PinoLogger;
/** Hears each line as it is written. */
export type LogListener = (line: LogLine) => void;

const RING_SIZE = 2_000;
const STANDARD_FIELDS = new Set(['level', 'time', 'msg', 'event', 'pid', 'hostname']);

/** The last lines, oldest first, and who follows. */
export class LogRing {
  readonly #lines: LogLine[] = [];
  #next = 0;
  readonly #listeners = new Set<LogListener>();

  /** Keeps a line, and tells whoever follows. */
  add(line: LogLine): void {
    if (this.#lines.length < RING_SIZE) this.#lines.push(line);
    else this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % RING_SIZE;
    for (const listener of this.#listeners) listener(line);
  }

  /** The last `count` lines that `wanted` lets through, oldest first. */
  last(count: number, wanted: (line: LogLine) => boolean): LogLine[] {
    const full = this.#lines.length === RING_SIZE;
    const ordered = full ? [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)] : this.#lines;
    return count === 0 ? [] : ordered.filter(wanted).slice(-count); // slice(-0) is everything
  }

  /** Calls `listener` with each line from now on, until the answer is called. */
  follow(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** A log: where to write, and its last lines. */
export interface LogOutput {
  /** Writes. */
  readonly log: Logger;
  /** The last 2,000 lines. */
  readonly ring: LogRing;
  /** Whether lines go to stderr besides the ring. */
  setQuiet(quiet: boolean): void;
  /** Values that no line shows from now on, besides what looks like a credential. */
  hide(secrets: readonly string[]): void;
  /** `text` as a line would show it. */
  redact(text: string): string;
}

/** A log on stderr of this level (`trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent`): JSON lines, or text for people with `pretty`. */
export function createLog(level: string, pretty: boolean): LogOutput {
  const ring = new LogRing();
  let quiet = false;
  let secrets: readonly string[] = [];
  const terminal = pretty
    ? PinoPretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
    : null;
  const clean = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), redact(text));
  const write = (line: string): void => {
    const text = clean(line);
    ring.add(readLine(text));
    if (quiet) return;
    if (terminal) terminal.write(text);
    else process.stderr.write(text);
  };
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.epochTime }, { write });
  return {
    log,
    ring,
    setQuiet: (value) => {
      quiet = value;
    },
    hide: (values) => {
      // As they are, and as they stand in a line of JSON.
      secrets = [...new Set(values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]))];
    },
    redact: clean,
  };
}

function readLine(text: string): LogLine {
  const fields = JSON.parse(text) as Record<string, unknown>;
  const event = fields['event'];
  return {
    at: Number(fields['time']),
    level: pino.levels.labels[Number(fields['level'])] as LogLine['level'],
    event: typeof event === 'string' ? event : null,
    message: stripControl(typeof fields['msg'] === 'string' ? fields['msg'] : '', 2_000),
    fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !STANDARD_FIELDS.has(name))),
  };
}
