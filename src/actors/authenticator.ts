/**
 * Authenticator: the slow half of authentication. Fetches the key sets of external issuers before they are old, sweeps what
 * has ended, takes revocations and keeps them in their file. Whose a token is the data path finds out without it.
 *
 * Parent: admission. Restart: permanent. Its state is the auth plane's, which outlives it: a new incarnation goes on where
 * the last one stopped. The file is written whole and renamed over the old one.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { jtiCredential } from '../auth/claims.js';
import { tokenHash } from '../auth/authenticator.js';
import { readJson, readJws } from '../auth/jws.js';
import { principalKey } from '../auth/principal.js';
import { type RemoteKeys } from '../auth/remote-keys.js';
import { type Revocation } from '../auth/revocations.js';
import { type ActorContext, type Behavior, type ReplyTo, toError } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type DataPlane } from './data-plane.js';

/** What to revoke: one of them. `issuer` goes with `jti` and `subject`; absent: the gateway's own. */
export interface RevokeArguments {
  readonly token?: string;
  readonly jti?: string;
  readonly subject?: string;
  readonly issuer?: string;
}

export type AuthenticatorMessage =
  | { readonly type: 'authenticator/tick' }
  /** The options have changed: key sets of new issuers are fetched at once. */
  | { readonly type: 'authenticator/refresh'; readonly replyTo?: ReplyTo<unknown> }
  | {
      readonly type: 'authenticator/revoke';
      readonly args: RevokeArguments;
      readonly replyTo: ReplyTo<{ readonly revoked: string; readonly kept: boolean }>;
    };

export interface AuthenticatorDeps {
  readonly plane: DataPlane;
  readonly log: Logger;
}

const TICK_MS = 5_000;
/** How long a revocation is kept whose token does not say when it ends. A day is longer than tokens should last. */
const KEEP_MS = 30 * 86_400_000;

export function authenticator(deps: AuthenticatorDeps) {
  return async (context: ActorContext<AuthenticatorMessage>): Promise<Behavior<AuthenticatorMessage>> => {
    await readFileInto(deps);
    return new AuthenticatorActor(deps, context);
  };
}

class AuthenticatorActor implements Behavior<AuthenticatorMessage> {
  readonly #deps: AuthenticatorDeps;
  readonly #context: ActorContext<AuthenticatorMessage>;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: AuthenticatorDeps, context: ActorContext<AuthenticatorMessage>) {
    this.#deps = deps;
    this.#context = context;
    for (const keys of deps.plane.auth.remote) this.#fetch(keys);
    context.after(TICK_MS, { type: 'authenticator/tick' });
  }

  handle(message: AuthenticatorMessage): void {
    switch (message.type) {
      case 'authenticator/tick':
        return this.#tick();
      case 'authenticator/refresh':
        for (const keys of this.#deps.plane.auth.remote) this.#fetch(keys);
        return message.replyTo?.reply({ issuers: this.#deps.plane.auth.remote.length });
      case 'authenticator/revoke':
        return message.replyTo.reply(this.#revoke(message.args));
    }
  }

  async terminate(): Promise<void> {
    await this.#writing;
  }

  #tick(): void {
    const { auth } = this.#deps.plane;
    auth.tickets.sweep();
    auth.revocations.sweep();
    for (const keys of auth.remote) if (keys.due) this.#fetch(keys);
    this.#context.after(TICK_MS, { type: 'authenticator/tick' });
  }

  #fetch(keys: RemoteKeys): void {
    const { plane, log } = this.#deps;
    void keys.refresh(true).then(() => {
      const { lastError, keys: count } = keys.state;
      const fields = { event: 'issuer_keys', issuer: keys.issuer };
      if (lastError === null) log.info({ ...fields, keys: count, skipped: keys.skipped }, 'keys of the issuer fetched');
      else log.warn({ ...fields, error: lastError }, 'the keys of the issuer cannot be fetched');
      plane.algedonic.report({
        source: `issuer:${keys.issuer}`,
        index: 'keys_unavailable',
        value: lastError === null ? 0 : count === null ? 1 : 0.6,
        pain: 0.5,
        agony: 1,
        message: 'the keys of the issuer cannot be fetched',
      });
    });
  }

  #revoke(args: RevokeArguments): { revoked: string; kept: boolean } {
    const { plane, log } = this.#deps;
    const revocation = this.#revocationOf(args);
    plane.auth.revocations.add(revocation);
    plane.auth.authenticator.forget();
    const id = 'credential' in revocation ? revocation.credential : revocation.key;
    log.warn({ event: 'revoked', credential: id }, 'revoked');
    // Everybody looks at what they hold: those who hold this are told and closed.
    for (const { ref } of plane.sessions.all()) ref.urgent({ type: 'client/credential-due' });
    for (const ref of [...plane.listeners, ...plane.consoles]) ref.urgent({ type: 'client/credential-due' });
    const file = plane.options.auth.revocations;
    if (file !== null) this.#writing = this.#writing.then(() => this.#write(file));
    return { revoked: id, kept: file !== null };
  }

  #revocationOf({ token, jti, subject, issuer }: RevokeArguments): Revocation {
    const { auth, options } = this.#deps.plane;
    const now = auth.clock.now();
    const who = issuer ?? options.auth.issuer;
    if (jti !== undefined) return { credential: jtiCredential(who, jti), until: now + KEEP_MS };
    if (subject !== undefined) return { key: principalKey(who, subject), before: now, until: now + KEEP_MS };
    return credentialOf(token ?? '', now);
  }

  async #write(file: string): Promise<void> {
    const { plane, log } = this.#deps;
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.new`, `${JSON.stringify({ revoked: plane.auth.revocations.all() })}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (cause) {
      const error = toError(cause).message;
      log.error(
        { event: 'revocations_not_kept', error },
        'the file of revocations cannot be written: memory alone has them',
      );
      plane.algedonic.report({
        source: 'authenticator',
        index: 'revocations_not_kept',
        value: 1,
        pain: 0.5,
        agony: 1,
        message: 'the file of revocations cannot be written',
      });
    }
  }
}

/** A token names itself; whether it is good does not matter. */
function credentialOf(token: string, now: number): Revocation {
  const read = readJws(token);
  const claims = read.ok ? readJson(read.jws.payload) : undefined;
  const { iss, jti, exp } = claims ?? {};
  const until =
    typeof exp === 'number' && Number.isFinite(exp) ? Math.min(exp * 1_000, now + 12 * KEEP_MS) : now + KEEP_MS;
  const credential =
    typeof iss === 'string' && typeof jti === 'string' ? jtiCredential(iss, jti) : `sha256:${tokenHash(token)}`;
  return { credential, until };
}

/** A file that is there and cannot be read keeps the gateway from starting: what was revoked must not come back. */
async function readFileInto({ plane }: AuthenticatorDeps): Promise<void> {
  const file = plane.options.auth.revocations;
  if (file === null) return;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw cause;
  }
  const { revoked } = JSON.parse(text) as { readonly revoked: readonly Revocation[] };
  for (const revocation of revoked) plane.auth.revocations.add(revocation);
  plane.auth.revocations.sweep();
}
