/** Reads a configuration file. Every expected failure is a value that names its place; nothing here throws. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { resolveDocument } from './resolve.js';
import { formatOf, readSource, sourceProblem } from './source.js';
import type { ConfigOverrides, ConfigProblem, Environment, LoadResult } from './types.js';

/** No configuration is this long; a device file or a log given by mistake is. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Where a configuration comes from. */
export interface LoadOptions {
  /** JSON (comments and trailing commas allowed) or YAML. */
  readonly file?: string;
  /** What would stand in the file, where there is none: `{ mcpServers, gateway }`. Default: no server, all defaults. */
  readonly document?: unknown;
  /** Variables that `${NAME}` in the configuration and `VIABLE_…` options are read from: `process.env`. */
  readonly env: Environment;
  readonly overrides?: ConfigOverrides;
}

/**
 * The configuration of a file, or all the problems of it at once. Relative paths in the file begin at its folder,
 * a relative `file` at the working directory.
 */
export async function loadConfig({ file, document = {}, env, overrides = {} }: LoadOptions): Promise<LoadResult> {
  if (file === undefined) return resolveDocument(document, { file: null, baseDir: process.cwd(), env, overrides });
  const absolute = path.resolve(file);
  const text = await readText(absolute);
  if (typeof text !== 'string') return { ok: false, problems: [text] };
  const source = readSource(text, formatOf(absolute, text));
  if (source.errors.length > 0) {
    return { ok: false, problems: source.errors.map((error) => sourceProblem(text, error)) };
  }
  return resolveDocument(source.value, {
    file: absolute,
    baseDir: path.dirname(absolute),
    env,
    overrides,
    place: { text, positions: source.positions },
  });
}

async function readText(file: string): Promise<string | ConfigProblem> {
  try {
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) break;
      }
      if (length > MAX_FILE_BYTES) return { path: '', message: 'the file is larger than 4 MiB' };
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error: unknown): ConfigProblem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { path: '', message: 'the file does not exist', suggestion: 'check the path given with `--config`' };
    case 'EACCES':
    case 'EPERM':
      return { path: '', message: 'the file may not be read', suggestion: 'check its permissions' };
    case 'EISDIR':
      return { path: '', message: 'this is a folder', suggestion: 'name the file in it' };
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return { path: '', message: 'the file is not UTF-8 text', suggestion: 'save it as UTF-8' };
    default:
      return { path: '', message: `the file cannot be read (${code})` };
  }
}
