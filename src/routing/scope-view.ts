/**
 * A scope's view: what one endpoint serves, names to targets and lists in pages, for everybody or for those of one access.
 * Immutable once built; pure.
 */
import { type CursorKind, MAX_CURSOR_KEY } from '../protocol/cursor.js';
import { compileTemplate, type UriTemplate } from '../protocol/uri-template.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { type CacheHints, combineCacheHints } from '../protocol/modern/caching.js';
import { aggregateCapabilities } from '../protocol/modern/discover.js';
import { aggregateName } from '../protocol/naming.js';
import {
  assignResourceUris,
  prefixedUri,
  type ResourceUriConflict,
  splitPrefixedUri,
} from '../protocol/resource-uris.js';
import { type Access } from './access.js';
import { joinInstructions, type Offer } from './offer.js';
import { type Entry, PagedList } from './paged-list.js';
import { type SearchRule, type Selection } from './scopes.js';
import { searchTools, ToolSearch } from './tool-search.js';

export interface Route<T> {
  readonly target: T;
  /** The name or URI that the upstream knows. */
  readonly own: string;
  /** The entry of its listing; absent where a template or the only server matched. */
  readonly item?: JsonObject;
  /** A tool whose definition nobody has accepted: it is not called. */
  readonly quarantined?: true;
}

interface TemplateRoute<T> extends Route<T> {
  readonly template: UriTemplate;
}

/** What is left out of a list or shown under another name. Reported; never a reason to refuse the rest. */
export type Collision =
  | { readonly kind: 'duplicate'; readonly server: string; readonly list: CursorKind; readonly name: string }
  /** Longer than a cursor holds: shown, it would end the list for everybody whose page ends with it. */
  | { readonly kind: 'too-long'; readonly server: string; readonly list: CursorKind; readonly name: string }
  | { readonly kind: 'shared-uri'; readonly conflict: ResourceUriConflict };

const MEMBER: Readonly<Record<CursorKind, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

/** What a toolset's view has besides that of the aggregate. */
interface Selected<T> {
  readonly selection: Selection;
  /** A toolset leads nowhere else than the aggregate does. */
  readonly aggregate: ScopeView<T>;
}

/** How a scope differs from a plain one. */
interface ScopeTraits<T> {
  readonly search: SearchRule | null;
  readonly selected?: Selected<T>;
  readonly personal?: Personal<T>;
}

/** What a view has that keeps something back. */
interface Personal<T> {
  readonly access: Access;
  /** The same scope with everything: names lead nowhere else than they do there. */
  readonly whole: ScopeView<T>;
}

/** What one endpoint (`/mcp`, `/mcp/s/<name>` or `/mcp/t/<toolset>`) serves. */
export class ScopeView<T> {
  readonly tools = new Map<string, Route<T>>();
  readonly prompts = new Map<string, Route<T>>();
  readonly resources = new Map<string, Route<T>>();
  readonly lists: Readonly<Record<CursorKind, PagedList>>;
  /** Targets that can be asked for a URI that nobody listed. */
  readonly #resourceServers: readonly T[];
  /** Who a URI of the form `viable://<prefix>/…` names. Empty where nothing is prefixed. */
  readonly #byPrefix: ReadonlyMap<string, T>;
  readonly #templates: readonly TemplateRoute<T>[];
  readonly #templateByText = new Map<string, Route<T>>();
  readonly capabilities: ReadonlySet<string>;
  readonly instructions: string | undefined;
  /** Of the merged lists: as fresh as the stalest, private if any is. */
  readonly hints: CacheHints;
  /** As one server's, in the modern spelling. */
  readonly modernCapabilities: JsonObject;
  /** Set when `lists.tools` shows `find_tool` and `call_tool` in place of the tools. */
  readonly search: ToolSearch | null;
  /** How many tools can be called now; `lists.tools` has as many, or the two of the search. */
  readonly offeredTools: number;
  /** Servers of which something is in this scope. */
  readonly servers: ReadonlySet<string>;
  readonly #selected: Selected<T> | undefined;
  readonly #used = new Set<string>();
  readonly #access: Access | undefined;
  readonly #whole: ScopeView<T> | undefined;
  /** Whose a target is; of a view that keeps something back. */
  readonly #byTarget: ReadonlyMap<T, Offer<T>>;

