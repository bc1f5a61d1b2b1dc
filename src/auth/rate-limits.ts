/**
 * How often a client may ask: by role, by tenant, by tool. Plain memory, read on the data path.
 *
 * What is counted is a request. All limits that apply must have room; one that has not refuses, and those asked before it
 * keep what they took: a client that is refused has asked.
 */
import { compileFilter, type NameFilter } from '../protocol/globs.js';
import { isJsonObject, type JsonRpcRequest } from '../protocol/jsonrpc.js';
import { type Principal, type Role, ROLES } from './principal.js';
import { TokenBuckets } from './token-bucket.js';

export interface RateLimitOptions {
  readonly roles: Readonly<Record<Role, number>>;
  readonly burst: number;
  readonly tools: Readonly<Record<string, number>>;
  readonly tenants: Readonly<Record<string, number>>;
  readonly failedLogins: number;
  readonly maxKeys: number;
}

/** What refused, and for how long. */
export interface LimitRefusal {
  readonly limit: 'role' | 'tenant' | 'tool';
  /** The role, the tenant or the tool's glob. */
  readonly name: string;
  readonly waitMs: number;
}

interface ToolLimit {
  readonly glob: string;
  readonly matches: NameFilter;
  readonly buckets: TokenBuckets;
}

export class RateLimits {
  readonly #roles: Readonly<Record<Role, TokenBuckets>>;
  readonly #tenants: ReadonlyMap<string, TokenBuckets>;
  readonly #tools: readonly ToolLimit[];
  readonly #logins: TokenBuckets;

  constructor({ roles, burst, tools, tenants, failedLogins, maxKeys }: RateLimitOptions) {
    const buckets = (perMinute: number): TokenBuckets => new TokenBuckets({ perMinute, burst, maxKeys });
    this.#roles = Object.fromEntries(ROLES.map((role) => [role, buckets(roles[role])])) as Record<Role, TokenBuckets>;
    this.#tenants = new Map(Object.entries(tenants).map(([name, perMinute]) => [name, buckets(perMinute)]));
    this.#tools = Object.entries(tools).map(([glob, perMinute]) => ({
      glob,
      matches: compileFilter({ allow: [glob] }),
      buckets: buckets(perMinute),
    }));
    // `burst` is of requests: it lends nobody more guesses.
    this.#logins = new TokenBuckets({ perMinute: failedLogins, burst: 1, maxKeys });
  }

  /**
   * Counts one request, or says why it may not be made now. `address` is whom a guest is counted by; `shown` gives the
   * name that the whole catalogue has for a tool.
   */
  admit(
    principal: Principal,
    address: string,
    request: JsonRpcRequest,
    now: number,
    shown: (name: string) => string = (name) => name,
  ): LimitRefusal | undefined {
    const { role, tenant, subject } = principal;
    const who = subject === null ? address : principal.key;
    const waitMs = this.#roles[role].take(who, 1, now);
    if (waitMs > 0) return { limit: 'role', name: role, waitMs };
    const refused = tenant === null || this.#tenants.size === 0 ? undefined : this.#admitTenant(tenant, now);
    if (refused !== undefined || this.#tools.length === 0 || request.method !== 'tools/call') return refused;
    return this.#admitTool(who, request, now, shown);
  }

  /** Milliseconds that this address has to wait before it may try to log in. */
  loginWait(address: string, now: number): number {
    return this.#logins.peek(address, 1, now);
  }

  loginFailed(address: string, now: number): void {
    this.#logins.take(address, 1, now);
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#all().reduce((sum, { size }) => sum + size, 0);
  }

  /** Forgets keys that have rested: nothing changes for them. */
  sweep(now: number): void {
    for (const buckets of this.#all()) buckets.sweep(now);
  }

  #admitTenant(tenant: string, now: number): LimitRefusal | undefined {
    const waitMs = (this.#tenants.get(tenant) ?? this.#tenants.get('*'))?.take(tenant, 1, now) ?? 0;
    return waitMs > 0 ? { limit: 'tenant', name: tenant, waitMs } : undefined;
  }

  #admitTool(
    who: string,
    { params }: JsonRpcRequest,
    now: number,
    shown: (name: string) => string,
  ): LimitRefusal | undefined {
    const called = toolOf(params);
    if (called === undefined) return undefined;
    const name = shown(called);
    for (const { glob, matches, buckets } of this.#tools) {
      const waitMs = matches(name) ? buckets.take(who, 1, now) : 0;
      if (waitMs > 0) return { limit: 'tool', name: glob, waitMs };
    }
    return undefined;
  }

  #all(): TokenBuckets[] {
    const tools = this.#tools.map(({ buckets }) => buckets);
    return [...Object.values(this.#roles), ...this.#tenants.values(), ...tools, this.#logins];
  }
}

/** The tool that is meant, also behind `call_tool`. */
function toolOf(params: unknown): string | undefined {
  if (!isJsonObject(params)) return undefined;
  const { name, arguments: args } = params;
  if (name === 'call_tool' && isJsonObject(args) && typeof args['name'] === 'string') return args['name'];
  return typeof name === 'string' ? name : undefined;
}
