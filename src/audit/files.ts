/**
 * The files of an audit log: the current one and those that were rotated away, `<path>.<number of its first line>`, in
 * the order of their lines.
 */
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const DIGITS = 12;

/** What a file is renamed to when it is full. */
export function rotatedName(file: string, firstSeq: number): string {
  return `${file}.${String(firstSeq).padStart(DIGITS, '0')}`;
}

/** Rotated files, oldest first; without the current one. */
export async function rotatedFiles(file: string): Promise<string[]> {
  const base = path.basename(file);
  const names = await readdir(path.dirname(file));
  return names
    .filter((name) => name.length === base.length + 1 + DIGITS && name.startsWith(`${base}.`))
    .filter((name) => /^\d+$/.test(name.slice(base.length + 1)))
    .sort()
    .map((name) => path.join(path.dirname(file), name));
}

/** All files of the log, oldest first. */
export async function logFiles(file: string): Promise<string[]> {
  const rotated = await rotatedFiles(file);
  const current = await stat(file).catch(() => undefined);
  return current === undefined ? rotated : [...rotated, file];
}

/** The longest line that is written: events are short. */
const MAX_LINE = 64 * 1024;

export interface FileEnds {
  readonly firstLine: string | undefined;
  /** The last whole line. */
  readonly lastLine: string | undefined;
  /** Bytes up to and with the last line break; what follows is a line that was torn. */
  readonly wholeBytes: number;
  readonly bytes: number;
}

/** The first and last line of a regular file, without reading what is between. */
export async function readEnds(file: string): Promise<FileEnds> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - MAX_LINE);
    const first = await readAt(handle, 0, Math.min(size, MAX_LINE));
    const last = start === 0 ? first : await readAt(handle, start, size - start);
    const end = last.lastIndexOf(0x0a);
    const lines = last.subarray(0, Math.max(0, end)).toString('utf8').split('\n');
    const firstEnd = first.indexOf(0x0a);
    return {
      firstLine: firstEnd < 0 ? undefined : first.subarray(0, firstEnd).toString('utf8'),
      lastLine: end < 0 ? undefined : lines.at(-1),
      wholeBytes: end < 0 ? 0 : start + end + 1,
      bytes: size,
    };
  } finally {
    await handle.close();
  }
}

async function readAt(handle: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
