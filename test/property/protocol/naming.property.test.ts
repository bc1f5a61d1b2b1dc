import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findNameConflicts } from '#src/protocol/confusables.js';
import {
  aggregateName,
  assignPrefixes,
  MAX_PREFIX_LENGTH,
  namespacePrefix,
  splitAggregateName,
} from '#src/protocol/naming.js';
import { assignResourceUris, splitPrefixedUri } from '#src/protocol/resource-uris.js';

/** Names that collide often, among any others. */
const crowded = fc.string({ unit: fc.constantFrom('a', 'A', '_', '-', ' ', '/', 'é'), maxLength: 5 });
const anyName = fc.oneof(crowded, fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('__proto__', 'server'));
const names = fc.uniqueArray(anyName, { maxLength: 30 });
const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

describe('naming, properties', () => {
  it('prefixes are clean, short and never end where a separator could begin', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const prefix = namespacePrefix(name);
        assert.match(prefix, /^(?!_)[A-Za-z0-9_-]+(?<!_)$/);
        assert.ok(!prefix.includes('__') && prefix.length <= MAX_PREFIX_LENGTH);
        assert.equal(namespacePrefix(prefix), prefix);
      }),
    );
  });

  it('every server gets one prefix of its own, whatever the order', () => {
    const wishes = fc.dictionary(anyName, anyName, { maxKeys: 4 });
    const input = fc
      .tuple(names, wishes)
      .chain(([list, wished]) =>
        fc.tuple(fc.constant(list), shuffled(list), fc.constant(new Map(Object.entries(wished)))),
      );
    fc.assert(
      fc.property(input, ([list, other, wished]) => {
        const assignment = assignPrefixes(list, wished);
        assert.equal(assignment.prefixes.size, list.length);
        assert.equal(new Set(assignment.prefixes.values()).size, list.length);
        assert.deepEqual(assignPrefixes([...other, ...list], wished), assignment);
        for (const prefix of assignment.prefixes.values()) {
          assert.match(prefix, /^(?!_)(?:(?!__)[A-Za-z0-9_-])+(?<!_)$/);
          assert.ok(prefix.length <= MAX_PREFIX_LENGTH);
        }
      }),
    );
  });

  it('reports every server whose prefix is not the one it asked for', () => {
    fc.assert(
      fc.property(names, (list) => {
        const { prefixes, conflicts } = assignPrefixes(list);
        const reported = new Set(conflicts.filter(({ kind }) => kind === 'same').flatMap(({ servers }) => servers));
        for (const [server, prefix] of prefixes) {
          if (prefix !== namespacePrefix(server)) assert.ok(reported.has(server), server);
        }
      }),
    );
  });

  it('different tools of different servers never share a name', () => {
    const offers = fc.array(fc.tuple(anyName, anyName), { maxLength: 40 });
    fc.assert(
      fc.property(offers, (list) => {
        const { prefixes } = assignPrefixes(list.map(([server]) => server));
        const owners = new Map<string, string>();
        for (const [server, tool] of list) {
          const prefix = prefixes.get(server) ?? assert.fail();
          const name = aggregateName(prefix, tool);
          const owner = JSON.stringify([server, tool]);
          assert.equal(owners.get(name) ?? owner, owner);
          owners.set(name, owner);
          assert.deepEqual(splitAggregateName(name), { prefix, name: tool });
        }
      }),
    );
  });

  it('conflict reports do not depend on the order', () => {
    const offers = fc.array(fc.record({ server: crowded, name: crowded }, { noNullPrototype: true }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        offers.chain((list) => fc.tuple(fc.constant(list), shuffled(list))),
        ([list, other]) => {
          assert.deepEqual(findNameConflicts(other), findNameConflicts(list));
        },
      ),
    );
  });

  it('every resource of every server has exactly one URI, whatever the order', () => {
    const uri = fc.oneof(fc.constantFrom('file:///a', 'viable://a/x', 'viable://b/viable://a/x', ''), fc.string());
    const offers = fc.array(fc.record({ prefix: fc.constantFrom('a', 'b', 'c'), uri }, { noNullPrototype: true }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        offers.chain((list) => fc.tuple(fc.constant(list), shuffled(list))),
        ([list, other]) => {
          const { owners, conflicts } = assignResourceUris(list);
          assert.deepEqual(assignResourceUris(other), { owners, conflicts });
          const wanted = new Set(list.map((offer) => JSON.stringify([offer.prefix, offer.uri])));
          const given = [...owners.values()].map((owner) => JSON.stringify([owner.prefix, owner.uri]));
          assert.deepEqual(given.sort(), [...wanted].sort());
          for (const [exposed, owner] of owners) {
            const split = splitPrefixedUri(exposed);
            if (split === undefined) assert.equal(exposed, owner.uri);
            else assert.deepEqual(split, owner);
          }
        },
      ),
    );
  });
});
