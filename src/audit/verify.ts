/** Reads the files of an audit log from the first line to the last and says whether, and where, the chain breaks. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { checkLine, type ChainHead, follows } from './chain.js';
import { logFiles } from './files.js';

export interface Verification {
  readonly ok: boolean;
  readonly files: number;
  readonly records: number;
  /** Number of the first line; more than 1 when older files were removed. `null` without a line. */
  readonly first: number | null;
  /** The last good line. Keep its hash elsewhere: the chain cannot see that lines are missing at its end. */
  readonly head: ChainHead | null;
  /** Where the chain breaks first. */
  /** Whether the hash that was asked for is in the log; `null` when none was. */
  readonly expected: boolean | null;
  readonly broken: { readonly file: string; readonly line: number; readonly why: string } | null;
}

/** Rejects when the files cannot be read. */
export async function verifyLog(file: string, key: string | null, expect?: string): Promise<Verification> {
  const files = await logFiles(file);
  let head: ChainHead | null = null;
  let first: number | null = null;
  let records = 0;
  let expected = expect === undefined ? null : false;
  for (const [index, name] of files.entries()) {
    let line = 0;
    for await (const text of linesOf(name)) {
      line += 1;
      const checked = checkLine(text, key);
      const why: string | undefined = checked.ok ? (head === null ? undefined : follows(head, checked)) : checked.why;
      if (!checked.ok || why !== undefined) {
        const broken = { file: name, line, why: why ?? '' };
        return { ok: false, files: index + 1, records, first, head, expected, broken };
      }
      head = checked.head;
      first ??= checked.head.seq;
      records += 1;
      if (checked.head.hash === expect) expected = true;
    }
  }
  return { ok: true, files: files.length, records, first, head, expected, broken: null };
}

/** The last `count` lines, oldest first, as objects; a line that is no JSON is left out. */
export async function lastRecords(file: string, count: number): Promise<Record<string, unknown>[]> {
  let last: string[] = [];
  for (const name of await logFiles(file)) {
    for await (const text of linesOf(name)) {
      last.push(text);
      if (last.length >= 2 * count + 1_024) last = last.slice(-count);
    }
  }
  return last.slice(-count).flatMap((text) => {
    try {
      return [JSON.parse(text) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
}
