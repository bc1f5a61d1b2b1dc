/** Folders that are written to, files that only their owner should read. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/index.js';
import { fail, ok, warning, type Finding } from './check.js';

/** The system's code of an error, or what it says. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** Why nothing can be made in the folder; `undefined` when it can. */
export async function folderTrouble(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return 'is no folder';
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? 'does not exist' : `may not be written by this user (${code})`;
  }
}

/** A finding when others than the owner may read the file; none when it does not exist. */
export async function modeFinding(file: string, what: string): Promise<readonly Finding[]> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || process.platform === 'win32') return [];
  const others = found.mode & 0o077;
  if (others === 0) return [];
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  return [warning(`${what} in ${file} can be read by others (mode ${mode})`, `chmod 600 ${file}`)];
}

export async function auditFindings({ gateway }: Config): Promise<readonly Finding[]> {
  const { path: file, maxFileBytes, maxFiles } = gateway.audit;
  if (file === null) return [];
  const folder = path.dirname(file);
  const trouble = await folderTrouble(folder);
  if (trouble !== undefined) return [fail(`${folder} ${trouble}`, 'make it, for the user that the gateway runs as')];
  const writable = await access(file, constants.W_OK).then(
    () => true,
    (error: unknown) => codeOf(error) === 'ENOENT',
  );
  if (!writable)
    return [fail(`${file} may not be written by this user`, 'give it to the user that the gateway runs as')];
  const { bavail, bsize } = await statfs(folder);
  const [free, wanted] = [bavail * bsize, maxFileBytes * maxFiles];
  const words = `${mib(free)} MiB free for up to ${mib(wanted)} MiB`;
  if (free < wanted)
    return [warning(`${folder}: ${words}`, 'free space, or lower gateway.audit.maxFiles or maxFileBytes')];
  return [ok(`${file} can be written, ${words}`), ...(await modeFinding(file, 'the audit log'))];
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}
