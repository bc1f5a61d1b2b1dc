/**
 * The routing table: which upstream serves which name, and the lists that clients are shown.
 *
 * Immutable once built. The catalogue builds a new one when an upstream's listing or availability changes and publishes
 * it by one assignment; the data path reads whatever is current. Lists are rendered a page at a time, when first asked
 * for; an entry keeps its rendered text from table to table.
 *
 * Pure: generic over what a route leads to, so that it is tested without upstreams.
 */
import { type CursorKind, encodeCursor, MAX_CURSOR_KEY } from '../protocol/cursor.js';
import { compileTemplate, type UriTemplate } from '../protocol/uri-template.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { aggregateName } from '../protocol/naming.js';
import { assignResourceUris, type ResourceUriConflict, splitPrefixedUri } from '../protocol/resource-uris.js';

/** What a server offers, as it said it. */
export interface Listing {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  /** `capabilities` and `instructions` of its `initialize` answer. */
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

/** One upstream's part of the table. */
export interface Offer<T> {
  readonly server: string;
  readonly prefix: string;
  /** The prefix that its configuration asks for, if any; kept for whoever builds the next table. */
  readonly wish?: string | undefined;
  readonly target: T;
  readonly listing: Listing;
  /** False while it takes no calls: its names still lead to it, so that callers hear why, but no list shows them. */
  readonly available: boolean;
  readonly toolFilter: (name: string) => boolean;
}

export interface Route<T> {
  readonly target: T;
  /** The name or URI that the upstream knows. */
  readonly own: string;
}

interface TemplateRoute<T> extends Route<T> {
  readonly template: UriTemplate;
}

/** Something that is shown in a list. */
interface Entry {
  readonly key: string;
  readonly item: JsonObject;
  /** The member that holds the name, and what it is shown as; `undefined` when it is shown as the server wrote it. */
  readonly renamed: { readonly member: string; readonly to: string } | undefined;
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

/** Rendered texts by item, shared by all tables that show the item: `[as the server wrote it, renamed]`. */
const rendered = new WeakMap<JsonObject, { plain?: string; renamed?: string; to?: string }>();

function render(entry: Entry): string {
  let cache = rendered.get(entry.item);
  if (!cache) rendered.set(entry.item, (cache = {}));
  if (!entry.renamed) return (cache.plain ??= JSON.stringify(entry.item));
  if (cache.renamed === undefined || cache.to !== entry.renamed.to) {
    cache.renamed = JSON.stringify({ ...entry.item, [entry.renamed.member]: entry.renamed.to });
    cache.to = entry.renamed.to;
  }
  return cache.renamed;
}

/** A sorted list that is served in pages. */
export class PagedList {
  readonly #kind: CursorKind;
  readonly #pageSize: number;
  readonly #entries: readonly Entry[];
  readonly #pages = new Map<number, string>();

  constructor(kind: CursorKind, pageSize: number, entries: Entry[]) {
    this.#kind = kind;
    this.#pageSize = pageSize;
    this.#entries = entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Keys in the order of the list. */
  keys(): string[] {
    return this.#entries.map((entry) => entry.key);
  }

  /** True when both show the same items under the same names, item by item as their servers wrote them. */
  equals(other: PagedList): boolean {
    if (other.#entries.length !== this.#entries.length) return false;
    return this.#entries.every((entry, i) => {
      const twin = other.#entries[i] as Entry;
      return entry.key === twin.key && (entry.item === twin.item || render(entry) === render(twin));
    });
  }

  /** The result object's text for the page after `after` (the first page when it is `undefined`). */
  page(after: string | undefined): string {
    const start = after === undefined ? 0 : this.#firstAfter(after);
    const known = this.#pages.get(start);
    if (known !== undefined) return known;
    const text = this.#renderPage(start);
    // Only starts at page boundaries recur; a stray cursor must not fill the memory.
    if (start % this.#pageSize === 0) this.#pages.set(start, text);
    return text;
  }

  #renderPage(start: number): string {
    const shown = this.#entries.slice(start, start + this.#pageSize);
    const items = shown.map(render).join(',');
    const last = shown.at(-1);
    const more = start + this.#pageSize < this.#entries.length && last;
    const next = more ? `,"nextCursor":${JSON.stringify(encodeCursor({ kind: this.#kind, after: last.key }))}` : '';
    return `{"${this.#kind}":[${items}]${next}}`;
  }

