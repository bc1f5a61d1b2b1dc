/** What the admin endpoint answers about the policy, from plain memory. */
import { type AdminParams } from '../admin/requests.js';
import { type PolicyCheck, type PolicyDetails, type RulesSnapshot } from '../admin/snapshot/policy.js';
import { type Principal, ROLES, type Role } from '../auth/principal.js';
import { type Target } from '../policy/rules.js';
import { splitAggregateName } from '../protocol/naming.js';
import { prefixedUri } from '../protocol/resource-uris.js';
import { type DataPlane } from './data-plane.js';

/** `now`: epoch milliseconds. */
export function rulesSnapshot({ policy, counters }: DataPlane, now: number): RulesSnapshot {
  const { total } = counters.denials;
  return {
    version: policy.version,
    digest: policy.digest,
    default: policy.options.default,
    rules: policy.options.rules.length,
    denials: { total, lastFiveMinutes: counters.denials.lastFiveMinutes(now) },
  };
}

export function policyDetails(plane: DataPlane, now: number): PolicyDetails {
  const { tenantClaim, rules } = plane.policy.options;
  return { ...rulesSnapshot(plane, now), tenantClaim, text: rules.map((rule) => ({ ...rule })) };
}

/** Goes through the rules for a principal that need not exist. */
export function checkPolicy(plane: DataPlane, params: AdminParams<'policy-check'>): PolicyCheck {
  const principal = principalOf(params);
  const { target, name, exists } = targetOf(plane, params);
  const decision = plane.policy.decide(principal, target);
  return {
    ...decision,
    target: { kind: target.kind, name, server: target.server },
    exists,
    steps: plane.policy.explain(principal, target),
    wanting: decision.allowed ? null : (plane.policy.wanting(principal, target) ?? null),
  };
}

function principalOf({ role, claims = {}, permissions, subject }: AdminParams<'policy-check'>): Principal {
  const claimed = claims['role'];
  const granted: unknown = claims['permissions'];
  const listed = Array.isArray(granted) ? granted.filter((item) => typeof item === 'string') : [];
  const sub = subject ?? (typeof claims['sub'] === 'string' ? claims['sub'] : 'somebody');
  return {
    subject: sub,
    role: role ?? (isRole(claimed) ? claimed : 'user'),
    permissions: permissions ?? listed,
    key: `check:${sub}`,
    expiresAt: null,
    claims,
    tenant: null,
    credential: null,
  };
}

function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value);
}

interface Found {
  readonly target: Target;
  readonly name: string;
  readonly exists: boolean;
}

function targetOf({ routing }: DataPlane, { tool, prompt, resource }: AdminParams<'policy-check'>): Found {
  const prefixOf = (server: string): string => routing.offer(server)?.prefix ?? server;
  if (resource !== undefined) {
    const route = routing.aggregate.resource(resource);
    const server = route?.target.name ?? '';
    const own = route?.own ?? resource;
    const target: Target = { kind: 'resource', server, names: [own, prefixedUri(prefixOf(server), own)] };
    return { target, name: resource, exists: route !== undefined };
  }
  const kind = tool === undefined ? 'prompt' : 'tool';
  const name = tool ?? prompt ?? '';
  const { tools, prompts } = routing.aggregate;
  const route = (kind === 'tool' ? tools : prompts).get(name);
  const prefix = splitAggregateName(name)?.prefix ?? '';
  const named = [...routing.servers()].find((server) => prefixOf(server) === prefix);
  return {
    target: { kind, server: route?.target.name ?? named ?? prefix, names: [name] },
    name,
    exists: route !== undefined,
  };
}
