/**
 * Policy rules: who (role, permissions, claims, subject, tenant) may see and use what (globs of servers, tools, prompts,
 * resources). Compiled once from the configuration. Pure.
 *
 * A condition that a rule does not name holds for everybody and everything. A rule that names tools says nothing of
 * prompts and resources; one that names none of the three is about all of them.
 */
import { type Principal } from '../auth/principal.js';
import { compileFilter, type NameFilter } from '../protocol/globs.js';

export type Effect = 'allow' | 'deny';

/** One rule as configured; meaning of each member: config/blocks/policy.ts. */
export interface RuleOptions {
  readonly name?: string | undefined;
  readonly effect: Effect;
  readonly roles?: readonly string[] | undefined;
  readonly permissions?: readonly string[] | undefined;
  readonly claims?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly subjects?: readonly string[] | undefined;
  readonly tenants?: readonly string[] | undefined;
  readonly servers?: readonly string[] | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly prompts?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
}

export interface PolicyOptions {
  readonly default: Effect;
  readonly tenantClaim: string;
  readonly rules: readonly RuleOptions[];
}

export type TargetKind = 'tool' | 'prompt' | 'resource';

/** What a decision is about. */
export interface Target {
  readonly kind: TargetKind;
  /** Name of the server in the configuration. */
  readonly server: string;
  /** As at `/mcp`; of a resource all ways to write its URI that count. */
  readonly names: readonly string[];
}

interface Condition<T> {
  /** For people: `role is admin`. */
  readonly says: string;
  holds(of: T): boolean;
}

export interface Rule {
  /** `rule 3 (no-deletes)`, counted from 1. */
  readonly title: string;
  readonly effect: Effect;
  readonly permissions: readonly string[];
  /** Of the principal, besides its permissions. */
  readonly who: readonly Condition<Principal>[];
  readonly what: readonly Condition<Target>[];
}

export function compileRule(options: RuleOptions, index: number, tenantClaim: string): Rule {
  const { name, effect, permissions = [], roles, subjects, tenants, claims = {}, servers } = options;
  const number = `rule ${index + 1}`;
  const who: Condition<Principal>[] = [];
  if (roles) who.push(one('role', roles, (principal) => [principal.role]));
  if (subjects) who.push(one('subject', subjects, ({ subject }) => (subject === null ? [] : [subject])));
  if (tenants) who.push(one(`tenant (claim ${tenantClaim})`, tenants, (principal) => claimOf(principal, tenantClaim)));
  for (const [path, globs] of Object.entries(claims))
    who.push(
      one(`claim ${path}`, typeof globs === 'string' ? [globs] : globs, (principal) => claimOf(principal, path)),
    );
  const what: Condition<Target>[] = [];
  if (servers) what.push(one('server', servers, ({ server }) => [server]));
  const kinds = kindFilters(options);
  if (kinds) what.push(kinds);
  return { title: name === undefined ? number : `${number} (${name})`, effect, permissions, who, what };
}

/** The first condition of the principal that does not hold; `undefined` when all do. */
export function whyNotWho(rule: Rule, principal: Principal): string | undefined {
  const missing = rule.permissions.filter((permission) => !principal.permissions.includes(permission));
  if (missing.length > 0) return `permission ${missing.join(', ')} is missing`;
  return rule.who.find((condition) => !condition.holds(principal))?.says;
}

export function whyNotWhat(rule: Rule, target: Target): string | undefined {
  return rule.what.find((condition) => !condition.holds(target))?.says;
}

function one<T>(what: string, globs: readonly string[], read: (of: T) => readonly string[]): Condition<T> {
  const filter = compileFilter({ allow: globs });
  return { says: `${what} is not ${globs.join(' or ')}`, holds: (of) => read(of).some(filter) };
}

function kindFilters({ tools, prompts, resources }: RuleOptions): Condition<Target> | undefined {
  if (!tools && !prompts && !resources) return undefined;
  const filters: Readonly<Record<TargetKind, NameFilter | undefined>> = {
    tool: tools && compileFilter({ allow: tools }),
    prompt: prompts && compileFilter({ allow: prompts }),
    resource: resources && compileFilter({ allow: resources }),
  };
  const named = [
    ...(tools ? [`a tool ${tools.join(' or ')}`] : []),
    ...(prompts ? [`a prompt ${prompts.join(' or ')}`] : []),
    ...(resources ? [`a resource ${resources.join(' or ')}`] : []),
  ];
  return {
    says: `it is not ${named.join(', ')}`,
    holds: ({ kind, names }) => {
      const filter = filters[kind];
      return filter !== undefined && names.some(filter);
    },
  };
}

/** Values of a claim as text: of a list each one; nothing where it is absent or an object. `org.team` looks within. */
function claimOf(principal: Principal, path: string): readonly string[] {
  let value: unknown = principal.claims;
  for (const part of Object.hasOwn(principal.claims, path) ? [path] : path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return [];
    value = (value as Record<string, unknown>)[part];
  }
  const values: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : [value];
  return values.flatMap((item) =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean' ? [String(item)] : [],
  );
}
