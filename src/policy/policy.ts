/**
 * The policy: an immutable snapshot that the data path reads. The first rule whose conditions hold decides; when none
 * does, the default. Pure.
 *
 * Principals for whom the same rules come into question are of one class, and the class is what lists are kept by: a
 * decision a tool is made when a class first looks, not when a request comes.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type Principal } from '../auth/principal.js';
import { type Access } from '../routing/access.js';
import {
  compileRule,
  type Effect,
  type PolicyOptions,
  type Rule,
  type Target,
  whyNotWhat,
  whyNotWho,
} from './rules.js';
import { spellingsOf } from './uris.js';

export interface Decision {
  readonly allowed: boolean;
  /** Which rule, or `default`. */
  readonly by: string;
}

/** One rule as a check went through it. */
export interface Step {
  readonly rule: string;
  readonly effect: Effect;
  /** `null`: it holds, and decides. Else the first condition that does not hold. */
  readonly skipped: string | null;
}

/** Classes that are kept; the oldest goes first. Who is of it simply gets another. */
const MAX_CLASSES = 256;

class PolicyClass implements Access {
  readonly everything: boolean;
  readonly #rules: readonly Rule[];
  readonly #fallback: Effect;

  /** `rules`: those whose conditions on the principal hold. */
  constructor(rules: readonly Rule[], fallback: Effect) {
    // Behind a rule about everything nothing is ever asked.
    const end = rules.findIndex((rule) => rule.what.length === 0);
    this.#rules = end < 0 ? rules : rules.slice(0, end + 1);
    this.#fallback = fallback;
    const ends = end < 0 ? fallback : (rules[end]?.effect ?? fallback);
    this.everything = ends === 'allow' && this.#rules.every(({ effect }) => effect === 'allow');
  }

  decide(target: Target): Decision {
    const rule = this.#rules.find((candidate) => whyNotWhat(candidate, target) === undefined);
    return rule === undefined
      ? { allowed: this.#fallback === 'allow', by: 'default' }
      : { allowed: rule.effect === 'allow', by: rule.title };
  }

  tool(server: string, name: string): boolean {
    return this.everything || this.decide({ kind: 'tool', server, names: [name] }).allowed;
  }

  prompt(server: string, name: string): boolean {
    return this.everything || this.decide({ kind: 'prompt', server, names: [name] }).allowed;
  }

  /** Every way to write the URI must be allowed, so that no deny is passed by another spelling. */
  resource(server: string, uris: readonly string[]): boolean {
    return this.everything || this.decideResource(server, uris).allowed;
  }

  decideResource(server: string, uris: readonly string[]): Decision {
    const plain = this.decide({ kind: 'resource', server, names: uris });
    if (!plain.allowed) return plain;
    for (const names of spellingsOf(uris)) {
      const other = this.decide({ kind: 'resource', server, names });
      if (!other.allowed) return other;
    }
    return plain;
  }
}

export class Policy {
  /** Grows with each change while the gateway runs; 1 at the start. */
  readonly version: number;
  /** SHA-256 of the canonical rules. */
  readonly digest: string;
  readonly options: PolicyOptions;
  readonly #rules: readonly Rule[];
  readonly #classes = new Map<string, PolicyClass>();
  readonly #known = new WeakMap<Principal, PolicyClass>();

  constructor(options: PolicyOptions, version: number) {
    this.version = version;
    this.options = options;
    this.digest = createHash('sha256')
      .update(canonicalize(options) ?? '')
      .digest('hex');
    this.#rules = options.rules.map((rule, index) => compileRule(rule, index, options.tenantClaim));
  }

  /** Whether anything can be denied to anybody. */
  get trivial(): boolean {
    return this.options.default === 'allow' && this.#rules.every(({ effect }) => effect === 'allow');
  }

  /** Whether lists can differ from principal to principal: then no cache may share them. */
  get personal(): boolean {
    return !this.trivial && this.#rules.some((rule) => rule.who.length > 0 || rule.permissions.length > 0);
  }

  /** What the principal may; `undefined` where nothing is denied to anybody. */
  access(principal: Principal): Access | undefined {
    return this.trivial ? undefined : this.#classOf(principal);
  }

  decide(principal: Principal, target: Target): Decision {
    return decideIn(this.#classOf(principal), target);
  }

  /** The permissions that would turn a denial into a yes, if any would: what a step-up asks for. */
  wanting(principal: Principal, target: Target): readonly string[] | undefined {
    for (const rule of this.#rules) {
      if (rule.effect === 'deny' || rule.permissions.length === 0) continue;
      const missing = rule.permissions.filter((permission) => !principal.permissions.includes(permission));
      if (missing.length === 0 || whyNotWhat(rule, target) !== undefined) continue;
      const stepped: Principal = { ...principal, permissions: [...principal.permissions, ...missing] };
      if (decideIn(this.#newClass(stepped), target).allowed) return missing;
    }
    return undefined;
  }

  /** The rules one by one, up to that which decides. */
  explain(principal: Principal, target: Target): readonly Step[] {
    const steps: Step[] = [];
    for (const rule of this.#rules) {
      const skipped = whyNotWho(rule, principal) ?? whyNotWhat(rule, target) ?? null;
      steps.push({ rule: rule.title, effect: rule.effect, skipped });
      if (skipped === null) break;
    }
    return steps;
  }

  #classOf(principal: Principal): PolicyClass {
    const known = this.#known.get(principal);
    if (known) return known;
    const key = this.#rules.map((rule) => (whyNotWho(rule, principal) === undefined ? '1' : '0')).join('');
    let found = this.#classes.get(key);
    if (!found) {
      found = this.#newClass(principal);
      this.#classes.set(key, found);
      const oldest = this.#classes.size > MAX_CLASSES ? this.#classes.keys().next() : undefined;
      if (oldest?.done === false) this.#classes.delete(oldest.value);
    }
    this.#known.set(principal, found);
    return found;
  }

  #newClass(principal: Principal): PolicyClass {
    return new PolicyClass(
      this.#rules.filter((rule) => whyNotWho(rule, principal) === undefined),
      this.options.default,
    );
  }
}

function decideIn(access: PolicyClass, target: Target): Decision {
  return target.kind === 'resource' ? access.decideResource(target.server, target.names) : access.decide(target);
}
