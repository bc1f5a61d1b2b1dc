/** Rate limits: never more than burst + rate · t, in any span, whatever the order of keys and times. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TokenBuckets } from '#src/auth/token-bucket.js';

const MINUTE = 60_000;

describe('auth/token-bucket, properties', () => {
  it('admits at most burst + rate · t over a million operations in virtual time', () => {
    const perMinute = 100;
    const buckets = new TokenBuckets({ perMinute, burst: 1, maxKeys: 100 });
    const keys = Array.from({ length: 20 }, (_, index) => ({ key: `k${index}`, admitted: 0 }));
    let seed = 12_345;
    // mulberry32: the same draws each time.
    const next = (below: number): number => {
      seed = (seed + 0x6d2b79f5) | 0;
      let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
      return ((bits ^ (bits >>> 14)) >>> 0) % below;
    };
    let now = 1_000_000;
    const start = now;
    for (let operation = 0; operation < 1_000_000; operation += 1) {
      if (next(8) === 0) now += next(100);
      const one = keys[next(keys.length)]!;
      if (buckets.take(one.key, 1, now) === 0) one.admitted += 1;
      const most = perMinute + ((now - start) * perMinute) / MINUTE;
      assert.ok(one.admitted <= most + 1e-3, `${one.admitted} > ${most} at ${now - start}`);
    }
    // Nor are those who may go kept out: each key asked far more often than its rate.
    const least = ((now - start) * perMinute) / MINUTE;
    for (const { admitted } of keys) assert.ok(admitted >= least * 0.99, `${admitted} < ${least}`);
  });

  it('in every span, not only from the start', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6_000 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.array(fc.nat(5_000), { minLength: 1, maxLength: 400 }),
        (perMinute, burst, steps) => {
          const buckets = new TokenBuckets({ perMinute, burst, maxKeys: 100 });
          const held = Math.max(1, Math.floor(perMinute * burst));
          const admitted: number[] = [];
          let now = 0;
          for (const step of steps) {
            now += step;
            const wait = buckets.take('k', 1, now);
            if (wait === 0) admitted.push(now);
            else
              assert.ok(
                buckets.take('k', 1, now + wait * 0.999 - 1) > 0 || wait <= 1,
                'the wait that is told is no longer than needed',
              );
          }
          for (let from = 0; from < admitted.length; from += 1) {
            const last = admitted.length - 1;
            const span = admitted[last]! - admitted[from]!;
            assert.ok(last - from + 1 <= held + (span * perMinute) / MINUTE + 1e-3);
          }
        },
      ),
    );
  });

  it('who waits as long as told is admitted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.nat(2_000), { maxLength: 200 }),
        (perMinute, steps) => {
          const buckets = new TokenBuckets({ perMinute, burst: 0.1, maxKeys: 100 });
          let now = 0;
          for (const step of steps) {
            now += step;
            const wait = buckets.take('k', 1, now);
            if (wait === 0) continue;
            now += wait;
            assert.equal(buckets.take('k', 1, now), 0);
          }
        },
      ),
    );
  });

  it('remembers no more keys than it may; those beyond share one', () => {
    const buckets = new TokenBuckets({ perMinute: 10, burst: 1, maxKeys: 100 });
    for (let index = 0; index < 10_000; index += 1) buckets.take(`address-${index}`, 1, 0);
    assert.ok(buckets.size <= 101, String(buckets.size));
    assert.ok(buckets.take('another', 1, 0) > 0, 'the shared one is used up');
    assert.equal(buckets.take('address-5', 1, 0), 0, 'who was there first is not disturbed');
    assert.equal(buckets.take('another', 1, 10 * MINUTE), 0);
    buckets.sweep(20 * MINUTE);
    assert.equal(buckets.size, 0);
  });
});
