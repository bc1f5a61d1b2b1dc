/**
 * Writes sealed lines to the audit file: appended, whole or not at all, rotated by size. Owns the file handle; every
 * method rejects with the reason when the disk will not, and may be called again later.
 */
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { type ChainHead, checkLine, GENESIS, seal } from './chain.js';
import { readEnds, rotatedFiles, rotatedName } from './files.js';
import { type TimedEvent } from './trail.js';

export interface WriterOptions {
  readonly path: string;
  readonly maxFileBytes: number;
  /** The current file among them. */
  readonly maxFiles: number;
  readonly key: string | null;
}

export class AuditWriter {
  readonly #options: WriterOptions;
  #handle: FileHandle | null = null;
  #inode = 0;
  /** Of a device or pipe nothing can be read back, renamed or cut. */
  #regular = true;
  /** Bytes of whole lines. */
  #size = 0;
  #firstSeq = 1;
  #head: ChainHead = GENESIS;
  /** Bytes of a torn line that were cut off when the file was opened; 0 once asked. */
  #cut = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get head(): ChainHead {
    return this.#head;
  }

  /** Opens the file, if it is not open, and goes on with the chain that is in it. */
  async open(): Promise<void> {
    if (this.#handle && (await this.#isCurrent(this.#handle))) return;
    await this.close();
    const { path } = this.#options;
    const handle = await open(path, 'a', 0o600);
    try {
      const status = await handle.stat();
      this.#regular = status.isFile();
      this.#inode = status.ino;
      this.#size = 0;
      if (this.#regular) await this.#continue(handle);
      this.#handle = handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes of a torn line that were cut off; asked once. */
  takeCut(): number {
    const cut = this.#cut;
    this.#cut = 0;
    return cut;
  }

  /** Appends the events. On rejection none of them is in the file. */
  async append(events: readonly TimedEvent[]): Promise<void> {
    await this.open();
    const handle = this.#handle;
    if (!handle) throw new Error('the audit file is not open');
    if (this.#size >= this.#options.maxFileBytes) return this.#rotate(events);
    let head = this.#head;
    let text = '';
    for (const event of events) {
      const sealed = seal(head, event, this.#options.key);
      head = sealed.head;
      text += `${sealed.line}\n`;
    }
    const bytes = Buffer.from(text);
    try {
      await handle.appendFile(bytes);
    } catch (error) {
      // A full disk may have taken a part.
      if (this.#regular) await handle.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    if (this.#size === 0) this.#firstSeq = this.#head.seq + 1;
    this.#size += bytes.length;
    this.#head = head;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** Takes up the chain where the file ends, unless the file ends before what this writer has written: that is no end of ours. */
  async #continue(handle: FileHandle): Promise<void> {
    const { path, key } = this.#options;
    const ends = await readEnds(path);
    if (ends.wholeBytes < ends.bytes) {
      await handle.truncate(ends.wholeBytes);
      this.#cut += ends.bytes - ends.wholeBytes;
    }
    this.#size = ends.wholeBytes;
    const last = ends.lastLine ?? (await this.#lastOfRotated());
    const found = last === undefined ? undefined : checkLine(last, key);
    if (found?.ok === true && found.head.seq > this.#head.seq) this.#head = found.head;
    const first = ends.firstLine === undefined ? undefined : checkLine(ends.firstLine, key);
    this.#firstSeq = first?.ok === true ? first.head.seq : this.#head.seq + 1;
  }

  async #lastOfRotated(): Promise<string | undefined> {
    const newest = (await rotatedFiles(this.#options.path)).at(-1);
    return newest === undefined ? undefined : (await readEnds(newest)).lastLine;
  }

  /** Whether the path still leads to the open file, as far as this writer has written it. */
  async #isCurrent(handle: FileHandle): Promise<boolean> {
    if (!this.#regular) return true;
    const named = await stat(this.#options.path).catch(() => undefined);
    if (named?.ino !== this.#inode) return false;
    return (await handle.stat()).size === this.#size;
  }

  async #rotate(events: readonly TimedEvent[]): Promise<void> {
    const { path, maxFiles } = this.#options;
    if (!this.#regular) {
      this.#size = 0;
      return this.append(events);
    }
    await this.close();
    await rename(path, rotatedName(path, this.#firstSeq));
    const rotated = await rotatedFiles(path);
    for (const old of rotated.slice(0, Math.max(0, rotated.length - (maxFiles - 1)))) await unlink(old);
    return this.append(events);
  }
}
