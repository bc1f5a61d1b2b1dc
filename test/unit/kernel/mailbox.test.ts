import assert from 'node:assert/strict';
import { Lane } from '#src/kernel/mailbox.js';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('Lane', () => {
  it('gives messages in the order they came, over wrapping and growing', () => {
    const lane = new Lane<number>(1_000);
    const out: number[] = [];
    let next = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < round; i++) lane.push(next++);
      for (let i = 0; i < round - 1; i++) out.push(lane.shift());
    }
    out.push(...lane.drain());
    assert.deepEqual(out, range(0, next));
  });

  it('refuses at its bound and takes again when there is room', () => {
    const lane = new Lane<string>(2);
    assert.deepEqual([lane.push('a'), lane.push('b'), lane.push('c')], [true, true, false]);
    assert.equal(lane.length, 2);
    assert.equal(lane.shift(), 'a');
    assert.equal(lane.push('d'), true);
    assert.deepEqual(lane.drain(), ['b', 'd']);
    assert.equal(new Lane<string>(0).push('x'), false);
  });

  it('takes what is forced past the bound, and counts it', () => {
    const lane = new Lane<number>(1);
    lane.push(0);
    for (const n of range(1, 20)) lane.force(n);
    assert.equal(lane.length, 20);
    assert.equal(lane.push(99), false);
    assert.deepEqual(lane.drain(), range(0, 20));
    assert.equal(lane.length, 0);
  });

  it('loses nothing after a burst has given its large ring back', () => {
    for (const burst of [1_024, 1_025, 1_500, 2_047, 2_048, 3_000]) {
      for (const after of [1, 5, 8, 9, 20]) {
        const lane = new Lane<number>(100_000);
        for (const n of range(0, burst)) lane.push(n);
        assert.deepEqual(lane.drain(), range(0, burst));
        for (const n of range(0, after)) lane.push(n);
        assert.deepEqual(lane.drain(), range(0, after), `${after} after a burst of ${burst}`);
      }
    }
  });

  it('carries undefined and null as messages', () => {
    const lane = new Lane<undefined | null>(3);
    lane.push(undefined);
    lane.push(null);
    assert.deepEqual(lane.drain(), [undefined, null]);
  });
});
