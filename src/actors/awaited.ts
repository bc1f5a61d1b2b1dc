/**
 * What a client's request finds; and whose it would be, of servers that have not listed anything yet. Such a server is
 * starting, or has been down since the gateway started: what it offers cannot be known, but the shape of a name says
 * whose it is. The call is then refused as one to any other server that is away, so that its client tries again.
 *
 * Invariant: who may not see a name (policy, toolset, the server's own filter) hears that there is no such thing, as if
 * the server were not configured. Only what was not found comes further than the first line of `resolveFor`.
 */
import { type Principal } from '../auth/principal.js';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';
import { aggregateName, assignPrefixes, splitAggregateName } from '../protocol/naming.js';
import { prefixedUri, splitPrefixedUri } from '../protocol/resource-uris.js';
import { type Resolved, resolveRequest, type UpstreamRoute } from '../routing/resolve.js';
import { type ScopeKey, toolsetOf } from '../routing/scopes.js';
import { CALL_TOOL } from '../routing/tool-search.js';
import { type DataPlane } from './data-plane.js';
import { viewFor } from './policy-guard.js';
import { type UpstreamGate } from './upstream-gate.js';

/** `resolveRequest` for this principal; finds servers that are awaited, too. */
export function resolveFor(
  plane: DataPlane,
  kind: UpstreamRoute,
  params: JsonObject,
  scope: ScopeKey,
  principal: Principal,
): Resolved<UpstreamGate> {
  const resolved = resolveRequest(kind, params, viewFor(plane, scope, principal));
  if (resolved.ok || !NOT_FOUND.has(resolved.error)) return resolved;
  const gates = [...plane.gates.values()].filter(({ name, awaited }) => awaited && !plane.routing.offer(name));
  if (gates.length === 0) return resolved;
  // What is there and kept from this principal is a denial, whoever else asks for the same prefix.
  if (!plane.policy.trivial && resolveRequest(kind, params, plane.routing.scope(scope)).ok) return resolved;
  return find(plane, gates, askedFor(kind, params, searches(plane, scope)), scope, principal) ?? resolved;
}

const NOT_FOUND: ReadonlySet<string> = new Set(['unknown_tool', 'unknown_prompt', 'resource_not_found']);

/** Whether the scope has `call_tool`; a server's own one has not said so while the server is awaited. */
function searches({ routing }: DataPlane, scope: ScopeKey): boolean {
  if (scope !== null && toolsetOf(scope) === undefined) return routing.searches;
  return !!routing.scope(scope)?.search;
}

/** What the client has named, and the parameters with another name or URI in its place. */
interface Asked {
  readonly kind: 'tool' | 'prompt' | 'resource';
  readonly shown: string;
  readonly with: (own: string) => JsonObject;
}

/** `params` are those of a request that was read and found nothing. */
function askedFor(kind: UpstreamRoute, params: JsonObject, search: boolean): Asked {
  const { name, uri, ref, arguments: given } = params;
  switch (kind) {
    case 'tool':
      if (search && name === CALL_TOOL && isJsonObject(given)) {
        const wrapped = given['arguments'] ?? {};
        return { kind, shown: String(given['name']), with: (own) => ({ ...params, name: own, arguments: wrapped }) };
      }
      return { kind, shown: String(name), with: (own) => ({ ...params, name: own }) };
    case 'prompt':
      return { kind, shown: String(name), with: (own) => ({ ...params, name: own }) };
    case 'resource':
      return { kind, shown: String(uri), with: (own) => ({ ...params, uri: own }) };
    case 'completion': {
      const of = isJsonObject(ref) ? ref : {};
      if (of['type'] === 'ref/prompt')
        return { kind: 'prompt', shown: String(of['name']), with: (own) => ({ ...params, ref: { ...of, name: own } }) };
      return { kind: 'resource', shown: String(of['uri']), with: (own) => ({ ...params, ref: { ...of, uri: own } }) };
    }
  }
}

/** `undefined`: it is none of theirs, or nothing that this principal may see. */
function find(
  plane: DataPlane,
  gates: readonly UpstreamGate[],
  asked: Asked,
  scope: ScopeKey,
  principal: Principal,
): Resolved<UpstreamGate> | undefined {
  const { routing, policy } = plane;
  const { kind, shown } = asked;
  const toolset = toolsetOf(scope);
  if (toolset !== undefined && routing.selection(toolset)?.[`${kind}s`](shown) !== true) return undefined;
  const prefixes = prefixesOf(plane, gates);
  const whole = scope === null || toolset !== undefined;
  const split = whole ? splitShown(kind, shown) : { prefix: prefixes.get(scope), own: shown };
  const gate = split && gates.find(({ name }) => prefixes.get(name) === split.prefix);
  const prefix = split?.prefix;
  if (!gate || prefix === undefined) return undefined;
  const { own } = split;
  if (kind === 'tool' && gate.awaited?.toolFilter(own) !== true) return undefined;
  const names = kind === 'resource' ? [own, prefixedUri(prefix, own)] : [aggregateName(prefix, own)];
  if (!policy.trivial && !policy.decide(principal, { kind, server: gate.name, names }).allowed) return undefined;
  return { ok: true, target: gate, params: asked.with(own), awaited: true };
}

function splitShown(kind: Asked['kind'], shown: string): { readonly prefix: string; readonly own: string } | undefined {
  if (kind !== 'resource') {
    const split = splitAggregateName(shown);
    return split && { prefix: split.prefix, own: split.name };
  }
  const split = splitPrefixedUri(shown);
  return split && { prefix: split.prefix, own: split.uri };
}

/** As the catalogue gives them once all of these have listed. */
function prefixesOf({ routing, gates: all }: DataPlane, gates: readonly UpstreamGate[]): ReadonlyMap<string, string> {
  const wishes = new Map<string, string>();
  const names = [...routing.servers(), ...gates.map(({ name }) => name)];
  for (const name of names) {
    const wish = routing.offer(name)?.wish ?? all.get(name)?.awaited?.prefix;
    if (wish !== undefined) wishes.set(name, wish);
  }
  return assignPrefixes(names, wishes).prefixes;
}
