/**
 * Catalogue: merges what the upstreams offer into the routing table and tells clients when their lists have changed.
 *
 * Parent: operations. Restart: permanent. After a restart the last table goes on serving and is where it begins again:
 * every upstream is asked to offer once more, and one that is away keeps what it offered last.
 *
 * Invariants: one bad upstream changes nothing of another's part; a table is published by one assignment; a client hears
 * `list_changed` only when a list that it sees has really changed, at most once a debounce.
 * Source: MCP specification, "Server Features" (list_changed of tools, prompts, resources).
 */
import { type ActorContext, type ActorSystem, type Behavior, type ReplyTo, type TimerHandle } from '../kernel/index.js';
import { type PinBook } from '../pinning/pin-book.js';
import { type CursorKind } from '../protocol/cursor.js';
import { type JsonObject } from '../protocol/jsonrpc.js';
import { assignPrefixes } from '../protocol/naming.js';
import { stripControl } from '../protocol/text.js';
import { type Collision, type Listing, type Offer, RoutingTable } from '../routing/routing-table.js';
import { marked, type Presence } from '../routing/presence.js';
import { compileScopeRules, type ScopeKey } from '../routing/scopes.js';
import { type ToolSearch } from '../routing/tool-search.js';
import { type Logger } from '../telemetry/logger.js';
import { type DataPlane } from './data-plane.js';
import { CatalogueWatch } from './catalogue-watch.js';
import { PINS, REGISTRY, upstreamLifecycle } from './names.js';
import { type UpstreamGate } from './upstream-gate.js';

export type CatalogueMessage =
  /** An upstream's listing, its first or a new one; it takes calls. */
  | { readonly type: 'catalogue/offered'; readonly server: UpstreamOffer; readonly listing: Listing }
  /** It takes no calls for now: its names still route to it, its entries leave the lists or are marked. */
  | { readonly type: 'catalogue/unavailable'; readonly server: string }
  /** Its breaker has opened or closed: the gate says which. */
  | { readonly type: 'catalogue/breaker'; readonly server: string }
  /** It is configured no more. */
  | { readonly type: 'catalogue/withdrawn'; readonly server: string }
  /** Page size, toolsets or search may have changed: what they are now is published at once. */
  | { readonly type: 'catalogue/reconfigured' }
  /** What some clients see has changed, though what there is has not. */
  | { readonly type: 'catalogue/policy-changed' }
  /** An operator accepts the definition that is offered now. Answered with `{accepted}`. */
  | {
      readonly type: 'catalogue/accept';
      readonly server: string;
      readonly tool: string;
      readonly replyTo?: ReplyTo<unknown>;
    }
  /** An operator vouches for every definition that is offered now. Answered with `{locked, file}`. */
  | { readonly type: 'catalogue/lock'; readonly replyTo?: ReplyTo<unknown> }
  | { readonly type: 'catalogue/publish' }
  /** Time to index some more tools for the search. */
  | { readonly type: 'catalogue/index' };

/** What of an upstream's configuration the catalogue needs. */
export interface UpstreamOffer {
  readonly name: string;
  readonly prefix: string | undefined;
  readonly toolFilter: (name: string) => boolean;
  readonly gate: UpstreamGate;
  /** What clients see of it when its breaker is not closed, or it is away. */
  readonly presence: Presence;
}

export interface CatalogueDeps {
  readonly system: ActorSystem;
  readonly plane: DataPlane;
  readonly log: Logger;
  readonly book: PinBook;
}

/** Tools that are indexed in one turn: a few milliseconds at most. */
const INDEXED_AT_ONCE = 64;
/** Between two such turns; what waits for the event loop gets it. Milliseconds. */
const INDEX_PAUSE_MS = 1;

interface Part {
  readonly server: UpstreamOffer;
  readonly listing: Listing;
  readonly available: boolean;
}

type Presented = Pick<Offer<UpstreamGate>, 'presence' | 'listing' | 'unmarked' | 'available'>;

export function catalogue(deps: CatalogueDeps) {
  return (context: ActorContext<CatalogueMessage>): Behavior<CatalogueMessage> => new Catalogue(deps, context);
}

class Catalogue implements Behavior<CatalogueMessage> {
  readonly #deps: CatalogueDeps;
  readonly #context: ActorContext<CatalogueMessage>;
  readonly #parts = new Map<string, Part>();
  readonly #reported = new Set<string>();
  /** Servers that are announced as ready. */
  readonly #up = new Set<string>();
  readonly #marked = new WeakMap<Listing, Listing>();
  readonly #watch: CatalogueWatch;
  #publishing: TimerHandle | null = null;
  /** Searches of the last table that are not indexed to their end. */
  #unindexed: Iterator<ToolSearch, undefined> | null = null;

