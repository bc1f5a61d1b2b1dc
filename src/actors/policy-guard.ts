/**
 * What a client is told of something that is not in its view: that nothing is there; or, where a permission would show
 * it, that its scope does not suffice. Off the hot path: only what was not found comes here.
 *
 * A denial is counted and put on record. Source: MCP specification 2025-11-25, "Authorization › Scope Challenge Handling";
 * RFC 6750, 3.1.
 */
import { type Principal } from '../auth/principal.js';
import { type Target } from '../policy/rules.js';
import { type ErrorName } from '../protocol/errors.js';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { aggregateName } from '../protocol/naming.js';
import { prefixedUri } from '../protocol/resource-uris.js';
import { stripControl } from '../protocol/text.js';
import { type Resolved, resolveRequest, type UpstreamRoute } from '../routing/resolve.js';
import { type ScopeView } from '../routing/routing-table.js';
import { type ScopeKey } from '../routing/scopes.js';
import { type ResourceUpdated } from './client-message.js';
import { type DataPlane } from './data-plane.js';
import { type UpstreamGate } from './upstream-gate.js';

/** What this principal sees of a scope. */
export function viewFor(plane: DataPlane, scope: ScopeKey, principal: Principal): ScopeView<UpstreamGate> | undefined {
  return plane.routing.scope(scope, plane.policy.access(principal));
}

/** Whether a client may still hear of a resource that it subscribed to: a rule may have come since. */
export function mayHear(plane: DataPlane, principal: Principal, { server, params }: ResourceUpdated): boolean {
  if (plane.policy.trivial) return true;
  const uri = String(params['uri']);
  const prefix = plane.routing.offer(server)?.prefix ?? server;
  const heard = plane.policy.access(principal)?.resource(server, [uri, prefixedUri(prefix, uri)]) ?? true;
  if (!heard) plane.counters.drop('unroutable_notification');
  return heard;
}

export interface Refusal {
  readonly error: ErrorName;
  readonly detail?: string | undefined;
  readonly data?: JsonObject | undefined;
  /** What the client may ask for, to be let in. */
  readonly scopes?: readonly string[] | undefined;
}

/** What was asked for, and by whom. */
export interface Asked {
  readonly kind: UpstreamRoute;
  readonly params: JsonObject;
  readonly scope: ScopeKey;
  readonly principal: Principal;
}

export type NotResolved = Extract<Resolved<UpstreamGate>, { readonly ok: false }>;

/** `now`: epoch milliseconds. */
export function refusalOf(plane: DataPlane, asked: Asked, found: NotResolved, now: number): Refusal {
  const target = plane.policy.trivial ? undefined : denied(plane, asked);
  if (target === undefined) return found;
  const { principal } = asked;
  const missing = principal.subject === null ? undefined : plane.policy.wanting(principal, target);
  const error = missing === undefined ? found.error : 'insufficient_scope';
  plane.counters.denials.record(now);
  plane.viability.attempts.add(now);
  plane.audit.record({
    type: 'denial',
    outcome: error,
    kind: target.kind,
    name: stripControl(target.names[0] ?? '', 256),
    server: target.server,
    rule: plane.policy.decide(principal, target).by,
    principal: principal.key,
    role: principal.role,
  });
  if (missing === undefined) return found;
  return { error, data: { scope: missing.join(' ') }, scopes: missing };
}

/** What it would have been, were it not kept from this principal; `undefined` when there is nothing of the name. */
function denied(plane: DataPlane, { kind, params, scope }: Asked): Target | undefined {
  const whole = resolveRequest(kind, params, plane.routing.scope(scope));
  if (!whole.ok) return undefined;
  const server = whole.target.name;
  const prefix = plane.routing.offer(server)?.prefix ?? server;
  const { name, uri, ref } = whole.params;
  const meant = isJsonObject(ref) ? ref : { name, uri };
  if (kind === 'tool') return { kind, server, names: [aggregateName(prefix, String(name))] };
  if (typeof meant['uri'] === 'string')
    return { kind: 'resource', server, names: [meant['uri'], prefixedUri(prefix, meant['uri'])] };
  return { kind: 'prompt', server, names: [aggregateName(prefix, String(meant['name']))] };
}
