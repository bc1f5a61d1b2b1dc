/**
 * The key set of an external issuer: fetched at first need, again every so often, and when a token names a key that is
 * not in it, but then no more often than a cool-down allows. The last good set serves on while its issuer is down.
 *
 * Bounded in time, size and number; redirects are not followed. Sources: RFC 7517, 5; OpenID Connect Discovery 1.0, 4.
 */
import { type Clock } from '../kernel/index.js';
import { isJsonObject } from '../protocol/jsonrpc.js';
import { type Algorithm, type Jws } from './jws.js';
import { type KeySet, readKeySet } from './key-set.js';

const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 512 * 1024;
/** Between two fetches for keys that nobody knows, and after a failure. Milliseconds. */
const COOLDOWN_MS = 30_000;

/** Fetches a small JSON document. Rejects with what went wrong, in words without secrets. */
export type FetchJson = (url: string) => Promise<unknown>;

export const fetchJson: FetchJson = async (url) => {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    headers: { accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
};

export interface RemoteKeysOptions {
  readonly issuer: string;
  /** Absent: discovered. */
  readonly jwksUri?: string | undefined;
  readonly algorithm?: Algorithm | undefined;
  /** Milliseconds after which a set is fetched again. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly fetch: FetchJson;
  /** The issuer has other keys than at the last fetch: so many are new, so many are gone. */
  readonly onRotated?: (added: number, gone: number) => void;
}

export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  #keys: KeySet | null = null;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #lastError: string | null = null;
  #skipped: readonly string[] = [];
  #fetching: Promise<void> | null = null;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  get issuer(): string {
    return this.#options.issuer;
  }

  get state(): { readonly keys: number | null; readonly fetchedAt: number | null; readonly lastError: string | null } {
    const fetchedAt = Number.isFinite(this.#fetchedAt) ? this.#fetchedAt : null;
    return { keys: this.#keys?.size ?? null, fetchedAt, lastError: this.#lastError };
  }

  /** Why keys of the set are not used. */
  get skipped(): readonly string[] {
    return this.#skipped;
  }

  /** The keys for this token: those at hand, or those of a fetch that it is worth. `null`: none could be had. */
  async keysFor(jws: Jws): Promise<KeySet | null> {
    if (this.#keys?.fits(jws) === true) return this.#keys;
    await this.refresh(false);
    return this.#keys;
  }

  /** Whether it is time to fetch the set again. */
  get due(): boolean {
    const now = this.#options.clock.now();
    return now - this.#fetchedAt >= this.#options.refreshMs && now - this.#triedAt >= COOLDOWN_MS;
  }

  /** Fetches the set, unless it was tried within the cool-down (`force`: then, too). One fetch at a time; never rejects. */
  async refresh(force: boolean): Promise<void> {
    if (this.#fetching) return this.#fetching;
    const now = this.#options.clock.now();
    if (!force && now - this.#triedAt < COOLDOWN_MS) return;
    this.#triedAt = now;
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const document = await this.#options.fetch(this.#options.jwksUri ?? (await this.#discover()));
      const read = await readKeySet(document, this.#options.algorithm);
      if (!read.ok) throw new Error(read.why);
      const before = this.#keys;
      this.#keys = read.keys;
      this.#skipped = read.skipped;
      this.#fetchedAt = this.#options.clock.now();
      this.#lastError = null;
      if (before) this.#compare(before, read.keys);
    } catch (cause) {
      this.#lastError = cause instanceof Error ? cause.message : String(cause);
    }
  }

  #compare(before: KeySet, after: KeySet): void {
    const [added, gone] = [after.without(before), before.without(after)];
    if (added + gone > 0) this.#options.onRotated?.(added, gone);
  }

  async #discover(): Promise<string> {
    const { issuer } = this.#options;
    const document = await this.#options.fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const found = isJsonObject(document) ? document : {};
    if (found['issuer'] !== issuer) throw new Error('its discovery document is of another issuer');
    const uri = found['jwks_uri'];
    if (typeof uri !== 'string' || !isSafe(uri)) throw new Error('its discovery document names no https jwks_uri');
    return uri;
  }
}

function isSafe(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
