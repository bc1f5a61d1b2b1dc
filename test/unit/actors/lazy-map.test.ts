/** A `LazyMap` behaves as a `Map` does. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LazyMap } from '#src/actors/lazy-map.js';

type Step = { readonly kind: 'set' | 'delete' | 'clear'; readonly key: number; readonly value: number };

describe('lazy map', () => {
  it('holds what a Map would hold, after any steps', () => {
    const step: fc.Arbitrary<Step> = fc.record({
      kind: fc.constantFrom('set', 'delete', 'clear'),
      key: fc.integer({ min: 0, max: 4 }),
      value: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const lazy = new LazyMap<number, number>();
        const model = new Map<number, number>();
        for (const { kind, key, value } of steps) {
          if (kind === 'set') {
            lazy.set(key, value);
            model.set(key, value);
          } else if (kind === 'delete') assert.equal(lazy.delete(key), model.delete(key));
          else {
            lazy.clear();
            model.clear();
          }
          assert.deepEqual([...lazy], [...model]);
          assert.deepEqual(
            [[...lazy.keys()], [...lazy.values()], lazy.size],
            [[...model.keys()], [...model.values()], model.size],
          );
          for (let at = 0; at < 5; at++) assert.deepEqual([lazy.has(at), lazy.get(at)], [model.has(at), model.get(at)]);
        }
      }),
    );
  });
});
