/**
 * The routing table: which upstream serves which name, and the lists that clients are shown.
 *
 * Immutable once built. The catalogue builds a new one when an upstream's listing or availability changes and publishes
 * it by one assignment; the data path reads whatever is current. Lists are rendered a page at a time, when first asked
 * for; an entry keeps its rendered text from table to table.
 *
 * Pure: generic over what a route leads to, so that it is tested without upstreams.
 */
import { aggregateName } from '../protocol/naming.js';
import { type Access } from './access.js';
import { type Offer } from './offer.js';
import { type Collision, ScopeView } from './scope-view.js';
import { NO_RULES, type ScopeKey, type ScopeRules, type Selection, toolsetOf, toolsetScope } from './scopes.js';
import { type ToolSearch } from './tool-search.js';

export type { Listing } from './listing.js';
export type { Offer } from './offer.js';
export { type Collision, type Route, ScopeView } from './scope-view.js';

/** All scopes at one moment. */
export class RoutingTable<T> {
  readonly version: number;
  readonly aggregate: ScopeView<T>;
  readonly collisions: readonly Collision[];
  readonly #offers: ReadonlyMap<string, Offer<T>>;
  readonly #pageSize: number;
  readonly #servers = new Map<string, ScopeView<T>>();
  readonly #rules: ScopeRules;
  readonly #toolsets = new Map<string, ScopeView<T>>();
  /** Views of those who do not see everything, by what they see. */
  readonly #personal = new WeakMap<Access, Map<ScopeKey, ScopeView<T>>>();

  constructor(version: number, offers: readonly Offer<T>[], pageSize: number, rules: ScopeRules = NO_RULES) {
    const collisions: Collision[] = [];
    this.version = version;
    this.aggregate = new ScopeView(offers, true, pageSize, collisions, { search: rules.search });
    this.#rules = rules;
    this.collisions = collisions;
    this.#pageSize = pageSize;
    this.#offers = new Map(offers.map((offer) => [offer.server, offer]));
  }

  /** What it was built from. */
  offer(server: string): Offer<T> | undefined {
    return this.#offers.get(server);
  }

  /** The name that the aggregate has for a tool or prompt which this scope calls `name`. */
  aggregateName(scope: ScopeKey, name: string): string {
    const offer = scope === null ? undefined : this.#offers.get(scope);
    return offer === undefined ? name : aggregateName(offer.prefix, name);
  }

  /** Whether servers' own endpoints show a search in place of their tools. */
  get searches(): boolean {
    return this.#rules.search !== null;
  }

  /** Names of the servers in it. */
  servers(): Iterable<string> {
    return this.#offers.keys();
  }

  /** What one server's own endpoint serves; built when first asked for. `undefined` when no such server was listed yet. */
  server(name: string): ScopeView<T> | undefined {
    const known = this.#servers.get(name);
    if (known) return known;
    const offer = this.#offers.get(name);
    if (!offer) return undefined;
    const search = 'tools' in offer.listing.capabilities ? this.#rules.search : null;
    const view = new ScopeView([offer], false, this.#pageSize, [], { search });
    this.#servers.set(name, view);
    return view;
  }

  /** What a toolset serves; built when first asked for. `undefined` when none is configured by this name. */
  toolset(name: string): ScopeView<T> | undefined {
    const known = this.#toolsets.get(name);
    if (known) return known;
    const rule = this.#rules.toolsets.get(name);
    if (!rule) return undefined;
    const selected = { selection: rule.selection, aggregate: this.aggregate };
    const offers = [...this.#offers.values()];
    const view = new ScopeView(offers, true, this.#pageSize, [], { search: rule.search, selected });
    this.#toolsets.set(name, view);
    return view;
  }

  /** What the toolset of this name holds; `undefined` when none is configured. */
  selection(toolset: string): Selection | undefined {
    return this.#rules.toolsets.get(toolset)?.selection;
  }

  /** The scopes of all configured toolsets. */
  toolsetScopes(): ScopeKey[] {
    return [...this.#rules.toolsets.keys()].map(toolsetScope);
  }

  /** Searches of which something is to be indexed yet; the view of each scope is built when its turn comes. */
  *unindexed(): Generator<ToolSearch, undefined> {
    for (const scope of [null, ...this.toolsetScopes(), ...(this.searches ? this.servers() : [])]) {
      const search = this.scope(scope)?.search;
      while (search && search.pending > 0) yield search;
    }
  }

  /** The view of a scope (`null` is the aggregate) for those of one access; `undefined`: for those who see everything. */
  scope(scope: ScopeKey, access?: Access): ScopeView<T> | undefined {
    if (access && !access.everything) return this.#personalView(scope, access);
    if (scope === null) return this.aggregate;
    const toolset = toolsetOf(scope);
    return toolset === undefined ? this.server(scope) : this.toolset(toolset);
  }

  /** Built when first asked for; kept for all of this access. */
  #personalView(scope: ScopeKey, access: Access): ScopeView<T> | undefined {
    let views = this.#personal.get(access);
    if (!views) this.#personal.set(access, (views = new Map<ScopeKey, ScopeView<T>>()));
    const known = views.get(scope);
    if (known) return known;
    const view = this.#buildPersonal(scope, access);
    if (view) views.set(scope, view);
    return view;
  }

  #buildPersonal(scope: ScopeKey, access: Access): ScopeView<T> | undefined {
    const whole = this.scope(scope);
    const toolset = toolsetOf(scope);
    const rule = toolset === undefined ? undefined : this.#rules.toolsets.get(toolset);
    if (!whole) return undefined;
    const own = scope === null || toolset !== undefined ? undefined : this.#offers.get(scope);
    const selected = rule && { selection: rule.selection, aggregate: this.aggregate };
    const search = rule ? rule.search : whole.search && this.#rules.search;
    const traits = { search, personal: { access, whole }, ...(selected && { selected }) };
    return new ScopeView(own ? [own] : [...this.#offers.values()], !own, this.#pageSize, [], traits);
  }
}
