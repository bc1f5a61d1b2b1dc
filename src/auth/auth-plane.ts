/**
 * What the data path reads to know who somebody is and how often they may ask. Plain memory; its slow work (fetching key
 * sets, sweeping, the file of revocations) is done by the actors of the branch `admission`. Without them it serves on.
 */
import { type AuthMode, type GatewayOptions } from '../config/types.js';
import { type Clock } from '../kernel/index.js';
import { Authenticator, type TokenIssuer } from './authenticator.js';
import { ClientAddresses } from './client-address.js';
import { type TokenFault } from './faults.js';
import { OWN_CLAIMS } from './jwt-authenticator.js';
import { secretKeys } from './key-set.js';
import { RateLimits } from './rate-limits.js';
import { type FetchJson, fetchJson, RemoteKeys } from './remote-keys.js';
import { Revocations } from './revocations.js';
import { Tickets } from './tickets.js';

/** Counts since the start. Plain numbers, incremented in place. */
export class AuthCounters {
  /** Logins by token or ticket that were verified anew. */
  accepted = 0;
  readonly refused = new Map<
    TokenFault | 'no_credential' | 'wrong_place' | 'bad_ticket' | 'too_many_failures',
    number
  >();
  /** Requests refused, by `<limit>:<name>`; few names, all from the configuration. */
  readonly limited = new Map<string, number>();
  /** Tickets issued. */
  tickets = 0;

  refuse(why: Parameters<AuthCounters['refused']['set']>[0]): void {
    this.refused.set(why, (this.refused.get(why) ?? 0) + 1);
  }

  limit(name: string): void {
    this.limited.set(name, (this.limited.get(name) ?? 0) + 1);
  }
}

export class AuthPlane {
  /** Fixed at the start: connections that nobody was asked on must not outlive the question. */
  readonly mode: AuthMode;
  readonly clock: Clock;
  readonly addresses: ClientAddresses;
  readonly revocations: Revocations;
  readonly tickets: Tickets;
  readonly counters = new AuthCounters();
  /** Replaced with the options. Written by `configure`. */
  authenticator: Authenticator;
  /** Replaced with the options. Written by `configure`. */
  limits: RateLimits;
  /** Key sets of external issuers. Written by `configure`. */
  remote: readonly RemoteKeys[] = [];
  /** Told when keys that tokens are verified with were changed. Set when the gateway is put together. */
  onRotation: (source: string, what: string) => void = () => undefined;
  #options: GatewayOptions;
  readonly #fetch: FetchJson;

  constructor(options: GatewayOptions, clock: Clock, fetch: FetchJson = fetchJson) {
    this.mode = options.auth.mode;
    this.clock = clock;
    this.addresses = new ClientAddresses(options.listen.trustedProxies);
    this.revocations = new Revocations(clock);
    this.tickets = new Tickets(clock);
    this.#options = options;
    this.#fetch = fetch;
    this.authenticator = this.#makeAuthenticator();
    this.limits = this.#makeLimits();
  }

  /** Takes changed options over; what did not change keeps its memory. True when the issuers are other ones. */
  configure(options: GatewayOptions): boolean {
    const before = this.#options;
    this.#options = options;
    if (JSON.stringify(before.limits) !== JSON.stringify(options.limits)) this.limits = this.#makeLimits();
    const tenantClaim = before.limits.tenantClaim !== options.limits.tenantClaim;
    if (!tenantClaim && JSON.stringify(before.auth) === JSON.stringify(options.auth)) return false;
    if (JSON.stringify(before.auth.secrets) !== JSON.stringify(options.auth.secrets)) {
      const names = (secrets: GatewayOptions['auth']['secrets']) => secrets.map(({ kid }) => kid).join(', ') || 'none';
      const what = `its secrets were changed: now ${names(options.auth.secrets)}, were ${names(before.auth.secrets)}`;
      this.onRotation(`issuer:${options.auth.issuer}`, what);
    }
    const { hits, misses } = this.authenticator;
    this.authenticator = this.#makeAuthenticator();
    this.authenticator.hits = hits;
    this.authenticator.misses = misses;
    return true;
  }

  /** Issuers that clients can get tokens from: those whose name is an address (RFC 9728, `authorization_servers`). */
  get authorizationServers(): readonly string[] {
    return this.#options.auth.issuers.map(({ issuer }) => issuer).filter((issuer) => issuer.startsWith('http'));
  }

  #makeLimits(): RateLimits {
    return new RateLimits(this.#options.limits);
  }

  #makeAuthenticator(): Authenticator {
    const { auth, limits } = this.#options;
    const { tenantClaim } = limits;
    const audiences = [auth.audience, ...(auth.resource === null ? [] : [auth.resource])];
    const issuers = new Map<string, TokenIssuer>();
    if (auth.secrets.length > 0) {
      const keys = secretKeys(auth.secrets);
      const rules = { issuer: auth.issuer, audiences, ...OWN_CLAIMS, tenantClaim };
      issuers.set(auth.issuer, { rules, keysFor: () => keys });
    }
    this.remote = auth.issuers.map((other) => {
      const { issuer, jwksUri, algorithm } = other;
      const { clock } = this;
      const refreshMs = auth.publicKeyRefresh;
      const onRotated = (added: number, gone: number): void =>
        this.onRotation(`issuer:${issuer}`, `its keys were rotated: ${added} new, ${gone} gone`);
      const keys = new RemoteKeys({ issuer, jwksUri, algorithm, refreshMs, clock, fetch: this.#fetch, onRotated });
      const rules = { ...other, audiences: other.audience ?? audiences, tenantClaim };
      issuers.set(issuer, { rules, keysFor: (jws) => keys.keysFor(jws) });
      return keys;
    });
    const { clock, revocations } = this;
    return new Authenticator({ clock, revocations, issuers, cacheTtl: auth.cacheTtl });
  }
}
