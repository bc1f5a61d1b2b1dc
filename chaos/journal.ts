/**
 * What the processes of a chaos run write down, one JSON line each: clients what they sent and got, upstreams what they
 * ran, the run what it broke. Written synchronously, so that a SIGKILL loses nothing that had happened. The checker joins
 * these files afterwards.
 */
import { existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** A client sent a call. `t` is milliseconds since the epoch with fractions, the same clock in every process of a machine. */
export interface Sent {
  readonly e: 'sent';
  readonly nonce: string;
  readonly t: number;
}

/** A client got the answer to a call of its own. */
export interface Answered {
  readonly e: 'answered';
  readonly nonce: string;
  readonly t: number;
  /** `ok`: the nonce came back; `foreign`: somebody else's did; otherwise the error's `data.reason` or code. */
  readonly outcome: string;
  /** Process id of the upstream that answered, for `ok`. */
  readonly by?: number;
}

/** The client's own connection was lost before the answer. */
export interface Cut {
  readonly e: 'cut';
  readonly nonce: string;
  readonly t: number;
}

/** An answer that nobody waits for: to a call that was answered before, or that was never made. */
export interface Unasked {
  readonly e: 'unasked';
  readonly id: string;
  readonly t: number;
}

/** A client was told that the gateway drains, with when to come back (milliseconds). */
export interface Noticed {
  readonly e: 'noticed';
  readonly t: number;
  readonly reconnectAfter: number;
}

/** A client's session was opened. */
export interface Opened {
  readonly e: 'opened';
  readonly t: number;
}

/** An upstream ran a call. */
export interface Ran {
  readonly e: 'ran';
  readonly nonce: string;
  readonly t: number;
}

/** The run broke something. */
export interface Fault {
  readonly e: 'fault';
  readonly t: number;
  readonly what: string;
  /** The process that was hit, where it is one. */
  readonly pid?: number;
}

export type Entry = Sent | Answered | Cut | Unasked | Noticed | Opened | Ran | Fault;

export function now(): number {
  return performance.timeOrigin + performance.now();
}

export class Journal {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

/** Every whole line of a journal; a last line without an end was never finished and never counted. */
export function readJournal(path: string): Entry[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Entry);
}

const PIECE = 1 << 16;

/** A journal that is still being written: each `read` returns what has come since the last. */
export class JournalTail {
  readonly #path: string;
  readonly #piece = Buffer.alloc(PIECE);
  #file: number | undefined;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  read(): Entry[] {
    if (this.#file === undefined) {
      if (!existsSync(this.#path)) return [];
      this.#file = openSync(this.#path, 'r');
    }
    const entries: Entry[] = [];
    for (let size = readSync(this.#file, this.#piece); size > 0; size = readSync(this.#file, this.#piece)) {
      // Journals are ASCII: a piece never ends within a character.
      const lines = (this.#rest + this.#piece.toString('latin1', 0, size)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) entries.push(JSON.parse(line) as Entry);
    }
    return entries;
  }
}