  constructor(deps: CatalogueDeps, context: ActorContext<CatalogueMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#watch = new CatalogueWatch({ ...deps, save: () => void deps.system.tell(PINS, { type: 'pins/save' }) });
    for (const [name, gate] of deps.plane.gates) {
      const known = deps.plane.routing.offer(name);
      if (known) this.#recall(known, gate);
      const upstream = deps.system.whereis(upstreamLifecycle(name));
      upstream?.tell({ type: 'upstream/offer-again' });
    }
    if (deps.plane.routing.version > 0) this.#soon();
  }

  handle(message: CatalogueMessage): void {
    switch (message.type) {
      case 'catalogue/offered':
        this.#parts.set(message.server.name, {
          server: message.server,
          listing: message.listing,
          available: message.server.gate.drainsUntil === null,
        });
        return this.#soon();
      case 'catalogue/unavailable':
        this.#setUnavailable(message.server);
        return;
      case 'catalogue/breaker':
        if (this.#parts.has(message.server)) this.#soon();
        return;
      case 'catalogue/withdrawn':
        this.#up.delete(message.server);
        if (this.#parts.delete(message.server)) this.#soon();
        return;
      case 'catalogue/reconfigured':
        this.#publishing?.cancel();
        this.#publishing = null;
        return this.#publish();
      case 'catalogue/policy-changed':
        return this.#announceAll();
      case 'catalogue/accept': {
        const accepted = this.#watch.accept(message.server, message.tool, this.#context.clock.now());
        this.#publish();
        return message.replyTo?.reply({ accepted });
      }
      case 'catalogue/lock': {
        const locked = this.#watch.lock(this.#context.clock.now());
        this.#publish();
        return message.replyTo?.reply({ locked, file: this.#deps.book.file });
      }
      case 'catalogue/publish':
        this.#publishing?.cancel();
        this.#publishing = null;
        return this.#publish();
      case 'catalogue/index':
        return this.#index();
    }
  }

  /** From the last table; the gate says what was missed since. */
  #recall({ server, wish, toolFilter, listing, unmarked, presence }: Offer<UpstreamGate>, gate: UpstreamGate): void {
    const offer: UpstreamOffer = { name: server, prefix: wish, toolFilter, gate, presence: presence ?? 'withdraw' };
    const available = gate.session !== null && gate.drainsUntil === null;
    if (available) this.#up.add(server);
    this.#parts.set(server, { server: offer, listing: unmarked ?? listing, available });
  }

  #setUnavailable(name: string): void {
    this.#up.delete(name);
    const part = this.#parts.get(name);
    if (!part?.available) return;
    this.#parts.set(name, { ...part, available: false });
    this.#soon();
  }

  /** The first offer of all is published at once; later changes together, when the debounce is over. */
  #soon(): void {
    if (this.#publishing) return;
    const debounce = this.#deps.plane.options.catalogue.listChangedDebounce;
    const empty = this.#deps.plane.routing.version === 0;
    this.#publishing = this.#context.after(empty ? 0 : debounce, { type: 'catalogue/publish' });
  }

