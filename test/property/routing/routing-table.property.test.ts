/** The routing table against a naive construction of what it should hold, over offers as odd as servers can make them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NO_CACHING } from '#src/protocol/modern/caching.js';
import { type CursorKind, decodeCursor, MAX_CURSOR_KEY } from '#src/protocol/cursor.js';
import { type JsonObject } from '#src/protocol/jsonrpc.js';
import { type PagedList } from '#src/routing/paged-list.js';
import { type Listing, type Offer, RoutingTable, type ScopeView } from '#src/routing/routing-table.js';
import { offersOf, type Part } from '../../support/actors/listings.js';

const KINDS: readonly CursorKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];
const MEMBER = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' } as const;

const ODD = [
  '__proto__',
  'constructor',
  'a',
  'b',
  'a__b',
  '',
  'grüße',
  '😀',
  '\ud800',
  ' ',
  'x'.repeat(MAX_CURSOR_KEY),
];
const URIS = ['file:///a', 'file:///b', 'viable://a/file:///a', 'viable://', 'viable://b/x', '__proto__', 'x:ü', ''];
const TEMPLATES = ['file:///{x}', 'file:///{x}/{y}', '{+all}', 'viable://a/{x}', 'bad{', 'db://{t}{?q}', '__proto__'];

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ODD) }, fc.string({ unit: 'binary', maxLength: 6 }));
const uri = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...URIS) }, fc.webUrl());
const template = fc.constantFrom(...TEMPLATES);

function items(key: string, names: fc.Arbitrary<string>): fc.Arbitrary<JsonObject[]> {
  // JSON text has no -0: what a server sends is never one.
  const value = fc.jsonValue({ maxDepth: 1 }).map((sent) => JSON.parse(JSON.stringify(sent)) as unknown);
  const rest = fc.dictionary(fc.constantFrom('title', '__proto__', 'description'), value);
  return fc.array(
    fc
      .tuple(names, rest, fc.boolean())
      .map(([id, more, first]) => (first ? { [key]: id, ...more } : { ...more, [key]: id })),
    { maxLength: 8 },
  );
}

const listing: fc.Arbitrary<Listing> = fc.record({
  tools: items('name', name),
  prompts: items('name', name),
  resources: items('uri', uri),
  resourceTemplates: items('uriTemplate', template),
  capabilities: fc
    .subarray(['tools', 'resources', 'logging'])
    .map((names) => Object.fromEntries(names.map((n) => [n, {}]))),
  instructions: fc.option(fc.string(), { nil: undefined }),
  hints: fc.constant(NO_CACHING),
});

const part: fc.Arbitrary<Part> = fc.record({
  server: fc.constantFrom('a', 'b', 'c c', 'c/c', '世界', '__proto__', 'a__b'),
  listing,
  available: fc.boolean(),
  toolFilter: fc.constantFrom(
    () => true,
    (own: string) => own !== 'a',
  ),
});

const parts = fc.uniqueArray(part, { selector: (p) => p.server, maxLength: 5 });
const pageSize = fc.integer({ min: 1, max: 7 });

interface Shown {
  readonly key: string;
  readonly own: string;
  readonly target: string;
  readonly item: JsonObject;
}

function firsts(offer: Offer<string>, kind: CursorKind): JsonObject[] {
  const all = offer.listing[kind].filter((item) => kind !== 'tools' || offer.toolFilter(String(item['name'])));
  return all.filter((item, i) => all.findIndex((other) => other[MEMBER[kind]] === item[MEMBER[kind]]) === i);
}

/** What a scope has under which key, available or not: the definition, without any index. */
function naive(
  offers: readonly Offer<string>[],
  kind: CursorKind,
  prefixed: boolean,
): (Shown & { available: boolean })[] {
  const all = offers.flatMap((offer) => firsts(offer, kind).map((item) => ({ offer, item })));
  return all
    .map(({ offer, item }) => {
      const own = String(item[MEMBER[kind]]);
      const sharers = all.filter((other) => other.item[MEMBER[kind]] === own).map((other) => other.offer.prefix);
      const first = [...sharers].sort()[0] === offer.prefix;
      const named = kind === 'tools' || kind === 'prompts';
      const plain = !prefixed || (!named && first && !own.startsWith('viable://'));
      const key = plain ? own : named ? `${offer.prefix}__${own}` : `viable://${offer.prefix}/${own}`;
      return { key, own, target: offer.target, item: { ...item, [MEMBER[kind]]: key }, available: offer.available };
    })
    .filter(({ key }) => key.length <= MAX_CURSOR_KEY)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

interface Page {
  readonly items: readonly JsonObject[];
  readonly next: string | undefined;
}

function pageOf(list: PagedList, kind: CursorKind, after: string | undefined): Page {
  const page = JSON.parse(list.page(after)) as JsonObject;
  const next = page['nextCursor'];
  assert.deepEqual(Object.keys(page), next === undefined ? [kind] : [kind, 'nextCursor']);
  const cursor = next === undefined ? undefined : decodeCursor(next, kind);
  assert.equal(cursor === undefined, next === undefined, 'a cursor that cannot be read');
  return { items: page[kind] as JsonObject[], next: cursor?.after };
}

function walk(list: PagedList, kind: CursorKind, after?: string): JsonObject[] {
  const page = pageOf(list, kind, after);
  return page.next === undefined ? [...page.items] : [...page.items, ...walk(list, kind, page.next)];
}

function routeOf(view: ScopeView<string>, kind: CursorKind, key: string) {
  switch (kind) {
    case 'tools':
    case 'prompts':
      return view[kind].get(key);
    case 'resources':
      return view.resource(key);
    case 'resourceTemplates':
      return view.template(key);
  }
}

function checkScope(view: ScopeView<string>, offers: readonly Offer<string>[], prefixed: boolean, size: number): void {
  for (const kind of KINDS) {
    const expected = naive(offers, kind, prefixed);
    const shown = expected.filter((entry) => entry.available);
    assert.deepEqual(
      walk(view.lists[kind], kind),
      shown.map((entry) => entry.item),
    );
    assert.deepEqual(
      view.lists[kind].keys(),
      shown.map((entry) => entry.key),
    );
    const first = pageOf(view.lists[kind], kind, undefined);
    assert.equal(first.items.length, Math.min(size, shown.length));
    // Away or not: every name leads to its own server under its own name.
    for (const { key, own, target } of expected) {
      if (kind === 'resourceTemplates' && view.resources.has(key)) continue; // a plain URI that is spelled like it
      const route = routeOf(view, kind, key);
      assert.deepEqual(route && { target: route.target, own: route.own }, { target, own });
    }
  }
}

describe('routing table, properties', () => {
  it('shows each name once, sorted, page by page, and routes it to its own upstream under its own name', () => {
    fc.assert(
      fc.property(parts, pageSize, (given, size) => {
        const offers = offersOf(given);
        const table = new RoutingTable(1, offers, size);
        checkScope(table.aggregate, offers, true, size);
        for (const offer of offers) {
          const view = table.scope(offer.server);
          assert.ok(view);
          checkScope(view, [offer], false, size);
        }
        assert.equal(table.scope('nobody'), undefined);
      }),
      { numRuns: 300 },
    );
  });

  it('depends on the set of offers alone', () => {
    const shuffled = parts.chain((given) =>
      fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
    );
    fc.assert(
      fc.property(shuffled, pageSize, uri, ([given, other], size, asked) => {
        const a = new RoutingTable(1, offersOf(given), size).aggregate;
        const b = new RoutingTable(2, offersOf(other), size).aggregate;
        for (const kind of KINDS) {
          assert.equal(a.lists[kind].page(undefined), b.lists[kind].page(undefined));
          assert.deepEqual(a.lists[kind].keys(), b.lists[kind].keys());
          assert.ok(a.lists[kind].equals(b.lists[kind]));
        }
        const [one, two] = [a.resource(asked), b.resource(asked)];
        assert.deepEqual(one && [one.target, one.own], two && [two.target, two.own]);
      }),
    );
  });

  it('lets a cursor of one table go on in the next: nothing twice, nothing that stays skipped', () => {
    const change = parts.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.tuple(
          ...given.map((p) =>
            fc.oneof(
              fc.constant(p),
              part.map((q) => ({ ...q, server: p.server })),
            ),
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(
        change,
        pageSize,
        pageSize,
        fc.constantFrom(...KINDS),
        fc.nat(5),
        ([given, later], size, size2, kind, turns) => {
          const before = new RoutingTable(1, offersOf(given), size).aggregate.lists[kind];
          const after = new RoutingTable(2, offersOf(later), size2).aggregate.lists[kind];
          const seen: unknown[] = [];
          let next: string | undefined;
          for (let turn = 0; turn <= turns; turn++) {
            const page = pageOf(before, kind, next);
            seen.push(...page.items.map((item) => item[MEMBER[kind]]));
            next = page.next;
            if (next === undefined) return;
          }
          seen.push(...walk(after, kind, next).map((item) => item[MEMBER[kind]]));
          assert.equal(new Set(seen).size, seen.length);
          const stays = new Set(after.keys());
          for (const key of before.keys()) if (stays.has(key)) assert.ok(seen.includes(key), key);
        },
      ),
    );
  });

  it('calls two lists equal exactly when they show the same', () => {
    fc.assert(
      fc.property(parts, parts, fc.boolean(), fc.constantFrom(...KINDS), (given, other, copy, kind) => {
        const same = structuredClone(
          given.map(({ server, listing: offered, available = true }) => ({ server, listing: offered, available })),
        );
        const right = copy ? same.map((p, i) => ({ ...p, toolFilter: given[i]?.toolFilter ?? (() => true) })) : other;
        const a = new RoutingTable(1, offersOf(given), 3).aggregate.lists[kind];
        const b = new RoutingTable(2, offersOf(right), 3).aggregate.lists[kind];
        const text = (list: PagedList): string => JSON.stringify(walk(list, kind));
        assert.equal(a.equals(b), text(a) === text(b));
        assert.equal(b.equals(a), a.equals(b));
      }),
    );
  });
});
