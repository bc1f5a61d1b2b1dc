/** The file of what upstreams' authorization servers gave us: readable by its owner alone, written as a whole or not at all. */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface StoredTokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** Epoch milliseconds; `null`: not said. */
  readonly expiresAt: number | null;
  readonly scope?: string | undefined;
}

/** What is kept for one server. */
export interface StoredCredential {
  readonly tokens: StoredTokens;
  /** The client that the tokens were given to, registered or configured. */
  readonly client: { readonly client_id: string; readonly client_secret?: string | undefined };
  readonly authorizationServer: string;
}

export class TokenStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Rejects when others than the owner may read the file: who could, may have the tokens. */
  async read(server: string): Promise<StoredCredential | undefined> {
    return (await this.#all())[server];
  }

  async write(server: string, credential: StoredCredential): Promise<void> {
    const all = { ...(await this.#all()), [server]: credential };
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const next = `${this.#file}.${process.pid}.tmp`;
    await writeFile(next, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    await rename(next, this.#file);
  }

  async #all(): Promise<Readonly<Record<string, StoredCredential>>> {
    const status = await stat(this.#file).catch(() => undefined);
    if (status === undefined) return {};
    if ((status.mode & 0o077) !== 0)
      throw new Error(`${this.#file} may be read by others than its owner: chmod 600 it, and log in again`);
    return JSON.parse(await readFile(this.#file, 'utf8')) as Record<string, StoredCredential>;
  }
}