  /** Index of the first key greater than `after`. */
  #firstAfter(after: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).key <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What one endpoint (`/mcp`, or `/mcp/s/<name>`) serves. */
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

  constructor(offers: readonly Offer<T>[], prefixed: boolean, pageSize: number, collisions: Collision[]) {
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
    this.lists = {
      tools: new PagedList('tools', pageSize, entries.tools),
      prompts: new PagedList('prompts', pageSize, entries.prompts),
      resources: new PagedList('resources', pageSize, entries.resources),
      resourceTemplates: new PagedList('resourceTemplates', pageSize, entries.resourceTemplates),
    };
    this.capabilities = new Set(offers.flatMap((offer) => Object.keys(offer.listing.capabilities)));
    this.instructions = joinInstructions(offers, prefixed);
  }

  /**
   * Who has this URI: listed exactly, else the server that its prefix names (clients may keep such a URI), else the most
   * specific template, else the only server with resources.
   */
  resource(uri: string): Route<T> | undefined {
    const exact = this.resources.get(uri);
    if (exact) return exact;
    const split = splitPrefixedUri(uri);
    const named = split && this.#byPrefix.get(split.prefix);
    if (split && named !== undefined) return { target: named, own: split.uri };
    for (const { template, target } of this.#templates) if (template.matches(uri)) return { target, own: uri };
    const [only, ...others] = this.#resourceServers;
    return only !== undefined && others.length === 0 ? { target: only, own: uri } : undefined;
  }

  /** Who has this template or, since 2024-11-05 leaves it open, this plain URI. For completions. */
  template(uriTemplate: string): Route<T> | undefined {
    return this.#templateByText.get(uriTemplate) ?? this.resource(uriTemplate);
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
      routes.set(shown, { target: offer.target, own });
      if (offer.available)
        entries.push({ key: shown, item, renamed: prefixed ? { member: 'name', to: shown } : undefined });
    }
  }

  #addResources(offers: readonly Offer<T>[], prefixed: boolean, entries: Entry[], collisions: Collision[]): void {
    for (const { shown, own, offer, item } of assign(offers, 'resources', prefixed, collisions)) {
      this.resources.set(shown, { target: offer.target, own });
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
      const { target } = offer;
      this.#templateByText.set(shown, { target, own });
      // A prefixed one needs no matching: what it stands for names its server.
      const template = shown === own ? compileTemplate(own) : undefined;
      if (template) routes.push({ template, target, own });
      const renamed = shown === own ? undefined : { member: 'uriTemplate', to: shown };
      if (offer.available) entries.push({ key: shown, item, renamed });
    }
    return routes.sort((a, b) => b.template.specificity - a.template.specificity);
  }
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

const MAX_INSTRUCTIONS = 8_192;

/** Instructions are shown to a model: each server's under its name, cut at 8,192 characters together. */
function joinInstructions<T>(offers: readonly Offer<T>[], prefixed: boolean): string | undefined {
  const parts: string[] = [];
  for (const { listing, prefix, available } of offers) {
    if (!available || listing.instructions === undefined || listing.instructions === '') continue;
    parts.push(prefixed ? `## ${prefix}\n${listing.instructions}` : listing.instructions);
  }
  return parts.length === 0 ? undefined : parts.join('\n\n').slice(0, MAX_INSTRUCTIONS);
}

/** All scopes at one moment. */
export class RoutingTable<T> {
  readonly version: number;
  readonly aggregate: ScopeView<T>;
  readonly collisions: readonly Collision[];
  readonly #offers: ReadonlyMap<string, Offer<T>>;
  readonly #pageSize: number;
  readonly #servers = new Map<string, ScopeView<T>>();

  constructor(version: number, offers: readonly Offer<T>[], pageSize: number) {
    const collisions: Collision[] = [];
    this.version = version;
    this.aggregate = new ScopeView(offers, true, pageSize, collisions);
    this.collisions = collisions;
    this.#pageSize = pageSize;
    this.#offers = new Map(offers.map((offer) => [offer.server, offer]));
  }

  /** What it was built from. */
  offer(server: string): Offer<T> | undefined {
    return this.#offers.get(server);
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
    const view = new ScopeView([offer], false, this.#pageSize, []);
    this.#servers.set(name, view);
    return view;
  }

  /** The view of a scope: `null` is the aggregate. */
  scope(server: string | null): ScopeView<T> | undefined {
    return server === null ? this.aggregate : this.server(server);
  }
}
