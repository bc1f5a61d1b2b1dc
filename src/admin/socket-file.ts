/**
 * The admin socket as a file: taken safely, given back safely.
 *
 * The socket is bound inside a fresh directory of mode 0700, set to 0600, and only then linked to its public name, so
 * that no other user can connect at any moment, whatever the umask. A socket left by a dead process is removed; one
 * that answers is never touched, nor is a file that is no socket.
 */
import { chmod, link, lstat, mkdtemp, rename, rm, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** Longest path the kernel takes for a Unix socket: 108 bytes with the final NUL on Linux, 104 on macOS. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

export type AdminSocketFault =
  | 'socket_in_use' // another live process listens there
  | 'socket_path_too_long'
  | 'socket_path_taken' // a file that is no socket
  | 'socket_unavailable'; // no such directory, no permission, …

/** The admin socket cannot be opened; the message says what to do. */
export class AdminSocketError extends Error {
  override readonly name = 'AdminSocketError';
  readonly code: AdminSocketFault;
  readonly path: string;

  constructor(code: AdminSocketFault, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

/**
 * Makes `server` listen on `path`. Resolves with a function that removes the file if it is still ours.
 * @param takeOver whether a socket that is in use is replaced, in one step: at every moment one of the two is there
 */
export async function listenOnSocket(server: Server, path: string, takeOver = false): Promise<() => Promise<void>> {
  try {
    return await bind(server, path, takeOver);
  } catch (error) {
    if (error instanceof AdminSocketError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminSocketError('socket_unavailable', path, `Cannot open the admin socket ${path}: ${reason}.`, {
      cause: error,
    });
  }
}

async function bind(server: Server, path: string, takeOver: boolean): Promise<() => Promise<void>> {
  await removeStale(path, takeOver);
  const privateDirectory = await mkdtemp(join(dirname(path), '.v-'));
  try {
    const hidden = join(privateDirectory, 's');
    if (Buffer.byteLength(hidden) > LONGEST_PATH || Buffer.byteLength(path) > LONGEST_PATH) {
      const message = `The socket path ${path} is too long for this system; choose a shorter one with --admin-socket.`;
      throw new AdminSocketError('socket_path_too_long', path, message);
    }
    await listen(server, hidden);
    await chmod(hidden, 0o600);
    const { ino } = await lstat(hidden);
    if (takeOver) await rename(hidden, path);
    else await publish(hidden, path);
    return () => removeIfOurs(path, ino);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(privateDirectory, { recursive: true, force: true });
  }
}

/** `link` refuses to replace what another process put there meanwhile; `rename` serves filesystems without links. */
async function publish(hidden: string, path: string): Promise<void> {
  try {
    await link(hidden, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw inUse(path);
    await rename(hidden, path);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function removeStale(path: string, takeOver: boolean): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    const message = `${path} exists and is no socket; remove it or choose another path with --admin-socket.`;
    throw new AdminSocketError('socket_path_taken', path, message);
  }
  if (takeOver) return;
  if (await answers(path)) throw inUse(path);
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

function inUse(path: string): AdminSocketError {
  const message = `Another gateway is listening on ${path}; stop it, or give this one its own --port or --admin-socket.`;
  return new AdminSocketError('socket_in_use', path, message);
}

/** Whether a process accepts connections on the socket. Only a refusal proves that none does. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '')));
  });
}

async function removeIfOurs(path: string, ino: number): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.ino === ino) await unlink(path).catch(() => undefined);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