  #publish(): void {
    const { plane, system } = this.#deps;
    const before = plane.routing;
    const order = [...plane.gates.keys()];
    const parts = [...this.#parts.values()].sort((a, b) => order.indexOf(a.server.name) - order.indexOf(b.server.name));
    const { options } = plane;
    const rules = compileScopeRules(options);
    const table = new RoutingTable(before.version + 1, this.#offers(parts), options.catalogue.pageSize, rules);
    plane.routing = table;
    if (this.#unindexed === null) this.#context.after(INDEX_PAUSE_MS, { type: 'catalogue/index' });
    this.#unindexed = table.unindexed();
    this.#reportCollisions(table.collisions);
    const changes = [...this.#changes(before, table)];
    if (changes.length > 0) system.tell(REGISTRY, { type: 'registry/lists-changed', changes });
    const { prompts, resources } = table.aggregate.lists;
    this.#deps.log.info(
      {
        event: 'catalogue',
        version: table.version,
        tools: table.aggregate.offeredTools,
        prompts: prompts.size,
        resources: resources.size,
      },
      'published the merged catalogue',
    );
    for (const part of parts) this.#announceUp(part);
  }

  /** Whoever is told can call its tools at once. */
  #announceUp({ server: { name, gate }, listing, available }: Part): void {
    if (!available || gate.session === null || this.#up.has(name)) return;
    this.#up.add(name);
    this.#deps.plane.announcements.announce('upstream/up', () => ({ name, tools: listing.tools.length }));
  }

  /** Off the path of calls, so that the first `find_tool` finds everything read. */
  #index(): void {
    const search = this.#unindexed?.next().value;
    if (!search) {
      this.#unindexed = null;
      return;
    }
    search.prepare(INDEXED_AT_ONCE);
    this.#context.after(INDEX_PAUSE_MS, { type: 'catalogue/index' });
  }

  #offers(parts: readonly Part[]): Offer<UpstreamGate>[] {
    const wishes = new Map<string, string>();
    for (const { server } of parts) if (server.prefix !== undefined) wishes.set(server.name, server.prefix);
    const { prefixes, conflicts } = assignPrefixes(
      parts.map((part) => part.server.name),
      wishes,
    );
    for (const conflict of conflicts) {
      this.#once(`${conflict.kind}:${conflict.prefix}:${conflict.servers.join()}`, () =>
        this.#deps.log.warn({ event: 'collision', ...conflict }, 'servers whose prefixes are the same or look alike'),
      );
    }
    const offered = parts.map(({ server: { name: server }, listing }) => ({ server, listing }));
    this.#watch.look(offered, conflicts, this.#context.clock.now());
    return parts.map(({ server, listing, available }) => ({
      server: server.name,
      prefix: prefixes.get(server.name) ?? server.name,
      wish: server.prefix,
      target: server.gate,
      ...this.#present(server, listing, available),
      toolFilter: server.toolFilter,
      quarantined: this.#watch.quarantined(server.name),
    }));
  }

  /** A server in trouble, as its configuration wants it seen. */
  #present({ gate, presence }: UpstreamOffer, listing: Listing, available: boolean): Presented {
    const fine = available && gate.breaker.state === 'closed';
    if (fine || presence === 'keep') return { presence, listing, available: true };
    if (presence === 'withdraw') return { presence, listing, available: false };
    const shown = this.#marked.get(listing) ?? marked(listing);
    this.#marked.set(listing, shown);
    return { presence, listing: shown, unmarked: listing, available: true };
  }

  #announceAll(): void {
    const { routing } = this.#deps.plane;
    const scopes = [null, ...routing.servers(), ...routing.toolsetScopes()];
    const changes = scopes.flatMap((scope) => LISTS.map((kind) => ({ scope, kind })));
    this.#deps.system.tell(REGISTRY, { type: 'registry/lists-changed', changes });
  }

  /** Scopes and lists whose content differs between two tables. */
  *#changes(before: RoutingTable<UpstreamGate>, after: RoutingTable<UpstreamGate>): Iterable<ListChange> {
    // Those that are gone, too: a session on such an endpoint sees its lists become empty.
    const searches = before.searches !== after.searches;
    const changed = [...new Set([...before.servers(), ...after.servers()])].filter(
      (name) => searches || differs(name, before, after),
    );
    const toolsets = new Set([...before.toolsetScopes(), ...after.toolsetScopes()]);
    for (const scope of [null, ...changed, ...toolsets]) {
      for (const kind of LISTS) if (!sameList(before, after, scope, kind)) yield { scope, kind };
    }
  }

  #reportCollisions(collisions: readonly Collision[]): void {
    for (const collision of collisions) {
      const fields = collisionFields(collision);
      const what =
        collision.kind === 'too-long'
          ? 'a name or URI that is too long to be listed'
          : 'a name or URI that is offered more than once';
      this.#once(JSON.stringify(fields), () => this.#deps.log.warn({ event: 'collision', ...fields }, what));
    }
  }

  #once(key: string, report: () => void): void {
    if (this.#reported.has(key) || this.#reported.size > 10_000) return;
    this.#reported.add(key);
    report();
  }
}

export interface ListChange {
  readonly scope: ScopeKey;
  readonly kind: CursorKind;
}

const MAX_LOGGED_NAME = 200;

const LISTS: readonly CursorKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

/** For the log: without control characters, and short. */
function collisionFields(collision: Collision): JsonObject {
  if (collision.kind !== 'shared-uri') return { ...collision, name: stripControl(collision.name, MAX_LOGGED_NAME) };
  const { uri, prefixes } = collision.conflict;
  return { kind: collision.kind, uri: stripControl(uri, MAX_LOGGED_NAME), prefixes };
}

/** Whether a server's own endpoint can show something else than before. Cheap: most servers are the same as they were. */
function differs(name: string, before: RoutingTable<UpstreamGate>, after: RoutingTable<UpstreamGate>): boolean {
  const old = before.offer(name);
  const next = after.offer(name);
  if (!old || !next) return true;
  return (
    old.listing !== next.listing ||
    old.available !== next.available ||
    old.toolFilter !== next.toolFilter ||
    old.quarantined !== next.quarantined
  );
}

function sameList(
  before: RoutingTable<UpstreamGate>,
  after: RoutingTable<UpstreamGate>,
  scope: ScopeKey,
  kind: CursorKind,
): boolean {
  const old = before.scope(scope)?.lists[kind];
  const next = after.scope(scope)?.lists[kind];
  return (
    old === next ||
    (old !== undefined && next !== undefined ? old.equals(next) : (old?.size ?? 0) === (next?.size ?? 0))
  );
}
