/**
 * Who a request is from, and whether it may be made now. Plain functions in I/O callbacks: a token that was verified
 * lately costs one look-up; only one that was not is waited for.
 *
 * Source: RFC 6750, 3 (challenges); MCP specification, "Authorization"; docs/security.md.
 */
import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { type Shown } from '../auth/authenticator.js';
import { bearer, type Credential, credentialOf, isHeaderAlone } from '../auth/credentials.js';
import { challenge, resourceMetadata, type ResourceMetadata } from '../auth/challenge.js';
import { CLIENT_WORDS, type TokenFault } from '../auth/faults.js';
import { ANONYMOUS, GUEST, hasPermission, type Principal } from '../auth/principal.js';
import { type ErrorName } from '../protocol/errors.js';
import { type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { type ParsedFrame } from '../protocol/parse.js';
import { type RouteKind } from '../protocol/routes.js';
import { type Challenge } from '../transports/inbound/http-exchange.js';
import { type ErrorReply } from '../transports/inbound/http-reply.js';
import { type ConsoleRight } from './admin-web.js';
import { type DataPlane } from './data-plane.js';

/** An error of the catalogue, with what goes with it over HTTP. */
export interface Refusal {
  readonly name: ErrorName;
  readonly reply: ErrorReply;
}

export type Identity =
  { readonly ok: true; readonly principal: Principal } | { readonly ok: false; readonly refusal: Refusal };

/** How long a connection may stay open before it logs in. */
const STRANGER_MS = 30_000;

export class Access {
  readonly #plane: DataPlane;
  /** What each connection showed last. */
  readonly #shown = new WeakMap<Socket, Shown>();
  readonly #noted = new WeakMap<IncomingMessage, Identity>();

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  /** Who it is, if that is known without waiting. */
  recall(req: IncomingMessage, kind: RouteKind): Principal | undefined {
    const { auth, options } = this.#plane;
    if (auth.mode === 'off') return ANONYMOUS;
    const { authorization } = req.headers;
    if (authorization !== undefined && isHeaderAlone(req.url ?? '/', kind)) return this.#shownBy(req, authorization);
    const credential = credentialOf(req, kind, options.auth.queryToken);
    if (credential.kind === 'token') return auth.authenticator.recall(credential.token);
    return credential.kind === 'none' && auth.mode === 'optional' ? GUEST : undefined;
  }

  /** Who it is, or why that is not known. `done` is called once, perhaps before this returns. */
  identify(req: IncomingMessage, kind: RouteKind, done: (identity: Identity) => void): void {
    const { auth, options } = this.#plane;
    const credential = credentialOf(req, kind, options.auth.queryToken);
    const address = auth.addresses.of(req);
    const resource = this.resourceOf(req);
    const known = this.#known(credential);
    if (known !== undefined) return done({ ok: true, principal: known });
    const wait = this.loginWait(address);
    if (wait !== undefined) return done({ ok: false, refusal: wait });
    if (credential.kind === 'token') {
      void this.verify(credential.token, address).then((verdict) => {
        done(verdict.ok ? verdict : { ok: false, refusal: this.#unauthenticated(verdict.fault, resource) });
      });
      return;
    }
    const reason = { none: 'no_credential', ticket: 'bad_ticket', refused: 'wrong_place' } as const;
    auth.counters.refuse(reason[credential.kind]);
    if (credential.kind !== 'none') this.#failed(address, reason[credential.kind]);
    done({ ok: false, refusal: this.#challenged(credential, resource) });
  }

  /** Who may do nothing but log in, for a while. */
  stranger(): Principal {
    return { ...GUEST, key: 'stranger', expiresAt: this.#plane.auth.clock.now() + STRANGER_MS };
  }

  /** Verifies a token that came in any way, and counts what came of it. */
  async verify(
    token: string,
    address: string,
  ): Promise<{ ok: true; principal: Principal } | { ok: false; fault: TokenFault }> {
    const { auth, audit } = this.#plane;
    const verdict = await auth.authenticator.verify(token);
    if (verdict.ok) {
      auth.counters.accepted += 1;
      const { key: principal, role } = verdict.principal;
      audit.record({ type: 'authentication', outcome: 'success', principal, role, remote: address });
      return verdict;
    }
    auth.counters.refuse(verdict.fault);
    if (!isOurFault(verdict.fault)) this.#failed(address, verdict.fault);
    return verdict;
  }

  /** After too many failed logins from one address no more are looked at for a while. */
  loginWait(address: string): Refusal | undefined {
    const { auth } = this.#plane;
    const waitMs = auth.limits.loginWait(address, auth.clock.now());
    if (waitMs === 0) return undefined;
    auth.counters.refuse('too_many_failures');
    return limited('login', 'failed logins', waitMs);
  }

  /** Counts the requests of a frame; says why they may not be made now. */
  limitFrame(
    principal: Principal,
    req: IncomingMessage,
    frame: ParsedFrame,
    scope: string | null,
  ): Refusal | undefined {
    const { auth } = this.#plane;
    if (auth.mode === 'off') return undefined;
    const address = principal.subject === null ? auth.addresses.of(req) : '';
    if (frame.kind === 'request') return this.limit(principal, address, frame.message, scope);
    if (frame.kind !== 'batch') return undefined;
    for (const item of frame.items) {
      const refusal = item.kind === 'request' ? this.limit(principal, address, item.message, scope) : undefined;
      if (refusal) return refusal;
    }
    return undefined;
  }

  /** Counts one request. `address` is whom a guest is counted by. */
  limit(principal: Principal, address: string, request: JsonRpcRequest, scope: string | null): Refusal | undefined {
    const { auth, routing } = this.#plane;
    if (auth.mode === 'off') return undefined;
    const shown = (name: string): string => routing.aggregateName(scope, name);
    const refused = auth.limits.admit(principal, address, request, auth.clock.now(), shown);
    if (refused === undefined) return undefined;
    auth.counters.limit(`${refused.limit}:${refused.name}`);
    return limited(refused.limit, refused.name, refused.waitMs);
  }

  /** 403 with what would be needed, unless the principal has it, or is an administrator. */
  require(principal: Principal, permission: string, req: IncomingMessage): Refusal | undefined {
    if (principal.role === 'admin' || hasPermission(principal, permission)) return undefined;
    this.#plane.viability.attempts.add(this.#plane.auth.clock.now());
    return insufficientScope([permission], this.resourceOf(req));
  }

  /** Finds out who asks for a console, if anybody says so, and remembers it with the request. Then `then`, once. */
  note(req: IncomingMessage, then: () => void): void {
    const { auth, options } = this.#plane;
    if (auth.mode === 'off' || credentialOf(req, 'dashboard', options.auth.queryToken).kind === 'none') return then();
    this.identify(req, 'dashboard', (identity) => {
      this.#noted.set(req, identity);
      then();
    });
  }

  /** What the web dashboard may show and do for who asks: everything to administrators, the view with permission `dashboard`. */
  consoleRight(req: IncomingMessage): ConsoleRight {
    const { auth, options } = this.#plane;
    if (auth.mode === 'off')
      return { ok: true, access: options.dashboard.webActions ? 'act' : 'look', principal: ANONYMOUS };
    const identity = this.#noted.get(req);
    if (identity === undefined) return { ok: false, ...this.#challenge(undefined, undefined, this.resourceOf(req)) };
    if (!identity.ok) return { ok: false, ...identity.refusal };
    const { principal } = identity;
    const refusal = this.require(principal, 'dashboard', req);
    if (refusal) return { ok: false, ...refusal };
    return { ok: true, access: principal.role === 'admin' ? 'act' : 'look', principal };
  }

  /** RFC 9728; `undefined` where nobody is asked who they are. */
  metadata(req: IncomingMessage): ResourceMetadata | undefined {
    const { auth, options } = this.#plane;
    if (auth.mode === 'off') return undefined;
    return resourceMetadata(this.resourceOf(req), auth.authorizationServers, options.auth.scopes);
  }

  /** `WWW-Authenticate` for who needs these scopes for what was asked. */
  readonly scopeChallenge: Challenge = (req, scopes) =>
    challenge({ error: 'insufficient_scope', scopes, resource: this.resourceOf(req) });

  /** The address of `/mcp` as this client knows it. */
  resourceOf(req: IncomingMessage): string {
    const { auth, options } = this.#plane;
    return options.auth.resource ?? `${auth.addresses.scheme(req)}://${req.headers.host ?? 'localhost'}/mcp`;
  }

  /** Clients show the same token with every request of a connection: that is one comparison. */
  #shownBy(req: IncomingMessage, authorization: string): Principal | undefined {
    const { authenticator } = this.#plane.auth;
    const before = this.#shown.get(req.socket);
    if (before?.authorization === authorization && authenticator.stands(before)) return before.principal;
    const credential = bearer(authorization);
    const shown = credential.kind === 'token' ? authenticator.remember(authorization, credential.token) : undefined;
    if (shown !== undefined) this.#shown.set(req.socket, shown);
    return shown?.principal;
  }

  #known(credential: Credential): Principal | undefined {
    const { auth } = this.#plane;
    switch (credential.kind) {
      case 'token':
        return auth.authenticator.recall(credential.token);
      case 'ticket': {
        const principal = auth.tickets.redeem(credential.ticket);
        return principal !== undefined && !auth.revocations.isRevoked(principal) ? principal : undefined;
      }
      case 'none':
        return auth.mode === 'optional' ? GUEST : undefined;
      case 'refused':
        return undefined;
    }
  }

  #failed(address: string, detail: string): void {
    const { auth, audit, viability } = this.#plane;
    const now = auth.clock.now();
    auth.limits.loginFailed(address, now);
    viability.attempts.add(now);
    audit.record({ type: 'authentication', outcome: 'unauthenticated', detail, remote: address });
  }

  #unauthenticated(fault: TokenFault, resource: string): Refusal {
    if (isOurFault(fault)) {
      const detail = CLIENT_WORDS[fault];
      return {
        name: 'authentication_unavailable',
        reply: { detail, data: { retryAfter: 5 }, headers: { 'retry-after': '5' } },
      };
    }
    return this.#challenge('invalid_token', CLIENT_WORDS[fault], resource);
  }

  #challenged(credential: Credential, resource: string): Refusal {
    if (credential.kind === 'none') return this.#challenge(undefined, undefined, resource);
    const description = credential.kind === 'refused' ? credential.why : 'the ticket was used or is too old';
    return this.#challenge(credential.kind === 'refused' ? 'invalid_request' : 'invalid_token', description, resource);
  }

  #challenge(
    error: 'invalid_token' | 'invalid_request' | undefined,
    description: string | undefined,
    resource: string,
  ): Refusal {
    const { scopes } = this.#plane.options.auth;
    const header = challenge({
      ...(error && { error }),
      ...(description !== undefined && { description }),
      scopes,
      resource,
    });
    const detail = description ?? 'a token is needed';
    return { name: 'unauthenticated', reply: { detail, headers: { 'www-authenticate': header } } };
  }
}

/** The answer to an operation that needs one of `permissions` (step-up). `resource` is the address of `/mcp`. */
export function insufficientScope(permissions: readonly string[], resource: string): Refusal {
  const header = challenge({ error: 'insufficient_scope', scopes: permissions, resource });
  return {
    name: 'insufficient_scope',
    reply: {
      detail: `this needs ${permissions.join(' or ')}`,
      data: { scope: permissions.join(' ') },
      headers: { 'www-authenticate': header },
    },
  };
}

function limited(limit: string, name: string, waitMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1_000));
  return {
    name: 'rate_limited',
    reply: { data: { limit, name, retryAfter }, headers: { 'retry-after': String(retryAfter) } },
  };
}

/** Nothing was found out about the token. */
function isOurFault(fault: TokenFault): fault is 'keys_unavailable' | 'busy' {
  return fault === 'keys_unavailable' || fault === 'busy';
}
