/**
 * The credential of one upstream: the token that its requests carry, and who gets the next one.
 *
 * The data path reads the token, a plain memory read. It is got when a session opens, some time before it ends, and anew
 * when the server has refused it; one request to the authorization server at a time. Client tokens are never part of it.
 */
import { toError } from '../kernel/index.js';
import { type OAuth, type PendingLogin, type UpstreamAuth } from './oauth.js';
import { type StoredCredential, type StoredTokens, type TokenStore } from './token-store.js';

/** So long before its end a token is replaced. */
const EARLY_MS = 60_000;
/** A token that is refused this soon after it was got would be refused again. */
const FRESH_MS = 10_000;

export interface CredentialDeps {
  readonly server: string;
  readonly auth: UpstreamAuth;
  readonly oauth: OAuth;
  readonly store: TokenStore;
  readonly now: () => number;
}

export class UpstreamCredential {
  readonly #deps: CredentialDeps;
  #tokens: StoredTokens | null = null;
  #gotAt = 0;
  #getting: Promise<string | undefined> | null = null;
  #login: PendingLogin | null = null;

  constructor(deps: CredentialDeps) {
    this.#deps = deps;
  }

  /** The value of `Authorization`; `undefined` while there is none. Replaces a token that ends soon, without waiting. */
  authorization(): string | undefined {
    if (this.#tokens === null) return undefined;
    if (this.#endsWithin(EARLY_MS)) void this.#get();
    return `Bearer ${this.#tokens.accessToken}`;
  }

  /** Resolves when there is a token, with why there is none otherwise. Never rejects. */
  ready(): Promise<string | undefined> {
    if (this.#tokens !== null && !this.#endsWithin(EARLY_MS)) return Promise.resolve(undefined);
    return this.#get();
  }

  /** The server refused the token; `true` when another one is worth getting. */
  refused(): boolean {
    const { now } = this.#deps;
    const stale = this.#tokens !== null && now() - this.#gotAt > FRESH_MS;
    if (stale && this.#tokens) this.#tokens = { ...this.#tokens, expiresAt: 0 };
    return stale;
  }

  /** Begins a login of a person; returns the address to open. Rejects with what is wrong. */
  async login(redirectUri: string, state: string): Promise<string> {
    this.#login = await this.#deps.oauth.begin(redirectUri, state);
    return this.#login.url;
  }

  async finishLogin(state: string, code: string, iss: string | undefined): Promise<void> {
    const { oauth, store, server } = this.#deps;
    const login = this.#login;
    if (login?.state !== state) throw new Error('this login was not begun here, or another one was begun since');
    this.#login = null;
    const credential = await oauth.finish(login, code, iss);
    await store.write(server, credential);
    this.#take(credential.tokens);
  }

  #endsWithin(ms: number): boolean {
    const ends = this.#tokens?.expiresAt ?? null;
    return ends !== null && ends - this.#deps.now() < ms;
  }

  #get(): Promise<string | undefined> {
    this.#getting ??= this.#obtain()
      .then(
        () => undefined,
        (cause: unknown) => toError(cause).message,
      )
      .finally(() => {
        this.#getting = null;
      });
    return this.#getting;
  }

  async #obtain(): Promise<void> {
    const { auth, oauth, store, server } = this.#deps;
    if (auth.type === 'client_credentials') {
      this.#take(await oauth.clientCredentials());
      return;
    }
    const stored = await store.read(server);
    if (!stored) throw new Error(`nobody has logged in: viable upstream login ${server}`);
    const refusedOne = stored.tokens.accessToken === this.#tokens?.accessToken;
    const ends = refusedOne ? 0 : stored.tokens.expiresAt;
    if (ends === null || ends - this.#deps.now() > EARLY_MS) {
      this.#take(stored.tokens);
      return;
    }
    const fresh: StoredCredential = await oauth.refresh(stored);
    await store.write(server, fresh);
    this.#take(fresh.tokens);
  }

  #take(tokens: StoredTokens): void {
    this.#tokens = tokens;
    this.#gotAt = this.#deps.now();
  }
}