  constructor(
    offers: readonly Offer<T>[],
    prefixed: boolean,
    pageSize: number,
    collisions: Collision[],
    { search, selected, personal }: ScopeTraits<T> = { search: null },
  ) {
    this.#selected = selected;
    this.#access = personal?.access;
    this.#whole = personal?.whole;
    this.#byTarget = new Map(personal && offers.map((offer) => [offer.target, offer]));
    const entries: Record<CursorKind, Entry[]> = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
    for (const offer of offers) {
      this.#addNamed('tools', this.tools, offer, prefixed, entries.tools, collisions);
      this.#addNamed('prompts', this.prompts, offer, prefixed, entries.prompts, collisions);
    }
    this.#byPrefix = new Map(prefixed ? offers.map((offer) => [offer.prefix, offer.target]) : []);
    this.#addResources(offers, prefixed, entries.resources, collisions);
    this.#templates = this.#addTemplates(offers, prefixed, entries.resourceTemplates, collisions);
    // Available or not: a server that is away must not hand its URIs to another.
    this.#resourceServers = offers.filter((o) => 'resources' in o.listing.capabilities).map((o) => o.target);
    this.search = search && new ToolSearch(search, () => entries.tools.map(({ key, item }) => ({ name: key, item })));
    this.lists = {
      tools: new PagedList('tools', pageSize, search ? searchEntries(search) : entries.tools),
      prompts: new PagedList('prompts', pageSize, entries.prompts),
      resources: new PagedList('resources', pageSize, entries.resources),
      resourceTemplates: new PagedList('resourceTemplates', pageSize, entries.resourceTemplates),
    };
    this.offeredTools = entries.tools.length;
    this.servers = selected || personal ? this.#used : new Set(offers.map((offer) => offer.server));
    const { capabilities, description } = selected?.selection ?? {};
    this.capabilities = new Set(capabilities ?? offers.flatMap((offer) => Object.keys(offer.listing.capabilities)));
    const heard = offers.filter((offer) => this.servers.has(offer.server));
    this.instructions = joinInstructions(heard, prefixed, description);
    const available = heard.filter((offer) => offer.available);
    this.hints = combineCacheHints(available.map((offer) => offer.listing.hints));
    this.modernCapabilities = aggregateCapabilities(available.map((offer) => offer.listing.capabilities));
  }

