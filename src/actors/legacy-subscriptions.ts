/**
 * Resource subscriptions of one legacy client. Updates come over the session that all clients share, so that is where the
 * upstream is asked; once for all subscribers. Process-free.
 *
 * Source: MCP specification 2025-11-25, "Server Features › Resources › Subscriptions".
 */
import { type JsonRpcErrorObject, type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { type Resolved } from '../routing/resolve.js';
import { type ScopeView } from '../routing/routing-table.js';
import { type Channel } from '../transports/inbound/channel.js';
import { type CallTable } from './call-table.js';
import { type ClientLinks } from './client-links.js';
import { type ClientProfile } from './client-profile.js';
import { type UpstreamGate } from './upstream-gate.js';

type Found = Extract<Resolved<UpstreamGate>, { readonly ok: true }>;

export class LegacySubscriptions {
  readonly #links: ClientLinks;
  readonly #calls: CallTable;
  readonly #profile: ClientProfile;

  constructor(links: ClientLinks, calls: CallTable, profile: ClientProfile) {
    this.#links = links;
    this.#calls = calls;
    this.#profile = profile;
  }

  /** `asked`: the upstream answers the request. `done`: it is answered with an empty result. Otherwise why it cannot be. */
  subscribe(request: JsonRpcRequest, found: Found, channel: Channel): 'asked' | 'done' | JsonRpcErrorObject {
    const { target: gate, params, renamedUri, awaited } = found;
    const { id, method } = request;
    const { caller } = this.#profile;
    if (awaited) return this.#calls.start({ id, method, params, gate, to: null, caller, channel }) ?? 'asked';
    const own = params['uri'] as string;
    const isFirst = this.#links.subscribe(gate, own, renamedUri?.shown ?? own);
    if (isFirst && gate.era === 'modern') gate.session?.tell({ type: 'resource/subscribe', uri: own });
    if (!isFirst || gate.era === 'modern') return 'done';
    const refusal = this.#calls.start({ id, method, params, gate, to: gate.session, caller, channel, renamedUri });
    if (refusal) this.#links.unsubscribe(gate, own);
    return refusal ?? 'asked';
  }

  unsubscribe({ target: gate, params }: Found): void {
    const uri = params['uri'] as string;
    if (this.#links.unsubscribe(gate, uri)) gate.session?.tell({ type: 'resource/unsubscribe', uri });
  }

  /** All of them, by the URIs that the client knows. */
  get uris(): string[] {
    return this.#links.shownUris();
  }

  /** Those of a session that has come from another process, and what its client declared there. */
  restore(uris: readonly string[], view: ScopeView<UpstreamGate> | undefined): void {
    this.#links.declare(this.#profile.capabilities, this.#profile.info);
    for (const uri of uris) {
      const route = view?.resource(uri);
      if (route && this.#links.subscribe(route.target, route.own, uri))
        route.target.session?.tell({ type: 'resource/subscribe', uri: route.own });
    }
  }
}
