/** The credentials of upstreams, one for each server that has `viable.auth`; put together from the configuration. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ServerConfig } from '../config/index.js';
import { authorizedTransport } from '../credentials/authorized-transport.js';
import { UpstreamCredential } from '../credentials/credential.js';
import { guardedFetch } from '../credentials/guarded-fetch.js';
import { OAuth } from '../credentials/oauth.js';
import { TokenStore } from '../credentials/token-store.js';
import { type Clock } from '../kernel/index.js';
import { type OutboundHandlers, type OutboundTransport } from '../transports/outbound/transport.js';

export class UpstreamCredentials {
  readonly #clock: Clock;
  readonly #store: TokenStore;
  readonly #servers = new Map<string, { readonly config: ServerConfig; readonly credential: UpstreamCredential }>();

  constructor(clock: Clock, file: string | null) {
    this.#clock = clock;
    this.#store = new TokenStore(file ?? defaultFile());
  }

  /** The server's; `undefined` when it has no `viable.auth`. The same one until its configuration changes. */
  of(config: ServerConfig): UpstreamCredential | undefined {
    const { name, auth, target } = config;
    if (auth === undefined || target.transport === 'stdio') return undefined;
    const known = this.#servers.get(name);
    if (known?.config.auth === auth && known.config.target === target) return known.credential;
    const url = target.url.replace(/^ws/, 'http');
    const trusted = [url, auth.issuer, auth.tokenUrl, ...auth.allowedHosts].flatMap((text) =>
      text !== undefined && URL.canParse(text) ? [new URL(text).origin] : [],
    );
    const now = (): number => this.#clock.now();
    const oauth = new OAuth(url, auth, guardedFetch({ trusted: new Set(trusted) }), now);
    const credential = new UpstreamCredential({ server: name, auth, oauth, store: this.#store, now });
    this.#servers.set(name, { config, credential });
    return credential;
  }

  /** A transport with the server's credential, where it has one. */
  transport(
    config: ServerConfig,
    handlers: OutboundHandlers,
    create: (handlers: OutboundHandlers, authorization?: () => string | undefined) => OutboundTransport,
  ): OutboundTransport {
    const credential = this.of(config);
    if (!credential) return create(handlers);
    return authorizedTransport(credential, handlers, (wrapped) => create(wrapped, () => credential.authorization()));
  }
}

function defaultFile(): string {
  const state = process.env['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(homedir(), '.local/state') : state, 'viable/credentials.json');
}