  /**
   * Who has this URI: listed exactly, else the server that its prefix names and nobody else (clients may keep such a URI),
   * else the most specific template, else the only server with resources.
   */
  resource(uri: string): Route<T> | undefined {
    if (this.#whole) return this.#readable(this.#whole.resource(uri));
    const exact = this.resources.get(uri);
    if (exact) return exact;
    if (this.#selected) return this.#selectedResource(uri, this.#selected);
    const split = this.#byPrefix.size > 0 ? splitPrefixedUri(uri) : undefined;
    if (split) {
      const named = this.#byPrefix.get(split.prefix);
      return named && { target: named, own: split.uri };
    }
    for (const { template, target } of this.#templates) if (template.matches(uri)) return { target, own: uri };
    const [only, ...others] = this.#resourceServers;
    return only !== undefined && others.length === 0 ? { target: only, own: uri } : undefined;
  }

  /** Who has this template or, since 2024-11-05 leaves it open, this plain URI. For completions. */
  template(uriTemplate: string): Route<T> | undefined {
    if (this.#whole) return this.#readable(this.#whole.template(uriTemplate));
    return this.#templateByText.get(uriTemplate) ?? this.resource(uriTemplate);
  }

  #readable(route: Route<T> | undefined): Route<T> | undefined {
    const offer = route && this.#byTarget.get(route.target);
    if (!route || !offer) return undefined;
    return this.#access?.resource(offer.server, urisOf(offer, route.own)) === true ? route : undefined;
  }

  /** Of a toolset: where the aggregate leads, if the toolset's patterns or one of its templates have the URI. */
  #selectedResource(uri: string, { selection, aggregate }: Selected<T>): Route<T> | undefined {
    const route = aggregate.resource(uri);
    if (!route || selection.resources(uri)) return route;
    const held = this.#templates.some(({ target, template }) => target === route.target && template.matches(uri));
    return held ? route : undefined;
  }

  /** Whether something of the offer belongs to this scope; of a toolset by its patterns, else always. */
  #takes(offer: Offer<T>, kind: 'tools' | 'prompts' | 'resources', ...names: string[]): boolean {
    if (this.#selected && !names.some(this.#selected.selection[kind])) return false;
    this.#used.add(offer.server);
    return true;
  }

  #addNamed(
    kind: 'tools' | 'prompts',
    routes: Map<string, Route<T>>,
    offer: Offer<T>,
    prefixed: boolean,
    entries: Entry[],
    collisions: Collision[],
  ): void {
    const seen = new Set<string>();
    for (const item of offer.listing[kind]) {
      const own = item['name'] as string;
      if (kind === 'tools' && !offer.toolFilter(own)) continue;
      if (seen.has(own)) {
        collisions.push({ kind: 'duplicate', server: offer.server, list: kind, name: own });
        continue;
      }
      seen.add(own);
      const shown = prefixed ? aggregateName(offer.prefix, own) : own;
      if (shown.length > MAX_CURSOR_KEY) {
        collisions.push({ kind: 'too-long', server: offer.server, list: kind, name: own });
        continue;
      }
      if (this.#access && !this.#allows(this.#access, kind, offer, own)) continue;
      if (!this.#takes(offer, kind, shown)) continue;
      const kept = kind === 'tools' && offer.quarantined?.has(own) === true;
      routes.set(shown, { target: offer.target, own, item, ...(kept && { quarantined: true }) });
      if (offer.available && !kept)
        entries.push({ key: shown, item, renamed: prefixed ? { member: 'name', to: shown } : undefined });
    }
  }

  /** Named as at `/mcp`, wherever this view is served: a rule means the same everywhere. */
  #allows(access: Access, kind: 'tools' | 'prompts', { server, prefix }: Offer<T>, own: string): boolean {
    const name = aggregateName(prefix, own);
    return kind === 'tools' ? access.tool(server, name) : access.prompt(server, name);
  }

  #addResources(offers: readonly Offer<T>[], prefixed: boolean, entries: Entry[], collisions: Collision[]): void {
    for (const { shown, own, offer, item } of assign(offers, 'resources', prefixed, collisions)) {
      if (this.#access?.resource(offer.server, urisOf(offer, own)) === false) continue;
      if (!this.#takes(offer, 'resources', shown, prefixedUri(offer.prefix, own))) continue;
      this.resources.set(shown, { target: offer.target, own, item });
      if (offer.available)
        entries.push({ key: shown, item, renamed: shown === own ? undefined : { member: 'uri', to: shown } });
    }
  }

  #addTemplates(
    offers: readonly Offer<T>[],
    prefixed: boolean,
    entries: Entry[],
    collisions: Collision[],
  ): TemplateRoute<T>[] {
    const routes: TemplateRoute<T>[] = [];
    for (const { shown, own, offer, item } of assign(offers, 'resourceTemplates', prefixed, collisions)) {
      if (this.#access?.resource(offer.server, urisOf(offer, own)) === false) continue;
      if (!this.#takes(offer, 'resources', shown, prefixedUri(offer.prefix, own))) continue;
      const { target } = offer;
      this.#templateByText.set(shown, { target, own });
      // Of the prefixed ones too: a toolset's view asks them; anywhere else the prefix has answered before.
      const template = compileTemplate(shown);
      if (template) routes.push({ template, target, own });
      const renamed = shown === own ? undefined : { member: 'uriTemplate', to: shown };
      if (offer.available) entries.push({ key: shown, item, renamed });
    }
    return routes.sort((a, b) => b.template.specificity - a.template.specificity);
  }
}

function urisOf<T>({ prefix }: Offer<T>, own: string): readonly string[] {
  return [own, prefixedUri(prefix, own)];
}

function searchEntries(rule: SearchRule): Entry[] {
  return searchTools(rule).map(({ name, item }) => ({ key: name, item, renamed: undefined }));
}

interface Assigned<T> {
  readonly shown: string;
  readonly own: string;
  readonly offer: Offer<T>;
  readonly item: JsonObject;
}

/** Gives each URI or template the name that clients see, in the order of those names; of a server's duplicates the first counts. */
function assign<T>(
  offers: readonly Offer<T>[],
  kind: 'resources' | 'resourceTemplates',
  prefixed: boolean,
  collisions: Collision[],
): Assigned<T>[] {
  const byPrefix = new Map(offers.map((offer) => [offer.prefix, { offer, items: firstOf(offer, kind, collisions) }]));
  const owners = [...byPrefix].flatMap(([prefix, { items }]) => [...items.keys()].map((uri) => ({ prefix, uri })));
  const assignment = prefixed ? assignResourceUris(owners) : undefined;
  for (const conflict of assignment?.conflicts ?? []) collisions.push({ kind: 'shared-uri', conflict });
  const assigned: Assigned<T>[] = [];
  for (const [shown, { prefix, uri }] of assignment?.owners ?? owners.map((owner) => [owner.uri, owner] as const)) {
    const owner = byPrefix.get(prefix);
    const item = owner?.items.get(uri);
    if (!owner || !item) continue;
    const { offer } = owner;
    if (shown.length <= MAX_CURSOR_KEY) assigned.push({ shown, own: uri, offer, item });
    else collisions.push({ kind: 'too-long', server: offer.server, list: kind, name: uri });
  }
  return assigned.sort((a, b) => (a.shown < b.shown ? -1 : 1));
}

/** A server's items by URI or template, each once. */
function firstOf<T>(
  { listing, server }: Offer<T>,
  kind: 'resources' | 'resourceTemplates',
  collisions: Collision[],
): Map<string, JsonObject> {
  const items = new Map<string, JsonObject>();
  for (const item of listing[kind]) {
    const own = item[MEMBER[kind]] as string;
    if (items.has(own)) collisions.push({ kind: 'duplicate', server, list: kind, name: own });
    else items.set(own, item);
  }
  return items;
}
