import assert from 'node:assert/strict';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Outstanding } from '#src/protocol/outstanding.js';

/** Bytes of objects that have outlived young collections. */
function oldBytes(): number {
  const old = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space');
  return old?.space_used_size ?? Number.NaN;
}

/** A collection of the young generation, as every few hundred requests bring one about. */
function youngCollection(): (options: { readonly type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
}

const REQUEST_BYTES = 1_024;
const ROUNDS = 200;
const EACH = 100;

describe('what is outstanding', () => {
  it('does not keep what was taken out, however old the table is', () => {
    const collect = youngCollection();
    const table = new Outstanding<readonly number[]>();
    table.set('a call that takes long', []);
    for (let age = 0; age < 4; age += 1) collect({ type: 'minor' });
    const before = oldBytes();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let id = 0; id < EACH; id += 1) {
        table.set(round * EACH + id, new Array<number>(REQUEST_BYTES / 8).fill(id));
        if (id >= 3) table.delete(round * EACH + id - 3);
      }
      collect({ type: 'minor' });
      for (let id = EACH - 3; id < EACH; id += 1) table.delete(round * EACH + id);
    }
    const kept = (oldBytes() - before) / (ROUNDS * EACH * REQUEST_BYTES);
    assert.equal(table.size, 1);
    // With a `Map` it is all of them. Those in it during a collection may get old.
    assert.ok(kept < 0.1, `${(100 * kept).toFixed(0)} % of what came and went has got old`);
  });

  it('gives a large table back when it is empty, and starts anew', () => {
    const table = new Outstanding<number>();
    for (const round of [1, 2]) {
      for (let id = 0; id < 1_000; id += 1) table.set(id, id * round);
      assert.equal(table.size, 1_000);
      assert.equal(table.get(999), 999 * round);
      for (let id = 0; id < 1_000; id += 1) assert.equal(table.delete(id), true);
      assert.deepEqual(table.values(), []);
    }
    assert.equal(table.delete(1), false);
  });
});
