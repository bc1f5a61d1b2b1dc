import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type JsonRpcId } from '#src/protocol/jsonrpc.js';
import { Outstanding } from '#src/protocol/outstanding.js';

/** Few of each kind, so that they come again: also ids that read alike, and such that no table keeps apart by their last bits. */
const ids: fc.Arbitrary<JsonRpcId> = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.integer({ min: 0, max: 12 }).map((n) => n * 2 ** 32),
  fc.integer({ min: 0, max: 12 }).map(String),
  fc.constantFrom(0.5, 1.5, -0.25, Number.MAX_SAFE_INTEGER, '', ' ', '__proto__', 'constructor'),
  fc.string({ unit: 'binary', maxLength: 3 }),
  // Alike in all that a hash may look at.
  fc.integer({ min: 1, max: 4 }).map((n) => `${n}${'x'.repeat(20_000)}`),
);

/** One thing done to the table, and the same to a `Map`, which keeps the same order. */
type Step =
  | { readonly do: 'set'; readonly id: JsonRpcId; readonly value: number }
  | { readonly do: 'delete'; readonly id: JsonRpcId }
  | { readonly do: 'clear' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('set' as const), id: ids, value: fc.nat() }) },
    { weight: 10, arbitrary: fc.record({ do: fc.constant('delete' as const), id: ids }) },
    { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
  ),
  { size: 'max', maxLength: 400 },
);

function taken(table: Outstanding<number>, model: Map<JsonRpcId, number>, step: Step): void {
  switch (step.do) {
    case 'set':
      table.set(step.id, step.value);
      model.set(step.id, step.value);
      return;
    case 'delete':
      assert.equal(table.delete(step.id), model.delete(step.id));
      return;
    case 'clear':
      table.clear();
      model.clear();
  }
}

describe('what is outstanding, properties', () => {
  it('is what a Map would hold, in the same order, whatever comes and goes', () => {
    fc.assert(
      fc.property(steps, ids, (done, other) => {
        const table = new Outstanding<number>();
        const model = new Map<JsonRpcId, number>();
        for (const step of done) {
          taken(table, model, step);
          assert.equal(table.size, model.size);
          const asked = 'id' in step ? step.id : other;
          assert.equal(table.get(asked), model.get(asked));
          assert.equal(table.has(other), model.has(other));
        }
        assert.deepEqual(table.values(), [...model.values()]);
        for (const [id, value] of model) assert.equal(table.get(id), value);
      }),
    );
  });

  it('holds thousands, and those that stay while others come and go', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 40 }), (count, every) => {
        const table = new Outstanding<number>();
        for (let id = 0; id < count; id += 1) {
          table.set(id, id);
          // All but every so-many-th is taken out again, some while later.
          if (id >= 100 && (id - 100) % every !== 0) assert.equal(table.delete(id - 100), true);
        }
        const stay = Array.from({ length: count }, (_, id) => id).filter((id) => id % every === 0 || id >= count - 100);
        assert.deepEqual(table.values(), stay);
      }),
      { numRuns: 50 },
    );
  });
});
